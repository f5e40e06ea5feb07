"""How large a request may be, in one place: what the documentation says is what is enforced."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException

from payroll_api.intake.upload import LARGEST_FILE
from payroll_api.settlement.upload import LARGEST_STATEMENT

KIB = 1024
MIB = 1024 * KIB

LARGEST_BODY = 1 * MIB  # JSON and plain forms
_AROUND_A_FILE = 64 * KIB  # what multipart adds to a file
LARGEST_UPLOAD = LARGEST_STATEMENT + _AROUND_A_FILE
LARGEST_PAYROLL_UPLOAD = LARGEST_FILE + _AROUND_A_FILE
LARGEST_WEBHOOK = 256 * KIB
# A bank's pain.002 answers a whole batch in one message.
LARGEST_WEBHOOK_OF: Mapping[str, int] = {"iso20022": 8 * MIB}
LARGEST_WEBHOOK_HEADER = 8 * KIB


def largest(path: str, content_type: str) -> int:
    """The most bytes that a request's body may have at this address."""
    if path.startswith("/webhooks/"):
        return LARGEST_WEBHOOK_OF.get(path.split("/")[2], LARGEST_WEBHOOK)
    if not content_type.casefold().startswith("multipart/"):
        return LARGEST_BODY
    return LARGEST_PAYROLL_UPLOAD if path.startswith("/api/v1/payroll-files") else LARGEST_UPLOAD


class TooLargeError(HTTPException):
    """The body turned out to be larger than this address takes. An HTTPException, so that the framework's parsers let it through."""

    def __init__(self, limit: int) -> None:
        super().__init__(413)
        self.limit = limit
