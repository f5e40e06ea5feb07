"""How far a run has come, stage by stage: what a page, a client and the command line show."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.intake.find import get_file
from payroll_api.payments.find import by_state, tally
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
    tallies = await tally(session, run_id)
    payments = by_state(tallies)
    slips = await slips_by_state(session, run_id)
    # Who was paid in cash stands in no statement: her signed list says it.
    settled = sum(one.settled for one in tallies if one.state == "paid")
    signed_for = sum(one.count for one in tallies if one.is_cash and one.state == "paid")
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
            _stage("settle", settled, paid - signed_for),
            # Of a wage that came back the slip was sent all the same.
            _stage("slips", sum(slips.get(state, 0) for state in _TOLD), max(paid, sum(slips.values()))),
        ],
        "payments": payments,
        "slips": slips,
    }


def _stage(name: str, done: int, total: int) -> dict[str, object]:
    return {"name": name, "done": done, "total": total}
