"""Statements of banks and wallets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from payroll_api.errors import ProblemError
from payroll_api.factories.provider_accounts import list_
from payroll_api.settlement.find import count_open, list_statements
from payroll_api.settlement.upload import LARGEST_STATEMENT, upload_statement
from payroll_api.web.lists import cursor, page_of
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.problem import Told, mistake, told
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_FITTING = ("matched", "seen", "given_back", "funding")
_STATEMENTS = 25


@router.get("/statements")
async def show(page: Reader) -> Response:
    """The upload, how much does not fit, and the statements so far."""
    return await _show(page)


async def _show(page: Page, problem: Told | None = None, status: int = 200) -> Response:
    before = cursor(page.request.query_params.get("before"))
    async with page.session() as session:
        accounts = await list_(session)
        statements = await list_statements(session, before=before, limit=_STATEMENTS + 1)
        counts = await count_open(session)
    listed, older = page_of(statements, _STATEMENTS)
    return page.show(
        "statements.html",
        status=status,
        problem=problem,
        accounts=[account for account in accounts if account.kind in {"bank_account", "wallet"}],
        account_names={account.id: account.name for account in accounts},
        chosen=page.typed("account"),
        statements=listed,
        results={item.id: _result(item.summary) for item in listed if item.summary},
        older=listed[-1].id if older else None,
        breaks=counts,
        is_live=any(item.state == "received" for item in listed),
    )


def _result(summary: Any) -> dict[str, int]:  # noqa: ANN401 JSON as the step kept it
    kinds = summary["kinds"]
    fitting = sum(kinds.get(kind, 0) for kind in _FITTING)
    return {"matched": fitting, "broken": sum(kinds.values()) - fitting}


@router.post("/statements")
async def take(page: Doer) -> Response:
    """Take a statement; it is matched in the background."""
    sent = page.sent_file("file")
    if sent is None:
        return await _show(page, mistake(page.words, "file_missing"), status=422)
    try:
        account = UUID(page.typed("account"))
    except ValueError:
        return await _show(page, mistake(page.words, "account_missing"), status=422)
    content = await sent.read(LARGEST_STATEMENT + 1)
    try:
        async with page.session() as session:
            await upload_statement(
                session, page.services, page.actor, provider_account_id=account, file_name=sent.filename or "", content=content
            )
    except ProblemError as error:
        return await _show(page, told(page.words, error), status=error.status)
    return page.go("/statements", "statement")
