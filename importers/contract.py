"""What a payroll file becomes: rows that can be trusted, and problems that say where, what and what to do."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from importers.money import Money


class Meaning(enum.StrEnum):
    """What a column of a payroll sheet means. The value is the stable word in the API, layouts and pages."""

    # who
    LINE_NUMBER = "line_number"
    WORKER_CODE = "worker_code"
    NAME = "name"  # as the factory writes it first, usually Khmer
    NAME_LATIN = "name_latin"
    FAMILY_NAME = "family_name"  # with the given name beside it: the two are one name
    GIVEN_NAME = "given_name"
    FAMILY_NAME_LATIN = "family_name_latin"
    GIVEN_NAME_LATIN = "given_name_latin"
    SEX = "sex"
    NATIONAL_ID = "national_id"
    PHONE = "phone"
    POSITION = "position"
    DEPARTMENT = "department"
    JOINED_ON = "joined_on"
    LEFT_ON = "left_on"
    STATUS = "status"  # regular, probation, piece-rate
    SPOUSE = "spouse"  # dependent spouse, 0 or 1
    CHILDREN = "children"  # dependent children
    # where the money goes
    PAY_METHOD = "pay_method"  # bank, wallet, cash
    BANK = "bank"
    ACCOUNT = "account"
    ACCOUNT_NAME = "account_name"
    # time
    DAYS_WORKED = "days_worked"
    DAYS_ABSENT = "days_absent"  # without pay
    DAYS_LEAVE = "days_leave"  # paid annual or special leave
    DAYS_SICK = "days_sick"
    DAYS_HOLIDAY = "days_holiday"  # public holidays on working days, not worked
    OVERTIME_DAYS = "overtime_days"  # days with overtime, for the meal
    OVERTIME_HOURS = "overtime_hours"  # ordinary overtime, 150 %
    NIGHT_OVERTIME_HOURS = "night_overtime_hours"  # 22:00 to 05:00, 200 %
    REST_DAY_HOURS = "rest_day_hours"  # weekly day off, 200 %
    HOLIDAY_HOURS = "holiday_hours"  # public holiday worked, a further 100 %
    NIGHT_HOURS = "night_hours"  # ordinary hours at night, 130 %
    # earnings
    BASIC_WAGE = "basic_wage"  # the monthly wage agreed
    BASIC_PAY = "basic_pay"  # basic wage earned this month, after absence
    PIECE_PAY = "piece_pay"
    OVERTIME_PAY = "overtime_pay"
    NIGHT_OVERTIME_PAY = "night_overtime_pay"
    REST_DAY_PAY = "rest_day_pay"
    HOLIDAY_PAY = "holiday_pay"  # work on a public holiday
    HOLIDAY_WAGE = "holiday_wage"  # a public holiday not worked, of who is paid by the piece
    NIGHT_PAY = "night_pay"
    ATTENDANCE_BONUS = "attendance_bonus"
    TRANSPORT_ALLOWANCE = "transport_allowance"  # transport or accommodation
    SENIORITY_BONUS = "seniority_bonus"  # monthly, by completed year
    MEAL_ALLOWANCE = "meal_allowance"
    SENIORITY_INDEMNITY = "seniority_indemnity"  # June and December, Prakas 443
    BACK_PAY = "back_pay"
    LEAVE_PAY = "leave_pay"
    OTHER_ALLOWANCE = "other_allowance"
    GROSS = "gross"
    # deductions
    PENSION = "pension"  # the worker's NSSF pension contribution
    SALARY_TAX = "salary_tax"
    FIRST_HALF_PAID = "first_half_paid"
    ADVANCE = "advance"
    LOAN = "loan"
    UNION_DUES = "union_dues"
    OTHER_DEDUCTION = "other_deduction"
    TOTAL_DEDUCTIONS = "total_deductions"
    NET = "net"
    # beside the row
    EXCHANGE_RATE = "exchange_rate"
    SIGNATURE = "signature"
    NOTE = "note"
    NOT_PAID = "not_paid"  # known, and nothing the worker is paid: lateness, a rate, a tax base, what the employer pays beside the wage
    IGNORED = "ignored"  # a person said this column does not matter


class Severity(enum.StrEnum):
    """How far a problem reaches."""

    STOPS_FILE = "stops_file"
    STOPS_ROW = "stops_row"
    WARNS = "warns"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellProblem:
    """One thing wrong in a file: where it is, what stands there, and what HR can do.

    `cell` is an A1 address, or empty for a problem of the whole sheet; `value` is the cell as written, and never logged.
    """

    sheet: str
    cell: str
    meaning: Meaning | None
    value: str = field(repr=False)
    code: str
    severity: Severity
    message: str
    remedy: str
    remedy_km: str


class WorkerStatus(enum.StrEnum):
    """A worker's standing, which decides her minimum wage."""

    REGULAR = "regular"
    PROBATION = "probation"
    PIECE_RATE = "piece_rate"


