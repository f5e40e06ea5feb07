"""A check that cannot be made yet, or not at all: the file says why and what to do, and nothing is half done."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.audit.journal import SYSTEM, Event, record
from payroll_api.errors import ProblemError
from payroll_api.intake.models import PayrollFile
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.services import Services
from reconciliation.law.parameter import LawBookError, LawUnknownError
from reconciliation.policy import PolicyError

_AGAIN_AFTER = timedelta(seconds=15)


async def wait_for(session: AsyncSession, services: Services, file: PayrollFile, problem: ProblemError) -> None:
    """Something that a person can add is missing, such as the month's exchange rate: say so on the file, and try again soon."""
    before = (file.summary or {}).get("waiting")
    file.summary = {**(file.summary or {}), "waiting": {"code": problem.code, "message": problem.detail}}
    await session.flush()
    if before is None:
        event = Event(actor=SYSTEM, action="file.waiting", subject=f"file:{file.id}", data={"code": problem.code})
        await record(session, services.clock(), event)
    # Its own job is still under way and holds the plain key: the moment makes another.
    key = f"{file.id}|{services.clock().isoformat()}"
    await enqueue(session, Job.RECONCILE_FILE, {"file": str(file.id)}, after=_AGAIN_AFTER, once=key)


async def refuse(session: AsyncSession, services: Services, file: PayrollFile, error: LawUnknownError | LawBookError | PolicyError) -> None:
    """The law book has no value for this period, or an agreement is below it. Nothing is guessed: the sentence says what to add."""
    code = "law_unknown" if isinstance(error, LawUnknownError) else "law_wrong"
    told = f"{error}." if not str(error).endswith(".") else str(error)
    refusal = {
        "code": code,
        "message": told,
        "message_km": error.khmer if isinstance(error, LawUnknownError) and error.khmer else told,
        "remedy": "Add or correct the value on the law's page with its source, have it signed off, then upload the file again.",
        "remedy_km": "សូមបន្ថែម ឬកែតម្លៃច្បាប់ក្នុងទំព័រច្បាប់ ជាមួយប្រភព រួចបញ្ចូលឯកសារម្ដងទៀត។",
    }
    file.state = "refused"
    file.summary = {**(file.summary or {}), "refusal": refusal}
    await session.flush()
    await record(session, services.clock(), Event(actor=SYSTEM, action="file.refused", subject=f"file:{file.id}", data={"code": code}))
