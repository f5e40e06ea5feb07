"""The law book of the factory: what holds on a day, values that people add and sign off, agreements, and what a change would cost."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from importers.period import PayPeriod
from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Amount, AnyText, Input, Output, PeriodText, Reason, ShortText
from payroll_api.clock import pay_day
from payroll_api.factories import law_values
from payroll_api.factories.models import LawValue
from payroll_api.review.what_if import cost_of
from reconciliation.law.khmer import TITLES
from reconciliation.law.parameter import LawUnknownError, Parameter, Rows

router = APIRouter(prefix=f"{API}/factories/current", tags=["law"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")

Cell = Annotated[str, StringConstraints(max_length=120)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,60}$")]


class ParameterOut(Output):
    """One value of the law as it stands on a day."""

    name: str = Field(examples=["minimum_wage_regular"])
    title: str = Field(examples=["Minimum wage, regular worker"])
    title_km: str = Field(examples=["ប្រាក់ឈ្នួលអប្បបរមា កម្មករពេញសិទ្ធិ"])
    unit: str = Field(examples=["USD a month"])
    sign_off: str = Field(description="Who may sign a new value off")
    favour: str = Field(description="Which way an agreement may depart from it: more, less, or fixed", examples=["more"])
    value: str | list[dict[str, str]] | None = Field(description="A number as text, or rows; null while nobody knows it", examples=["210"])
    since: date | None
    citation: str | None = Field(examples=["Prakas 214 of 17 September 2025 on the minimum wage for 2026"])
    verified: bool
    unknown: str | None = Field(description="Why it is not known, where to add it, and who may sign it off")


class LawBookOut(Output):
    """The law book on a day. `version` is a hash of all its values: an entitlement names it."""

    on: date
    version: str
    items: list[ParameterOut]


class LawValueOut(Output):
    """A value that a person added to the law book, or an agreement beyond the law."""

    id: UUID
    kind: Literal["law", "agreement"]
    name: str = Field(examples=["minimum_wage_regular"])
    since: date
    until: date | None
    value: str | list[dict[str, str]] = Field(examples=["212"])
    title: str
    article: str
    published: str
    note: str
    state: Literal["proposed", "in_force", "withdrawn"]
    second_person: str = Field(description="Why a second person must agree; empty where one is enough")
    entered_by: str
    entered_at: datetime
    agreed_by: str | None
    in_force_at: datetime | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None


class LawValues(Output):
    """All values that were added, the newest first."""

    items: list[LawValueOut]


class NewLawValue(Input):
    """A value with its text and who answers for it. A calendar of public holidays is the rows of `public_holidays`: date and name."""

    kind: Literal["law", "agreement"] = "law"
    name: Name = Field(examples=["minimum_wage_regular"])
    since: date = Field(description="The first day on which it holds", examples=["2027-01-01"])
    until: date | None = Field(default=None, description="The last day of an agreement")
    value: Annotated[str, StringConstraints(max_length=40)] | Annotated[list[dict[Name, Cell]], Field(min_length=1, max_length=60)] = Field(
        description="A number as text, or rows of texts", examples=["212"]
    )
    title: ShortText = Field(description="The text it stands in", examples=["Prakas of September 2026 on the minimum wage for 2027"])
    article: AnyText = Field(default="", examples=["art. 2"])
    published: AnyText = Field(default="", description="Where it was read", examples=["mlvt.gov.kh, 20 September 2026"])
    note: AnyText = ""
    signed_off_by: ShortText = Field(repr=False, description="Name and office of who signs it off", examples=["Head of payroll"])


class Why(Input):
    """Why a value is taken back."""

    reason: Reason = Field(examples=["The Prakas says 213, not 212"])


class Question(Input):
    """Changed values, for the factory's last checked monthly payroll."""

    law: dict[Name, Annotated[str, StringConstraints(max_length=40)]] = Field(
        default_factory=dict, max_length=10, examples=[{"minimum_wage_regular": "215", "minimum_wage_probation": "213"}]
    )
    policies: dict[str, Any] = Field(default_factory=dict, max_length=10, examples=[{"monthly_days": 24}])
    pay_period: PeriodText | None = Field(default=None, description="The month to compute it for; the payroll's own", examples=["2027-01"])


class CostOut(Output):
    """One line over all workers."""

    line: str = Field(examples=["basic_pay"])
    side: str = Field(examples=["earning"])
    now: Amount
    then: Amount
    difference: Amount
    workers: int = Field(description="Whose amount changes", examples=[412])


class WhatIfOut(Output):
    """What the change costs in a month."""

    file_id: UUID
    payroll_of: str = Field(examples=["2026-11"])
    pay_period: str = Field(examples=["2027-01"])
    workers: int
    items: list[CostOut]
    wages: Amount = Field(description="What workers earn more")
    employer: Amount = Field(description="What the employer pays more beside it, in dollars at the tax office's rate")
    total: Amount


