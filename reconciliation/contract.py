"""What the law owes and where the sheet differs, each figure with its article."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from importers.contract import Meaning, WorkerStatus
from importers.money import KHR, USD, Money
from importers.period import PayPeriod, RunKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a rule stands."""

    title: str  # "Prakas 112/25 on overtime"
    article: str = ""
    published: str = ""  # where the text or its summary was read
    verified: bool = True

    def __str__(self) -> str:
        """As a page or a table shows it; what nobody could check against its source says so."""
        place = f"{self.title}, {self.article}" if self.article else self.title
        return place if self.verified else f"{place} (not verified)"


class Line(enum.StrEnum):
    """A line of a pay slip. Earnings, deductions, and the employer's own contributions."""

    BASIC_PAY = "basic_pay"
    PIECE_TOP_UP = "piece_top_up"
    OVERTIME_PAY = "overtime_pay"
    NIGHT_OVERTIME_PAY = "night_overtime_pay"
    REST_DAY_PAY = "rest_day_pay"
    HOLIDAY_PAY = "holiday_pay"  # work on a public holiday
    HOLIDAY_WAGE = "holiday_wage"  # a public holiday not worked, of who is paid by the piece
    NIGHT_PAY = "night_pay"
    ATTENDANCE_BONUS = "attendance_bonus"
    TRANSPORT_ALLOWANCE = "transport_allowance"
    SENIORITY_BONUS = "seniority_bonus"
    MEAL_ALLOWANCE = "meal_allowance"
    SENIORITY_INDEMNITY = "seniority_indemnity"
    SEVERANCE = "severance"
    BACK_PAY = "back_pay"
    LEAVE_PAY = "leave_pay"
    SICK_PAY = "sick_pay"
    MATERNITY_PAY = "maternity_pay"
    OTHER_ALLOWANCE = "other_allowance"
    PENSION = "pension"
    SALARY_TAX = "salary_tax"
    FIRST_HALF_PAID = "first_half_paid"
    ADVANCE = "advance"
    LOAN = "loan"
    UNION_DUES = "union_dues"
    OTHER_DEDUCTION = "other_deduction"
    EMPLOYER_RISK = "employer_risk"
    EMPLOYER_HEALTH = "employer_health"
    EMPLOYER_PENSION = "employer_pension"


class Side(enum.StrEnum):
    """What a line does to the worker's net pay."""

    EARNING = "earning"
    DEDUCTION = "deduction"
    EMPLOYER = "employer"  # paid by the employer beside the wage


@dataclass(frozen=True, slots=True, init=False)
class EntitlementLine:
    """One line as the law has it: a rounded amount, the sum in words and numbers, and the article."""

    line: Line
    side: Side
    amount: Money  # never negative; `side` says what it does
    formula: str  # "10.5 h x 1.0096 USD x 150 %"
    citations: tuple[Citation, ...]
    riel: Money | None  # the exact riel of a line that the law states in riel

    def __init__(
        self, *, line: Line, side: Side, amount: Money, formula: str, citations: tuple[Citation, ...], riel: Money | None = None
    ) -> None:
        # A factory has a quarter of a million of them: the slots are filled at once, in half the time of the generated way.
        _set_line(self, line)
        _set_side(self, side)
        _set_amount(self, amount)
        _set_formula(self, formula)
        _set_citations(self, citations)
        _set_riel(self, riel)


