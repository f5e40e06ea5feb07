"""The control totals that HR types: nothing was cut off the file and nothing crept in, or she explains the difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from importers.cells import Fault
from importers.contract import Counts
from importers.control import ControlDifference, FileFigures, compare_control
from importers.money import CURRENCIES, Money, currency
from importers.numbers import money_reader
from payroll_api.errors import InvalidError
from payroll_api.intake.models import PayrollFile

MOST_WORKERS = 100_000


def typed_control(workers: str | int | None, net: Mapping[str, str]) -> dict[str, Any] | None:
    """What HR typed, exactly; None where nothing was. Amounts may bear thousands marks, currency signs and Khmer digits.

    Raises InvalidError for what is no figure, and for a currency that no wage is paid in.
    """
    count = _workers(str(workers).strip()) if workers is not None else None
    sums = {code: str(_sum(code, text).amount) for code, text in net.items() if text.strip()}
    return {"workers": count, "net": sums} if count is not None or sums else None


def _workers(text: str) -> int | None:
    if not text:
        return None
    plain = text.replace(",", "").replace(" ", "")
    if not plain.isdecimal() or not 0 < int(plain) <= MOST_WORKERS:  # Khmer digits are decimals too
        raise InvalidError(
            f"The number of workers is a whole number from 1 to {MOST_WORKERS:,}.", fields=[{"field": "workers", "problem": "no number"}]
        )
    return int(plain)


def _sum(code: str, text: str) -> Money:
    if code not in CURRENCIES:
        raise InvalidError(f"Sums are typed in {' or '.join(CURRENCIES)}.", fields=[{"field": f"net_{code[:3]}", "problem": "not known"}])
    found = money_reader(currency(code), strict=True)(text.strip())
    if found is None or isinstance(found, Fault) or found.minor < 0:
        raise InvalidError(
            f"The sum of net pay in {code} is an amount such as {'61,234.50' if currency(code).exponent else '4,120,000'}.",
            fields=[{"field": f"net_{code.lower()}", "problem": "no amount"}],
        )
    return found


def control_of(file: PayrollFile) -> dict[str, Any] | None:
    """What was typed beside what a read file holds, with every difference; None where nothing was typed."""
    typed: Any = file.control
    summary: Any = file.summary or {}
    if not typed or "counts" not in summary:
        return None
    held = FileFigures(
        counts=Counts(**summary["counts"]),
        accepted=_monies(summary["totals"]["accepted"]),
        rejected=_monies(summary["totals"]["rejected"]),
    )
    found = compare_control(held, workers=typed["workers"], net=_monies(typed["net"]))
    return {"typed": typed, "differences": [_difference(one) for one in found]}


def _monies(amounts: Mapping[str, str]) -> dict[str, Money]:
    return {code: Money.of(amount, currency(code)) for code, amount in amounts.items()}


def _difference(found: ControlDifference) -> dict[str, Any]:
    def plain(value: int | Money) -> int | str:
        return value if isinstance(value, int) else str(value.amount)

    return {
        "currency": found.currency,
        "typed": plain(found.typed),
        "found": plain(found.found),
        "accepted": plain(found.accepted),
        "message": found.message,
        "remedy": found.remedy,
        "remedy_km": found.remedy_km,
    }
