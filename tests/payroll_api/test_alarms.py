"""Alarms: sounded once while they last, taken on by a person, over when their cause is; and each has a place in the runbook."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from payroll_api.access.actor import Role
from payroll_api.alarms.kinds import KINDS
from payroll_api.alarms.models import AlarmRow
from payroll_api.alarms.sound import Alarm, clear, sound, sound_only
from payroll_api.audit.models import AuditEvent
from payroll_api.services import Services
from payroll_api.web.words import ALL_WORDS
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.callers import bearer, key_bearer

RUNBOOK = Path(__file__).parents[2] / "docs" / "operations.md"


def unknown(subject: str, clock: SettableClock) -> Alarm:
    return Alarm(kind="payment_unknown", subject=subject, due_at=clock.now + timedelta(hours=4), data={"count": 1})


async def alarms_of(services: Services, factory: SampleFactory) -> list[AlarmRow]:
    async with services.database.factory(factory.id) as session:
        return list(await session.scalars(select(AlarmRow).order_by(AlarmRow.id)))


def test_every_alarm_stands_in_the_runbook_and_is_told_in_both_languages() -> None:
    section = RUNBOOK.read_text(encoding="utf-8").partition("### Alarms")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)) == set(KINDS)
    assert set(KINDS.values()) <= set(Role)
    for words in ALL_WORDS.values():
        missing = [kind for kind in KINDS for part in ("title", "todo") if f"alarm.{kind}.{part}" not in words.texts]
        assert missing == []


async def test_an_alarm_sounds_once_while_its_cause_lasts_and_again_when_it_comes_back(
    services: Services, factory: SampleFactory, clock: SettableClock
) -> None:
    subject = f"payment:{uuid4()}"

    async def one() -> None:
        async with services.database.factory(factory.id) as session:
            await sound(session, clock(), unknown(subject, clock))

    with capture_logs() as lines:
        await asyncio.gather(*(one() for _ in range(8)))
    assert [(line["event"], line["kind"], line["subject"]) for line in lines] == [("alarm", "payment_unknown", subject)]
    assert len(await alarms_of(services, factory)) == 1
    async with services.database.factory(factory.id) as session:
        await clear(session, clock(), kind="payment_unknown", subject=subject)
        await clear(session, clock(), kind="payment_unknown", subject=subject)
    await one()
    assert [alarm.cleared_at is None for alarm in await alarms_of(services, factory)] == [False, True]
    async with services.database.factory(factory.id) as session:
        events = await session.scalars(select(AuditEvent.action).where(AuditEvent.subject == subject).order_by(AuditEvent.id))
        assert list(events) == ["alarm.sounded", "alarm.cleared", "alarm.sounded"]


async def test_a_check_that_looks_at_everything_closes_what_is_over(
    services: Services, factory: SampleFactory, other_factory: SampleFactory, clock: SettableClock
) -> None:
    first, second, third = (f"payment:{uuid4()}" for _ in range(3))
    for whose in (factory, other_factory):
        async with services.database.factory(whose.id) as session:
            await sound_only(session, clock(), "payment_unknown", [unknown(first, clock), unknown(second, clock)])
    async with services.database.factory(factory.id) as session:
        await sound_only(session, clock(), "payment_unknown", [unknown(second, clock), unknown(third, clock)])
    open_now = [alarm.subject for alarm in await alarms_of(services, factory) if alarm.cleared_at is None]
    assert open_now == [second, third]
    assert all(alarm.cleared_at is None for alarm in await alarms_of(services, other_factory))


async def test_an_alarm_nobody_wrote_a_runbook_for_cannot_be_sounded(
    services: Services, factory: SampleFactory, clock: SettableClock
) -> None:
    with pytest.raises(ValueError, match="coffee_is_out"):
        async with services.database.factory(factory.id) as session:
            await sound(session, clock(), Alarm(kind="coffee_is_out", subject="kitchen:1", due_at=clock()))


async def test_a_person_takes_an_alarm_on_and_it_stays_until_its_cause_is_gone(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, other_factory: SampleFactory, clock: SettableClock
) -> None:
    subject = f"payment:{uuid4()}"
    async with services.database.factory(factory.id) as session:
        await sound(session, clock(), unknown(subject, clock))
    headers = await bearer(services, factory.finance)
    listed: list[dict[str, Any]] = (await client.get("/api/v1/alarms", headers=headers)).json()["items"]
    assert [(item["kind"], item["subject"], item["owner"]) for item in listed] == [("payment_unknown", subject, "finance")]
    address = f"/api/v1/alarms/{listed[0]['id']}/acknowledgement"
    note = {"note": "Called the bank, they answer by noon"}

    stranger = await client.post(address, headers=await bearer(services, other_factory.finance), json=note)
    assert stranger.status_code == 404
    machine = await client.post(address, headers=await key_bearer(services, factory), json=note)
    assert (machine.status_code, machine.json()["code"]) == (403, "person_required")
    assert (await client.post(address, headers=headers, json={"note": "ok"})).status_code == 422

    taken = await client.post(address, headers=headers, json=note)
    assert (taken.json()["acknowledged_by"], taken.json()["note"], taken.json()["cleared_at"]) == (
        factory.finance.name,
        note["note"],
        None,
    )
    clock.advance(hours=5)
    headers = await bearer(services, factory.finance)
    metrics = (await client.get("/metrics")).text
    assert 'payroll_alarms{acknowledged="yes",kind="payment_unknown",late="yes"}' in metrics
    async with services.database.factory(factory.id) as session:
        await clear(session, clock(), kind="payment_unknown", subject=subject)
    assert (await client.get("/api/v1/alarms", headers=headers)).json()["items"] == []
    assert len((await client.get("/api/v1/alarms?open=false", headers=headers)).json()["items"]) == 1
    assert (await client.post(address, headers=headers, json=note)).json()["code"] == "alarm_cleared"
