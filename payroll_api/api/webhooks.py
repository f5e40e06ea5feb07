"""Where banks, wallets and gateways call. Nothing is believed here: the step verifies, stores and commits before we answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal

from fastapi import APIRouter, Request
from sqlalchemy.exc import DBAPIError
from starlette.responses import JSONResponse, Response

from connectors.payouts.contract import WebhookRequest
from payroll_api import logs
from payroll_api.api.guard import UNREACHABLE
from payroll_api.api.limits import LARGEST_WEBHOOK_HEADER
from payroll_api.api.route import InServices
from payroll_api.api.together import Together
from payroll_api.errors import NotFoundError, ProblemError
from payroll_api.failpoints import failpoint
from payroll_api.payments.receive import Incoming, receive_many, refused
from payroll_api.payslips.receipt import receive_receipts
from payroll_api.services import Services

log = logs.get(__name__)

router = APIRouter(prefix="/webhooks", include_in_schema=False)

METHODS = ["POST", "PUT"]
Answer = Exception | None
_KEY = re.compile(r"^[A-Za-z0-9_-]{8,128}$")


class Inbox:
    """Where messages of one process come in: those that come at the same moment are stored together."""

    def __init__(self, services: Services) -> None:
        async def messages(incoming: Sequence[Incoming]) -> Sequence[Answer]:
            return await _apart(incoming, lambda some: receive_many(services, some))

        async def receipts(incoming: Sequence[Incoming]) -> Sequence[Answer]:
            return await _apart(incoming, lambda some: receive_receipts(services, some))

        self.messages = Together[Incoming, None](messages)
        self.receipts = Together[Incoming, None](receipts)


async def _apart(incoming: Sequence[Incoming], store: Callable[[Sequence[Incoming]], Awaitable[Sequence[Answer]]]) -> Sequence[Answer]:
    """Store all together; if that fails by something in one of them, each alone, so that one cannot cost the others their answer."""
    try:
        return await store(incoming)
    except UNREACHABLE:
        raise
    except Exception as error:
        if len(incoming) == 1 or (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise
        log.error("webhooks_stored_apart", count=len(incoming), error=type(error).__name__)  # noqa: TRY400 no values
    answers: list[Answer] = []
    for one in incoming:
        try:
            answers += await store([one])
        except Exception as error:  # noqa: BLE001 told to this caller alone
            answers.append(error)
    return answers


Family = Literal["payout", "sms"]


def _family(request: Request, name: str) -> Family:
    """Whether a connector of this name pays or tells. Raises NotFoundError when none is installed."""
    families: Mapping[str, Family] = request.app.state.families
    found = families.get(name)
    if found is None:
        raise NotFoundError("connector")
    return found


@router.api_route("/{connector}", methods=METHODS)
async def without_key(connector: str, request: Request) -> Response:
    """An address without its secret part proves nothing."""
    _family(request, connector)
    raise refused()


@router.api_route("/{connector}/{key}", methods=METHODS)
@router.api_route("/{connector}/{key}/{request_key}", methods=METHODS)
async def webhook(connector: str, key: str, request: Request, services: InServices, request_key: str | None = None) -> Response:
    """Take one message: 2xx once it is durably stored, 401 without a reason for everything unproven."""
    family = _family(request, connector)
    if "content-encoding" in request.headers and request.headers["content-encoding"].casefold() != "identity":
        raise ProblemError(
            "media_type_refused", "Send the body as it is, without Content-Encoding: its signature is over these bytes.", status=415
        )
    headers = _headers(request)
    if not _KEY.match(key) or (request_key is not None and not _KEY.match(request_key)):
        raise refused()
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    body = await request.body()
    message = WebhookRequest(method=request.method, path=path, headers=headers, body=body, received_at=services.clock())
    incoming = Incoming(connector=connector, key=key, request=message)
    inbox: Inbox = request.app.state.inbox
    await (inbox.receipts if family == "sms" else inbox.messages).do(incoming)
    await failpoint("C3")
    # The GSMA Mobile Money API's callbacks are PUT and expect 204.
    return Response(status_code=204) if request.method == "PUT" else JSONResponse({"received": True})


def _headers(request: Request) -> dict[str, str]:
    """Header names in lower case. A header that came twice could be read in two ways, so it proves nothing."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        if len(value) > LARGEST_WEBHOOK_HEADER or name in headers:
            raise refused()
        headers[name] = value
    return headers
