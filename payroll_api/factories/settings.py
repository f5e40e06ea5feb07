"""The factory itself, and the exchange rates of each month."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from importers.period import PayPeriod
from payroll_api.access.actor import Actor, Permission
from payroll_api.audit import journal
from payroll_api.db.session import factory_of
from payroll_api.errors import InvalidError, NotAllowedError, NotFoundError, ProblemError
from payroll_api.factories.models import ExchangeRate, Factory
from payroll_api.services import Services
from reconciliation.contract import ExchangeRates

TAX = "tax"
NSSF = "nssf"
PURPOSES = {TAX: "the tax office's rate of the 15th", NSSF: "the rate that NSSF notified"}
# Riel for a dollar has stayed near 4,000 since 1999; a rate outside is a typing error that would change everybody's tax.
_LOWEST_RATE = 3000
_HIGHEST_RATE = 6000
_RATE_DECIMALS = 4
# How long a changed account or phone waits, in hours. 12 is the least that Singapore's banks give (MAS framework, DBS 2026).
DEFAULT_COOLING = 24
LEAST_COOLING = 12
_MOST_COOLING = 14 * 24


async def get_factory(session: AsyncSession) -> Factory:
    """The session's factory. Raises NotFoundError for one that was never made."""
    factory = await session.get(Factory, factory_of(session))
    if factory is None:
        raise NotFoundError("factory")
    return factory


async def set_cooling(session: AsyncSession, services: Services, actor: Actor, hours: int) -> Factory:
    """How many hours a changed account or phone waits from now on; what was proposed before keeps its time. Raises InvalidError."""
    actor.require(Permission.ADMINISTER)
    if not LEAST_COOLING <= hours <= _MOST_COOLING:
        raise InvalidError(
            f"A changed account waits {LEAST_COOLING} to {_MOST_COOLING} hours: a worker must have time to say that it was not her.",
            fields=[{"field": "cooling_hours", "problem": f"{LEAST_COOLING} to {_MOST_COOLING}"}],
        )
    factory = await session.scalar(select(Factory).where(Factory.factory_id == factory_of(session)).with_for_update())
    if factory is None:
        raise NotFoundError("factory")
    before, factory.cooling_hours = factory.cooling_hours, hours
    await session.flush()
    data = {"cooling_hours": [before, hours]}
    event = journal.Event(actor=actor.name, action="factory.cooling_changed", subject=f"factory:{factory.factory_id}", data=data)
    await journal.record(session, services.clock(), event)
    return factory


async def set_rate(
    session: AsyncSession, services: Services, actor: Actor, period: PayPeriod, purpose: str, rate: Decimal, source: str
) -> ExchangeRate:
    """Set riel for one dollar in a month, for `tax` or `nssf`, with its source. Both values stay in the audit trail.

    Raises InvalidError for a purpose or rate that cannot be, NotAllowedError.
    """
    if not actor.permissions & {Permission.PREPARE, Permission.ADMINISTER}:
        raise NotAllowedError("Only people who prepare payroll or administer set exchange rates. Ask one of them.")
    wrong = []
    if purpose not in PURPOSES:
        wrong.append({"field": "purpose", "problem": f"one of {', '.join(PURPOSES)}"})
    exponent = rate.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_RATE_DECIMALS or not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        wrong.append(
            {"field": "rate", "problem": f"riel for one dollar, {_LOWEST_RATE} to {_HIGHEST_RATE}, at most {_RATE_DECIMALS} decimals"}
        )
    if not source.strip():
        wrong.append({"field": "source", "problem": "who published the rate, and when"})
    if wrong:
        raise InvalidError("The exchange rate was not set: see fields.", code="exchange_rate_invalid", fields=wrong)
    now = services.clock()
    earlier = await session.get(ExchangeRate, {"period": str(period), "purpose": purpose, "factory_id": factory_of(session)})
    # Read now: the statement below brings this very object up to date.
    before = None if earlier is None else str(earlier.rate)
    values = {"rate": rate, "source": source.strip(), "set_by": actor.name, "set_at": now}
    upsert = insert(ExchangeRate).values(factory_id=factory_of(session), period=str(period), purpose=purpose, **values)
    upsert = upsert.on_conflict_do_update(index_elements=["factory_id", "period", "purpose"], set_=values)
    stored = (await session.scalars(upsert.returning(ExchangeRate), execution_options={"populate_existing": True})).one()
    event = journal.Event(
        actor=actor.name,
        action="factory.exchange_rate_set",
        subject=f"exchange_rate:{period}:{purpose}",
        data={"before": before, "after": str(rate), "source": source.strip()},
    )
    await journal.record(session, now, event)
    return stored


async def rates_of(session: AsyncSession, period: PayPeriod | None = None) -> Sequence[ExchangeRate]:
    """The rates that are set, newest month first; of one month, or all."""
    query = select(ExchangeRate).order_by(ExchangeRate.period.desc(), ExchangeRate.purpose)
    if period is not None:
        query = query.where(ExchangeRate.period == str(period))
    return (await session.scalars(query)).all()


async def exchange_rates(session: AsyncSession, period: PayPeriod) -> ExchangeRates:
    """Both rates of a month. Raises ProblemError `exchange_rate_missing`, which says which and where to set it."""
    found = {row.purpose: row for row in await rates_of(session, period)}
    missing = [purpose for purpose in PURPOSES if purpose not in found]
    if missing:
        which = " and ".join(f"{PURPOSES[purpose]} ({purpose})" for purpose in missing)
        raise ProblemError(
            "exchange_rate_missing",
            f"For {period} {which} is not set. Set it on the factory's page, or by PUT /api/v1/factories/current/rates/{period}.",
            extra={"period": str(period), "missing": missing},
        )
    sources = dict.fromkeys(row.source for row in found.values())
    return ExchangeRates(tax=found[TAX].rate, nssf=found[NSSF].rate, source="; ".join(sources))
