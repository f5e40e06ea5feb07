"""What people of a factory add to the law: dated, cited, signed off, for their factory alone; and its choices, month by month."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import func, select

from importers.period import PayPeriod
from payroll_api.access.actor import Actor
from payroll_api.audit.find import events
from payroll_api.errors import InvalidError, NotAllowedError, ProblemError
from payroll_api.factories import law_values, policies
from payroll_api.factories.law_values import NewValue
from payroll_api.factories.models import LawValue
from payroll_api.services import Services
from reconciliation.law.cambodia.calendar import public_holidays
from reconciliation.law.figures import Figures
from reconciliation.law.parameter import LawUnknownError
from reconciliation.policy import FactoryPolicy
from tests.payroll_api.callers import bearer, fresh, key_bearer

if TYPE_CHECKING:
    from tests.conftest import SampleFactory, SettableClock

NEW_YEAR = date(2027, 1, 1)
LAW = "/api/v1/factories/current/law/values"
WAGE: Mapping[str, Any] = {
    "kind": "law",
    "name": "minimum_wage_regular",
    "since": "2027-01-01",
    "value": "215",
    "title": "Prakas of September 2026 on the minimum wage for 2027",
    "published": "mlvt.gov.kh",
    "signed_off_by": "Sok Sophea, head of payroll",
}


def value(**changes: Any) -> NewValue:
    return NewValue(**{**WAGE, "since": NEW_YEAR, **changes})


async def entered(services: Services, actor: Actor, **changes: Any) -> LawValue:
    async with services.database.factory(actor.factory_id) as session:
        return await law_values.enter(session, services, actor, value(**changes))


async def wage_of_2027(services: Services, factory: SampleFactory) -> Decimal:
    async with services.database.factory(factory.id) as session:
        return (await law_values.law_book(session, services)).number("minimum_wage_regular", NEW_YEAR)


async def test_a_wage_that_rises_holds_at_once_and_for_this_factory_alone(
    services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    row = await entered(services, factory.administrator)
    assert (row.state, row.second_person) == ("in_force", "")
    assert await wage_of_2027(services, factory) == 215
    async with services.database.factory(factory.id) as session:
        assert (await law_values.law_book(session, services)).version != services.law.version
        told = await events(session, subject=f"law_value:{row.id}", before=None, limit=5)
    assert told[0]["action"] == "law_value.entered"
    assert "Sophea" not in str(told)
    assert b"Sophea" not in bytes(row.signed_off_by)
    with pytest.raises(LawUnknownError, match="2027-01"):
        await wage_of_2027(services, other_factory)


async def test_a_wage_that_falls_waits_for_a_second_person_who_is_another(services: Services, factory: SampleFactory) -> None:
    row = await entered(services, factory.administrator, value="205")
    assert (row.state, row.second_person) == ("proposed", "it lowers what workers get")
    with pytest.raises(LawUnknownError):
        await wage_of_2027(services, factory)
    async with services.database.factory(factory.id) as session:
        with pytest.raises(NotAllowedError) as refused:
            await law_values.sign_off(session, services, factory.administrator, row.id)
        assert refused.value.code == "four_eyes"
        with pytest.raises(NotAllowedError):
            await law_values.sign_off(session, services, factory.preparer, row.id)
        signed = await law_values.sign_off(session, services, factory.approver, row.id)
        assert (signed.state, signed.agreed_by) == ("in_force", factory.approver.name)
        with pytest.raises(ProblemError, match="law_value_state"):
            await law_values.sign_off(session, services, factory.approver, row.id)
    assert await wage_of_2027(services, factory) == 205


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": "nssf_pension_rate", "since": date(2027, 10, 1), "value": "0.04"}, "it may lower what workers get"),
        ({"name": "tax_dependant", "value": "200000"}, "it may lower what workers get"),
        ({"name": "daily_hours", "value": "9"}, "it lowers what workers get"),
        ({"name": "overtime_meal", "value": "20000"}, "it is more than twice or less than half of the value before"),
        ({"name": "attendance_bonus", "value": "12"}, ""),
    ],
)
async def test_what_takes_a_second_person(services: Services, factory: SampleFactory, changes: dict[str, Any], why: str) -> None:
    assert (await entered(services, factory.administrator, **changes)).second_person == why


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "minimum_wage"}, "no value of this name"),
        ({"value": "two hundred"}, "not a number"),
        ({"value": "-5"}, "not a number"),
        ({"value": "NaN"}, "not a number"),
        ({"title": "  "}, "needs the text"),
        ({"signed_off_by": ""}, "needs the text"),
        ({"value": [{"date": "2027-01-01", "name": "New Year"}]}, "is a number"),
        ({"name": "public_holidays", "value": "22"}, "is a table"),
        ({"name": "public_holidays", "value": [{"date": "2026-01-01", "name": "New Year"}]}, "another year"),
        ({"name": "public_holidays", "since": date(2027, 2, 1), "value": [{"date": "2027-02-01", "name": "A"}]}, "1 January"),
        ({"name": "public_holidays", "value": [{"date": "1 Jan", "name": "New Year"}]}, "not a date"),
        ({"name": "public_holidays", "value": [{"date": "2027-01-01", "name": "A"}] * 2}, "must rise"),
        ({"name": "tax_brackets", "value": [{"up_to": "1500000", "rate": "0"}]}, "last row is inf"),
        ({"name": "tax_brackets", "value": [{"up_to": "inf"}]}, "its columns are"),
        ({"kind": "agreement", "name": "attendance_bonus", "value": "9"}, "at least as much"),
        ({"kind": "agreement", "name": "tax_dependant", "value": "200000"}, "fixed by law"),
        ({"kind": "agreement", "name": "seniority_bonus", "value": [{"completed_years": "1", "amount": "3"}]}, "a table"),
        ({"kind": "agreement", "name": "attendance_bonus", "value": "12", "until": date(2026, 12, 31)}, "before it starts"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_place(
    services: Services, factory: SampleFactory, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidError, match=said) as refused:
        await entered(services, factory.administrator, **changes)
    assert refused.value.extra["fields"]
    async with services.database.factory(factory.id) as session:
        assert await session.scalar(select(func.count()).select_from(LawValue)) == 0


async def test_a_year_of_holidays_is_loaded_by_hand_and_losing_one_takes_two_people(services: Services, factory: SampleFactory) -> None:
    days = [{"date": "2027-01-01", "name": "International New Year"}, {"date": "2027-01-07", "name": "Victory over Genocide"}]
    async with services.database.factory(factory.id) as session:
        with pytest.raises(LawUnknownError) as unknown:
            public_holidays(await law_values.law_book(session, services), 2027)
        for said in ("2027", "leave.toml", "administrator", "head of payroll"):
            assert said in str(unknown.value)
        assert "ថ្ងៃឈប់សម្រាកបុណ្យ" in unknown.value.khmer
    assert (await entered(services, factory.administrator, name="public_holidays", value=days)).state == "in_force"
    async with services.database.factory(factory.id) as session:
        book = await law_values.law_book(session, services)
        assert list(public_holidays(book, 2027)) == [date(2027, 1, 1), date(2027, 1, 7)]
        with pytest.raises(LawUnknownError):
            public_holidays(book, 2028)  # last year's list says nothing
    assert (await entered(services, factory.administrator, name="public_holidays", value=days[:1])).state == "proposed"


async def test_an_agreement_holds_from_its_day_to_its_last_and_the_law_may_overtake_it(services: Services, factory: SampleFactory) -> None:
    await entered(
        services,
        factory.administrator,
        kind="agreement",
        name="minimum_wage_regular",
        since=date(2025, 7, 1),
        until=date(2026, 6, 30),
        value="209",
        title="Collective agreement of June 2025",
    )
    async with services.database.factory(factory.id) as session:
        policy, book = await policies.policy(session), await law_values.law_book(session, services)

    def wage(day: date) -> Decimal:
        return Figures(book, day, policy.agreements).number("minimum_wage_regular")

    assert [wage(date(2025, month, 28)) for month in (6, 7, 12)] == [208, 209, 209]
    assert [wage(date(2026, month, 28)) for month in (1, 6, 7)] == [210, 210, 210]
    cited = Figures(book, date(2025, 7, 1), policy.agreements).cite("minimum_wage_regular")
    assert cited[0].title == "Collective agreement of June 2025"
    lower = await entered(
        services, factory.administrator, kind="agreement", name="minimum_wage_regular", since=date(2025, 8, 1), value="208", title="Worse"
    )
    assert lower.state == "proposed"


async def test_a_value_taken_back_no_longer_holds_and_the_book_of_that_day_can_be_had(
    services: Services, factory: SampleFactory, clock: SettableClock
) -> None:
    row = await entered(services, factory.administrator)
    async with services.database.factory(factory.id) as session:
        version = (await law_values.law_book(session, services)).version
    then = clock.now
    clock.advance(minutes=5)
    async with services.database.factory(factory.id) as session:
        with pytest.raises(NotAllowedError):
            await law_values.withdraw(session, services, factory.administrator, row.id, reason="It was 213 after all")
        with pytest.raises(InvalidError):
            await law_values.withdraw(session, services, factory.approver, row.id, reason="no")
        await law_values.withdraw(session, services, factory.approver, row.id, reason="It was 213 after all")
        assert (await law_values.law_book(session, services)).version == services.law.version
        assert (await law_values.law_book(session, services, as_of=then)).version == version
        before = await law_values.law_book(session, services, as_of=then - timedelta(minutes=1))
        assert before.version == services.law.version


async def test_choices_hold_from_a_month_on_and_an_old_month_keeps_its_own(services: Services, factory: SampleFactory) -> None:
    november, december, next_year = PayPeriod(2026, 11), PayPeriod(2026, 12), PayPeriod(2027, 1)
    async with services.database.factory(factory.id) as session:
        for since, days in ((december, 24), (november, 25)):
            await policies.set_policies(
                session, services, factory.administrator, {"monthly_days": days}, since=since, reason="Agreed in the works council"
            )
        found = [(await policies.policy(session, period)).monthly_days for period in (PayPeriod(2026, 10), november, december, next_year)]
        assert found == [FactoryPolicy().monthly_days, 25, 24, 24]
        with pytest.raises(InvalidError, match="months that are past"):
            await policies.set_policies(session, services, factory.administrator, {}, since=PayPeriod(2026, 10))
        with pytest.raises(InvalidError, match="law's page"):
            await policies.set_policies(session, services, factory.administrator, {"agreements": []})
        told = await events(session, subject=f"factory:{factory.id}", before=None, limit=1)
    assert told[0]["data"] == {"since": "2026-11", "changed": {"monthly_days": [None, 25]}, "reason": "Agreed in the works council"}


async def test_the_law_through_the_api(client: httpx.AsyncClient, services: Services, factory: SampleFactory) -> None:
    administrator = await bearer(services, factory.administrator)
    unknown = {one["name"]: one for one in (await client.get(f"{LAW[:-7]}?on=2027-01-15", headers=administrator)).json()["items"]}
    assert "signed off by" in unknown["minimum_wage_regular"]["unknown"]
    assert unknown["overtime_rate"]["value"] == "1.5"
    made = await client.post(LAW, headers=administrator | fresh(), json={**WAGE, "value": "205"})
    assert (made.status_code, made.json()["state"]) == (201, "proposed")
    key = await key_bearer(services, factory)
    assert (await client.post(f"{LAW}/{made.json()['id']}/sign-off", headers=key, json={})).status_code == 403
    signed = await client.post(f"{LAW}/{made.json()['id']}/sign-off", headers=await bearer(services, factory.approver), json={})
    assert signed.json()["state"] == "in_force"
    book = (await client.get(f"{LAW[:-7]}?on=2027-01-15", headers=administrator)).json()
    assert next(one["value"] for one in book["items"] if one["name"] == "minimum_wage_regular") == "205"
    refused = await client.post(LAW, headers=administrator | fresh(), json={**WAGE, "value": "lots"})
    assert (refused.status_code, refused.json()["code"]) == (422, "law_value_invalid")
    assert "Sophea" not in (await client.get(LAW, headers=administrator)).text
    nothing = await client.post("/api/v1/factories/current/what-if", headers=administrator, json={"law": {"attendance_bonus": "12"}})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "no_payroll")
