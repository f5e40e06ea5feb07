"""Random work months, and the law of each computed twice: `python -m tests.law_cases.random_months 10000` compares and counts.

The months are as wild as the contract allows (part months, every status, wages in riel, every policy), repeatable by their seed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from importers.contract import Meaning, WorkerStatus
from importers.money import KHR, USD, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import ExchangeRates, Leaving, Line, WorkMonth
from reconciliation.entitlements import entitlement
from reconciliation.law.book import load_cambodia
from reconciliation.policy import (
    AttendanceLoss,
    FactoryPolicy,
    FirstHalf,
    IndemnityRun,
    NightPay,
    NssfBase,
    PartMonth,
    PieceHoliday,
    RielRate,
    ServiceOn,
    SickPay,
    Transport,
)
from tests.law_cases.second_opinion import Opinion, second_opinion

HOURS = (Meaning.OVERTIME_HOURS, Meaning.NIGHT_OVERTIME_HOURS, Meaning.REST_DAY_HOURS, Meaning.HOLIDAY_HOURS, Meaning.NIGHT_HOURS)
KINDS = (
    (RunKind.BALANCE, 70),
    (RunKind.FINAL_PAY, 14),
    (RunKind.FIRST_HALF, 6),
    (RunKind.INDEMNITY, 7),
    (RunKind.CORRECTION, 3),
)
GIVEN = (
    Line.LEAVE_PAY,
    Line.OTHER_ALLOWANCE,
    Line.BACK_PAY,
    Line.FIRST_HALF_PAID,
    Line.ADVANCE,
    Line.LOAN,
    Line.UNION_DUES,
    Line.OTHER_DEDUCTION,
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One month with the rates and the policy under which it is asked."""

    number: int
    month: WorkMonth
    rates: ExchangeRates
    policy: FactoryPolicy


def questions(count: int, seed: int) -> Iterator[Question]:
    """So many questions; the same seed asks the same."""
    for number in range(count):
        rng = random.Random(f"{seed}:{number}")  # noqa: S311 repeatable on purpose
        yield Question(number=number, month=_month(rng), rates=_rates(rng), policy=_policy(rng))


def disagreements(question: Question, compute: Callable[..., Opinion] = second_opinion) -> list[str]:
    """The lines and totals in which the two computations differ, told with both figures; nothing when they agree."""
    found = entitlement(question.month, book=load_cambodia(), rates=question.rates, policy=question.policy)
    other = compute(question.month, rates=question.rates, policy=question.policy)
    first: Counter[str] = Counter()
    for line in found.lines:
        first[line.line.value] += line.amount.minor
    second = Counter({line.value: amount for line, amount in other.lines.items()})
    for name, mine, theirs in (
        ("gross", found.gross.minor, other.gross),
        ("net", found.net.minor, other.net),
        ("taxable_base", found.taxable_base.minor, other.taxable_base),
    ):
        first[name], second[name] = mine, theirs
    names = sorted(name for name in {*first, *second} if first[name] != second[name])
    return [f"{name}: first {first[name]}, second {second[name]}" for name in names]


def _month(rng: random.Random) -> WorkMonth:
    period = PayPeriod(rng.randint(2018, 2026), rng.choice((1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 11, 12, 12)))
    kind = rng.choices((RunKind.BALANCE, RunKind.FINAL_PAY, RunKind.FIRST_HALF, RunKind.INDEMNITY, RunKind.CORRECTION), (70, 14, 6, 7, 3))[
        0
    ]
    joined = _joined(rng, period)
    earliest = max(period.first_day, joined or period.first_day)
    leaves = kind is RunKind.FINAL_PAY or rng.random() < 0.03
    left = earliest + timedelta(days=rng.randint(0, (period.last_day - earliest).days)) if leaves else None
    status = rng.choice(list(WorkerStatus))
    by_piece = status is WorkerStatus.PIECE_RATE and rng.random() < 0.9
    undetermined = rng.random() < 0.75
    return WorkMonth(
        worker_code="GW-1",
        period=period,
        kind=kind,
        status=status,
        undetermined_contract=undetermined,
        joined_on=joined,
        left_on=left,
        basic_wage=None if rng.random() < 0.3 else _wage(rng),
        piece_value=Money(rng.randint(0, 60_000), USD) if by_piece else None,
        overtime_days=None if rng.random() < 0.5 else Decimal(rng.randint(0, 24)),
        hours={meaning: Decimal(rng.randint(1, 120)) / 4 for meaning in HOURS if rng.random() < 0.3},
        spouse=rng.randint(0, 1),
        children=rng.choice((0, 0, 1, 2, 4)),
        resident=rng.random() < 0.9,
        given={line: Money(rng.randint(1, 9000), USD) for line in GIVEN if rng.random() < 0.1},
        provided=frozenset(line for line in (Line.TRANSPORT_ALLOWANCE, Line.MEAL_ALLOWANCE) if rng.random() < 0.15),
        average_wage=None if rng.random() < 0.5 else Money(rng.randint(15_000, 90_000), USD),
        contract_wages=None if undetermined or rng.random() < 0.2 else Money(rng.randint(50_000, 900_000), USD),
        unused_leave_days=Decimal(rng.randint(0, 40)) / 2 if leaves and rng.random() < 0.6 else Decimal(0),
        leave_apart=rng.random() < 0.4,
        sick_month=rng.randint(1, 5),
        leaving=rng.choice([*Leaving, None]) if leaves else None,
        days_holiday=Decimal(rng.randint(0, 10)) / 2 if rng.random() < 0.4 else Decimal(0),
        piece_days=Decimal(rng.randint(0, 54)) / 2 if by_piece and rng.random() < 0.3 else None,
        **_away(rng),
    )


