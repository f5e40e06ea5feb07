"""Is the money there? What a run needs of each account and currency, against what its provider tells or a person has stated.

The rule, which docs/operations.md explains: a known shortage refuses the release. Where a provider that tells balances does not answer,
the releaser says why she is sure. Where nobody could know, releasing is her word, and it is kept as such. Cash is counted by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import Profile
from importers.money import Money, currency
from payroll_api.clock import pay_day
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.errors import ProblemError
from payroll_api.runs.models import PayRun
from payroll_api.services import Services

FRESH = timedelta(minutes=10)  # a told balance is of this moment, or is asked for again

_NEEDED = """
select i.provider_account_id, i.currency, sum(i.amount_minor)::bigint, a.name, a.kind
from run_items i join provider_accounts a on a.factory_id = i.factory_id and a.id = i.provider_account_id
where i.factory_id = $1 and i.run_id = $2 and i.held_reason is null group by 1, 2, 4, 5 order by 4, 2
"""
# Released and not yet sent: payments that wait, and items of runs whose payments are being made.
_OTHERS = """
select provider_account_id, currency, sum(amount_minor)::bigint from (
  select p.provider_account_id, p.currency, p.amount_minor from payments p
  where p.factory_id = $1 and p.run_id <> $2 and p.state in ('ready', 'submitting')
  union all
  select i.provider_account_id, i.currency, i.amount_minor from pay_runs r
  join run_items i on i.factory_id = r.factory_id and i.run_id = r.id and i.held_reason is null
  where r.factory_id = $1 and r.id <> $2 and r.state = 'released'
    and not exists (select from payments p where p.factory_id = r.factory_id and p.run_id = r.id)
) waiting group by 1, 2
"""
# The newest word of each kind. What was sent after a person stated a sum has left it: a provider's own figure knows that by itself.
_KNOWN = """
select distinct on (b.provider_account_id, b.currency, b.source)
  b.provider_account_id, b.currency, b.source, b.amount_minor, b.at, b.author,
  (select coalesce(sum(p.amount_minor), 0)::bigint from attempts t join payments p on p.factory_id = t.factory_id and p.id = t.payment_id
   where b.source = 'stated' and t.factory_id = b.factory_id and t.created_at >= b.at and t.state not in ('rejected', 'returned')
     and p.state not in ('ready', 'submitting') and p.provider_account_id = b.provider_account_id and p.currency = b.currency)
from rail_balances b
where b.factory_id = $1 and (b.source = 'told' and b.at > $2 or b.source = 'stated' and b.holds_on between $3 and $4 and b.holds_on >= $5)
order by b.provider_account_id, b.currency, b.source, b.at desc, b.id desc
"""
# Two releases at one moment would each count on the same money: the second waits, and counts the first.
_ALONE = "select pg_advisory_xact_lock(hashtextextended('funds|' || $1::text, 0))"


@dataclass(frozen=True, slots=True, kw_only=True)
class RailFunds:
    """One account and currency of a run. `source` is told, stated, counted (cash), silent (it tells balances, but not now) or unknown."""

    provider_account_id: UUID
    name: str
    kind: str
    needed: Money
    others: Money  # what other released runs still have to send
    source: str
    available: Money | None
    at: datetime | None
    author: str | None

    @property
    def missing(self) -> Money | None:
        """How much is too little, or None where it is enough or not known."""
        if self.available is None:
            return None
        short = self.needed.minor + self.others.minor - self.available.minor
        return Money(short, self.needed.currency) if short > 0 else None


async def funds_of(session: AsyncSession, services: Services, pay_run: PayRun) -> list[RailFunds]:
    """Every account and currency that pays somebody of a submitted run, by name."""
    needed = await fetch(session, _NEEDED, pay_run.factory_id, pay_run.id)
    others = {(row[0], row[1]): int(row[2]) for row in await fetch(session, _OTHERS, pay_run.factory_id, pay_run.id)}
    now = services.clock()
    today = pay_day(now)
    # A person's figure holds on its pay day and the day before.
    rows = await fetch(session, _KNOWN, pay_run.factory_id, now - FRESH, today, today + timedelta(days=1), pay_run.pay_on)
    known = {(row[0], row[1], row[2]): row[3:] for row in rows}
    told = {row[0] for row in rows if row[2] == "told"}
    found = []
    for account, unit, minor, name, kind in needed:
        profile: Profile = (await services.connectors.payout(session, account)).profile
        word = known.get((account, unit, "told")) or known.get((account, unit, "stated"))
        source = "told" if (account, unit, "told") in known else "stated" if word else _unknown(profile, kind, has_told=account in told)
        money = currency(unit)
        found.append(
            RailFunds(
                provider_account_id=account,
                name=name,
                kind=kind,
                needed=Money(int(minor), money),
                others=Money(others.get((account, unit), 0), money),
                source=source,
                available=Money(int(word[0]) - int(word[3]), money) if word else None,
                at=word[1] if word else None,
                author=word[2] if word else None,
            )
        )
    return found


def _unknown(profile: Profile, kind: str, *, has_told: bool) -> str:
    if kind == "cash":
        return "counted"
    # An account that told another currency's balance just now cannot tell this one's.
    return "silent" if profile.tells_balance and not has_told else "unknown"


async def require_funds(session: AsyncSession, services: Services, pay_run: PayRun, *, reason: str) -> list[RailFunds]:
    """The funds of a run that may be released. Raises ProblemError `funds_short` or, without a reason, `funds_unknown`.

    Until the transaction ends no other run of the factory is released.
    """
    await fetch(session, _ALONE, str(factory_of(session)))
    rails = await funds_of(session, services, pay_run)
    extra = {"run_id": str(pay_run.id)}
    if short := [rail for rail in rails if rail.missing is not None]:
        told = "; ".join(
            f"{rail.name}: {rail.needed} needed by this run and {rail.others} by others, {rail.available} there, {rail.missing} missing"
            for rail in short
        )
        raise ProblemError(
            "funds_short",
            f"The money is not there: {told}. Pay it into the account, then release again: the balance is asked anew. "
            "Where a person stated it, state the new balance.",
            extra={**extra, "rails": [figures(rail) for rail in short]},
        )
    if not reason and (silent := [rail for rail in rails if rail.source == "silent"]):
        names = ", ".join(dict.fromkeys(rail.name for rail in silent))
        raise ProblemError(
            "funds_unknown",
            f"{names}: the balance was asked for and not told. Release again in a moment, state the balance as your bank shows it, "
            "or release with `funds_reason`: how you made sure that the money is there.",
            extra={**extra, "rails": [figures(rail) for rail in silent]},
        )
    return rails


def figures(rail: RailFunds) -> dict[str, object]:
    """A rail's figures as problems and audit events tell them: ids and sums."""
    return {
        "provider_account": str(rail.provider_account_id),
        "currency": rail.needed.currency.code,
        "needed": str(rail.needed.amount),
        "others": str(rail.others.amount),
        "available": None if rail.available is None else str(rail.available.amount),
        "missing": None if rail.missing is None else str(rail.missing.amount),
        "source": rail.source,
    }


def without_word(rails: Sequence[RailFunds]) -> list[RailFunds]:
    """Those whose funds only the releaser answers for."""
    return [rail for rail in rails if rail.source in ("silent", "unknown")]
