"""What a factory has agreed about statements: deadlines of breaks, when two people close one, how it names its own transfers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import CURRENCIES
from importers.statements.contract import StatementLine
from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.db.session import factory_of
from payroll_api.errors import InvalidError
from payroll_api.services import Services
from payroll_api.settlement.models import SettlementRules
from reconciliation.facts_told import fault, place

# Working days in which a person should have dealt with a break, the gravest first: the order in which breaks are shown. Ours, not a law's.
DEADLINES: Mapping[str, int] = {
    "twice": 1,
    "account": 1,
    "currency": 1,
    "reversed": 1,
    "amount": 2,
    "missing": 2,
    "batch": 2,
    "unreferenced": 2,
    "returned": 3,
    "partial_return": 3,
    "foreign": 5,
    "fee": 5,
    "late": 5,
    "early": 5,
    "split": 5,
}
_OTHERWISE = 2
_LONGEST = 60  # working days; more is not a deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A factory's choices, with our defaults.

    `two_people_over` is in minor units by currency: a break of more money is closed by two people. `working_days` are ISO weekdays
    (1 is Monday) and `days_off` single days on which nobody works. `funding_words` stand in the bank's text or reference when the
    factory itself puts money on the account.
    """

    deadlines: Mapping[str, int] = field(default_factory=dict)
    two_people_over: Mapping[str, int] = field(default_factory=lambda: {"USD": 50_000, "KHR": 2_000_000})
    working_days: tuple[int, ...] = (1, 2, 3, 4, 5)
    days_off: tuple[date, ...] = ()
    funding_words: tuple[str, ...] = ()
    late_after_days: int = 3
    missing_after_days: int = 0

    def deadline(self, kind: str, found_on: date) -> date:
        """The day by which a break should be dealt with."""
        return self.add_working_days(found_on, self.deadlines.get(kind, DEADLINES.get(kind, _OTHERWISE)))

    def add_working_days(self, start: date, count: int) -> date:
        """`count` working days after `start`; the last of them."""
        day = start
        while count > 0:
            day += timedelta(days=1)
            count -= day.isoweekday() in self.working_days and day not in self.days_off
        return day

    def takes_two(self, minor: int | None, currency: str | None) -> bool:
        """Whether a break of this size is closed by two people. One whose size nobody knows is."""
        if minor is None or currency is None:
            return True
        return abs(minor) > self.two_people_over.get(currency, 0)

    def is_funding(self, line: StatementLine) -> bool:
        """Whether a line is the factory's own money coming in."""
        told = " ".join((line.text, *line.references)).casefold()
        return any(word.casefold() in told for word in self.funding_words)


_rules = TypeAdapter(Rules)
_names = frozenset(one.name for one in dataclasses.fields(Rules))


async def rules_of(session: AsyncSession) -> Rules:
    """The factory's rules, with defaults for what it has not chosen."""
    row = await session.get(SettlementRules, factory_of(session))
    return read_rules(row.rules) if row is not None else Rules()


def read_rules(choices: Mapping[str, object]) -> Rules:
    """Rules as they are stored and sent (JSON). Raises InvalidError naming each that is wrong."""
    wrong = [{"field": name[:40], "problem": "there is no such rule"} for name in sorted(set(choices) - _names)]
    if wrong:
        raise InvalidError(f"Rules are {', '.join(sorted(_names))}.", code="rules_invalid", fields=wrong)
    try:
        rules = _rules.validate_python(dict(choices))
    except ValidationError as error:
        wrong = [
            {"field": place(entry["loc"]), "problem": fault(dict(entry))} for entry in error.errors(include_input=False, include_url=False)
        ]
        raise InvalidError("The rules cannot be taken: see fields.", code="rules_invalid", fields=wrong) from None
    wrong = list(_nonsense(rules))
    if wrong:
        raise InvalidError("The rules cannot be taken: see fields.", code="rules_invalid", fields=wrong)
    return rules


def _nonsense(rules: Rules) -> list[dict[str, str]]:
    days = f"0 to {_LONGEST} working days"
    found = [
        {"field": f"deadlines.{kind[:40]}", "problem": days if kind in DEADLINES else "there is no break of this kind"}
        for kind, count in rules.deadlines.items()
        if kind not in DEADLINES or not 0 <= count <= _LONGEST
    ]
    found += [
        {"field": f"two_people_over.{code[:3]}", "problem": "an amount of 0 or more in a currency that is paid in"}
        for code, minor in rules.two_people_over.items()
        if code not in CURRENCIES or minor < 0
    ]
    if not rules.working_days or not set(rules.working_days) <= set(range(1, 8)):
        found.append({"field": "working_days", "problem": "at least one of 1 (Monday) to 7 (Sunday)"})
    if any(not 3 <= len(word.strip()) <= 80 for word in rules.funding_words):  # noqa: PLR2004 two letters stand in every text
        found.append({"field": "funding_words", "problem": "each 3 to 80 characters"})
    found += [
        {"field": name, "problem": "0 to 60 days"}
        for name in ("late_after_days", "missing_after_days")
        if not 0 <= getattr(rules, name) <= _LONGEST
    ]
    return found


async def set_rules(session: AsyncSession, services: Services, actor: Actor, choices: Mapping[str, object]) -> Rules:
    """Replace the factory's rules; they hold for statements matched and breaks closed from now on. Raises InvalidError, NotAllowedError."""
    actor.require(Permission.ADMINISTER)
    rules = read_rules(choices)
    kept = _rules.dump_python(rules, mode="json")
    now = services.clock()
    await session.merge(SettlementRules(factory_id=actor.factory_id, rules=kept, set_by=actor.name, set_at=now))
    await session.flush()
    event = Event(actor=actor.name, action="settlement_rules.set", subject=f"factory:{actor.factory_id}", data={"rules": kept})
    await record(session, now, event)
    return rules
