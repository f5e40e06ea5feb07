"""What the law owes a worker for a month: every line with its sum and its article, and totals that are sums of the rounded lines.

The net is added up from rounded lines, not rounded from exact figures, so that a slip adds up under anyone's finger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from importers.money import KHR, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import Entitlement, EntitlementLine, ExchangeRates, Leaving, Line, Side, WorkMonth
from reconciliation.law.book import LawBook
from reconciliation.law.cambodia.benefits import Benefits
from reconciliation.law.cambodia.indemnity import Indemnity
from reconciliation.law.cambodia.month import Month, dollars, half_up, percent, usd
from reconciliation.law.cambodia.nssf import Nssf
from reconciliation.law.cambodia.overtime import Overtime
from reconciliation.law.cambodia.piece_work import PieceWork
from reconciliation.law.cambodia.stated import Stated
from reconciliation.law.cambodia.tax import Tax
from reconciliation.law.cambodia.wages import Wages
from reconciliation.law.figures import Figures
from reconciliation.policy import FactoryPolicy, FirstHalf, IndemnityRun

# Circular 011 of 2016: commuting, meals and severance within the law are no salary.
EXEMPT = frozenset({Line.TRANSPORT_ALLOWANCE, Line.MEAL_ALLOWANCE, Line.SEVERANCE})
# Circulars 003 of 2019 and 002 of 2020: free of tax up to a limit.
INDEMNITIES = frozenset({Line.SENIORITY_INDEMNITY, Line.BACK_PAY})
_NOT_OF_THE_MONTH = INDEMNITIES | {Line.SEVERANCE}


def entitlement(month: WorkMonth, *, book: LawBook, rates: ExchangeRates, policy: FactoryPolicy) -> Entitlement:
    """What the law owes for one work month. Raises LawUnknownError where the law book has no value, PolicyError for an unlawful policy."""
    return rules_of(book, month.period, rates, policy).entitlement(month)


def entitlements_many(months: Iterable[WorkMonth], *, book: LawBook, rates: ExchangeRates, policy: FactoryPolicy) -> Iterator[Entitlement]:
    """The same for many work months, of any periods; the rules of a period are prepared once."""
    prepared: dict[PayPeriod, Rules] = {}
    for month in months:
        rules = prepared.get(month.period)
        if rules is None:
            rules = prepared[month.period] = rules_of(book, month.period, rates, policy)
        yield rules.entitlement(month)


@lru_cache(maxsize=16)
def rules_of(book: LawBook, period: PayPeriod, rates: ExchangeRates, policy: FactoryPolicy) -> Rules:
    """The rules of a period, prepared once and kept. Raises LawUnknownError and PolicyError."""
    return Rules(book, period, rates, policy)


class Rules:
    """All rules of one period, prepared: every value looked up, every source at hand."""

    def __init__(self, book: LawBook, period: PayPeriod, rates: ExchangeRates, policy: FactoryPolicy) -> None:
        figures = Figures(book, period.last_day, policy.agreements)
        month = Month(period=period, figures=figures, policy=policy, rates=rates)
        self._month, self._version = month, book.version
        self.wages, self.overtime, self.benefits = Wages(month), Overtime(month), Benefits(month)
        self.piece_work = PieceWork(month, self.wages)
        self.indemnity, self.nssf, self.tax, self.stated = Indemnity(month), Nssf(month), Tax(month), Stated(month)
        self._with_balance = self.indemnity.is_month and policy.indemnity_run is IndemnityRun.WITH_BALANCE
        self._rate = rates.tax.as_integer_ratio()
        untaxed = INDEMNITIES | (EXEMPT if self.tax.allowances_exempt else frozenset())
        self._taxed = frozenset(Line) - untaxed
        self._first_half = figures.number("first_half_share")
        self._first_half_cite = figures.cite("first_half_share")

    def entitlement(self, facts: WorkMonth) -> Entitlement:
        """What is owed for these facts, whatever the kind of run."""
        if facts.kind is RunKind.FIRST_HALF:
            return self._total(facts, [self._half(facts), *self.stated.lines(facts)], 0)
        if facts.kind is RunKind.CORRECTION:
            return self._total(facts, self.stated.lines(facts), 0)
        if facts.kind is RunKind.INDEMNITY:
            return self._indemnity_alone(facts)
        return self._month_of(facts)

    def _month_of(self, facts: WorkMonth) -> Entitlement:
        wage, days = self.wages.wage(facts), self.wages.days(facts)
        if facts.piece_value is None:
            lines = [self.wages.basic(wage, days)]
        else:
            lines, wage = self.piece_work.lines(facts, facts.piece_value, wage, days)
        if not days.full:
            lines += self.wages.other_days(facts, wage, days)
        leave = self.wages.leave(facts, wage, days)
        lines += [] if leave is None else [leave]
        if facts.hours:
            lines += self.overtime.lines(facts, wage)
        lines += self.benefits.lines(facts, days)
        if facts.kind is RunKind.FINAL_PAY:
            at_end = self.indemnity.at_the_end(facts, wage)
            lines += [] if at_end is None else [at_end]
        elif self._with_balance:
            half_yearly = self.indemnity.half_yearly(facts, wage)
            lines += [] if half_yearly is None else [half_yearly]
        if facts.given:
            lines += self.stated.lines(facts)
        return self._with_contributions(facts, lines)

    def _with_contributions(self, facts: WorkMonth, lines: list[EntitlementLine]) -> Entitlement:
        gross, taken, taxable, indemnities, apart = self._sums(lines)
        pension, tax, employer, base = self._withheld(facts, gross, taxable, indemnities, apart)
        if pension is not None:
            lines.append(pension)
            taken += pension.amount.minor
        lines.append(tax)
        lines += employer
        return self._entitlement(facts, lines, gross, taken + tax.amount.minor, base)

    def deductions(
        self, facts: WorkMonth, lines: Iterable[EntitlementLine], instead: Mapping[Line, int]
    ) -> tuple[EntitlementLine | None, EntitlementLine]:
        """Pension and tax on these earnings, with `instead` cents more or less in a line."""
        gross, _, taxable, indemnities, apart = self._sums(lines)
        for line, cents in instead.items():
            gross += cents
            taxable += cents if line in self._taxed else 0
            indemnities += cents if line in INDEMNITIES else 0
            apart += cents if line in _NOT_OF_THE_MONTH else 0
        pension, tax, _, _ = self._withheld(facts, max(gross, 0), max(taxable, 0), max(indemnities, 0), apart)
        return pension, tax

    def _sums(self, lines: Iterable[EntitlementLine]) -> tuple[int, int, int, int, int]:
        """Gross, deductions, taxable pay, indemnities and what is no wage of the month, in cents."""
        gross = taken = taxable = indemnities = apart = 0
        taxed = self._taxed
        for entry in lines:
            side = entry.side
            if side is Side.EARNING:
                cents, line = entry.amount.minor, entry.line
                gross += cents
                if line in taxed:
                    taxable += cents
                if line in _NOT_OF_THE_MONTH:
                    apart += cents
                    indemnities += cents if line in INDEMNITIES else 0
            elif side is Side.DEDUCTION:
                taken += entry.amount.minor
        return gross, taken, taxable, indemnities, apart

    def _withheld(
        self, facts: WorkMonth, gross: int, taxable: int, indemnities: int, apart: int
    ) -> tuple[EntitlementLine | None, EntitlementLine, tuple[EntitlementLine, ...], int]:
        found = self.nssf.contributions(gross if self._month.policy.indemnity_in_nssf else gross - apart)
        base = self.tax.base(facts, taxable, indemnities, found.pension_riel)
        return found.pension, self.tax.line(base, resident=facts.resident), found.employer, base

    def _half(self, facts: WorkMonth) -> EntitlementLine:
        """The first payment of the month: its share of the wage of who is employed in the first half; the rest comes with the balance."""
        wage, days = self.wages.wage(facts), self.wages.days(facts)
        cents, what = self.wages.basic(wage, days).amount.minor, "wage"
        if self._month.policy.first_half is FirstHalf.WITH_FIXED_BENEFITS:
            cents, what = cents + sum(line.amount.minor for line in self.benefits.fixed(facts, days)), "wage and fixed benefits"
        numerator, denominator = self._first_half.as_integer_ratio()
        text = f"{percent(self._first_half)} x {dollars(cents)} USD {what}"
        return usd(Line.BASIC_PAY, Side.EARNING, half_up(cents * numerator, denominator), text, self._first_half_cite)

    def _indemnity_alone(self, facts: WorkMonth) -> Entitlement:
        """A run of the indemnity alone: what is over the free part is taxed on top of the month's wage."""
        wage = self.wages.wage(facts)
        due = self.indemnity.half_yearly(facts, wage) if facts.leaving is not Leaving.DISMISSED else self.indemnity.at_the_end(facts, wage)
        lines = [*([] if due is None else [due]), *self.stated.lines(facts)]
        cents = sum(line.amount.minor for line in lines if line.line in INDEMNITIES)
        alone = self.tax.base(facts, wage.cents, 0, 0)
        base = self.tax.base(facts, wage.cents, cents, 0)
        if base > alone:
            over = self.tax.riel(base, resident=facts.resident) - self.tax.riel(alone, resident=facts.resident)
            whole = self.tax.line(base, resident=facts.resident)
            text = f"{whole.formula}, less the tax on the wage of the month: {over:,} KHR"
            riel = Money(over, KHR)
            lines.append(usd(Line.SALARY_TAX, Side.DEDUCTION, self._month.cents(riel), text, whole.citations, riel))
        return self._total(facts, lines, base - alone)

    def _total(self, facts: WorkMonth, lines: list[EntitlementLine], base: int) -> Entitlement:
        gross, taken, *_ = self._sums(lines)
        return self._entitlement(facts, lines, gross, taken, base)

    def _entitlement(self, facts: WorkMonth, lines: list[EntitlementLine], gross: int, taken: int, base: int) -> Entitlement:
        return Entitlement(
            worker_code=facts.worker_code,
            period=facts.period,
            lines=tuple(lines),
            law_version=self._version,
            gross_cents=gross,
            taken_cents=taken,
            taxable_riel=base,
            tax_rate=self._rate,
        )
