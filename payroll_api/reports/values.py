"""The values that a layout's columns may show, by name: each from one worker's month."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from importers.money import KHR, USD, Money
from payroll_api.reports.document import Value
from payroll_api.reports.month import PaidRun, PaidWorker, riel
from payroll_api.reports.words import ReportWords
from reconciliation.contract import ExchangeRates
from reconciliation.entitlements import EXEMPT, INDEMNITIES

Show = Callable[[PaidWorker, "Setting"], Value]

_OVERTIME = ("overtime_pay", "night_overtime_pay", "night_pay")
_REST = ("rest_day_pay", "holiday_pay")
_OWN_COLUMNS = frozenset({"basic_pay", "piece_top_up", "piece_pay", *_OVERTIME, *_REST, "attendance_bonus", "transport_allowance"})
_OWN_COLUMNS |= {"seniority_bonus", "seniority_indemnity", "pension", "salary_tax", "first_half_paid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxFree:
    """What of a month's pay is no taxable salary: whether meals, transport and severance are, and how many riel of indemnities."""

    allowances_exempt: bool
    indemnity_exempt: int


class Setting:
    """What the values of one report share: its words, the month's rates and law, and the number of the row."""

    def __init__(self, words: ReportWords, rates: ExchangeRates | None, law: TaxFree | None) -> None:
        self.words = words
        self.rates = rates
        self.law = law
        self.number = 0


def _unit(worker: PaidWorker) -> str:
    return worker.month[-1].paid.currency.code


def _sum(worker: PaidWorker, of: Callable[[PaidRun], Money | None]) -> Money | None:
    """The sum over the month's runs in the currency that she is paid in."""
    found = [amount for run in worker.month if (amount := of(run)) is not None and amount.currency.code == _unit(worker)]
    return Money(sum(amount.minor for amount in found), found[0].currency) if found else None


def _lines(*names: str) -> Show:
    return lambda worker, _: _sum(worker, lambda run: run.line(*names))


def _side(side: str) -> Show:
    def show(worker: PaidWorker, _: Setting) -> Value:
        return _sum(worker, lambda run: run.line(*{entry.line for entry in run.lines if entry.side == side}))

    return show


def _rest_of(side: str) -> Show:
    def show(worker: PaidWorker, _: Setting) -> Value:
        return _sum(worker, lambda run: run.line(*{line.line for line in run.lines if line.side == side and line.line not in _OWN_COLUMNS}))

    return show


def _time(*names: str) -> Show:
    def show(worker: PaidWorker, _: Setting) -> Value:
        found = [Decimal(run.figures["time"][name]) for run in worker.month for name in names if name in run.figures["time"]]
        return f"{sum(found, Decimal(0)).normalize():f}" if found else None

    return show


def _stated(name: str) -> Show:
    def show(worker: PaidWorker, _: Setting) -> Value:
        for run in worker.month:
            if (amount := run.figures["amounts"].get(name)) is not None and amount[1] == _unit(worker):
                return Money(amount[0], run.paid.currency)
        return None

    return show


def _sheet(name: str) -> Show:
    return lambda worker, _: next((run.figures[name] for run in worker.month if run.figures.get(name) is not None), None)


def _law_riel(name: str) -> Show:
    """The law's exact riel of one line over the month; nothing where the law computed none."""

    def show(worker: PaidWorker, _: Setting) -> Value:
        found = [run.figures["law"].get(name) for run in worker.month]
        return riel(sum(amount or 0 for amount in found)) if any(amount is not None for amount in found) else None

    return show


def _at_rate(purpose: str) -> Show:
    """Gross pay in riel at the month's rate for tax or NSSF, rounded once, half up."""

    def show(worker: PaidWorker, setting: Setting) -> Value:
        gross = _side("earning")(worker, setting)
        if not isinstance(gross, Money) or gross.currency == KHR:
            return gross
        if setting.rates is None:
            return None
        return riel(_in_riel(gross, setting.rates.tax if purpose == "tax" else setting.rates.nssf))

    return show


def _usd_only(worker: PaidWorker, setting: Setting) -> Value:
    gross = _side("earning")(worker, setting)
    return gross if isinstance(gross, Money) and gross.currency == USD else None


