"""Freeze a run: its items are written, and a hash over all of them is what people approve and what is paid."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.bulk import copy_in, fetch, run
from payroll_api.runs.items import Item
from payroll_api.runs.models import PayRun

_COLUMNS = (
    "factory_id", "run_id", "worker_id", "worker_code", "destination_id", "provider_account_id", "account_key", "currency",
    "amount_minor", "held_reason",
)  # fmt: skip
_FROZEN = (
    "select worker_id, worker_code, destination_id, provider_account_id, account_key, currency, amount_minor, held_reason"
    " from run_items where factory_id = $1 and run_id = $2 order by worker_code"
)


async def write_items(session: AsyncSession, pay_run: PayRun, items: Sequence[Item]) -> None:
    """Write the items of a run in place of earlier ones."""
    await run(session, "delete from run_items where factory_id = $1 and run_id = $2", pay_run.factory_id, pay_run.id)
    await copy_in(
        session,
        "run_items",
        _COLUMNS,
        (
            (
                pay_run.factory_id, pay_run.id, item.worker_id, item.worker_code, item.destination_id, item.provider_account_id,
                item.account_key, item.amount.currency.code, max(item.amount.minor, 0), item.held_reason,
            )
            for item in items
        ),
    )  # fmt: skip


async def content_hash(session: AsyncSession, pay_run: PayRun, file_hash: str) -> str:
    """The hash of what would be paid, computed from the stored items: worker, destination, account, provider, amount, held or not."""
    digest = hashlib.sha256(f"garment-wages/run/1|{pay_run.id}|{pay_run.period}|{pay_run.kind}|{pay_run.pay_on}|{file_hash}".encode())
    for row in await fetch(session, _FROZEN, pay_run.factory_id, pay_run.id):
        fields = [value.hex() if isinstance(value, bytes) else "" if value is None else str(value) for value in row]
        # Each field with its length, so that no two runs can be written alike.
        digest.update("".join(f"{len(field)}:{field}" for field in fields).encode())
    return digest.hexdigest()


async def totals(session: AsyncSession, pay_run: PayRun) -> dict[str, object]:
    """Counts and sums of the frozen items, as the database adds them: what the approver sees."""
    rows = await fetch(
        session,
        "select coalesce(a.kind, 'none'), i.currency, i.held_reason is not null, count(*), sum(i.amount_minor)::bigint"
        " from run_items i left join provider_accounts a on a.factory_id = i.factory_id and a.id = i.provider_account_id"
        " where i.factory_id = $1 and i.run_id = $2 group by 1, 2, 3 order by 1, 2, 3",
        pay_run.factory_id,
        pay_run.id,
    )
    return {
        "lines": [
            {"kind": kind, "currency": code, "held": is_held, "count": count, "minor": int(minor)}
            for kind, code, is_held, count, minor in rows
        ]
    }
