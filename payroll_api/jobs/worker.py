"""Run jobs until told to stop. Any number of workers on any number of machines share one queue."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from uuid import UUID

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.errors import RetryRequested
from pgqueuer.executors import DatabaseRetryEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.models import Job as QueuedJob
from pgqueuer.models import Schedule

from payroll_api import logs
from payroll_api.db.session import plain_url
from payroll_api.jobs.names import Job, Periodic

log = logs.get(__name__)

Handler = Callable[[UUID, Mapping[str, str]], Awaitable[None]]
PeriodicHandler = Callable[[], Awaitable[None]]

# A worker that died shows no heartbeat for this long; another then takes its jobs over.
HEARTBEAT = timedelta(seconds=10)
ATTEMPTS = 12


def _executor(parameters: EntrypointExecutorParameters) -> DatabaseRetryEntrypointExecutor:
    return DatabaseRetryEntrypointExecutor(
        parameters, max_attempts=ATTEMPTS, initial_delay=timedelta(seconds=1), max_delay=timedelta(minutes=2)
    )


class Worker:
    """One worker of the queue: `run()` works until `stop()`, and ends only when no job of its own is under way."""

    def __init__(
        self,
        url: str,
        handlers: Mapping[Job, Handler],
        periodic: Mapping[Periodic, tuple[str, PeriodicHandler]],
        *,
        concurrency: int = 4,
    ) -> None:
        self._url = url
        self._handlers = handlers
        self._periodic = periodic
        self._concurrency = concurrency
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Take no further job, and end when those under way are done."""
        self._stop.set()

    async def run(self) -> None:
        """Work until stopped."""
        async with asyncpg.create_pool(plain_url(self._url), min_size=2, max_size=4) as pool:
            queue = PgQueuer(AsyncpgPoolDriver(pool))
            for job, handler in self._handlers.items():
                queue.entrypoint(job.value, on_failure="hold", executor_factory=_executor)(_guarded(job, handler))
            for name, (expression, periodic) in self._periodic.items():
                queue.schedule(name.value, expression, clean_old=True)(_scheduled(name, periodic))
            stopper = asyncio.create_task(self._forward_stop(queue))
            try:
                await queue.run(
                    batch_size=self._concurrency,
                    max_concurrent_tasks=2 * self._concurrency,
                    dequeue_timeout=timedelta(seconds=5),
                    heartbeat_timeout=HEARTBEAT,
                )
            finally:
                stopper.cancel()

    async def _forward_stop(self, queue: PgQueuer) -> None:
        await self._stop.wait()
        queue.shutdown.set()


def _guarded(job: Job, handler: Handler) -> Callable[[QueuedJob], Awaitable[None]]:
    async def run(queued: QueuedJob) -> None:
        payload = json.loads(queued.payload or b"{}")
        factory = UUID(payload.pop("factory"))
        try:
            await handler(factory, payload)
        except asyncio.CancelledError:
            # Told to stop, and out of patience: the queue would take that for a job that nobody wants any more, and delete it.
            log.warning("job_put_back", job=job.value, attempt=queued.attempts)
            raise RetryRequested(timedelta(0), "stopped in the middle") from None
        except Exception as error:  # noqa: BLE001 whatever a step raises, the queue tries it again
            # The message may hold what a library chose to put there: only the type is logged and kept.
            log.error("job_failed", job=job.value, error=type(error).__name__, attempt=queued.attempts, at=logs.places(error))  # noqa: TRY400 not the message
            raise JobFailedError(f"{job.value} failed with {type(error).__name__}; see the log of this worker") from None

    return run


def _scheduled(name: Periodic, handler: PeriodicHandler) -> Callable[[Schedule], Awaitable[None]]:
    async def run(_schedule: Schedule) -> None:
        try:
            await handler()
        except Exception as error:  # noqa: BLE001 the next turn comes in seconds
            log.error("periodic_failed", task=name.value, error=type(error).__name__, at=logs.places(error))  # noqa: TRY400 the same

    return run


class JobFailedError(Exception):
    """A job failed; it is tried again with growing pauses, and kept for a person after the last try."""