def _exempt(worker: PaidWorker, setting: Setting) -> Value:
    """Meals, transport and severance, and indemnities up to their limit, in riel at the rate for tax."""
    if setting.rates is None or setting.law is None:
        return None
    allowances = _in_riel(_lines(*(EXEMPT if setting.law.allowances_exempt else ()))(worker, setting), setting.rates.tax)
    indemnities = _in_riel(_lines(*INDEMNITIES)(worker, setting), setting.rates.tax)
    return riel(allowances + min(indemnities, setting.law.indemnity_exempt))


def _in_riel(amount: Value, rate: Decimal) -> int:
    if not isinstance(amount, Money):
        return 0
    return amount.minor if amount.currency == KHR else int((amount.amount * rate).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _part(of_latin: bool, which: int) -> Show:
    """A part of a name that is written as two words, family name first; any other name stands whole with the family name."""

    def show(worker: PaidWorker, _: Setting) -> Value:
        name = (worker.name_latin if of_latin else worker.name) or ""
        parts = name.split()
        if len(parts) == 2:  # noqa: PLR2004 a family name and a given name
            return parts[which]
        return name if which == 0 else ""

    return show


def _number(_: PaidWorker, setting: Setting) -> Value:
    return setting.number


def _net(worker: PaidWorker, _: Setting) -> Value:
    return _sum(worker, lambda run: run.paid)


def _paid_through(worker: PaidWorker, setting: Setting) -> Value:
    run = worker.month[-1]
    return run.bank or setting.words(f"method.{run.method}")


VALUES: Mapping[str, Show] = {
    "number": _number,
    "blank": lambda _worker, _setting: "",
    "worker_code": lambda worker, _: worker.worker_code,
    "name": lambda worker, _: worker.name,
    "name_latin": lambda worker, _: worker.name_latin,
    "family_name": _part(False, 0),  # noqa: FBT003 see _part
    "given_name": _part(False, 1),  # noqa: FBT003 the same
    "family_name_latin": _part(True, 0),  # noqa: FBT003 the same
    "given_name_latin": _part(True, 1),  # noqa: FBT003 the same
    "national_id": lambda worker, _: worker.national_id,
    "phone": lambda worker, _: worker.phone,
    "sex": lambda worker, setting: setting.words.known(f"sex.{worker.sex}", worker.sex or ""),
    "department": lambda worker, _: worker.department,
    "position": _sheet("position"),
    "joined_on": lambda worker, _: worker.joined_on,
    "spouse": _sheet("spouse"),
    "children": _sheet("children"),
    "currency": lambda worker, _: _unit(worker),
    "basic_wage": _stated("basic_wage"),
    "days_worked": _time("days_worked"),
    "overtime_hours": _time("overtime_hours", "night_overtime_hours"),
    "rest_day_hours": _time("rest_day_hours", "holiday_hours"),
    "basic_pay": _lines("basic_pay", "piece_pay", "piece_top_up"),
    "overtime": _lines(*_OVERTIME),
    "rest_days": _lines(*_REST),
    "attendance_bonus": _lines("attendance_bonus"),
    "transport_allowance": _lines("transport_allowance"),
    "seniority_bonus": _lines("seniority_bonus"),
    "meal_allowance": _lines("meal_allowance"),
    "seniority_indemnity": _lines("seniority_indemnity"),
    "other_earnings": _rest_of("earning"),
    "gross": _side("earning"),
    "pension": _lines("pension"),
    "salary_tax": _lines("salary_tax"),
    "first_half_paid": _lines("first_half_paid"),
    "other_deductions": _rest_of("deduction"),
    "deductions": _side("deduction"),
    "net": _net,
    "paid_on": lambda worker, _: worker.month[-1].paid_on,
    "paid_on_dmy": lambda worker, _: f"{worker.month[-1].paid_on:%d-%m-%Y}",
    "paid_through": _paid_through,
    "gross_usd": _usd_only,
    "gross_riel_nssf": _at_rate("nssf"),
    "salary_riel": _at_rate("tax"),
    "exempt_riel": _exempt,
    "risk_riel": _law_riel("employer_risk"),
    "health_riel": _law_riel("employer_health"),
    "pension_riel": _law_riel("pension"),
    "employer_pension_riel": _law_riel("employer_pension"),
    "salary_tax_riel": _law_riel("salary_tax"),
}