class PayMethod(enum.StrEnum):
    """How a worker chose to be paid."""

    BANK = "bank"
    WALLET = "wallet"
    CASH = "cash"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayrollRow:
    """One worker's line of the sheet, read and typed; nothing in it was guessed.

    `amounts` holds money as the sheet states it (net, gross and every earning or deduction it shows, deductions as positive
    amounts); `time` holds days and hours as exact decimals. A meaning that the sheet does not have is absent, not zero.
    `alternates` holds the same amount in the second currency where the sheet shows riel beside dollars.
    """

    sheet: str
    row: int
    worker_code: str
    name: str = field(repr=False)
    net: Money
    name_latin: str | None = field(default=None, repr=False)
    sex: str | None = None
    national_id: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)  # E.164
    position: str | None = None
    department: str | None = None
    joined_on: date | None = None
    left_on: date | None = None
    status: WorkerStatus | None = None
    spouse: int | None = None
    children: int | None = None
    pay_method: PayMethod | None = None
    bank: str | None = None
    account: str | None = field(default=None, repr=False)
    account_name: str | None = field(default=None, repr=False)
    amounts: Mapping[Meaning, Money] = field(default_factory=dict)
    alternates: Mapping[Meaning, Money] = field(default_factory=dict)
    time: Mapping[Meaning, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnReading:
    """What one column was taken to mean, how sure that is, and why."""

    column: str  # A, B, ... AA
    header: str  # as written, group headers joined by " / "
    meaning: Meaning | None
    score: Decimal  # 0 to 1
    reason: str
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a sheet is laid out. `fingerprint` identifies the headers; a person confirms a layout once per fingerprint."""

    sheet: str
    header_rows: tuple[int, ...]
    columns: tuple[ColumnReading, ...]
    fingerprint: str
    confirmed: bool = False
    chosen: tuple[str, ...] = ()  # the sheets that a person chose where several could have been meant

    @property
    def needs_confirmation(self) -> bool:
        """Whether a person must look at the mapping before rows are taken from it."""
        return not self.confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Rows of the table that bear a worker: `read` is always `accepted + rejected`."""

    read: int
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlTotal:
    """A total the sheet states itself, and what its rows add up to."""

    meaning: Meaning
    cell: str
    stated: Money
    added: Money
    sheet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetChoice:
    """A sheet that could be the payroll. Sheets of one `kind` have the very same columns and can be read together."""

    name: str
    rows: int  # filled rows below the header
    kind: int
    names_period: bool  # whether its name or titles name the pay period


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedSheet:
    """A payroll file, read. `refused` is the reason when no rows could be taken at all."""

    file_name: str
    content_hash: str  # sha256 of the bytes, hex
    canonical_hash: str  # sha256 of the rows' content: the same payroll re-saved, re-ordered or as CSV has the same one
    layout: Layout | None
    rows: tuple[PayrollRow, ...]
    problems: tuple[CellProblem, ...]
    counts: Counts
    net_accepted: Mapping[str, Money]  # by currency code
    net_rejected: Mapping[str, Money]  # what could be read of rejected rows' net
    control_totals: tuple[ControlTotal, ...] = ()
    sheets: tuple[str, ...] = ()
    choices: tuple[SheetChoice, ...] = ()  # sheets to choose from, where more than one could be meant

    @property
    def refused(self) -> CellProblem | None:
        """The problem that stops the whole file, if there is one."""
        return next((problem for problem in self.problems if problem.severity is Severity.STOPS_FILE), None)
