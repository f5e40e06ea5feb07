"""A sheet's row beside the law's figures, line by line, and then what no line explains in gross, deductions and net.

Only columns that the sheet shows are compared. A difference in pay carries into pension and tax: these are held against the pay that
the sheet itself states, so that one mistake is told once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from importers.contract import Meaning, PayrollRow
from importers.money import KHR, USD, Currency, Money
from importers.period import RunKind
from reconciliation.contract import Discrepancy, DiscrepancySeverity, Entitlement, EntitlementLine, ExchangeRates, Line, Side, WorkMonth
from reconciliation.discrepancies import tell
from reconciliation.entitlements import Rules
from reconciliation.facts import EARNINGS_AND_DEDUCTIONS, shows_earnings
from reconciliation.law.cambodia.stated import DEDUCTIONS
from reconciliation.policy import FactoryPolicy
from reconciliation.words import ENGLISH, KHMER

# A sheet has one column for what the slip shows as basic pay, sick days, maternity and the top-up of piece work.
_BASIC = (Line.BASIC_PAY, Line.PIECE_TOP_UP, Line.SICK_PAY, Line.MATERNITY_PAY)
_NEVER_A_COLUMN = frozenset(
    {Line.BASIC_PAY, Line.SICK_PAY, Line.MATERNITY_PAY, Line.EMPLOYER_RISK, Line.EMPLOYER_HEALTH, Line.EMPLOYER_PENSION}
)


@dataclass(slots=True, kw_only=True)
class _Row:
    """One row under comparison, and how far its lines explain gross and net, in the net's minor units."""

    row: PayrollRow
    facts: WorkMonth
    owed: Entitlement
    lawful: dict[Line, EntitlementLine]
    told: list[Discrepancy] = field(default_factory=list)
    earned: int = 0
    deducted: int = 0
    instead: dict[Line, int] = field(default_factory=dict)  # cents more than the law, by earning
    converted: int = 0