def _text(value: Decimal | Rows | None) -> str | list[dict[str, str]] | None:
    if value is None or isinstance(value, Decimal):
        return None if value is None else f"{value.normalize():f}" if value.is_finite() else "inf"
    return [
        {name: f"{cell:f}" if isinstance(cell, Decimal) and cell.is_finite() else str(cell) for name, cell in row.items()} for row in value
    ]


def _parameter(parameter: Parameter, day: date) -> ParameterOut:
    fixed = {
        "name": parameter.name,
        "title": parameter.title,
        "title_km": TITLES.get(parameter.name, parameter.title),
        "unit": parameter.unit,
        "sign_off": parameter.sign_off,
        "favour": parameter.favour.value,
    }
    try:
        dated = parameter.at(day)
    except LawUnknownError as unknown:
        return ParameterOut(**fixed, value=None, since=None, citation=None, verified=False, unknown=str(unknown))
    return ParameterOut(
        **fixed,
        value=_text(dated.value),
        since=dated.since,
        citation=str(dated.citation),
        verified=dated.citation.verified,
        unknown=None,
    )


def _value(row: LawValue) -> LawValueOut:
    given: Any = row.given["value"]
    same = {name: getattr(row, name) for name in LawValueOut.model_fields if name != "value"}
    return LawValueOut(value=given, **same)


@router.get("/law", operation_id="getLaw", summary="The law book on a day", **operation(Permission.READ))
async def law(
    session: InSession,
    services: InServices,
    on: Annotated[date | None, Query(description="The day; today without it")] = None,
) -> LawBookOut:
    """Every value with its source; what nobody has entered says where to add it and who may sign it off."""
    day = on or pay_day(services.clock())
    book = await law_values.law_book(session, services)
    return LawBookOut(on=day, version=book.version, items=[_parameter(parameter, day) for parameter in book.parameters.values()])


@router.get("/law/values", operation_id="listLawValues", summary="Values that people added, and agreements", **operation(Permission.READ))
async def values(session: InSession) -> LawValues:
    """The newest first; withdrawn ones stay."""
    return LawValues(items=[_value(row) for row in await law_values.list_values(session)])


@router.post(
    "/law/values",
    operation_id="addLawValue",
    status_code=201,
    summary="Add a value of the law or an agreement",
    **operation(Permission.ADMINISTER, creates=True, errors=[(422, "law_value_invalid"), (403, "person_required")]),
)
async def add(body: NewLawValue, session: InSession, services: InServices, actor: InActor) -> LawValueOut:
    """It holds at once, or waits for a second person where it may lower what workers get. An agreement below the law is refused."""
    new = law_values.NewValue(**{name: getattr(body, name) for name in NewLawValue.model_fields})
    return _value(await law_values.enter(session, services, actor, new))


@router.post(
    "/law/values/{value_id}/sign-off",
    operation_id="signOffLawValue",
    summary="Agree to a value as the second person",
    **operation(
        Permission.ADMINISTER,
        Permission.APPROVE,
        errors=[NOT_FOUND, (403, "four_eyes"), (403, "person_required"), (409, "law_value_state")],
    ),
)
async def sign_off(value_id: UUID, session: InSession, services: InServices, actor: InActor) -> LawValueOut:
    """Another person than the one who entered it."""
    return _value(await law_values.sign_off(session, services, actor, value_id))


@router.post(
    "/law/values/{value_id}/withdraw",
    operation_id="withdrawLawValue",
    summary="Take a value back",
    **operation(
        Permission.ADMINISTER,
        Permission.APPROVE,
        errors=[NOT_FOUND, (403, "four_eyes"), (403, "person_required"), (409, "law_value_state")],
    ),
)
async def withdraw(value_id: UUID, body: Why, session: InSession, services: InServices, actor: InActor) -> LawValueOut:
    """What was computed by it keeps its result; from now on it holds no more."""
    return _value(await law_values.withdraw(session, services, actor, value_id, reason=body.reason))


@router.post(
    "/what-if",
    operation_id="askWhatIf",
    summary="What a changed law or choice would cost",
    **operation(Permission.READ, errors=[(409, "no_payroll"), (422, "what_if_impossible"), (422, "policy_invalid")]),
)
async def what_if(body: Question, session: InSession, services: InServices, actor: InActor) -> WhatIfOut:
    """The last checked monthly payroll computed under both, line by line. Nothing is changed."""
    month = None if body.pay_period is None else PayPeriod.parse(body.pay_period)
    found = await cost_of(session, services, actor, law=body.law, policies=body.policies, month=month)
    return WhatIfOut(
        file_id=found.file_id,
        payroll_of=str(found.of),
        pay_period=str(found.month),
        workers=found.workers,
        items=[
            CostOut(
                line=line.value,
                side=cost.side.value,
                now=Amount.of(cost.now),
                then=Amount.of(cost.then),
                difference=Amount.of(cost.difference),
                workers=cost.workers,
            )
            for line, cost in found.costs.items()
        ],
        wages=Amount.of(found.wages),
        employer=Amount.of(found.employer),
        total=Amount.of(found.total),
    )