_set_line, _set_side, _set_amount, _set_formula, _set_citations, _set_riel = (
    EntitlementLine.__dict__[name].__set__ for name in ("line", "side", "amount", "formula", "citations", "riel")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRates:
    """Riel for one dollar in a period: the tax office's rate (15th of the month) and NSSF's own."""

    tax: Decimal
    nssf: Decimal
    source: str = ""


class Leaving(enum.StrEnum):
    """Why a worker leaves, which decides what she is owed at the end."""

    RESIGNED = "resigned"
    DISMISSED = "dismissed"  # by the employer, without serious misconduct
    MISCONDUCT = "misconduct"  # serious misconduct
    CONTRACT_ENDED = "contract_ended"  # a fixed-duration contract ran out


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkMonth:
    """The facts of one worker's month from which the law is computed. Hours and days are exact decimals.

    Days are working days; what is left at its default has the law's default. `provided` names allowances that the employer gives
    in kind, so that no money is due for them.
    """

    worker_code: str
    period: PayPeriod
    kind: RunKind
    status: WorkerStatus = WorkerStatus.REGULAR
    undetermined_contract: bool = True
    joined_on: date | None = None
    left_on: date | None = None
    basic_wage: Money | None = None  # agreed monthly wage; None: the minimum wage
    piece_value: Money | None = None
    days_absent: Decimal = Decimal(0)
    days_leave: Decimal = Decimal(0)
    days_sick: Decimal = Decimal(0)
    days_maternity: Decimal = Decimal(0)
    days_holiday: Decimal = Decimal(0)  # public holidays on her working days, not worked; a monthly wage holds them
    piece_days: Decimal | None = None  # days on which the pieces were made; None: her working days of the calendar, less days away
    overtime_days: Decimal | None = None
    hours: Mapping[Meaning, Decimal] = field(default_factory=dict)  # overtime, night, rest day, holiday
    spouse: int = 0
    children: int = 0
    resident: bool = True
    given: Mapping[Line, Money] = field(default_factory=dict)  # what only the factory knows: advances, dues, other allowances
    provided: frozenset[Line] = frozenset()  # allowances in kind: transport or accommodation, the overtime meal
    average_wage: Money | None = None  # average monthly wage and benefits, for indemnity, leave and maternity; None: the wage of this month
    contract_wages: Money | None = None  # all wages of a fixed-duration contract that ends, for its severance
    unused_leave_days: Decimal = Decimal(0)  # at the end of the contract
    leave_apart: bool = False  # leave days are a line of their own and not inside the basic pay
    sick_month: int = 1  # first, second ... month of the same sickness
    leaving: Leaving | None = None


@dataclass(frozen=True, slots=True, init=False)
class Entitlement:
    """What the law owes one worker for one month. Totals are sums of the rounded lines.

    They are kept as whole numbers and become money when asked for: a factory has a hundred thousand of them.
    """

    worker_code: str
    period: PayPeriod
    lines: tuple[EntitlementLine, ...]
    law_version: str  # content hash of the law book
    gross_cents: int
    taken_cents: int  # all deductions
    taxable_riel: int
    tax_rate: tuple[int, int]  # riel for one dollar, as numerator and denominator

    def __init__(
        self,
        *,
        worker_code: str,
        period: PayPeriod,
        lines: tuple[EntitlementLine, ...],
        law_version: str,
        gross_cents: int,
        taken_cents: int,
        taxable_riel: int,
        tax_rate: tuple[int, int],
    ) -> None:
        # As with the lines: the slots are filled at once.
        _set_worker(self, worker_code)
        _set_period(self, period)
        _set_lines(self, lines)
        _set_version(self, law_version)
        _set_gross(self, gross_cents)
        _set_taken(self, taken_cents)
        _set_taxable(self, taxable_riel)
        _set_rate(self, tax_rate)

    @property
    def gross(self) -> Money:
        """All earnings, in dollars."""
        return Money(self.gross_cents, USD)

    @property
    def deductions(self) -> Money:
        """All deductions, in dollars."""
        return Money(self.taken_cents, USD)

    @property
    def net(self) -> Money:
        """What she gets, in dollars; negative where more is taken than earned."""
        return Money(self.gross_cents - self.taken_cents, USD)

    @property
    def net_riel(self) -> Money:
        """The net at the tax office's rate, for those who read riel: rounded once, half away from zero."""
        net, (riel, one) = self.gross_cents - self.taken_cents, self.tax_rate
        whole = (2 * abs(net) * riel + 100 * one) // (200 * one)
        return Money(whole if net >= 0 else -whole, KHR)

    @property
    def taxable_base(self) -> Money:
        """What the tax on salary was reckoned on, in riel."""
        return Money(self.taxable_riel, KHR)

    def amount(self, line: Line) -> Money | None:
        """The amount of one line, or None if the law owes no such line."""
        return next((entry.amount for entry in self.lines if entry.line is line), None)


_set_worker, _set_period, _set_lines, _set_version, _set_gross, _set_taken, _set_taxable, _set_rate = (
    Entitlement.__dict__[name].__set__
    for name in ("worker_code", "period", "lines", "law_version", "gross_cents", "taken_cents", "taxable_riel", "tax_rate")
)


class DiscrepancySeverity(enum.StrEnum):
    """What a difference does to the run."""

    BLOCKS = "blocks"  # the worker is not paid until a person resolves it
    WARNS = "warns"  # shown, and may be accepted in one go
    INFORMS = "informs"


class Resolution(enum.StrEnum):
    """What HR can do about a difference."""

    CORRECT_SHEET = "correct_sheet"  # upload a corrected file
    PAY_LAW = "pay_law"  # pay the law's figure
    PAY_SHEET = "pay_sheet"  # justify the sheet's figure with a reason
    HOLD_WORKER = "hold_worker"  # pay the others, keep this one back


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """One difference between the sheet and the law or the register, told so that HR can act on it.

    `difference` is sheet minus law, seen from the worker's hand: negative means that she would get too little, so a deduction that is
    too high is negative too. Texts carry no personal data but the code.
    """

    code: str
    severity: DiscrepancySeverity
    worker_code: str
    sheet: str
    row: int
    subject: str  # a Line's value, "net", or a register rule
    stated: Money | None
    lawful: Money | None
    difference: Money | None
    basis: str  # hours or days behind it: the formula
    message: str
    message_km: str
    resolutions: tuple[Resolution, ...]
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWorker:
    """A worker as the register has her. Personal values come as keyed hashes, so the rules compare without reading them."""

    worker_code: str
    name_key: bytes | None = None
    phone_key: bytes | None = None
    account_key: bytes | None = None
    national_id_key: bytes | None = None
    joined_on: date | None = None
    left_on: date | None = None
    account_changed_on: date | None = None
    last_nets: tuple[Money, ...] = ()  # of her last checked months of the same kind, the newest first, at most three
    added_on: date | None = None  # when she came into the register
    added_by: str | None = None  # by whose file, as audit events call that person

    @property
    def last_net(self) -> Money | None:
        """Her net of last time."""
        return self.last_nets[0] if self.last_nets else None

    @property
    def usual_net(self) -> Money | None:
        """The median of her last nets in the currency of the newest; of two, the lower."""
        own = sorted(net for net in self.last_nets if net.currency == self.last_nets[0].currency)
        return own[(len(own) - 1) // 2] if own else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The whole check of one sheet: what each worker is owed, and every difference."""

    period: PayPeriod
    kind: RunKind
    entitlements: Mapping[str, Entitlement]  # by worker code
    discrepancies: Sequence[Discrepancy]
    law_version: str


class SettlementVerdict(enum.StrEnum):
    """What a statement line turned out to be."""

    MATCHED = "matched"
    BREAK = "break"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPayment:
    """A payment that the statement should show. `account_key` and the line's are keyed hashes of the payee's account.

    `batch_reference` lets a single booking of a whole batch be opened. The rest is what earlier statements showed of it:
    `settled_entry` and `settled_on` are the bank's id and day of the booking that settled it, so that the same booking in a second
    statement is not taken for a second payment; in minor units of its currency, `booked` is what left for it without settling it, `extra`
    what was booked once too often and has not come back, `returned` what came back.
    """

    payment_id: str
    reference: str
    amount: Money
    executed_on: date
    account_key: bytes | None = None
    already_settled: bool = False
    batch_reference: str | None = None
    settled_entry: str | None = None
    settled_on: date | None = None
    booked: int = 0
    extra: int = 0
    returned: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementMatch:
    """One verdict. A break has a stable kind and says why; a matched line names its payment.

    `kind` is "matched", "seen" (the booking that settled it before), "given_back" (a second booking that the bank took back), or the kind
    of break: missing, foreign, twice, amount, currency, account, early, late, returned, partial_return, reversed, fee, split, batch,
    unreferenced. `amount` is the part of the line's money that this verdict explains: the parts of a line add up to the line.
    `difference` is the statement minus what was expected.
    """

    verdict: SettlementVerdict
    line_index: int | None  # position in the statement's lines; None for a payment without a line
    payment_id: str | None
    kind: str
    reason: str
    difference: Money | None = None
    amount: Money | None = None

    @property
    def money_arrived(self) -> bool:
        """Whether the whole wage left for the right account, even if a person should look at how."""
        if self.kind == "fee":
            return self.difference is not None and self.difference.minor > 0
        return self.kind in ("matched", "seen", "late", "early", "split")
