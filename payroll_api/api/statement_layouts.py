"""The layouts of banks' own tables: which columns of a CSV or workbook mean what, by account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Input, Output
from payroll_api.settlement.layouts import layouts, set_layout

router = APIRouter(prefix=f"{API}/settlement/layouts", tags=["settlement"], route_class=StepRoute)
_EXAMPLE = {
    "currency": "USD", "date": "Date", "date_format": "%d/%m/%Y", "debit": "Debit", "credit": "Credit", "entry": "Transaction no.",
    "references": ["Customer reference"], "payee_account": "Account", "text": "Description",
}  # fmt: skip


class LayoutOut(Output):
    """An account and its layout."""

    provider_account_id: UUID
    layout: dict[str, Any] = Field(description="Columns are header texts as the bank writes them", examples=[_EXAMPLE])


class Layouts(Output):
    """All layouts."""

    items: list[LayoutOut]


class NewLayout(Input):
    """A layout, or null for none."""

    layout: dict[str, Any] | None = Field(
        description="currency, date, date_format (Python's, such as %d/%m/%Y), amount (negative leaves the account) or both debit and"
        " credit, and where the bank has them entry, references (several), payee_account, text, decimal_comma, sheet",
        examples=[_EXAMPLE],
    )


@router.get("", operation_id="listStatementLayouts", summary="Layouts of CSV and Excel statements", **operation(Permission.READ))
async def list_layouts(session: InSession) -> Layouts:
    """Of each account whose bank writes tables. camt, MT940 and wallets' lists need no layout."""
    return Layouts(items=[LayoutOut(provider_account_id=one, layout=dict(layout)) for one, layout in (await layouts(session)).items()])


@router.put(
    "/{provider_account_id}",
    operation_id="setStatementLayout",
    summary="Say how an account's CSV or Excel statements are laid out",
    status_code=204,
    **operation(Permission.ADMINISTER, errors=[(404, "not_found"), (422, "layout_invalid")]),
)
async def set_(provider_account_id: UUID, body: NewLayout, session: InSession, services: InServices, actor: InActor) -> None:
    """Or that there is none, with null. It holds for statements read from now on."""
    await set_layout(session, services, actor, provider_account_id, body.layout)
