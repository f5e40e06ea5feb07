"""The parts of docs/guide-law.md that come from the code: `python -m tests.reconciliation.law_guide` writes them anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

from importers.contract import Meaning, PayrollRow
from importers.money import USD, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import Discrepancy, ExchangeRates, KnownWorker
from reconciliation.law.book import load_cambodia
from reconciliation.policy import POLICY_POINTS, FactoryPolicy
from reconciliation.reconcile import reconcile

GUIDE = Path(__file__).parents[2] / "docs" / "guide-law.md"
# A worker of six years, ten and a half hours of overtime on six days in November 2026: as the law has it.
_RIGHT = {
    Meaning.BASIC_WAGE: "210.00",
    Meaning.BASIC_PAY: "210.00",
    Meaning.OVERTIME_PAY: "15.90",
    Meaning.ATTENDANCE_BONUS: "10.00",
    Meaning.TRANSPORT_ALLOWANCE: "7.00",
    Meaning.SENIORITY_BONUS: "7.00",
    Meaning.MEAL_ALLOWANCE: "3.00",
    Meaning.GROSS: "252.90",
    Meaning.PENSION: "5.05",
    Meaning.SALARY_TAX: "0.00",
    Meaning.TOTAL_DEDUCTIONS: "5.05",
    Meaning.NET: "247.85",
}
# What went wrong on the sheet, and the figures that follow from it there.
_WRONG: Mapping[str, Mapping[Meaning, str]] = {
    "Overtime at the plain wage instead of 150 %": {
        Meaning.OVERTIME_PAY: "10.60",
        Meaning.GROSS: "247.60",
        Meaning.PENSION: "4.95",
        Meaning.TOTAL_DEDUCTIONS: "4.95",
        Meaning.NET: "242.65",
    },
    "The seniority bonus forgotten": {
        Meaning.SENIORITY_BONUS: "0.00",
        Meaning.GROSS: "245.90",
        Meaning.PENSION: "4.93",
        Meaning.TOTAL_DEDUCTIONS: "4.93",
        Meaning.NET: "240.97",
    },
    "A pension of 4 % taken from the worker": {Meaning.PENSION: "10.10", Meaning.TOTAL_DEDUCTIONS: "10.10", Meaning.NET: "242.80"},
}


def told() -> Iterator[tuple[str, Discrepancy]]:
    """The three mistakes and the first difference that each brings."""
    for name, changes in _WRONG.items():
        amounts = {meaning: Money.of(amount, USD) for meaning, amount in {**_RIGHT, **changes}.items()}
        row = PayrollRow(
            sheet="Payroll",
            row=7,
            worker_code="GW-00017",
            name="",
            net=amounts[Meaning.NET],
            joined_on=date(2020, 1, 1),
            amounts=amounts,
            time={Meaning.DAYS_ABSENT: Decimal(0), Meaning.OVERTIME_HOURS: Decimal("10.5"), Meaning.OVERTIME_DAYS: Decimal(6)},
        )
        result = reconcile(
            (row,),
            period=PayPeriod(2026, 11),
            kind=RunKind.BALANCE,
            known={"GW-00017": KnownWorker(worker_code="GW-00017", joined_on=date(2020, 1, 1))},
            keys=lambda one: KnownWorker(worker_code=one.worker_code),
            book=load_cambodia(),
            rates=ExchangeRates(tax=Decimal(4000), nssf=Decimal(4000)),
            policy=FactoryPolicy(),
        )
        yield name, result.discrepancies[0]


def aloud() -> str:
    """The three differences as a person reads them."""
    parts = []
    for name, one in told():
        can = ", ".join(resolution.value.replace("_", " ") for resolution in one.resolutions)
        parts.append(f"**{name}**\n\n> {one.message}\n\n> {one.message_km}\n\nHR can: {can}.")
    return "\n\n".join(parts)


def policies() -> str:
    """The table of policies."""
    lines = ["| policy | question | default | reason | source |", "|---|---|---|---|---|"]
    lines += [f"| `{one.name}` | {one.question} | {one.default or 'none'} | {one.reason} | {one.source} |" for one in POLICY_POINTS]
    return "\n".join(lines)


def unverified() -> str:
    """What in the law book nobody could check against its source."""
    lines = ["| parameter | from | where it stands | what is open |", "|---|---|---|---|"]
    for name, parameter in load_cambodia().parameters.items():
        lines += [
            f"| `{name}` | {value.since} | {value.citation} | {value.note or value.citation.published} |"
            for value in parameter.values
            if not value.citation.verified
        ]
    return "\n".join(lines)


PARTS = {"differences": aloud, "policies": policies, "unverified": unverified}


def written(text: str) -> str:
    """The guide with each generated part as the code has it now. Raises ValueError if a part's marks are missing."""
    for name, make in PARTS.items():
        start, end = f"<!-- {name}: generated -->\n", f"<!-- end of {name} -->"
        first, last = text.index(start) + len(start), text.index(end)
        text = f"{text[:first]}\n{make()}\n\n{text[last:]}"
    return text


if __name__ == "__main__":
    GUIDE.write_text(written(GUIDE.read_text("utf-8")), "utf-8")
