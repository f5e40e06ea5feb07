"""What a check works on: the rows of a file, and the people of the register as the rules see them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.contract import PayrollRow
from importers.money import Money
from payroll_api.clock import pay_day
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.encryption.vault import Vault
from payroll_api.intake.contents import record_to_row
from payroll_api.people import keys, register
from reconciliation.contract import KnownWorker

_ROWS = (
    "select position, sheet, row, worker_code, net_minor, currency, figures, person from file_rows"
    " where factory_id = $1 and file_id = $2 order by position"
)
_NAMES = ("position", "sheet", "row", "worker_code", "net_minor", "currency", "figures", "person")


async def rows_of(session: AsyncSession, vault: Vault, file_id: UUID) -> list[PayrollRow]:
    """The rows of a file in its order, opened."""
    stored = await fetch(session, _ROWS, factory_of(session), file_id)
    return await asyncio.to_thread(_opened, vault, file_id, stored)


def _opened(vault: Vault, file_id: UUID, stored: Sequence[tuple[object, ...]]) -> list[PayrollRow]:
    return [record_to_row(vault, file_id, dict(zip(_NAMES, record, strict=True))) for record in stored]


def known_worker(code: str, worker: register.Registered, last_nets: tuple[Money, ...] = ()) -> KnownWorker:
    """A worker of the register as the rules know her."""
    return KnownWorker(
        worker_code=code,
        name_key=worker.name_key,
        phone_key=worker.phone_key,
        account_key=keys.at_bank(worker.account_key, worker.bank_key),
        national_id_key=worker.national_id_key,
        joined_on=worker.joined_on,
        left_on=worker.left_on,
        account_changed_on=None if worker.account_changed_at is None else pay_day(worker.account_changed_at),
        last_nets=last_nets,
        added_on=pay_day(worker.added_at),
        added_by=worker.added_by,
    )
