"""The factory itself: who it is, its policies, exchange rates and accounts with providers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from importers.period import PayPeriod
from payroll_api.access.actor import Actor, Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import AnyText, Input, Output, PeriodText, ShortText
from payroll_api.factories import policies, provider_accounts, settings
from payroll_api.factories.models import ExchangeRate, ProviderAccount
from payroll_api.services import Services
from reconciliation.policy import POLICY_POINTS

router = APIRouter(prefix=f"{API}/factories/current", tags=["factories"], route_class=StepRoute)

Kind = Literal["bank_account", "wallet", "cash", "check", "sms"]


class PolicyPointOut(Output):
    """A choice that the law leaves open."""

    name: str
    question: str
    default: str
    reason: str
    source: str
    question_km: str
    reason_km: str


class PolicyChangeOut(Output):
    """What the factory chose from a month on. Months before keep what held for them."""

    since: str = Field(examples=["2026-12"])
    policies: dict[str, Any]
    reason: str
    set_by: str
    set_at: datetime


class RateOut(Output):
    """Riel for one dollar in a month."""

    pay_period: str = Field(examples=["2026-11"])
    purpose: str = Field(examples=["tax"])
    rate: str = Field(description="Riel, a decimal number as text", examples=["4012"])
    source: str = Field(examples=["General Department of Taxation, notice of 15 November 2026"])
    set_by: str
    set_at: datetime


class FactoryOut(Output):
    """The factory of whoever asks."""

    id: UUID
    name: str = Field(examples=["Angkor Knit"])
    name_km: str = Field(examples=["រោងចក្រ អង្គរ"])
    hotline: str = Field(examples=["023 900 100"])
    cooling_hours: int = Field(description="Hours that a changed account or phone waits at least", examples=[24])
    policies: dict[str, Any] = Field(description="What the factory has chosen last; what is absent stands at its default")
    policy_changes: list[PolicyChangeOut] = Field(description="Every change, the newest first")
    policy_points: list[PolicyPointOut]
    rates: list[RateOut]


class Safeguards(Input):
    """How a factory's people are protected from a diverted wage."""

    cooling_hours: Annotated[
        int, Field(strict=True, ge=0, le=1000, description="Hours that a changed account or phone waits", examples=[24])
    ]


class NewRate(Input):
    """One rate of a month."""

    purpose: Literal["tax", "nssf"] = Field(description="`tax`: the tax office's of the 15th; `nssf`: the one that NSSF notified")
    rate: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}(\.[0-9]{1,4})?$")] = Field(examples=["4012"])
    source: ShortText = Field(examples=["General Department of Taxation, notice of 15 November 2026"])


class Policies(Input):
    """The factory's choices; they replace those before."""

    policies: dict[str, Any] = Field(max_length=60, examples=[{"monthly_days": 26, "most_deducted": "0.5"}])
    since: PeriodText | None = Field(default=None, description="The first month for which they hold; this month", examples=["2026-12"])
    reason: AnyText = Field(default="", examples=["Agreed with the shop stewards on 3 November"])


class AccountOut(Output):
    """An account with a provider. Its configuration is never shown."""

    id: UUID
    name: str = Field(examples=["Payroll account"])
    kind: Kind
    connector: str = Field(examples=["iso20022"])
    is_enabled: bool
    created_at: datetime
    callback_url: str | None = Field(description="Where the provider calls back; shown to administrators")


class Accounts(Output):
    """All accounts, by name."""

    items: list[AccountOut]


class NewAccount(Input):
    """A new account with a provider."""

    name: ShortText = Field(examples=["Payroll account"])
    kind: Kind
    connector: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,60}$")] = Field(examples=["iso20022"])
    config: dict[str, Any] = Field(max_length=100, repr=False, description="What the connector asks for; sealed and never shown again")


def _rate(row: ExchangeRate) -> RateOut:
    return RateOut(
        pay_period=row.period, purpose=row.purpose, rate=_plain(row.rate), source=row.source, set_by=row.set_by, set_at=row.set_at
    )


