"""How far a run has come, stage by stage: what a page, a client and the command line show."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.factories.models import ProviderAccount
from payroll_api.intake.find import get_file
from payroll_api.payments.find import count_by_state
from payroll_api.payments.models import Payment
from payroll_api.payslips.find import count_by_state as slips_by_state
from payroll_api.review.find import open_counts
from payroll_api.runs.find import get_run

_TOLD = ("delivered", "failed", "unknown", "no_phone")
_SENT_ON = ("accepted", "paid", "rejected", "returned", "cancelled")
_CERTAIN = ("paid", "rejected", "returned", "cancelled")


async def run_progress(session: AsyncSession, run_id: UUID) -> dict[str, object]:
    """The stages of a run with what is done of each. Raises NotFoundError."""
    pay_run = await get_run(session, run_id)
    file = await get_file(session, pay_run.file_id)
    payments = await count_by_state(session, run_id)
    slips = await slips_by_state(session, run_id)
    settled = await session.scalar(
        select(func.count()).select_from(Payment).where(Payment.run_id == run_id, Payment.settled_on.is_not(None))
    )
    counts = {state: int(str(entry["count"])) for state, entry in payments.items()}
    total, paid = sum(counts.values()), counts.get("paid", 0)
    decided = pay_run.state not in {"draft", "submitted"}
    return {
        "state": pay_run.state,
        "stages": [
            _stage("read", file.rows_done, file.rows_total),
            _stage("reconcile", int(file.state == "reconciled"), 1),
            _stage("decide", int((await open_counts(session, file.id)).get("blocks", 0) == 0), 1),
            _stage("approve", int(decided), 1),
            _stage("pay", sum(counts.get(state, 0) for state in _SENT_ON), total),
            _stage("confirm", sum(counts.get(state, 0) for state in _CERTAIN), total),
            _stage("settle", settled or 0, paid - await _signed_for(session, run_id)),
            _stage("slips", sum(slips.get(state, 0) for state in _TOLD), paid),
        ],
        "payments": payments,
        "slips": slips,
    }


async def _signed_for(session: AsyncSession, run_id: UUID) -> int:
    """How many were paid in cash: no statement will ever show them, their signed list does."""
    query = (
        select(func.count())
        .select_from(Payment)
        .join(ProviderAccount, (ProviderAccount.factory_id == Payment.factory_id) & (ProviderAccount.id == Payment.provider_account_id))
        .where(Payment.run_id == run_id, Payment.state == "paid", ProviderAccount.kind == "cash")
    )
    return await session.scalar(query) or 0


def _stage(name: str, done: int, total: int) -> dict[str, object]:
    return {"name": name, "done": done, "total": total}