class Comparison:
    """The comparison of one sheet: its columns, the run's kind, and the factory's tolerance."""

    def __init__(self, rules: Rules, rates: ExchangeRates, policy: FactoryPolicy, *, kind: RunKind, shown: Collection[Meaning]) -> None:
        self._rules, self._rates, self._kind = rules, rates, kind
        self._tolerance: Mapping[Currency, int] = {USD: policy.tolerance_cents, KHR: policy.tolerance_riel}
        # What a second person must agree to must not slip through as a warning that nobody has to answer.
        self._alone: Mapping[Currency, int] = {
            USD: policy.second_person_cents,
            KHR: Money(policy.second_person_cents, USD).convert(KHR, rates.tax).minor,
        }
        by_line = kind not in {RunKind.FIRST_HALF, RunKind.CORRECTION}
        columns = [(meaning, line) for meaning, line in EARNINGS_AND_DEDUCTIONS.items() if meaning in shown and by_line]
        self._earnings = [(meaning, line) for meaning, line in columns if line not in DEDUCTIONS]
        self._withheld = [(meaning, line) for meaning, line in columns if line in {Line.PENSION, Line.SALARY_TAX}]
        self._has_earnings = shows_earnings(shown)
        self._inside = _inside(shown)
        names = {meaning.name for meaning in shown} | {line.name for lines in self._inside.values() for line in lines}
        self._no_column = frozenset(line for line in Line if line.name not in names and line not in _NEVER_A_COLUMN)

    def differences(self, row: PayrollRow, facts: WorkMonth, owed: Entitlement) -> list[Discrepancy]:
        """Every difference of one row."""
        this = _Row(row=row, facts=facts, owed=owed, lawful={line.line: line for line in owed.lines})
        for meaning, line in self._earnings:
            if line not in facts.given or (line is Line.LEAVE_PAY and facts.leave_apart):
                self._earning(this, meaning, line)
        if self._withheld:
            self._deductions(this)
        self._totals(this)
        return this.told

    def _earning(self, this: _Row, meaning: Meaning, line: Line) -> None:
        row = this.row
        stated = row.amounts.get(meaning)
        own = [this.lawful[one] for one in self._inside.get(line, (line,)) if one in this.lawful]
        if line is Line.BASIC_PAY and this.facts.piece_value is not None and not stated:
            stated = row.amounts.get(Meaning.PIECE_PAY)
        if stated is None:
            if not any(entry.amount for entry in own):
                return
            stated = Money.zero(row.net.currency)
        over = stated.minor - self._sum(own, stated.currency)
        if not over:
            return
        this.instead[line] = self._as(over, stated.currency, USD)
        this.earned += self._as(over, stated.currency, row.net.currency)
        this.converted += stated.currency != row.net.currency
        if abs(over) <= self._tolerance[stated.currency] or (over > 0 and self._is_least(this.facts, line)):
            return
        little, much = ("underpaid_line" if stated else "missing_line"), ("overpaid_line" if own else "unknown_line")
        self._tell(this, little if over < 0 else much, line, stated, difference=over, own=own)

    def _is_least(self, facts: WorkMonth, line: Line) -> bool:
        """Whether the law's figure is only the least that is owed, because the sheet does not show what it depends on."""
        if line is Line.MEAL_ALLOWANCE:
            return facts.overtime_days is None
        return line is Line.SENIORITY_INDEMNITY  # it is reckoned from an average that no sheet has

    def _deductions(self, this: _Row) -> None:
        row, expected = this.row, dict(this.lawful)
        if this.instead:
            pension, tax = self._rules.deductions(this.facts, this.owed.lines, this.instead)
            expected[Line.SALARY_TAX] = tax
            if pension is not None:
                expected[Line.PENSION] = pension
        for meaning, line in self._withheld:
            stated = row.amounts.get(meaning) or Money.zero(row.net.currency)
            own = [expected[line]] if line in expected else []
            law = [this.lawful[line]] if line in this.lawful else []
            over = stated.minor - self._sum(own, stated.currency)
            this.deducted += self._as(stated.minor - self._sum(law, stated.currency), stated.currency, row.net.currency)
            this.converted += stated.currency != row.net.currency
            if abs(over) > self._tolerance[stated.currency]:
                code = "deduction_too_high" if over > 0 else "deduction_too_low"
                self._tell(this, code, line, stated, difference=-over, own=own)

    def _totals(self, this: _Row) -> None:
        """What gross, total of deductions and net differ by beyond what the lines explain."""
        row, owed = this.row, this.owed
        currency, whole = row.net.currency, self._kind is not RunKind.FIRST_HALF
        # where every line is shown in one currency, the sheet's own sums must be right to the cent
        tolerance = self._tolerance[currency] * (1 + this.converted) if this.converted or currency != USD or self._hidden(owed) else 0
        unshown = 0
        gross, taken = row.amounts.get(Meaning.GROSS), row.amounts.get(Meaning.TOTAL_DEDUCTIONS)
        if gross is not None and gross.currency == currency and whole:
            more = gross.minor - self._minor(owed.gross, currency) - this.earned
            if abs(more) > tolerance:
                unshown = more
                self._tell_total(this, "gross_too_low" if more < 0 else "gross_too_high", "gross", gross, owed.gross, rest=more)
        if taken is not None and taken.currency == currency and whole:
            more = taken.minor - self._minor(owed.deductions, currency) - this.deducted
            if abs(more) > tolerance:
                unshown -= more
                self._tell_total(this, "deductions_differ", "total_deductions", taken, owed.deductions, rest=-more)
        rest = row.net.minor - self._minor(owed.net, currency) - this.earned + this.deducted - unshown
        if abs(rest) > tolerance and (rest < 0 or self._has_earnings or self._kind is not RunKind.BALANCE):
            self._tell_total(this, "net_too_low" if rest < 0 else "net_too_high", "net", row.net, owed.net, rest=rest)

    def _tell_total(self, this: _Row, code: str, subject: str, stated: Money, owed: Money, *, rest: int) -> None:
        hidden = self._hidden(this.owed)
        withheld = sum(line.amount.minor for line in hidden if line.side is Side.DEDUCTION)
        severity = None
        if code == "net_too_high" and (self._kind is RunKind.FIRST_HALF or (withheld and rest == self._as(withheld, USD, stated.currency))):
            severity = DiscrepancySeverity.WARNS  # the sheet hides what the law withholds, or pays the half generously: nobody is short
        this.told.append(
            tell(
                code,
                this.row,
                subject,
                stated=stated,
                lawful=Money(self._minor(owed, stated.currency), stated.currency),
                difference=Money(rest, stated.currency),
                basis=_unshown("No column shows: ", ENGLISH, hidden),
                basis_km=_unshown("គ្មានជួរសម្រាប់៖ ", KHMER, hidden),
                severity=severity,
            )
        )

    def _hidden(self, owed: Entitlement) -> list[EntitlementLine]:
        """What the law owes or takes and the sheet has no column for."""
        return [line for line in owed.lines if line.line in self._no_column and line.amount]

    def _tell(self, this: _Row, code: str, line: Line, stated: Money, *, difference: int, own: list[EntitlementLine]) -> None:
        owed = Money(self._sum(own, stated.currency), stated.currency)
        basis = " + ".join(entry.formula for entry in own)
        citations = tuple(dict.fromkeys(citation for entry in own for citation in entry.citations))
        told = Money(difference, stated.currency)
        severity = DiscrepancySeverity.BLOCKS if difference >= self._alone[stated.currency] else None
        this.told.append(
            tell(
                code, this.row, line.value, stated=stated, lawful=owed, difference=told, basis=basis, citations=citations, severity=severity
            )
        )

    def _sum(self, lines: list[EntitlementLine], currency: Currency) -> int:
        if currency == USD:
            return sum(line.amount.minor for line in lines)
        return sum(self._minor(line.amount, currency) if line.riel is None else line.riel.minor for line in lines)

    def _minor(self, amount: Money, currency: Currency) -> int:
        return amount.minor if amount.currency == currency else amount.convert(currency, self._rates.tax).minor

    def _as(self, minor: int, currency: Currency, to: Currency) -> int:
        if currency == to:
            return minor
        rate = Fraction(self._rates.tax) if to == KHR else 1 / Fraction(self._rates.tax)
        return Money(minor, currency).convert(to, rate).minor


def _inside(shown: Collection[Meaning]) -> Mapping[Line, tuple[Line, ...]]:
    """The lines that one column holds: without a column of their own, holidays not worked stand with those worked, or in the basic pay."""
    lost = () if Meaning.HOLIDAY_WAGE in shown else (Line.HOLIDAY_WAGE,)
    if Meaning.HOLIDAY_PAY in shown:
        return {Line.BASIC_PAY: _BASIC, Line.HOLIDAY_PAY: (Line.HOLIDAY_PAY, *lost)}
    return {Line.BASIC_PAY: (*_BASIC, *lost)} if Meaning.BASIC_PAY in shown else {Line.BASIC_PAY: _BASIC}


def _unshown(start: str, names: Mapping[str, str], hidden: list[EntitlementLine]) -> str:
    return start + ", ".join(f"{names[line.line.value]} {line.amount.short()}" for line in hidden) + "." if hidden else ""
