"""What operators watch, in Prometheus' text format. No personal data: names of routes, jobs and states, and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select, text

from payroll_api.alarms.find import count_open
from payroll_api.factories.models import FactoryDirectory
from payroll_api.payments.models import Payment
from payroll_api.payments.states import STATES
from payroll_api.services import Services

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"})

_of_process = CollectorRegistry()
_requests = Counter("payroll_http_requests", "Requests answered", ("method", "route", "status"), registry=_of_process)
_seconds = Histogram(
    "payroll_http_request_seconds",
    "Time until a request was answered",
    ("method", "route"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_of_process,
)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request. Unknown methods count as OTHER, so that nobody outside can make series."""
    known = method if method in METHODS else "OTHER"
    _requests.labels(known, route, str(status)).inc()
    _seconds.labels(known, route).observe(seconds)


async def render(services: Services) -> bytes:
    """This process's requests, and the queue and payments of all factories as the database has them now."""
    registry = CollectorRegistry()
    jobs = Gauge("payroll_jobs", "Jobs in the queue", ("job", "status"), registry=registry)
    oldest = Gauge("payroll_oldest_job_seconds", "Age of the oldest job that waits", registry=registry)
    payments = Gauge("payroll_payments", "Payments of all factories by state", ("state",), registry=registry)
    unknown = Gauge("payroll_oldest_unknown_payment_seconds", "Age of the oldest payment without an answer; 0 if none", registry=registry)
    alarms = Gauge("payroll_alarms", "Open alarms of all factories", ("kind", "acknowledged", "late"), registry=registry)
    now = services.clock()
    async with services.database.nobody() as session:
        for job, status, count in await session.execute(text("select entrypoint, status::text, count(*) from pgqueuer group by 1, 2")):
            jobs.labels(job, status).set(count)
        first = await session.scalar(text("select min(created) from pgqueuer where status = 'queued' and execute_after <= now()"))
        oldest.set(_age(first, now))
        factories = (await session.scalars(select(FactoryDirectory.factory_id))).all()
    counts = dict.fromkeys(STATES, 0)
    since: list[datetime] = []
    # Row-level security shows one factory at a time, also to us.
    for factory_id in factories:
        async with services.database.factory(factory_id) as session:
            query = select(Payment.state, func.count(), func.min(Payment.state_since)).group_by(Payment.state)
            for state, count, earliest in await session.execute(query):
                counts[state] += count
                if state in {"unknown", "submitting"}:
                    since.append(earliest)
            for (kind, is_read, is_late), count in (await count_open(session, now)).items():
                alarms.labels(kind, "yes" if is_read else "no", "yes" if is_late else "no").inc(count)
    for state, count in counts.items():
        payments.labels(state).set(count)
    unknown.set(_oldest(since, now))
    return generate_latest(_of_process) + generate_latest(registry)


def _age(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max(0.0, (now - moment).total_seconds())


def _oldest(moments: Iterable[datetime], now: datetime) -> float:
    return max((_age(moment, now) for moment in moments), default=0.0)
