"""What banks and wallets told us: the list, one message, and having it worked through again."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from payroll_api.errors import InvalidError
from payroll_api.factories.provider_accounts import list_
from payroll_api.payments.messages import MESSAGE_STATES, explain, get_message, list_messages, replay, what_it_says
from payroll_api.payments.report_files import take_report
from payroll_api.web.lists import cursor, page_of
from payroll_api.web.page import Doer, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PAGE = 50


@router.get("/messages")
async def show(page: Reader) -> Response:
    """Messages, the newest first; `?state=` only those in one state."""
    wanted = page.request.query_params.get("state")
    state = wanted if wanted in MESSAGE_STATES else None
    before = cursor(page.request.query_params.get("after"))
    async with page.session() as session:
        found = await list_messages(session, state=state, before=before, limit=_PAGE + 1)
        everybody = await list_(session)
    accounts = {account.id: account.name for account in everybody}
    shown, more = page_of(found, _PAGE)
    return page.show(
        "messages.html",
        messages=shown,
        states=MESSAGE_STATES,
        state=state,
        account_names=accounts,
        banks=[account for account in everybody if account.kind == "bank_account"],
        cursor=shown[-1].id if more else None,
    )


@router.post("/messages")
async def bring(page: Doer) -> Response:
    """A status report as a file."""
    account, sent = cursor(page.typed("account")), page.sent_file("file")
    if account is None or sent is None:
        raise InvalidError("Choose the account and the file.")
    content = await sent.read()
    async with page.session() as session:
        message = await take_report(session, page.services, page.actor, provider_account_id=account, content=content)
    return page.go(f"/messages/{message.id}", "report")


@router.get("/messages/{message_id}")
async def one(page: Reader, message_id: UUID) -> Response:
    """A message with what it says."""
    async with page.session() as session:
        message = await get_message(session, message_id)
        event = await what_it_says(session, page.services, message)
        accounts = {account.id: account.name for account in await list_(session)}
    return page.show("message.html", message=message, event=event, account_names=accounts)


@router.post("/messages/{message_id}/replay")
async def again(page: Doer, message_id: UUID) -> Response:
    """Work through it again."""
    async with page.session() as session:
        await replay(session, page.services, page.actor, message_id)
    return page.go(f"/messages/{message_id}", "replayed")


@router.post("/messages/{message_id}/explain")
async def explained(page: Doer, message_id: UUID) -> Response:
    """Close it, with what the provider said."""
    async with page.session() as session:
        await explain(session, page.services, page.actor, message_id, reason=page.typed("reason"))
    return page.go(f"/messages/{message_id}", "explained")
