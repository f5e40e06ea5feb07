"""How a bank's CSV or workbook is laid out, as the factory wrote it down for one of its accounts. camt, MT940 and wallets need none."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import CURRENCIES
from importers.statements.table_statement import TableLayout
from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.errors import InvalidError
from payroll_api.factories.provider_accounts import get_account
from payroll_api.services import Services
from payroll_api.settlement.models import StatementLayout
from reconciliation.facts_told import fault, place

_layout = TypeAdapter(TableLayout)
# The account is the one that the layout belongs to: nobody types it, and its number stands in no table.
_ACCOUNT = "account"
NAMES = tuple(field.name for field in dataclasses.fields(TableLayout) if field.name != _ACCOUNT)
_LONGEST = 120


def read_layout(account_id: UUID, choices: Mapping[str, object]) -> TableLayout:
    """A layout as it is stored and sent (JSON). Raises InvalidError naming each field that is wrong."""
    wrong = [{"field": name[:40], "problem": "there is no such field"} for name in sorted(set(choices) - set(NAMES))]
    if wrong:
        raise _invalid(f"A layout has {', '.join(NAMES)}.", wrong)
    try:
        layout = _layout.validate_python({**choices, _ACCOUNT: str(account_id)})
    except ValidationError as error:
        told = error.errors(include_input=False, include_url=False)
        if not all(entry["loc"] for entry in told):  # of no single field: the amounts
            wrong = [{"field": "amount", "problem": "or both debit and credit"}]
            raise _invalid("Name the column of the amount, or both of debit and credit.", wrong) from None
        wrong = [{"field": place(entry["loc"]), "problem": fault(dict(entry))} for entry in told]
        raise _invalid("The layout cannot be taken: see fields.", wrong) from None
    wrong = [
        {"field": "columns", "problem": f"each 1 to {_LONGEST} characters"}
        for column in layout.columns
        if not (column.strip() and len(column) <= _LONGEST)
    ][:1]
    if layout.currency not in CURRENCIES:
        wrong.append({"field": "currency", "problem": f"one of {', '.join(CURRENCIES)}"})
    if "%" not in layout.date_format or len(layout.date_format) > _LONGEST:
        wrong.append({"field": "date_format", "problem": "such as %d/%m/%Y"})
    if wrong:
        raise _invalid("The layout cannot be taken: see fields.", wrong)
    return layout


def _invalid(detail: str, wrong: list[dict[str, str]]) -> InvalidError:
    return InvalidError(detail, code="layout_invalid", fields=wrong)


async def layout_of(session: AsyncSession, provider_account_id: UUID) -> TableLayout | None:
    """The layout of an account's tables, where one was written down."""
    row = await session.scalar(select(StatementLayout).where(StatementLayout.provider_account_id == provider_account_id))
    return read_layout(provider_account_id, row.layout) if row is not None else None


async def layouts(session: AsyncSession) -> dict[UUID, Mapping[str, object]]:
    """Every account's layout as it is stored."""
    return {row.provider_account_id: row.layout for row in await session.scalars(select(StatementLayout))}


async def set_layout(
    session: AsyncSession, services: Services, actor: Actor, provider_account_id: UUID, choices: Mapping[str, object] | None
) -> None:
    """Write an account's layout down, or forget it. It holds for statements that are read from now on.

    Raises InvalidError `layout_invalid`, NotAllowedError, NotFoundError.
    """
    actor.require(Permission.ADMINISTER)
    await get_account(session, provider_account_id)
    now = services.clock()
    kept = None
    if choices is not None:
        read = _layout.dump_python(read_layout(provider_account_id, choices), mode="json")
        kept = {name: read[name] for name in NAMES}
        row = StatementLayout(
            factory_id=actor.factory_id, provider_account_id=provider_account_id, layout=kept, set_by=actor.name, set_at=now
        )
        await session.merge(row)
    elif (old := await session.get(StatementLayout, (actor.factory_id, provider_account_id))) is not None:
        await session.delete(old)
    await session.flush()
    event = Event(actor=actor.name, action="statement_layout.set", subject=f"provider_account:{provider_account_id}", data={"layout": kept})
    await record(session, now, event)