def _joined(rng: random.Random, period: PayPeriod) -> date | None:
    kind = rng.random()
    if kind < 0.1:
        return None
    if kind < 0.25:
        return period.first_day + timedelta(days=rng.randint(0, (period.last_day - period.first_day).days))
    return period.first_day - timedelta(days=rng.choice((rng.randint(0, 400), rng.randint(0, 6000))))


def _wage(rng: random.Random) -> Money:
    if rng.random() < 0.1:
        return Money(rng.randint(6_000, 60_000) * 100, KHR)
    return Money(rng.choice((rng.randint(15_000, 30_000), rng.randint(15_000, 30_000), rng.randint(30_000, 600_000))), USD)


def _away(rng: random.Random) -> dict[str, Decimal]:
    if rng.random() < 0.03:
        return {rng.choice(("days_absent", "days_sick", "days_maternity", "days_leave")): Decimal(rng.randint(20, 27))}
    halves = ("days_absent", 8, 0.25), ("days_leave", 12, 0.25), ("days_sick", 12, 0.2), ("days_maternity", 30, 0.05)
    return {name: Decimal(rng.randint(1, most)) / 2 for name, most, chance in halves if rng.random() < chance}


def _rates(rng: random.Random) -> ExchangeRates:
    return ExchangeRates(tax=Decimal(rng.randint(39_000, 42_000)) / 10, nssf=Decimal(rng.randint(3_900, 4_200)))


def _policy(rng: random.Random) -> FactoryPolicy:
    if rng.random() < 0.5:
        return FactoryPolicy()
    return FactoryPolicy(
        monthly_days=rng.choice((26, 26, 26, 22, 24, 30)),
        part_month=rng.choice(list(PartMonth)),
        attendance_lost_by=frozenset(loss for loss in AttendanceLoss if rng.random() < 0.6),
        transport=rng.choice(list(Transport)),
        service_on=rng.choice(list(ServiceOn)),
        sick_pay=rng.choice(list(SickPay)),
        night_pay=rng.choice(list(NightPay)),
        piece_holiday=rng.choice(list(PieceHoliday)),
        first_half=rng.choice(list(FirstHalf)),
        indemnity_run=rng.choice(list(IndemnityRun)),
        indemnity_in_nssf=rng.random() < 0.3,
        nssf_base=rng.choice(list(NssfBase)),
        pension_rounding_riel=rng.choice((1, 100, 100)),
        pension_before_tax=rng.random() < 0.7,
        pension_rate=rng.choice(list(RielRate)),
    )


def main() -> int:
    """Compare so many months; print each disagreement, count them by the lines concerned. Exit 1 if there is one."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--show", type=int, default=10, help="how many disagreements to print whole")
    given = parser.parse_args()
    kinds: Counter[str] = Counter()
    shown = 0
    for question in questions(given.count, given.seed):
        wrong = disagreements(question)
        if not wrong:
            continue
        kinds[" ".join(one.split(":")[0] for one in wrong)] += 1
        if shown < given.show:
            shown += 1
            sys.stdout.write(f"month {question.number}: {'; '.join(wrong)}\n  {question.month}\n  {question.rates}\n  {question.policy}\n")
    for lines, times in kinds.most_common(40):
        sys.stdout.write(f"{times:6}  {lines}\n")
    total = sum(kinds.values())
    sys.stdout.write(f"{given.count} months, seed {given.seed}: {given.count - total} agree, {total} disagree\n")
    return 1 if total else 0


if __name__ == "__main__":
    raise SystemExit(main())
