"""Where the law is silent or sources disagree, the factory decides: each point has a name, a default, its reason and its source."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reconciliation.contract import Citation
from reconciliation.policy_km import QUESTIONS, REASONS

# Beyond these a choice would only switch a rule off.
_MOST_ROUNDING, _MOST_CENTS, _MOST_RIEL, _MOST_DAYS = 1_000, 500, 20_000, 366


class PolicyError(ValueError):
    """A policy that the law does not leave open, or that is less favourable to the worker than the law."""


class PartMonth(enum.StrEnum):
    """How a month is paid in which a worker joins or leaves."""

    WORKING_DAYS = "working_days"  # employed working days times the daily wage, at most the full wage
    SHARE_OF_MONTH = "share_of_month"  # the wage times employed working days over the month's working days


class Transport(enum.StrEnum):
    """What a part month does to the transport or accommodation allowance."""

    FULL = "full"
    BY_DAYS = "by_days"  # in proportion to the days that are paid


class AttendanceLoss(enum.StrEnum):
    """What loses the attendance bonus."""

    ABSENCE = "absence"
    SICK = "sick"
    MATERNITY = "maternity"
    LEAVE = "leave"
    PART_MONTH = "part_month"


class ServiceOn(enum.StrEnum):
    """The day on which completed years of service are counted."""

    LAST_DAY = "last_day"
    FIRST_DAY = "first_day"


class NssfBase(enum.StrEnum):
    """The wage on which risk and health contributions are taken."""

    BY_LAW_BOOK = "by_law_book"
    BANDED = "banded"
    CLAMPED = "clamped"


class RielRate(enum.StrEnum):
    """The rate at which a pension in riel is taken from a wage in dollars."""

    TAX = "tax"
    NSSF = "nssf"


class SickPay(enum.StrEnum):
    """Who pays certified sick days."""

    MINISTRY = "ministry"  # the ministry's scale
    UNPAID = "unpaid"  # the law obliges nobody


class NightPay(enum.StrEnum):
    """What the night line of the sheet holds."""

    PREMIUM = "premium"  # the 30 % beside the monthly wage
    WHOLE = "whole"  # 130 %: night hours are not in the monthly wage


class PieceHoliday(enum.StrEnum):
    """What a worker paid by the piece loses by a public holiday that she does not work."""

    MONTH = "month"  # what a day of the same month brought
    TWELVE_MONTHS = "twelve_months"  # the average of twelve months, where it is stated


class FirstHalf(enum.StrEnum):
    """Of what the first payment of the month is half."""

    BASE_WAGE = "base_wage"
    WITH_FIXED_BENEFITS = "with_fixed_benefits"  # with attendance, transport and seniority


class IndemnityRun(enum.StrEnum):
    """The run that pays the seniority indemnity of June and December."""

    WITH_BALANCE = "with_balance"
    SEPARATE = "separate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A value that a factory agreed, in place of the law's and at least as favourable to the worker."""

    name: str  # of the law book's parameter
    since: date
    value: Decimal
    citation: Citation
    until: date | None = None  # the last day on which it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class FactoryPolicy:
    """A factory's choices. The defaults are in `POLICY_POINTS` with their reasons."""

    monthly_days: int = 26
    part_month: PartMonth = PartMonth.WORKING_DAYS
    attendance_lost_by: frozenset[AttendanceLoss] = frozenset(AttendanceLoss) - {AttendanceLoss.LEAVE}
    transport: Transport = Transport.FULL
    service_on: ServiceOn = ServiceOn.LAST_DAY
    sick_pay: SickPay = SickPay.MINISTRY
    night_pay: NightPay = NightPay.PREMIUM
    piece_holiday: PieceHoliday = PieceHoliday.MONTH
    first_half: FirstHalf = FirstHalf.BASE_WAGE
    indemnity_run: IndemnityRun = IndemnityRun.WITH_BALANCE
    indemnity_in_nssf: bool = False
    nssf_base: NssfBase = NssfBase.BY_LAW_BOOK
    pension_rounding_riel: int = 100
    pension_before_tax: bool = True
    pension_rate: RielRate = RielRate.TAX
    tolerance_cents: int = 1
    tolerance_riel: int = 100
    most_deducted: Decimal = Decimal("0.5")
    second_person_cents: int = 5_000
    account_change_days: int = 7
    new_worker_days: int = 60
    far_from_history: Decimal = Decimal("1.5")
    far_from_line: Decimal = Decimal(3)
    headcount_jump: Decimal = Decimal("0.05")
    total_jump: Decimal = Decimal("0.10")
    new_payees: Decimal = Decimal("0.10")
    agreements: tuple[Agreement, ...] = ()

    def __post_init__(self) -> None:
        if not 20 <= self.monthly_days <= 31:  # noqa: PLR2004 fewer or more days would not be a month
            raise PolicyError(f"monthly_days is {self.monthly_days}: days of a month lie between 20 and 31; the sector takes 26")
        if self.pension_rounding_riel < 1 or min(self.tolerance_cents, self.tolerance_riel, self.second_person_cents) < 0:
            raise PolicyError("rounding must be at least 1 riel, and a tolerance or a limit cannot be negative")
        if self.pension_rounding_riel > _MOST_ROUNDING or self.tolerance_cents > _MOST_CENTS or self.tolerance_riel > _MOST_RIEL:
            most = f"a pension to {_MOST_ROUNDING:,} riel, a difference up to {_MOST_CENTS:,} cents or {_MOST_RIEL:,} riel"
            raise PolicyError(f"what may be rounded or left untold has an end: {most}; choose less")
        if max(self.account_change_days, self.new_worker_days) > _MOST_DAYS:
            raise PolicyError(f"account_change_days and new_worker_days are at most {_MOST_DAYS} days, a year")
        if min(self.account_change_days, self.new_worker_days) < 0:
            raise PolicyError("a number of days cannot be negative")
        if not (min(self.far_from_history, self.far_from_line) > 1 and self.headcount_jump.is_finite() and self.total_jump.is_finite()):
            raise PolicyError("far_from_history and far_from_line are times the usual pay: more than 1, such as 1.5")
        for name in ("most_deducted", "headcount_jump", "total_jump", "new_payees"):
            if not 0 < getattr(self, name) <= 1:
                raise PolicyError(f"{name} is a share: more than 0 and at most 1, such as 0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPoint:
    """One choice as the page shows it: what it decides, what we take unless told otherwise, and why."""

    name: str
    question: str
    default: str
    reason: str
    source: str
    question_km: str
    reason_km: str


_DEFAULT = FactoryPolicy()


def _point(name: str, question: str, reason: str, source: str) -> PolicyPoint:
    value = getattr(_DEFAULT, name)
    default = ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)
    return PolicyPoint(
        name=name,
        question=question,
        default=default if value != () else "",
        reason=reason,
        source=source,
        question_km=QUESTIONS[name],
        reason_km=REASONS[name],
    )