def _plain(rate: Decimal) -> str:
    text = f"{rate:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _account(services: Services, actor: Actor, row: ProviderAccount) -> AccountOut:
    url = provider_accounts.callback_url(services.settings, row) if Permission.ADMINISTER in actor.permissions else None
    same: Mapping[str, Any] = {name: getattr(row, name) for name in AccountOut.model_fields if name != "callback_url"}
    return AccountOut(callback_url=url, **same)


@router.get("", operation_id="getFactory", summary="The factory", **operation(Permission.READ))
async def factory(session: InSession) -> FactoryOut:
    """Its names, choices and exchange rates."""
    row = await settings.get_factory(session)
    points = [PolicyPointOut(**{name: getattr(point, name) for name in PolicyPointOut.model_fields}) for point in POLICY_POINTS]
    return FactoryOut(
        id=row.factory_id,
        name=row.name,
        name_km=row.name_km,
        hotline=row.hotline,
        cooling_hours=row.cooling_hours,
        policies=dict(await policies.choices(session)),
        policy_changes=[
            PolicyChangeOut(since=one.since, policies=one.choices, reason=one.reason, set_by=one.set_by, set_at=one.set_at)
            for one in await policies.history(session)
        ],
        policy_points=points,
        rates=[_rate(rate) for rate in await settings.rates_of(session)],
    )


@router.put(
    "/safeguards",
    operation_id="setSafeguards",
    summary="Set how long a changed account or phone waits",
    **operation(Permission.ADMINISTER),
)
async def set_safeguards(body: Safeguards, session: InSession, services: InServices, actor: InActor) -> FactoryOut:
    """At least 12 hours. What was proposed before keeps its time."""
    await settings.set_cooling(session, services, actor, body.cooling_hours)
    return await factory(session)


@router.put(
    "/rates/{pay_period}",
    operation_id="setExchangeRate",
    summary="Set an exchange rate of a month",
    **operation(Permission.PREPARE, Permission.ADMINISTER, errors=[(422, "exchange_rate_invalid")]),
)
async def set_rate(pay_period: PeriodText, body: NewRate, session: InSession, services: InServices, actor: InActor) -> RateOut:
    """It holds for files that are checked from now on."""
    period = PayPeriod.parse(pay_period)
    return _rate(await settings.set_rate(session, services, actor, period, body.purpose, Decimal(body.rate), body.source))


@router.put(
    "/policies",
    operation_id="setPolicies",
    summary="Choose where the law leaves a choice",
    **operation(Permission.ADMINISTER, errors=[(422, "policy_invalid")]),
)
async def set_policies(body: Policies, session: InSession, services: InServices, actor: InActor) -> FactoryOut:
    """Each choice has a name, a default, its reason and its source: see `policy_points`."""
    await policies.set_policies(
        session, services, actor, body.policies, since=None if body.since is None else PayPeriod.parse(body.since), reason=body.reason
    )
    return await factory(session)


@router.get("/provider-accounts", operation_id="listProviderAccounts", summary="Accounts with providers", **operation(Permission.READ))
async def accounts(session: InSession, services: InServices, actor: InActor) -> Accounts:
    """Banks, wallets, the cash desk and SMS gateways."""
    return Accounts(items=[_account(services, actor, row) for row in await provider_accounts.list_(session)])


@router.post(
    "/provider-accounts",
    operation_id="addProviderAccount",
    status_code=201,
    summary="Add an account with a provider",
    **operation(Permission.ADMINISTER, creates=True, errors=[(409, "provider_account_exists")]),
)
async def add_account(body: NewAccount, session: InSession, services: InServices, actor: InActor) -> AccountOut:
    """The connector reads the configuration at once: a mistake is told now."""
    row = await provider_accounts.add_provider_account(
        session, services, actor, name=body.name, kind=body.kind, connector=body.connector, config=body.config
    )
    return _account(services, actor, row)


@router.post(
    "/provider-accounts/{account_id}/disable",
    operation_id="disableProviderAccount",
    summary="Pay no more through an account",
    **operation(Permission.ADMINISTER, errors=[(404, "not_found")]),
)
async def disable_account(account_id: UUID, session: InSession, services: InServices, actor: InActor) -> AccountOut:
    """What is under way is still looked up, and its messages are still taken."""
    return _account(services, actor, await provider_accounts.disable(session, services, actor, account_id))
