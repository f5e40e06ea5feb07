"""A factory of any size over six months, honest and lively, and frauds planted into its last month: repeatable by the seed.

Honest life is noisy on purpose: people come, leave, return, share a phone in the family, change their account, are on maternity leave,
work much overtime in one month and none in the next, and the cards of two sisters bear neighbouring numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from importers.contract import Meaning, PayrollRow
from importers.money import USD, Money
from importers.period import PayPeriod
from reconciliation.contract import KnownWorker

MONTHS = tuple(PayPeriod(2026, month) for month in range(6, 12))
HONEST, FORGER = "user:hr", "user:forger"


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody who works there."""

    code: str
    line: str
    grade: int  # cents a month beside overtime
    joined: date
    account: str
    phone: str | None
    card: str | None
    left: date | None = None
    changed: date | None = None
    nets: list[Money] = field(default_factory=list)
    added: date = date(2026, 5, 1)
    by: str = HONEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One month as HR sends it, with what the register knew before."""

    period: PayPeriod
    rows: list[PayrollRow]
    known: Mapping[str, KnownWorker]


class Town:
    """The people of one factory, month by month."""

    def __init__(self, seed: int, size: int) -> None:
        self.rng, self.size, self.number = random.Random(seed), size, 0  # noqa: S311 repeatable on purpose
        self.people = [self._hire(date(2015, 1, 1) + timedelta(days=self.rng.randint(0, 4000))) for _ in range(size)]

    def _hire(self, joined: date, **changes: object) -> Person:
        self.number += 1
        rng, number = self.rng, self.number
        grade = 40_000 if rng.random() < 0.03 else rng.randint(22_000, 26_000)
        person = Person(
            code=f"W{number:05}",
            line=f"Line {number % 40}",
            grade=grade,
            joined=joined,
            account=f"{rng.randint(10**8, 10**9)}{number}",
            phone=None if rng.random() < 0.02 else f"+8551{rng.randint(10**6, 10**7)}{number}",
            card=None if rng.random() < 0.02 else f"{rng.randint(10**8, 10**9 - 10):09}",
        )
        for name, value in changes.items():
            setattr(person, name, value)
        return person

    def turn(self, period: PayPeriod) -> None:
        """What happens in a month: leavers, joiners, changed accounts, a sister of somebody."""
        rng = self.rng
        for person in self.people:
            if person.left is None and rng.random() < 0.02:
                person.left = period.first_day + timedelta(days=rng.randint(0, 27))
            if person.left is None and rng.random() < 0.003:
                person.account, person.changed = f"{rng.randint(10**8, 10**9)}c", period.first_day + timedelta(days=rng.randint(0, 27))
        for _ in range(int(self.size * 0.02)):
            new = self._hire(period.first_day + timedelta(days=rng.randint(0, 20)), added=period.last_day)
            if rng.random() < 0.1:
                sister = rng.choice(self.people)
                new.phone = sister.phone
                new.card = None if sister.card is None else f"{int(sister.card) + 1:09}"
            self.people.append(new)

    def known(self, period: PayPeriod) -> dict[str, KnownWorker]:
        """The register before the month's sheet: whoever was in a run."""
        return {
            person.code: KnownWorker(
                worker_code=person.code,
                name_key=person.code.encode(),
                phone_key=None if person.phone is None else person.phone.encode(),
                account_key=person.account.encode(),
                national_id_key=None if person.card is None else person.card.encode(),
                joined_on=person.joined,
                left_on=person.left if person.left is not None and person.left < period.first_day else None,
                account_changed_on=person.changed,
                last_nets=tuple(person.nets[-1:-4:-1]),
                added_on=person.added,
                added_by=person.by,
            )
            for person in self.people
            if person.nets
        }

    def row(self, person: Person, period: PayPeriod, number: int) -> PayrollRow:
        """What she earns this month."""
        rng = self.rng
        days = 25 if person.joined <= period.first_day and person.left is None else rng.randint(8, 25)
        hours = Decimal(rng.randint(0, 40))
        net, time = int(person.grade * days / 25) + int(hours * 150), {Meaning.DAYS_WORKED: Decimal(days), Meaning.OVERTIME_HOURS: hours}
        if rng.random() < 0.01:  # maternity: half the wage, and no column for it
            net, time = person.grade // 2, {Meaning.DAYS_WORKED: Decimal(0), Meaning.OVERTIME_HOURS: Decimal(0)}
        return PayrollRow(
            sheet="Payroll",
            row=number,
            worker_code=person.code,
            name=person.code,
            net=Money(net, USD),
            department=person.line,
            joined_on=person.joined,
            account=person.account,
            phone=person.phone,
            national_id=person.card,
            time=time,
        )

    def month(self, period: PayPeriod) -> Sheet:
        """The honest sheet of a month; everybody in it is known afterwards."""
        self.turn(period)
        known = self.known(period)
        here = [person for person in self.people if person.left is None or person.left >= period.first_day]
        rows = [self.row(person, period, number) for number, person in enumerate(here, 2)]
        for person, row in zip(here, rows, strict=True):
            person.nets.append(row.net)
        return Sheet(period=period, rows=rows, known=known)


