"""Ask each provider for the statements of past days until it has given them, a little less often each time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from payroll_api import logs
from payroll_api.clock import pay_day
from payroll_api.errors import ProblemError
from payroll_api.factories.models import ProviderAccount
from payroll_api.services import PayoutConnector, Services
from payroll_api.settlement.arrivals import arrivals_of, remember, take
from payroll_api.settlement.models import StatementArrival

log = logs.get(__name__)

_DAYS_BACK = 7  # a statement that a provider has not given in a week is asked for by a person
_SHORTEST, _LONGEST = timedelta(minutes=15), timedelta(hours=6)


async def poll(services: Services, factory_id: UUID) -> None:
    """One round for a factory. A provider that fails is logged by its observer and asked again later; the others have their turn."""
    for account_id, day in await _due(services, factory_id):
        async with services.database.factory(factory_id) as session:
            connector: PayoutConnector = await services.connectors.payout(session, account_id)
        if not connector.profile.has_statements:
            continue
        content = await connector.fetch_statement(day)  # no transaction is open meanwhile
        async with services.database.factory(factory_id) as session:
            now, source = services.clock(), _source(day)
            if content is None:
                await remember(session, now, account_id, source, state="waiting", detail="the provider has none yet")
                continue
            try:
                state, statement = await take(session, services, account_id, file_name=f"{day.isoformat()}.statement", content=content)
            except ProblemError as error:
                # Not asked for again, and the other accounts have their turn.
                await remember(session, now, account_id, source, state="refused", detail=error.detail)
                log.error("statement_not_taken", provider_account=str(account_id), day=day.isoformat(), code=error.code)  # noqa: TRY400 no values
                continue
            await remember(session, now, account_id, source, state=state, statement_id=statement)
            log.info("statement_fetched", provider_account=str(account_id), day=day.isoformat(), state=state)


async def _due(services: Services, factory_id: UUID) -> list[tuple[UUID, date]]:
    """The accounts and days to ask for now, the oldest day first."""
    now = services.clock()
    async with services.database.factory(factory_id) as session:
        query = select(ProviderAccount).where(ProviderAccount.is_enabled, ProviderAccount.kind.in_(("bank_account", "wallet")))
        found: list[tuple[UUID, date]] = []
        for account in await session.scalars(query):
            known = await arrivals_of(session, account.id)
            since = pay_day(account.created_at)
            found += [(account.id, day) for day in _days(now) if day >= since and _is_due(known.get(_source(day)), now)]
    return sorted(found, key=lambda entry: entry[1])


def _days(now: datetime) -> Iterator[date]:
    today = pay_day(now)
    return (today - timedelta(days=back) for back in range(_DAYS_BACK, 0, -1))


def _is_due(known: StatementArrival | None, now: datetime) -> bool:
    if known is None:
        return True
    return known.state == "waiting" and now - known.seen_at >= min(_SHORTEST * 2 ** min(known.asked - 1, 10), _LONGEST)


def _source(day: date) -> str:
    return f"day:{day.isoformat()}"
