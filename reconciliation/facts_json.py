"""The facts of a work month as JSON, checked and described: the edge of `payroll entitlement`."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from importers.contract import Meaning, WorkerStatus
from importers.money import Money, MoneyError, currency
from importers.period import PayPeriod, PeriodError, RunKind
from reconciliation.contract import ExchangeRates, Leaving, Line, WorkMonth
from reconciliation.facts_told import told
from reconciliation.policy import POLICY_POINTS, FactoryPolicy, PolicyError

_HOURS = (Meaning.OVERTIME_HOURS, Meaning.NIGHT_OVERTIME_HOURS, Meaning.REST_DAY_HOURS, Meaning.HOLIDAY_HOURS, Meaning.NIGHT_HOURS)
_MOST_DAYS, _MOST_HOURS = Decimal(31), Decimal(744)
# Far from any rate that ever was: a rate turned upside down or in another currency is a slip of the pen.
LEAST_RATE, MOST_RATE = Decimal(500), Decimal(50_000)
# No worker earns so much in a month, and no sum of such amounts is too large to be money.
_MOST_MONEY = {"USD": Decimal(10**8), "KHR": Decimal(10**11)}
_EARLIEST = date(1950, 1, 1)
_ONE_LINE = r"^[^\x00-\x1f\x7f]+$"
_DAY, _MONTH = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), re.compile(r"^20[0-9]{2}-(0[1-9]|1[0-2])$")
# What may still be owed in a month after the last day of a contract.
_AFTER_THE_END = (RunKind.FINAL_PAY, RunKind.CORRECTION)


class FactsError(ValueError):
    """Facts that cannot be taken: the message names each field, what is wrong with it and where the schema is."""


def _exact(value: object) -> object:
    if isinstance(value, float):
        raise ValueError("write the number as text, for example '210.50': a binary float is not exact")  # noqa: TRY004 pydantic reports ValueError
    return value


def _day(value: object) -> object:
    # A bare number would be read as seconds since 1970: neither that nor a serial of a spreadsheet is a day anybody wrote.
    if not isinstance(value, date) and not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise ValueError("write a day of the calendar as YYYY-MM-DD, such as 2021-03-15")
    return value


def _count(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("write a whole number, such as 2")  # noqa: TRY004 pydantic reports ValueError
    return value


def _month(value: object) -> object:
    if not (isinstance(value, str) and _MONTH.fullmatch(value)):
        raise ValueError('write the month as YYYY-MM in quotation marks, such as "2026-11"')
    return value


Exact = Annotated[Decimal, BeforeValidator(_exact)]
Day = Annotated[date, BeforeValidator(_day)]
Count = Annotated[int, BeforeValidator(_count)]
Month = Annotated[str, BeforeValidator(_month), Field(pattern=_MONTH.pattern)]
Days = Annotated[Exact, Field(ge=0, le=_MOST_DAYS, decimal_places=4)]
Hours = Annotated[Exact, Field(ge=0, le=_MOST_HOURS, decimal_places=4)]


# The lines that the law does not compute: the factory states them.
Given = Literal["other_allowance", "back_pay", "leave_pay", "first_half_paid", "advance", "loan", "union_dues", "other_deduction"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Amount(_Model):
    """An amount of money. `"210.00"` alone means dollars."""

    amount: Exact = Field(
        ge=0, le=_MOST_MONEY["KHR"], description="In major units, as text so that nothing is lost.", examples=["210.00", "840000"]
    )
    currency: Literal["USD", "KHR"] = Field(default="USD", description="USD or KHR.", examples=["USD"])

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        return {"amount": value} if isinstance(value, str | int | Decimal) else value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        most = _MOST_MONEY[self.currency]
        if self.amount > most:
            raise ValueError(f"must be at most {most} {self.currency}")
        _ = self.money  # refuses more decimals than the currency has
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        whole = handler.resolve_ref_schema(handler(core_schema))
        whole.pop("title", None)
        return {"anyOf": [{"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}, {"type": "number", "minimum": 0}, whole]}

    @property
    def money(self) -> Money:
        """The amount as money."""
        try:
            return Money.of(self.amount, currency(self.currency))
        except MoneyError as error:
            raise ValueError(str(error)) from error


class Rates(_Model):
    """Riel for one dollar."""

    tax: Exact = Field(
        ge=LEAST_RATE, le=MOST_RATE, description="The tax office's rate: the central bank's of the 15th of the month.", examples=["4000"]
    )
    nssf: Exact | None = Field(
        default=None,
        ge=LEAST_RATE,
        le=MOST_RATE,
        description="The social security fund's rate of the month. Default: the tax rate.",
        examples=["4010"],
    )
    source: str = Field(default="", description="Where the rates were read.", examples=["NBC, 15 November 2026"])


def _example(example: object, description: str, **more: Any) -> Any:  # noqa: ANN401 pydantic's Field is Any to the type checker
    return Field(description=description, examples=[example], **more)


class Facts(_Model):
    """The facts of one worker's month. Everything with a default may be left out: it then has the law's default."""

    period: Month = _example("2026-11", "The month of work, YYYY-MM.")
    exchange_rates: Rates = Field(description="The two official rates of the month.", examples=[{"tax": "4000", "nssf": "4000"}])
    worker_code: str = _example(
        "GW-00017", "The factory's own code of the worker.", default="worker", min_length=1, max_length=64, pattern=_ONE_LINE
    )
    kind: RunKind = _example("balance", "What the run pays.", default=RunKind.BALANCE)
    status: WorkerStatus = _example("regular", "Regular, probation or piece_rate: decides the minimum wage.", default=WorkerStatus.REGULAR)
    contract: Literal["undetermined", "fixed"] = _example("undetermined", "The contract's duration.", default="undetermined")
    joined_on: Day | None = _example("2021-03-15", "First day of work; without it no seniority bonus is computed.", default=None)
    left_on: Day | None = _example("2026-11-20", "Last day of the contract, if it ended.", default=None)
    leaving: Leaving | None = _example("dismissed", "Why the contract ended, for the final pay.", default=None)
    basic_wage: Amount | None = _example("215.00", "The agreed monthly wage. Default: the minimum wage of the status.", default=None)
    piece_value: Amount | None = _example("187.40", "What the pieces of the month come to, for who is paid by the piece.", default=None)
    days_absent: Days = _example("1", "Working days absent without pay.", default=Decimal(0))
    days_leave: Days = _example("2", "Working days of paid leave.", default=Decimal(0))
    leave_apart: bool = Field(
        default=False, description="Whether leave is a line of its own, and not inside the basic pay.", examples=[True]
    )
    days_sick: Days = _example("3", "Working days of certified sickness.", default=Decimal(0))
    days_maternity: Days = _example("26", "Working days of maternity leave.", default=Decimal(0))
    days_holiday: Days = _example(
        "2",
        "Public holidays on working days that were not worked, of who is paid by the piece (art. 163). A monthly wage holds them.",
        default=Decimal(0),
    )
    piece_days: Days | None = _example(
        "23", "Days on which the pieces were made. Default: the month's working days less days away and holidays.", default=None
    )
    sick_month: Count = _example(1, "Which month of the same sickness this is.", default=1, ge=1, le=12)
    overtime_days: Days | None = _example("12", "Days with overtime, for the meal. Default: the fewest that the hours need.", default=None)
    overtime_hours: Hours = _example("10.5", "Overtime by day, 150 %.", default=Decimal(0))
    night_overtime_hours: Hours = _example("2", "Overtime between 22:00 and 05:00, 200 %.", default=Decimal(0))
    rest_day_hours: Hours = _example("8", "Hours on the weekly day off, 200 %.", default=Decimal(0))
    holiday_hours: Hours = _example("8", "Hours on a public holiday, the wage once more.", default=Decimal(0))
    night_hours: Hours = _example("40", "Ordinary hours between 22:00 and 05:00, 130 %.", default=Decimal(0))
    spouse: Count = _example(1, "Dependent spouse, 0 or 1.", default=0, ge=0, le=1)
    children: Count = _example(2, "Dependent children.", default=0, ge=0, le=20)
    resident: bool = Field(default=True, description="Whether she is a tax resident.", examples=[True])
    provided: frozenset[Literal["transport_allowance", "meal_allowance"]] = _example(
        ["transport_allowance"], "What the employer gives in kind, so that no money is due.", default=frozenset()
    )
    average_wage: Amount | None = _example(
        "248.00", "Average monthly wage and benefits of twelve months, for indemnity, leave and maternity.", default=None
    )
    contract_wages: Amount | None = _example("2900.00", "All wages of a fixed contract that ends, for its severance.", default=None)
    unused_leave_days: Exact = _example(
        "4.5", "Leave not taken when the contract ends.", default=Decimal(0), ge=0, le=366, decimal_places=4
    )
    given: dict[Given, Amount] = _example(
        {"first_half_paid": "105.00", "advance": "20.00"},
        "What only the factory knows: advances, loans, dues, other allowances.",
        default={},
    )
    policy: FactoryPolicy = Field(
        default_factory=FactoryPolicy, description="The factory's choices where the law is silent.", examples=[{"monthly_days": 26}]
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.joined_on is not None and self.left_on is not None and self.left_on < self.joined_on:
            raise ValueError(f"left_on {self.left_on} lies before joined_on {self.joined_on}: correct one of them")
        month = PayPeriod.parse(self.period)
        away = self.days_absent + self.days_leave + self.days_sick + self.days_maternity + self.days_holiday
        if away > month.last_day.day:
            names = "days_absent, days_leave, days_sick, days_maternity and days_holiday"
            raise ValueError(f"{names} are {away} days together in a month of {month.last_day.day}: correct them")
        if self.piece_days is not None and self.piece_days + away > month.last_day.day:
            days = f"piece_days {self.piece_days} and {away} days away or on holiday"
            raise ValueError(f"{days} are more than the {month.last_day.day} days of {month}: correct them")
        if self.joined_on is not None and self.joined_on < _EARLIEST:
            raise ValueError(f"joined_on {self.joined_on} lies before {_EARLIEST.year}: correct the year")
        if self.kind is not RunKind.CORRECTION and self.joined_on is not None and self.joined_on > month.last_day:
            raise ValueError(f"joined_on {self.joined_on} lies after the month {month}: nothing is owed yet; correct joined_on or period")
        if self.kind not in _AFTER_THE_END and self.left_on is not None and self.left_on < month.first_day:
            raise ValueError(
                f"left_on {self.left_on} lies before the month {month}: no wage is owed for it; correct left_on or period, "
                f'or write "kind": "final_pay" for what is still due at the end'
            )
        return self

    def work_month(self) -> WorkMonth:
        """The facts as the rules take them."""
        hours = {meaning: getattr(self, meaning.value) for meaning in _HOURS}
        return WorkMonth(
            worker_code=self.worker_code,
            period=PayPeriod.parse(self.period),
            kind=self.kind,
            status=self.status,
            undetermined_contract=self.contract == "undetermined",
            joined_on=self.joined_on,
            left_on=self.left_on,
            basic_wage=None if self.basic_wage is None else self.basic_wage.money,
            piece_value=None if self.piece_value is None else self.piece_value.money,
            days_absent=self.days_absent,
            days_leave=self.days_leave,
            days_sick=self.days_sick,
            days_maternity=self.days_maternity,
            days_holiday=self.days_holiday,
            piece_days=self.piece_days,
            overtime_days=self.overtime_days,
            hours={meaning: worked for meaning, worked in hours.items() if worked},
            spouse=self.spouse,
            children=self.children,
            resident=self.resident,
            given={Line(line): amount.money for line, amount in self.given.items()},
            provided=frozenset(Line(name) for name in self.provided),
            average_wage=None if self.average_wage is None else self.average_wage.money,
            contract_wages=None if self.contract_wages is None else self.contract_wages.money,
            unused_leave_days=self.unused_leave_days,
            leave_apart=self.leave_apart,
            sick_month=self.sick_month,
            leaving=self.leaving,
        )

    def rates(self) -> ExchangeRates:
        """The two rates of the month."""
        own = self.exchange_rates
        return ExchangeRates(tax=own.tax, nssf=own.tax if own.nssf is None else own.nssf, source=own.source)


def read_facts(text: str | bytes) -> Facts:
    """Facts from JSON; numbers are read exactly. Raises FactsError that names every field that is wrong."""
    try:
        data = json.loads(text, parse_float=Decimal, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        where = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise FactsError(f"the facts are not JSON: {where}. Write one object, {{...}}, as the schema says") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise FactsError("the facts are not JSON in UTF-8, or nested beyond any need: write one object, as the schema says") from error
    except FactsError:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise FactsError("the facts hold a number that is too long to be one") from error
    return facts_of(data)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise FactsError(f"{name[:40]} stands twice in the facts: which of the two holds? Leave one")
        found[name] = value
    return found


def facts_of(data: object) -> Facts:
    """Facts from data already parsed. Raises FactsError."""
    if not isinstance(data, dict):
        raise FactsError("the facts are one JSON object, {...}: `payroll entitlement --schema` prints what it may hold")
    try:
        return Facts.model_validate(data)
    except ValidationError as error:
        wrong = told(error.errors(include_input=False, include_url=False), whole="facts")
        raise FactsError(f"{wrong}. `payroll entitlement --schema` prints what each field may be") from error
    except (PeriodError, PolicyError) as error:
        raise FactsError(str(error)) from error


def facts_schema() -> dict[str, Any]:
    """The JSON Schema of the facts: every field with what it means and an example, every policy with its default and reason."""
    schema = Facts.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    fields = schema["$defs"]["FactoryPolicy"]["properties"]
    for point in POLICY_POINTS:
        fields[point.name]["description"] = f"{point.question} Default: {point.default or 'none'}: {point.reason} ({point.source})."
        fields[point.name].setdefault("examples", [fields[point.name].get("default", point.default)])
    return schema
