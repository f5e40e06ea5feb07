"""What the factory has agreed about statements: deadlines, limits, its own transfers, watched folders, and its banks' own tables."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from importers.money import CURRENCIES, Money
from payroll_api.errors import InvalidError
from payroll_api.factories.provider_accounts import list_
from payroll_api.settlement.folder import folders, set_folder
from payroll_api.settlement.layouts import layouts, set_layout
from payroll_api.settlement.rules import DEADLINES, rules_of, set_rules
from payroll_api.typed_money import typed_money
from payroll_api.web.page import Doer, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_WEEK = range(1, 8)
# Of a layout, what is typed as one text each; the references' columns are several.
_COLUMNS = ("currency", "date", "date_format", "amount", "debit", "credit", "entry", "payee_account", "text", "sheet")


@router.get("/settlement-rules")
async def show(page: Reader) -> Response:
    """The rules as they are, with a form for administrators."""
    async with page.session() as session:
        rules = await rules_of(session)
        accounts = [account for account in await list_(session) if account.kind in {"bank_account", "wallet"}]
        watched = await folders(session)
        tables = await layouts(session)
    return page.show(
        "settlement_rules.html",
        rules=rules,
        deadlines={kind: rules.deadlines.get(kind, days) for kind, days in DEADLINES.items()},
        limits={code: str(Money(rules.two_people_over.get(code, 0), CURRENCIES[code]).amount) for code in sorted(CURRENCIES, reverse=True)},
        week=_WEEK,
        accounts=accounts,
        watched=watched,
        tables=tables,
        columns=_COLUMNS,
    )


@router.post("/settlement-rules")
async def take(page: Doer) -> Response:
    """Replace the rules."""
    wanted: dict[str, object] = {
        "deadlines": {kind: _whole(page.typed(f"deadline_{kind}"), f"deadlines.{kind}") for kind in DEADLINES},
        "two_people_over": {
            code: typed_money(page.typed(f"limit_{code}"), code, field=f"two_people_over.{code}").minor for code in CURRENCIES
        },
        "working_days": [int(day) for day in page.chosen("working_days") if day in {str(one) for one in _WEEK}],
        "days_off": page.typed("days_off").split(),
        "funding_words": [word.strip() for word in page.typed("funding_words").splitlines() if word.strip()],
        "late_after_days": _whole(page.typed("late_after_days"), "late_after_days"),
        "missing_after_days": _whole(page.typed("missing_after_days"), "missing_after_days"),
    }
    async with page.session() as session:
        await set_rules(session, page.services, page.actor, wanted)
    return page.go("/settlement-rules", "rules")


@router.post("/settlement-rules/folder/{account_id}")
async def folder(page: Doer, account_id: UUID) -> Response:
    """Watch a folder for an account, or none where the field is empty."""
    async with page.session() as session:
        await set_folder(session, page.services, page.actor, account_id, page.typed("folder") or None)
    return page.go("/settlement-rules", "rules")


@router.post("/settlement-rules/layout/{account_id}")
async def layout(page: Doer, account_id: UUID) -> Response:
    """Say how an account's CSV or Excel statements are laid out; with the date's column empty, forget it."""
    choices: dict[str, object] | None = None
    if page.typed("date"):
        choices = {name: page.typed(name) for name in _COLUMNS if page.typed(name)}
        choices["references"] = [column.strip() for column in page.typed("references").splitlines() if column.strip()]
        choices["decimal_comma"] = page.typed("decimal_comma") == "yes"
    async with page.session() as session:
        await set_layout(session, page.services, page.actor, account_id, choices)
    return page.go("/settlement-rules", "rules")


def _whole(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3):  # noqa: PLR2004 more days are no deadline
        raise InvalidError("Write days as whole numbers.", fields=[{"field": field, "problem": "a whole number"}])
    return int(text)
