"""What a slip may say: the sheet's own figures where they are what was paid and add up, the law's otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from importers.contract import Meaning
from importers.money import Money, currency
from payroll_api.payslips.text import Figures

_OVERTIME = (Meaning.OVERTIME_PAY, Meaning.NIGHT_OVERTIME_PAY, Meaning.REST_DAY_PAY, Meaning.HOLIDAY_PAY)
_OVERTIME_LINES = {meaning.value for meaning in _OVERTIME}


def figures_of(paid: Money, sheet: Mapping[str, Sequence[Any]], law: Mapping[str, int], lines: Sequence[Mapping[str, Any]]) -> Figures:
    """The figures of one payment. `sheet` are the row's amounts by meaning, `law` the entitlement's sums in minor units."""
    unit = paid.currency
    gross = sheet.get(Meaning.GROSS.value)
    net = sheet.get(Meaning.NET.value)
    shown = net is None or (net[1] == unit.code and net[0] == paid.minor)
    if gross is not None and gross[1] == unit.code and shown and gross[0] >= paid.minor and law["stated_minor"] == paid.minor:
        overtime = sum(amount[0] for meaning in _OVERTIME if (amount := sheet.get(meaning.value)) and amount[1] == unit.code)
        return _figures(gross[0], overtime, paid)
    if law["net_minor"] == paid.minor:
        overtime = sum(line["minor"] for line in lines if line["line"] in _OVERTIME_LINES and line["currency"] == unit.code)
        return _figures(law["gross_minor"], overtime, paid)
    return _figures(paid.minor, 0, paid)


def _figures(gross: int, overtime: int, paid: Money) -> Figures:
    unit = currency(paid.currency.code)
    return Figures(
        gross=Money(gross, unit), overtime=Money(min(overtime, gross), unit), deductions=Money(gross - paid.minor, unit), net=paid
    )
