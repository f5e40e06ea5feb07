"""Tax on salary: computed in riel on the month's taxable pay, less pension and dependants, by the table in force."""

from __future__ import annotations

from decimal import Decimal

from importers.money import KHR, USD, Money
from reconciliation.contract import EntitlementLine, Line, Side, WorkMonth
from reconciliation.law.cambodia.month import Month, half_up, percent, plain, remember

_NOTHING, _NO_RIEL = Money(0, USD), Money(0, KHR)


class Tax:
    """The table, the allowances and the rate of the month."""

    def __init__(self, month: Month) -> None:
        figures, self._month = month.figures, month
        # base x rate - quick: the same as adding the brackets up, and how the tax office's own form writes it
        self._brackets: list[tuple[Decimal, Decimal, Decimal, str]] = []
        below, last_rate, quick = Decimal(0), Decimal(0), Decimal(0)
        for row in figures.rows("tax_brackets"):
            rate = Decimal(str(row["rate"]))
            quick += below * (rate - last_rate)
            text = f"KHR x {percent(rate)}" + (f" - {int(quick):,}" if quick else "")
            self._brackets.append((Decimal(str(row["up_to"])), rate, quick, text))
            below, last_rate = Decimal(str(row["up_to"])), rate
        self._dependant = int(figures.number("tax_dependant"))
        flat = figures.number("tax_non_resident")
        self._flat = flat, Decimal(0), f"KHR x {percent(flat)}"
        self._free = self._brackets[0][0] if not self._brackets[0][1] else Decimal(-1)
        self._free_text = self._brackets[0][3]
        self._tax_rate = month.rates.tax.as_integer_ratio()
        self._per_dollar = f"KHR / {plain(month.rates.tax)} KHR per USD"
        self._indemnity_free = figures.number("tax_indemnity_exempt")
        self.allowances_exempt = figures.number("tax_exempt_allowances") == 1
        self._cite = figures.cite("tax_brackets", "tax_dependant")
        self._flat_cite = figures.cite("tax_non_resident")
        self._known: dict[tuple[int, bool], EntitlementLine] = {}

    def base(self, facts: WorkMonth, taxable_cents: int, indemnity_cents: int, pension_riel: int) -> int:
        """The taxable base in riel: pay less pension and dependants, and the part of an indemnity that is over the free part."""
        rate, one = self._tax_rate
        riel = half_up(taxable_cents * rate, 100 * one)
        if indemnity_cents:
            over = half_up(indemnity_cents * rate, 100 * one) - self._indemnity_free
            riel += int(over) if over > 0 else 0
        if self._month.policy.pension_before_tax:
            riel -= pension_riel
        if facts.resident:
            riel -= (facts.spouse + facts.children) * self._dependant
        return max(riel, 0)

    def line(self, base: int, *, resident: bool) -> EntitlementLine:
        """The tax on a base in riel, as a deduction in dollars at the tax office's rate; nothing is a line too, and says why."""
        known = self._known.get((base, resident))
        return remember(self._known, (base, resident), self._line(base, resident)) if known is None else known

    def riel(self, base: int, *, resident: bool) -> int:
        """The tax in whole riel."""
        rate, quick, _ = self._rate(base, resident)
        numerator, denominator = (base * rate - quick).as_integer_ratio()
        return half_up(numerator, denominator)

    def _rate(self, base: int, resident: bool) -> tuple[Decimal, Decimal, str]:
        if not resident:
            return self._flat
        return next((rate, quick, text) for up_to, rate, quick, text in self._brackets if base <= up_to)

    def _line(self, base: int, resident: bool) -> EntitlementLine:
        if resident and base <= self._free:
            text = f"{base:,} {self._free_text}"
            return EntitlementLine(
                line=Line.SALARY_TAX, side=Side.DEDUCTION, amount=_NOTHING, formula=text, citations=self._cite, riel=_NO_RIEL
            )
        _, _, text = self._rate(base, resident)
        tax = self.riel(base, resident=resident)
        numerator, denominator = self._tax_rate
        return EntitlementLine(
            line=Line.SALARY_TAX,
            side=Side.DEDUCTION,
            amount=Money(half_up(tax * 100 * denominator, numerator), USD) if tax else _NOTHING,
            formula=f"{base:,} {text} = {tax:,} {self._per_dollar}" if tax else f"{base:,} {text}",
            citations=self._cite if resident else self._flat_cite,
            riel=Money(tax, KHR) if tax else _NO_RIEL,
        )
