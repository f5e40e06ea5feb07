"""A careful payroll clerk's month for one synthetic worker: the law's figures for November 2026, to the cent and the riel.

Minimum wage of the garment sector 2026: 210 USD (Prakas 214 of 17 September 2025). Daily = wage / 26, hourly = daily / 8.
Overtime 150 %, at night and on the weekly day off 200 % (Prakas 112/25). Attendance 10 USD, transport 7 USD, seniority 2 to 11
USD by completed year, overtime meal 2,000 riel a day. Pension 2 % of gross between 400,000 and 1,200,000 riel (Sub-Decree 144).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from tests.sheets.names import BANKS, FAMILY, GIVEN_F, GIVEN_M, LONG_PREFIXES, MOBILE_PREFIXES, SECTIONS

RATE = 4000
WAGE = Decimal(210)
CENT = Decimal("0.01")


@dataclass(slots=True, kw_only=True)
class Worker:
    """One synthetic worker's line. Dollars are Decimal with cents, riel are int."""

    number: int
    code: str
    name: str
    name_latin: str
    sex: str
    position: str
    section: str
    joined: date
    days_worked: int
    absent: int
    ot_hours: Decimal
    night_hours: Decimal
    rest_hours: Decimal
    ot_days: int
    method: str
    bank: str
    account: str
    phone: str
    money: dict[str, Any] = field(default_factory=dict)


def cents(value: Fraction | Decimal | int) -> Decimal:
    """Rounded half up to the cent."""
    exact = Fraction(value)
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(CENT, rounding=ROUND_HALF_UP)


def completed_years(joined: date, on: date) -> int:
    """Whole years of service on a day."""
    return on.year - joined.year - ((on.month, on.day) < (joined.month, joined.day))


def seniority_bonus(years: int) -> Decimal:
    """USD a month: 2 from the second year on, one more each year, at most 11."""
    return Decimal(0 if years < 1 else min(years + 1, 11))


def pension_riel(gross: Decimal) -> int:
    """The worker's 2 %, to the nearest 100 riel."""
    base = min(max(Fraction(gross) * RATE, Fraction(400_000)), Fraction(1_200_000))
    return int((base * 2 / 100 / 100 + Fraction(1, 2)) // 1) * 100


def worker(random_: random.Random, number: int, first_day: date, last_day: date) -> Worker:
    """A plausible worker, number `number` of the factory."""
    woman = random_.random() < 0.86
    family, given = random_.choice(FAMILY), random_.choice(GIVEN_F if woman else GIVEN_M)
    section, position = random_.choice(SECTIONS)
    service = int(min(random_.expovariate(1 / 1500) + 20, 14 * 365))
    absent = random_.choices((0, 1, 2), (93, 5, 2))[0]
    ot_days = random_.choice((0, 8, 10, 12, 14, 16, 18))
    night = Decimal(random_.choice((0, 0, 0, 0, 2, 4)))
    method = random_.choices(("bank", "wallet", "cash"), (60, 35, 5))[0]
    digits = "0123456789"
    prefix = random_.choice(MOBILE_PREFIXES + LONG_PREFIXES)
    rest = "".join(random_.choices(digits, k=7 if prefix in LONG_PREFIXES else 6))
    return Worker(
        number=number,
        code=f"GW-{number:05d}",
        name=f"{family[0]} {given[0]}",
        name_latin=f"{family[1]} {given[1]}",
        sex="ស្រី" if woman else "ប្រុស",
        position=position,
        section=section,
        joined=first_day - timedelta(days=service),
        days_worked=_working_days(first_day, last_day) - absent,
        absent=absent,
        ot_hours=ot_days * 2 - night,
        night_hours=night if ot_days else Decimal(0),
        rest_hours=Decimal(random_.choice((0, 0, 0, 8))),
        ot_days=ot_days,
        method=method,
        bank=random_.choice(BANKS) if method == "bank" else "",
        account="".join(random_.choices(digits, k=9)) if method == "bank" else "",
        phone=f"+855{prefix}{rest}",
    )


def _working_days(first_day: date, last_day: date) -> int:
    days = (first_day + timedelta(days=n) for n in range((last_day - first_day).days + 1))
    return sum(1 for day in days if day.weekday() != 6)


def compute(entry: Worker, last_day: date) -> None:
    """Fill `entry.money` with every amount of the sheet, as the law has it."""
    if not entry.ot_days:
        entry.ot_hours = Decimal(0)
    hourly = Fraction(WAGE) / 26 / 8
    first_half = cents(WAGE / 2)
    money: dict[str, Any] = {
        "basic_wage": WAGE,
        "absence": cents(Fraction(WAGE) / 26 * entry.absent),
        "ot_pay": cents(hourly * Fraction(3, 2) * Fraction(entry.ot_hours)),
        "night_pay": cents(hourly * 2 * Fraction(entry.night_hours)),
        "rest_pay": cents(hourly * 2 * Fraction(entry.rest_hours)),
        "attendance": Decimal(0) if entry.absent else Decimal(10),
        "transport": Decimal(7),
        "seniority": seniority_bonus(completed_years(entry.joined, last_day)),
        "meal": cents(Fraction(2000 * entry.ot_days, RATE)),
        "first_half": first_half,
    }
    money["basic_pay"] = WAGE - money["absence"]
    total(money)
    entry.money = money


def total(money: dict[str, Any]) -> None:
    """Gross, pension, deductions and net from the lines of `money`."""
    earned = ("basic_pay", "ot_pay", "night_pay", "rest_pay", "attendance", "transport", "seniority", "meal")
    money["gross"] = sum((money[line] for line in earned), Decimal(0))
    money["pension"] = cents(Fraction(pension_riel(money["gross"]), RATE))
    money["tax"] = cents(Fraction(_tax_riel(int(money["gross"] * RATE)), RATE))
    money["deductions"] = money["pension"] + money["tax"] + money["first_half"]
    money["net"] = money["gross"] - money["deductions"]
    money["net_riel"] = int(money["net"] * RATE)


def _tax_riel(base: int) -> int:
    """Tax on salary up to the second bracket (5 % above 1,500,000 riel to 2,000,000), which no synthetic wage passes."""
    return max(0, (min(base, 2_000_000) - 1_500_000) * 5 // 100)
