"""The ways in which we say no. Each has a stable code, an HTTP status, and a sentence that says what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class ProblemError(Exception):
    """A refusal that a person or a client can act on, told as RFC 9457 problem+json.

    `detail` never holds personal data; `extra` is added to the problem's members.
    """

    def __init__(self, code: str, detail: str, *, status: int = 409, extra: Mapping[str, object] | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.status = status
        self.extra = dict(extra or {})


class NotFoundError(ProblemError):
    """There is no such thing in this factory. Another factory's is told the same way."""

    def __init__(self, what: str) -> None:
        super().__init__("not_found", f"There is no such {what}. Check the address, or look it up in its list.", status=404)


class NotAllowedError(ProblemError):
    """The person or key is known but may not do this."""

    def __init__(self, detail: str, code: str = "not_allowed") -> None:
        super().__init__(code, detail, status=403)


class NotSignedInError(ProblemError):
    """Nobody is signed in, or the session has ended."""

    def __init__(self, detail: str = "Sign in first: POST /api/v1/sessions, or send an API key as a bearer token.") -> None:
        super().__init__("not_signed_in", detail, status=401)


class InvalidError(ProblemError):
    """The request cannot be understood. `fields` names each place and what is wrong there."""

    def __init__(self, detail: str, code: str = "invalid", fields: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(code, detail, status=422, extra={"fields": list(fields)} if fields else None)


class CommitUnknownError(Exception):
    """The connection broke while a transaction committed: it may have been carried out or not.

    Never answered by doing the same again blindly. A job is tried again by the queue and reads by id how far it came; a request is
    repeated by its client under the same Idempotency-Key; a sender whose gate this was does not send, and its dispatch is looked up.
    """


class ConfigurationError(Exception):
    """The service cannot start or work as it is set up; the message says which setting and what to do."""