POLICY_POINTS: Sequence[PolicyPoint] = (
    _point("monthly_days", "By how many days is a monthly wage divided?", "the ministry's own basis", "EuroCham Cambodia on Prakas 443"),
    _point(
        "part_month",
        "How is a month paid in which a worker joins or leaves?",
        "the daily wage for each day, at most the wage",
        "no rule found",
    ),
    _point(
        "attendance_lost_by",
        "What loses the attendance bonus?",
        "it is for every working day; paid leave is a right",
        "DFDL 2025; disputed",
    ),
    _point("transport", "Is the transport allowance cut in a part month?", "no rule allows to cut it", "no rule found"),
    _point("service_on", "On which day are years of service counted?", "the day that favours the worker", "no rule found"),
    _point("sick_pay", "Are certified sick days paid?", "the ministry's scale, though the law obliges nobody", "WageIndicator, sick leave"),
    _point(
        "night_pay",
        "Is the night line the 30 % beside the wage or all 130 %?",
        "a monthly wage covers the hour itself",
        "DFDL, working time",
    ),
    _point(
        "piece_holiday",
        "What does a public holiday not worked bring a worker paid by the piece?",
        "a day of the same month is nearest to the wage that is lost; never less than the minimum of a day",
        "Labour Law art. 163 owes the wage lost and names no basis",
    ),
    _point(
        "first_half",
        "Of what is the first payment half?",
        "the reading most sources share",
        "Prakas 442: DFDL, activpayroll and AKP differ",
    ),
    _point("indemnity_run", "Which run pays the indemnity of June and December?", "the second payroll of the month", "Prakas 443: DFDL"),
    _point("indemnity_in_nssf", "Does the indemnity count for contributions?", "it is no wage of the month", "no rule found"),
    _point(
        "nssf_base",
        "Bands or the clamped wage for risk and health?",
        "bands until September 2022, then clamped",
        "nssf.gov.kh; not settled",
    ),
    _point("pension_rounding_riel", "To what is the pension rounded, in riel?", "the practice of payroll systems", "no rule found"),
    _point(
        "pension_before_tax", "Is the pension taken off before tax?", "social contributions within the law are free", "Circular 011 of 2016"
    ),
    _point("pension_rate", "At which rate is a riel pension taken from dollars?", "one rate for all lines of a slip", "no rule found"),
    _point("tolerance_cents", "From how many cents on is a difference told?", "each side may round once", "this project"),
    _point("tolerance_riel", "From how many riel on is a difference told?", "the smallest note", "this project"),
    _point(
        "most_deducted", "From which share of the wage on are deductions questioned?", "enough must be left to live", "Labour Law art. 127"
    ),
    _point(
        "second_person_cents",
        "From how many cents on does a second person agree that the sheet's figure is kept?",
        "an amount that nobody should decide alone",
        "ACFE on payroll schemes: two people for what is unusual",
    ),
    _point(
        "account_change_days",
        "How many days is an account change recent?",
        "diverted wages are diverted just before payday",
        "FBI PSA I-091019",
    ),
    _point(
        "new_worker_days",
        "How many days is a worker new to the register?",
        "her first two paydays, before there is a history",
        "ACFE on ghost workers",
    ),
    _point(
        "far_from_history",
        "How many times her usual net (the median of her last three) is far?",
        "one and a half times is rare without a reason",
        "Nacha 2026 monitoring",
    ),
    _point(
        "far_from_line",
        "How many times the usual net of her line is far?",
        "who works on one line earns about alike; supervisors more",
        "Nacha 2026 monitoring",
    ),
    _point("headcount_jump", "Which change of headcount is a jump?", "5 %", "ACFE on ghost workers"),
    _point("total_jump", "Which change of the total is a jump?", "10 %", "ACFE on ghost workers"),
    _point("new_payees", "Which share of workers who were never paid before is a jump?", "10 %", "SWIFT CSCF 2.9; ACFE on ghost workers"),
    _point("agreements", "What did the factory agree beyond the law?", "none unless stated", "Labour Law: more favourable terms hold"),
)
