"""Bakong's words: what an account id looks like, and what its codes mean."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.json_http import Answer, NoAnswer
from connectors.payouts.contract import DestinationCheck, NameMatch

LONGEST_ID = 32
_UNAUTHORISED = 6
_NOT_FOUND, _INVALID = 11, 12


def is_account_id(text: str) -> bool:
    """name@bank: one "@" with something on both sides, no blanks, at most 32 characters. The rules of the National Bank's client."""
    name, _, bank = text.partition("@")
    return bool(name and bank) and "@" not in bank and len(text) <= LONGEST_ID and not any(letter.isspace() for letter in text)


def wants_new_token(answer: Answer | NoAnswer) -> bool:
    """Whether the answer says that the token is not valid any more."""
    if isinstance(answer, NoAnswer):
        return answer.status == 401  # noqa: PLR2004 unauthorised
    return answer.status == 401 or _code(answer, "errorCode") == _UNAUTHORISED  # noqa: PLR2004 the same


def renewed(answer: Answer | NoAnswer) -> str | None:
    """The new token, or None."""
    body = answer.body if isinstance(answer, Answer) and answer.status == 200 and _code(answer, "responseCode") == 0 else None  # noqa: PLR2004 success
    data = body.get("data") if isinstance(body, Mapping) else None
    token = data.get("token") if isinstance(data, Mapping) else None
    return token if isinstance(token, str) and token else None


def judge(answer: Answer | NoAnswer) -> DestinationCheck:
    """Exists, does not, or cannot tell. Never a name: Bakong tells none, so a person still looks at whose account it is."""
    if isinstance(answer, NoAnswer):
        return cannot_tell(f"Bakong gave no usable answer ({answer.code}); check again later")
    if wants_new_token(answer):
        return cannot_tell("Bakong refuses the token: renew it and correct the settings of this account")
    response, error = _code(answer, "responseCode"), _code(answer, "errorCode")
    # Any 5xx or 429 proves nothing, whatever stands in it; a "not found" comes with 200, 400 or 404.
    if answer.status in {200, 400, 404} and response == 1 and error in {_NOT_FOUND, _INVALID}:
        detail = "Bakong knows no such account" if error == _NOT_FOUND else "Bakong calls the account id invalid"
        return DestinationCheck(exists=False, name_match=NameMatch.NOT_APPLICABLE, detail=detail)
    if answer.status == 200 and response == 0:  # noqa: PLR2004 success
        return DestinationCheck(exists=True, name_match=NameMatch.NOT_APPLICABLE, detail="the account exists; Bakong tells no name")
    return cannot_tell(f"Bakong answered {answer.status}, code {response if error is None else error}; check again later")


def cannot_tell(detail: str) -> DestinationCheck:
    """No word on whether the account exists."""
    return DestinationCheck(exists=None, name_match=NameMatch.NOT_APPLICABLE, detail=detail)


def _code(answer: Answer, name: str) -> int | None:
    value = answer.body.get(name) if isinstance(answer.body, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
