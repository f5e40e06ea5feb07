"""Messages that come at the same moment are stored by one transaction, and each is answered for itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from payroll_api.access.actor import Role
from payroll_api.alarms.models import AlarmRow
from payroll_api.api.together import Together
from payroll_api.app import create_app
from payroll_api.db.base import new_id
from payroll_api.factories.models import ProviderAccount
from payroll_api.jobs.names import Job
from payroll_api.payments.events import handle_events
from payroll_api.payments.models import Attempt, Dispatch, ProviderMessage
from payroll_api.services import Services
from tests.conftest import PASSWORD, SettableClock
from tests.payroll_api.callers import bearer, fresh
from tests.payroll_api.few_workers import few, released
from tests.payroll_api.plain_browser import PlainBrowser
from tests.payroll_api.test_api_webhooks import BODY, path_of, signed, stored, wallet

if TYPE_CHECKING:
    from tests.conftest import SampleFactory


async def test_calls_that_come_together_share_the_work_and_nobody_waits_for_more_to_come() -> None:
    rounds: list[int] = []

    async def work(items: Sequence[int]) -> Sequence[int | Exception]:
        rounds.append(len(items))
        await asyncio.sleep(0.01)
        return [ValueError("three") if item == 3 else item * 10 for item in items]

    together = Together(work, most=6)
    answers = await asyncio.gather(*(together.do(item) for item in range(10)), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["0", "10", "20", "three", *(str(n) for n in range(40, 100, 10))]
    assert rounds == [6, 4]
    assert await together.do(7) == 70  # alone, at once
    gone = asyncio.create_task(together.do(1))
    await asyncio.sleep(0)
    gone.cancel()
    assert await together.do(2) == 20  # who left does not take the others along


async def test_what_is_wrong_with_all_is_told_to_all() -> None:
    async def work(_items: Sequence[int]) -> Sequence[int | Exception]:
        raise ConnectionError

    together = Together(work)
    answers = await asyncio.gather(*(together.do(item) for item in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionError] * 3


def unlike(number: int) -> bytes:
    return json.dumps({"batchId": str(number), "batchStatus": "completed", "batchTitle": f"GWB7K3M{number:03}"}).encode()


async def test_honest_and_forged_messages_in_one_moment_get_their_own_answers(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    ours = path_of(services, await wallet(services, factory))
    theirs = path_of(services, await wallet(services, other_factory))
    calls = []
    for number in range(20):
        body = unlike(number)
        calls += [
            (client.put(ours, content=body, headers=signed(body)), 204),
            (client.put(theirs, content=body, headers=signed(body)), 204),
            (client.put(ours, content=body, headers=signed(body + b" ")), 401),
            (client.put(ours.replace("gsma_mobile_money", "iso20022"), content=body, headers=signed(body)), 401),
        ]
    answers = await asyncio.gather(*(call for call, _ in calls))
    assert [answer.status_code for answer in answers] == [status for _, status in calls]
    assert await stored(services, factory) == await stored(services, other_factory) == 20


async def messages_of(services: Services, factory: SampleFactory) -> list[ProviderMessage]:
    async with services.database.factory(factory.id) as session:
        return list(await session.scalars(select(ProviderMessage).order_by(ProviderMessage.received_at, ProviderMessage.id)))


async def test_one_event_with_two_contents_counts_once_and_a_person_is_called(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    # The wallet has no ids of its own: the same request key with another content is another event. A bank's id is its own.
    path = path_of(services, await wallet(services, factory))
    assert (await client.put(path, content=BODY, headers=signed())).status_code == 204
    async with services.database.factory(factory.id) as session:
        first = (await session.scalars(select(ProviderMessage))).one()
        await session.execute(update(ProviderMessage).values(body_hash=b"another content"))
    assert (await client.put(path, content=BODY, headers=signed())).status_code == 204
    for _ in range(3):
        await client.put(path, content=BODY, headers=signed())
    states = {message.state: message for message in await messages_of(services, factory)}
    assert set(states) == {"stored", "quarantined"}
    aside = states["quarantined"]
    assert states["stored"].id == first.id
    async with services.database.factory(factory.id) as session:
        alarms = list(await session.scalars(select(AlarmRow)))
    assert [(alarm.kind, alarm.subject) for alarm in alarms] == [("message_quarantined", f"message:{aside.id}")]
    refused = await client.post(f"/api/v1/provider-messages/{aside.id}/replay", headers=await bearer(services, factory.finance))
    assert (refused.status_code, refused.json()["code"]) == (409, "message_contradicts")
    headers, why = await bearer(services, factory.finance), {"reason": "The wallet: sent twice by their test system"}
    closed = await client.post(f"/api/v1/provider-messages/{aside.id}/explanation", headers=headers, json=why)
    assert closed.json()["state"] == "explained"
    assert (await client.get("/api/v1/alarms", headers=headers)).json()["items"] == []
    again = await client.post(f"/api/v1/provider-messages/{aside.id}/explanation", headers=headers, json=why)
    assert (again.status_code, again.json()["code"]) == (409, "message_not_aside")
    await client.put(path, content=BODY, headers=signed())
    assert {message.state for message in await messages_of(services, factory)} == {"stored", "explained"}


async def test_two_processes_that_get_two_contents_of_one_event_take_one(services: Services, factory: SampleFactory) -> None:
    account = await wallet(services, factory)

    async def store(content: bytes) -> None:
        async with services.database.factory(factory.id) as session:
            message_id = new_id()
            session.add(
                ProviderMessage(
                    factory_id=factory.id,
                    id=message_id,
                    provider_account_id=account.id,
                    event_id="e-1",
                    body_hash=content,
                    content=(await services.keys.vault(session)).seal(content, "provider_messages", message_id, "content"),
                    state="stored",
                    detail="",
                    received_at=services.clock(),
                )
            )

    await store(b"one")
    with pytest.raises(IntegrityError, match="uq_provider_messages_one_content"):
        await store(b"two")


async def test_a_person_sees_what_came_and_has_it_worked_through_again_without_effect(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    path = path_of(services, await wallet(services, factory))
    await client.put(path, content=BODY, headers=signed())
    (message,) = await messages_of(services, factory)
    await handle_events(services, factory.id, {"messages": json.dumps([str(message.id)])})
    headers = await bearer(services, factory.finance)
    listed = (await client.get("/api/v1/provider-messages?state=unmatched", headers=headers)).json()["items"]
    assert [item["id"] for item in listed] == [str(message.id)]
    shown = (await client.get(f"/api/v1/provider-messages/{message.id}", headers=headers)).json()
    assert shown["state"] == "unmatched"  # no batch of ours bears this name
    stranger = await bearer(services, other_factory.finance)
    assert (await client.get(f"/api/v1/provider-messages/{message.id}", headers=stranger)).status_code == 404
    for _ in range(2):
        replayed = await client.post(f"/api/v1/provider-messages/{message.id}/replay", headers=headers)
        assert (replayed.status_code, replayed.json()["state"]) == (200, "stored")
        await handle_events(services, factory.id, {"messages": json.dumps([str(message.id)])})
    assert [message.state for message in await messages_of(services, factory)] == ["unmatched"]


async def test_the_pages_show_messages_in_both_languages_and_have_one_worked_through_again(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory
) -> None:
    await client.put(path_of(services, await wallet(services, factory)), content=BODY, headers=signed())
    (message,) = await messages_of(services, factory)
    await handle_events(services, factory.id, {"messages": json.dumps([str(message.id)])})
    async with PlainBrowser(create_app(services)) as browser:
        await browser.sign_in(factory.logins[Role.FINANCE], PASSWORD)
        assert "not ours" in (await browser.open("/messages?state=unmatched&lang=en")).text
        assert "GWB7K3M9QX" in (await browser.open(f"/messages/{message.id}")).text
        assert "is being worked through again" in (await browser.press("Work through it again")).text
        assert "មិនមែនរបស់យើង" in (await browser.open("/messages?lang=km")).text


async def test_a_status_report_that_the_bank_gave_by_hand_is_worked_through_like_a_message(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, clock: SettableClock, tmp_path: Path
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told)
        await told.work(only=[Job.PREPARE_RUN, Job.SUBMIT_CHUNK])
        async with told.services.database.factory(factory.id) as session:
            account = (await session.scalars(select(ProviderAccount).where(ProviderAccount.kind == "bank_account"))).one()
            dispatch = (await session.scalars(select(Dispatch).order_by(Dispatch.id))).first()
            assert dispatch is not None
            attempts = list(await session.scalars(select(Attempt).where(Attempt.dispatch_id == dispatch.id)))
        report = pain002(dispatch.reference, [attempt.reference for attempt in attempts])
        headers = await bearer(services, factory.finance)

        async def bring(content: bytes) -> httpx.Response:
            form, file = {"provider_account": str(account.id)}, {"file": ("report.xml", content)}
            return await client.post("/api/v1/provider-messages", headers=headers | fresh(), data=form, files=file)

        taken = await bring(report)
        assert (taken.status_code, taken.json()["state"]) == (201, "stored"), taken.text
        again = await bring(report)
        assert (again.status_code, again.json()["code"]) == (409, "report_already_taken")
        wrong = await bring(b"<Document/>")
        assert (wrong.status_code, wrong.json()["code"]) == (422, "report_unreadable")
        shown = (await client.get(f"/api/v1/provider-messages/{taken.json()['id']}", headers=headers)).json()
        assert {said["status"] for said in shown["says"]} == {"paid"}
        await told.work(only=[Job.HANDLE_EVENTS])
        shown = (await client.get(f"/api/v1/provider-messages/{taken.json()['id']}", headers=headers)).json()
        assert shown["state"] == "handled"
        # The file proves nothing: the bank was asked, and its own word counted.
        async with told.services.database.factory(factory.id) as session:
            looked_up = await session.scalar(select(Dispatch.looked_up).where(Dispatch.id == dispatch.id))
        assert looked_up


def pain002(message: str, references: list[str]) -> bytes:
    transactions = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>" for reference in references
    )
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt><GrpHdr><MsgId>R1</MsgId>'
        "<CreDtTm>2026-11-30T09:00:00</CreDtTm></GrpHdr><OrgnlGrpInfAndSts>"
        f"<OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.03</OrgnlMsgNmId><GrpSts>ACSC</GrpSts></OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{message}</OrgnlPmtInfId>{transactions}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()
