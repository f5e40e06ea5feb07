"""A factory, its choices, its exchange rates and its accounts with providers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from importers.period import PayPeriod
from payroll_api.audit.find import events
from payroll_api.errors import InvalidError, NotAllowedError, ProblemError
from payroll_api.factories import policies, provider_accounts, settings
from payroll_api.factories.create import create_factory, factory_by_slug
from payroll_api.factories.models import WebhookDirectory
from payroll_api.services import Services
from reconciliation.policy import FactoryPolicy, FirstHalf
from tests.payroll_api.callers import bearer, fresh

if TYPE_CHECKING:
    from tests.conftest import SampleFactory

NOVEMBER = PayPeriod(2026, 11)
SOURCE = "General Department of Taxation, 15 November 2026"


async def test_a_factory_is_made_once_with_keys_of_its_own(services: Services) -> None:
    slug = f"knit-{uuid4().hex[:8]}"

    async def make() -> UUID:
        choices = {"first_half": "with_fixed_benefits"}
        return await create_factory(services, slug=slug, name="Angkor Knit", name_km="អង្គរ", hotline="023 900 100", policies=choices)

    factory_id = await make()
    assert await factory_by_slug(services, slug) == factory_id
    async with services.database.factory(factory_id) as session:
        assert (await services.keys.vault(session)).index("phone", "+85512345678")
        assert (await policies.policy(session)).first_half is FirstHalf.WITH_FIXED_BENEFITS
        told = await events(session, subject=f"factory:{factory_id}", before=None, limit=5)
    assert [event["action"] for event in told] == ["factory.created"]
    with pytest.raises(ProblemError, match="factory_exists"):
        await make()


@pytest.mark.parametrize("wrong", [{"slug": "A B"}, {"slug": "x"}, {"name": " "}, {"hotline": ""}, {"policies": {"no_such": 1}}])
async def test_a_factory_needs_its_names(services: Services, wrong: dict[str, object]) -> None:
    good: dict[str, object] = {"slug": f"knit-{uuid4().hex[:8]}", "name": "Angkor Knit", "name_km": "អង្គរ", "hotline": "023 900 100"}
    with pytest.raises(InvalidError):
        await create_factory(services, **(good | wrong))  # type: ignore[arg-type]  # a wrong value is the point


async def test_a_missing_rate_is_named_with_the_place_to_set_it(services: Services, factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        await settings.set_rate(session, services, factory.preparer, NOVEMBER, "tax", Decimal(4012), SOURCE)
        with pytest.raises(ProblemError) as refusal:
            await settings.exchange_rates(session, NOVEMBER)
        assert refusal.value.code == "exchange_rate_missing"
        assert refusal.value.extra == {"period": "2026-11", "missing": ["nssf"]}
        assert "/api/v1/factories/current/rates/2026-11" in refusal.value.detail
        await settings.set_rate(session, services, factory.administrator, NOVEMBER, "nssf", Decimal("4010.5"), "NSSF, 1 November 2026")
        rates = await settings.exchange_rates(session, NOVEMBER)
    assert (rates.tax, rates.nssf) == (Decimal(4012), Decimal("4010.5"))


async def test_a_corrected_rate_leaves_both_in_the_trail(services: Services, factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        for rate in ("4012", "4015"):
            await settings.set_rate(session, services, factory.preparer, NOVEMBER, "tax", Decimal(rate), SOURCE)
        told = await events(session, subject="exchange_rate:2026-11:tax", before=None, limit=5)
        assert [row.rate for row in await settings.rates_of(session, NOVEMBER)] == [Decimal(4015)]
    assert told[0]["data"] == {"before": "4012.0000", "after": "4015", "source": SOURCE}


@pytest.mark.parametrize("rate", ["0", "-4000", "40.12", "401200", "NaN", "Infinity", "4012.00001", "1e3"])
async def test_a_rate_that_cannot_be_is_refused(services: Services, factory: SampleFactory, rate: str) -> None:
    async with services.database.factory(factory.id) as session:
        with pytest.raises(InvalidError):
            await settings.set_rate(session, services, factory.preparer, NOVEMBER, "tax", Decimal(rate), SOURCE)


async def test_an_auditor_sets_nothing(services: Services, factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        with pytest.raises(NotAllowedError):
            await settings.set_rate(session, services, factory.auditor, NOVEMBER, "tax", Decimal(4012), SOURCE)
        with pytest.raises(NotAllowedError):
            await policies.set_policies(session, services, factory.preparer, {})


def test_choices_are_read_exactly_or_not_at_all() -> None:
    assert policies.read_policies({}) == FactoryPolicy()
    agreement = {
        "name": "attendance_bonus",
        "since": "2026-01-01",
        "value": "12.00",
        "citation": {"law": "Agreement", "article": "3", "url": ""},
    }
    for wrong in (
        {"no_such": 1},
        {"most_deducted": 0.5},
        {"most_deducted": "half"},
        {"monthly_days": 5},
        {"monthly_days": "many"},
        {"first_half": "all"},
        {"agreements": [agreement | {"since": "yesterday"}]},
        {"agreements": [agreement | {"value": 12.5}]},
    ):
        with pytest.raises(InvalidError) as refusal:
            policies.read_policies(wrong)
        assert refusal.value.code == "policy_invalid"
        assert refusal.value.extra["fields"]
    chosen = policies.read_policies({"most_deducted": "0.4", "attendance_lost_by": ["absence"]})
    assert chosen.most_deducted == Decimal("0.4")
    assert chosen.attendance_lost_by == frozenset({"absence"})


async def test_an_account_is_added_sealed_and_found_by_its_address(services: Services, factory: SampleFactory) -> None:
    async with services.database.factory(factory.id) as session:
        account = await provider_accounts.add_provider_account(
            session, services, factory.administrator, name="Cash desk", kind="cash", connector="cash", config={}
        )
        vault = await services.keys.vault(session)
        assert provider_accounts.config_of(vault, account) == {}
        assert bytes(account.config) != b"{}"
        assert len(account.webhook_key) == 32
        with pytest.raises(ProblemError, match="provider_account_exists"):
            await provider_accounts.add_provider_account(
                session, services, factory.administrator, name="Cash desk", kind="cash", connector="cash", config={}
            )
    async with services.database.nobody() as session:
        entry = await session.scalar(
            select(WebhookDirectory).where(WebhookDirectory.key_hash == provider_accounts.webhook_hash(account.webhook_key))
        )
    assert entry
    assert (entry.factory_id, entry.provider_account_id) == (factory.id, account.id)
    address = provider_accounts.callback_url(services.settings, account, "batch1")
    assert address == f"{services.settings.public_url}/webhooks/cash/{account.webhook_key}/batch1"


async def test_an_administrator_looks_after_the_factory_through_the_api(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    headers = await bearer(services, factory.administrator)
    rate = {"purpose": "nssf", "rate": "4010.5", "source": "NSSF, 1 November 2026"}
    response = await client.put("/api/v1/factories/current/rates/2026-11", headers=headers, json=rate)
    assert response.json()["rate"] == "4010.5"
    response = await client.put("/api/v1/factories/current/policies", headers=headers, json={"policies": {"tolerance_cents": 2}})
    assert response.json()["policies"] == {"tolerance_cents": 2}
    account = {"name": "Cash desk", "kind": "cash", "connector": "cash", "config": {}}
    made = await client.post("/api/v1/factories/current/provider-accounts", headers=headers | fresh(), json=account)
    assert made.status_code == 201, made.text
    assert made.json()["callback_url"].startswith(f"{services.settings.public_url}/webhooks/cash/")
    assert "config" not in made.json()
    seen = await client.get("/api/v1/factories/current/provider-accounts", headers=await bearer(services, factory.preparer))
    assert seen.json()["items"][0]["callback_url"] is None
    path = f"/api/v1/factories/current/provider-accounts/{made.json()['id']}/disable"
    assert (await client.post(path, headers=headers)).json()["is_enabled"] is False
    for bad in ({"rate": 4012}, {"rate": "4012,5"}, {"rate": "4.012"}, {"purpose": "best"}):
        response = await client.put("/api/v1/factories/current/rates/2026-11", headers=headers, json=rate | bad)
        assert response.status_code == 422
