"""Social security: the worker's pension, and the employer's occupational risk, health and pension contributions. In riel."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from importers.money import KHR, USD, Money
from reconciliation.contract import Citation, EntitlementLine, Line, Side
from reconciliation.law.cambodia.month import Month, half_up, percent, plain, remember
from reconciliation.policy import NssfBase, RielRate


class Contributions(NamedTuple):
    """What one wage brings the fund: the worker's deduction, if there is one, its riel, and the employer's lines."""

    pension: EntitlementLine | None
    pension_riel: int
    employer: tuple[EntitlementLine, ...]


class Nssf:
    """The rates, floors, caps and bands in force."""

    def __init__(self, month: Month) -> None:
        figures, self._month = month.figures, month
        self._pension = figures.number("nssf_pension_rate")
        self._pension_limits = int(figures.number("nssf_pension_floor")), int(figures.number("nssf_pension_cap"))
        self._pension_cite = figures.cite("nssf_pension_rate", "nssf_pension_floor")
        self._limits = int(figures.number("nssf_floor")), int(figures.number("nssf_cap"))
        base = month.policy.nssf_base
        banded = figures.number("nssf_banded") == 1 if base is NssfBase.BY_LAW_BOOK else base is NssfBase.BANDED
        rows = figures.rows("nssf_bands") if banded else ()
        self._bands = [(Decimal(str(row["up_to"])), int(str(row["wage"]))) for row in rows]
        basis = "nssf_bands" if banded else "nssf_cap"
        at = f" KHR (at {plain(month.rates.nssf)}) x "
        self._employer = tuple(
            (line, *figures.ratio(name), f"{at}{percent(figures.number(name))}", figures.cite(name, basis))
            for line, name in ((Line.EMPLOYER_RISK, "nssf_risk_rate"), (Line.EMPLOYER_HEALTH, "nssf_health_rate"))
        )
        self._both = (*figures.ratio("nssf_pension_rate"), f"{at}{percent(self._pension)}", self._pension_cite)
        self._step = month.policy.pension_rounding_riel
        self._nssf_rate = month.rates.nssf.as_integer_ratio()
        rate = month.rates.tax if month.policy.pension_rate is RielRate.TAX else month.rates.nssf
        self._rate, self._per_dollar = rate.as_integer_ratio(), f"KHR / {plain(rate)} KHR per USD"
        self._known: dict[int, Contributions] = {}
        self._on_wage: dict[int, tuple[EntitlementLine, ...]] = {}
        self._on_pension_wage: dict[int, Contributions] = {}

    def contributions(self, cents: int) -> Contributions:
        """The contributions on a month's wage of `cents`; none on no wage."""
        known = self._known.get(cents)
        return remember(self._known, cents, self._contributions(cents)) if known is None else known

    def _contributions(self, cents: int) -> Contributions:
        if not cents:
            return Contributions(pension=None, pension_riel=0, employer=())
        rate, one = self._nssf_rate
        riel = half_up(cents * rate, 100 * one)
        wage = self._contributory(riel)
        employer = self._on_wage.get(wage)
        if employer is None:
            employer = remember(
                self._on_wage, wage, tuple(self._in_riel(line, wage, n, d, how, cites) for line, n, d, how, cites in self._employer)
            )
        if not self._pension:
            return Contributions(pension=None, pension_riel=0, employer=employer)
        floor, cap = self._pension_limits
        base = floor if riel < floor else min(riel, cap)
        pension = self._on_pension_wage.get(base)
        if pension is None:
            pension = remember(self._on_pension_wage, base, self._both_pensions(base))
        return Contributions(pension=pension.pension, pension_riel=pension.pension_riel, employer=(*employer, *pension.employer))

    def _both_pensions(self, base: int) -> Contributions:
        employer = self._in_riel(Line.EMPLOYER_PENSION, base, *self._both, step=self._step)
        riel = employer.amount.minor
        numerator, denominator = self._rate
        worker = EntitlementLine(
            line=Line.PENSION,
            side=Side.DEDUCTION,
            amount=Money(half_up(riel * 100 * denominator, numerator), USD),
            formula=f"{employer.formula} = {riel:,} {self._per_dollar}",
            citations=self._pension_cite,
            riel=employer.amount,
        )
        return Contributions(pension=worker, pension_riel=riel, employer=(employer,))

    def _contributory(self, riel: int) -> int:
        if self._bands:
            return next(wage for up_to, wage in self._bands if riel <= up_to)
        floor, cap = self._limits
        return min(max(riel, floor), cap)

    def _in_riel(
        self, line: Line, base: int, numerator: int, denominator: int, how: str, citations: tuple[Citation, ...], *, step: int = 1
    ) -> EntitlementLine:
        amount = Money(half_up(base * numerator, denominator * step) * step, KHR)
        return EntitlementLine(line=line, side=Side.EMPLOYER, amount=amount, formula=f"{base:,}{how}", citations=citations, riel=amount)