def keys(row: PayrollRow) -> KnownWorker:
    """A row's keys; a keyed hash hides more, and compares the same."""
    return KnownWorker(
        worker_code=row.worker_code,
        name_key=row.name.encode(),
        phone_key=None if row.phone is None else row.phone.encode(),
        account_key=None if row.account is None else row.account.encode(),
        national_id_key=None if row.national_id is None else row.national_id.encode(),
    )


def planted(sheet: Sheet, seed: int, each: int) -> tuple[Sheet, dict[str, set[str]]]:
    """The sheet with so many frauds of each kind; and who must be told by which code."""
    rng = random.Random(f"planted {seed}")  # noqa: S311 repeatable on purpose
    rows = list(sheet.rows)
    old = [n for n, row in enumerate(rows) if (known := sheet.known.get(row.worker_code)) and known.usual_net and len(known.last_nets) == 3]
    old = [n for n in old if rows[n].time[Meaning.DAYS_WORKED] and rows[n].net > Money(15_000, USD)]
    rng.shuffle(old)
    due: dict[str, set[str]] = {}

    def victims(code: str) -> list[int]:
        chosen = [old.pop() for _ in range(each)]
        due.setdefault(code, set()).update(rows[n].worker_code for n in chosen)
        return chosen

    for n in victims("shared_account"):
        other = old.pop()
        due["shared_account"].add(rows[other].worker_code)
        rows[n] = replace(rows[n], account=rows[other].account)
    for n in victims("changed_account"):
        rows[n] = replace(rows[n], account=f"thief-{n}")
    for n in victims("doubled_worker"):
        rows.append(replace(rows[n], row=len(rows) + 2))
    for n in victims("doubled_identity"):
        other = old.pop()
        due["doubled_identity"].add(rows[other].worker_code)
        rows[n] = replace(rows[n], national_id=f"9{n:08}")
        rows[other] = replace(rows[other], national_id=f"9{n:08}")
    _changed_figures(sheet, rows, victims, rng)
    gone = [known for known in sheet.known.values() if known.left_on is not None and known.last_nets]
    for known in rng.sample(gone, each):
        due.setdefault("paid_after_leaving", set()).add(known.worker_code)
        rows.append(_leaver(known, rows[0], len(rows) + 2))
    ghosts = [_ghost(number, rows[0], len(rows) + 2 + number, rng) for number in range(each)]
    due["ghost_pattern"] = {row.worker_code for row in ghosts}
    due["far_from_line"] = set()
    for number in range(each):
        boss = replace(_ghost(each + number + 50, rows[0], 0, rng), net=Money(rng.randint(80_000, 150_000), USD), national_id=None)
        due["far_from_line"].add(boss.worker_code)
        rows.append(boss)
    return replace(sheet, rows=[*rows, *ghosts]), due


def _changed_figures(sheet: Sheet, rows: list[PayrollRow], victims: Callable[[str], list[int]], rng: random.Random) -> None:
    """Frauds of figures and dates, with nobody's account in them."""
    for n in victims("not_yet_joined"):
        rows[n] = replace(rows[n], joined_on=sheet.period.last_day + timedelta(days=rng.randint(1, 60)))
    for n in victims("far_from_history"):
        usual = sheet.known[rows[n].worker_code].usual_net
        assert usual is not None
        rows[n] = replace(rows[n], net=Money(int(usual.minor * rng.uniform(1.52, 4)), USD))
    for n in victims("no_attendance"):
        rows[n] = replace(rows[n], time={Meaning.DAYS_WORKED: Decimal(0)})


def _leaver(known: KnownWorker, like: PayrollRow, number: int) -> PayrollRow:
    account = known.account_key.decode() if known.account_key else None
    return replace(
        like,
        row=number,
        worker_code=known.worker_code,
        name=known.worker_code,
        net=known.last_nets[0],
        joined_on=known.joined_on,
        account=account,
        phone=None,
        national_id=None,
    )


def _ghost(number: int, like: PayrollRow, place: int, rng: random.Random) -> PayrollRow:
    """Invented people, four at a time: cards typed in a row with no attendance or a round wage, or nobody of whom anything is known."""
    code, group = f"G{number:05}", number // 4
    in_a_row = group % 2 == 0
    attends = group % 4 == 0
    return replace(
        like,
        row=place,
        worker_code=code,
        name=code,
        account=f"ghost-{number}",
        phone=f"+85500{number:07}" if in_a_row else None,
        national_id=f"7{group:04}{number % 4:04}" if in_a_row else None,
        net=Money(rng.randint(21, 28) * 1_000 + (0 if attends else 37), USD),
        time={Meaning.DAYS_WORKED: Decimal(25 if attends else 0)},
    )
