"""A job is never lost: what the queue holds as failed is tried again, and a person is told of what fails again and again.

The queue gives a failed job its pause and its next try by a statement of its own. Where that statement fails too, as when PostgreSQL dies
under both, it holds the job for a person after one try; so does a job that has failed as often as it may. Every job can be done twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api import logs
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.jobs.worker import ATTEMPTS

log = logs.get(__name__)

# Its key is another's by now, perhaps: an extra job does no harm, and two rows of one key are refused.
_TAKE_UP = """
update pgqueuer set status = 'queued', execute_after = now(), updated = now(), attempts = least(attempts, $2 - 1),
  dedupe_key = null, queue_manager_id = null
where status = 'failed' and (attempts < $2 or updated < now() - interval '1 hour')
  and convert_from(payload, 'UTF8')::jsonb ->> 'factory' = $1
returning id, entrypoint
"""
_FAILING = """
select id::text, entrypoint from pgqueuer where attempts >= $2 - 1 and convert_from(payload, 'UTF8')::jsonb ->> 'factory' = $1 order by id
"""


async def take_up_held(session: AsyncSession) -> int:
    """Have held jobs of the session's factory done: at once where tries are left, and once an hour those that have used them all."""
    rows = await fetch(session, _TAKE_UP, str(factory_of(session)), ATTEMPTS)
    for _, job in rows:
        log.warning("job_taken_up", job=job, factory=str(factory_of(session)))
    return len(rows)


async def failing_jobs(session: AsyncSession) -> Sequence[tuple[str, str]]:
    """The id and name of each job of the session's factory that has failed so often that a person should know."""
    return [(row[0], row[1]) for row in await fetch(session, _FAILING, str(factory_of(session)), ATTEMPTS)]
