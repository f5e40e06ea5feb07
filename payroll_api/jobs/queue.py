"""Enqueue jobs in the caller's transaction: a job exists exactly when the work that asks for it was committed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.db.session import driver, factory_of
from payroll_api.jobs.names import Job

Payload = Mapping[str, str]


async def enqueue(session: AsyncSession, job: Job, payload: Payload, *, after: timedelta | None = None, once: str | None = None) -> None:
    """Ask for one job. `after` delays it; with `once`, nothing happens while a job of the same key still waits."""
    await enqueue_many(session, job, [payload], after=after, once=None if once is None else [once])


async def enqueue_many(
    session: AsyncSession, job: Job, payloads: Sequence[Payload], *, after: timedelta | None = None, once: Sequence[str] | None = None
) -> None:
    """Ask for several jobs of one name by one statement."""
    if not payloads:
        return
    factory = str(factory_of(session))
    # driver() refuses a connection whose transaction has not begun: an enqueue before BEGIN would survive a rollback.
    queries = Queries(AsyncpgDriver(await driver(session)))
    count = len(payloads)
    await queries.enqueue(
        [job.value] * count,
        [json.dumps({"factory": factory, **payload}).encode() for payload in payloads],
        [0] * count,
        execute_after=[after or timedelta(0)] * count,
        dedupe_key=[f"{job.value}|{factory}|{key}" for key in once] if once is not None else [None] * count,
        on_conflict="skip",
    )
