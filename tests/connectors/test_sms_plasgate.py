"""Pay slips go to PlasGate's simulator over real HTTP, and receipts come back to a real listener."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.faults import FaultKind, FaultPlan
from connectors.faulty_server import serving
from connectors.sms.contract import DeliveryStatus, ReceiptRefusedError, SmsMessage, SmsOutcome
from connectors.sms.plasgate.config import PlasGateConfigError
from connectors.sms.plasgate.gateway import PlasGateGateway, build
from connectors.sms.plasgate.simulator import create_app

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
KEYS = {"private_key": "private-key-of-the-factory", "secret": "secret-of-the-factory", "sender": "GARMENT"}
RECEIPT_SECRET = "a secret for receipts"


@dataclass
class Listener:
    """Stands where the service takes receipts."""

    gateway: PlasGateGateway | None = None
    outcomes: list[SmsOutcome] = field(default_factory=list)
    refused: int = 0
    is_down: bool = False
    requests: int = 0

    async def take(self, request: Request) -> Response:
        self.requests += 1
        body = await request.body()
        if self.is_down or self.gateway is None:
            return Response(status_code=503)
        path = f"{request.url.path}?{request.url.query}"
        try:
            self.outcomes += self.gateway.read_receipt(dict(request.headers), body, NOW, path=path)
        except ReceiptRefusedError:
            self.refused += 1
            return Response(status_code=401)
        return Response(status_code=200)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/webhooks/plasgate", self.take, methods=["POST"])])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 a test may look until it is so
            await asyncio.sleep(0.01)


def slips(count: int, *, first: int = 0) -> list[SmsMessage]:
    return [
        SmsMessage(reference=f"SLIP{index}", to=f"+85512{index:05d}9", text=f"ប្រាក់ខែ {index}.៥០$ បានចូលគណនី")
        for index in range(first, first + count)
    ]


def journal_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@contextlib.asynccontextmanager
async def gateway_for(base_url: str, **more: object) -> AsyncIterator[PlasGateGateway]:
    gateway = build({**KEYS, "base_url": base_url, **more})
    try:
        yield gateway
    finally:
        await gateway.aclose()


async def test_300_slips_arrive_and_every_phone_reports(tmp_path: Path) -> None:
    journal = tmp_path / "sms.jsonl"
    listener = Listener()
    async with (
        serving(listener.app()) as ours,
        serving(create_app(journal=journal, private_key=KEYS["private_key"], secret=KEYS["secret"])) as url,
    ):
        settings = {"receipt_url": f"{ours}/webhooks/plasgate", "receipt_secret": RECEIPT_SECRET, "batch_size": 100}
        async with gateway_for(url, **settings) as gateway:
            listener.gateway = gateway
            sent = await gateway.send(slips(300))
            await until(lambda: len(listener.outcomes) == 300)
    assert {outcome.status for outcome in sent} == {DeliveryStatus.SENT}
    assert [outcome.reference for outcome in sent] == [slip.reference for slip in slips(300)]
    assert len({outcome.gateway_reference for outcome in sent}) == 3  # one number for each batch
    assert {outcome.reference for outcome in listener.outcomes} == {slip.reference for slip in slips(300)}
    assert {outcome.status for outcome in listener.outcomes} == {DeliveryStatus.DELIVERED}
    lines = journal_lines(journal)
    assert [(line["reference"], line["to"], line["text"]) for line in lines] == [
        (slip.reference, slip.to, slip.text) for slip in slips(300)
    ]
    assert {line["segments"] for line in lines} == {1}


async def test_one_message_at_a_time_uses_the_single_endpoint_and_single_receipts(tmp_path: Path) -> None:
    journal = tmp_path / "sms.jsonl"
    listener = Listener()
    app = create_app(journal=journal, private_key=KEYS["private_key"], secret=KEYS["secret"], receipts_at_once=1)
    async with serving(listener.app()) as ours, serving(app) as url:
        settings = {"receipt_url": f"{ours}/webhooks/plasgate?factory=7", "receipt_secret": RECEIPT_SECRET, "batch_size": 1}
        async with gateway_for(url, **settings) as gateway:
            listener.gateway = gateway
            sent = await gateway.send(slips(3))
            await until(lambda: len(listener.outcomes) == 3)
    assert [outcome.status for outcome in sent] == [DeliveryStatus.SENT] * 3
    assert [outcome.reference for outcome in listener.outcomes] == ["SLIP0", "SLIP1", "SLIP2"]


async def test_a_phone_out_of_reach_is_reported_as_failed(tmp_path: Path) -> None:
    listener = Listener()
    async with (
        serving(listener.app()) as ours,
        serving(create_app(journal=tmp_path / "sms.jsonl", private_key=KEYS["private_key"], secret=KEYS["secret"])) as url,
        gateway_for(url, receipt_url=f"{ours}/webhooks/plasgate", receipt_secret=RECEIPT_SECRET) as gateway,
    ):
        listener.gateway = gateway
        await gateway.send([SmsMessage(reference="SLIP1", to="+85512404404", text="ប្រាក់ខែ")])
        await until(lambda: len(listener.outcomes) == 1)
    assert (listener.outcomes[0].status, listener.outcomes[0].code) == (DeliveryStatus.FAILED, "undeliverable")


async def test_receipts_wait_for_a_service_that_is_down_and_survive_a_restart_of_the_gateway(tmp_path: Path) -> None:
    journal = tmp_path / "sms.jsonl"
    listener = Listener(is_down=True)
    async with serving(listener.app()) as ours:
        settings = {"receipt_url": f"{ours}/webhooks/plasgate", "receipt_secret": RECEIPT_SECRET}
        async with serving(create_app(journal=journal, private_key=KEYS["private_key"], secret=KEYS["secret"])) as url:
            async with gateway_for(url, **settings) as gateway:
                listener.gateway = gateway
                await gateway.send(slips(20))
            await until(lambda: listener.requests > 0)
        with journal.open("a", encoding="utf-8") as file:
            file.write('{"at": "2026-')  # a crash in the middle of a line
        listener.is_down = False
        async with serving(create_app(journal=journal, private_key=KEYS["private_key"], secret=KEYS["secret"])):
            await until(lambda: len(listener.outcomes) == 20)
        async with serving(create_app(journal=journal, private_key=KEYS["private_key"], secret=KEYS["secret"])):
            await asyncio.sleep(0.1)
    assert len(listener.outcomes) == 20  # taken receipts are not sent again


@pytest.mark.parametrize(
    ("fault", "status", "code", "taken"),
    [
        (FaultKind.REPLY_LOST_AFTER_ACCEPT, DeliveryStatus.UNKNOWN, "connection_lost", 10),
        (FaultKind.SLOW_ACCEPT, DeliveryStatus.UNKNOWN, "timeout", 10),
        (FaultKind.RESET_BEFORE_READ, DeliveryStatus.UNKNOWN, "connection_lost", 0),
        (FaultKind.PARTIAL_BATCH, DeliveryStatus.UNKNOWN, "connection_lost", 5),
        (FaultKind.HTML_INSTEAD, DeliveryStatus.UNKNOWN, "unreadable_answer", 0),
        (FaultKind.EMPTY_ANSWER, DeliveryStatus.UNKNOWN, "unreadable_answer", 10),
        (FaultKind.TRUNCATED_ANSWER, DeliveryStatus.UNKNOWN, "unreadable_answer", 10),
        (FaultKind.SERVER_ERROR, DeliveryStatus.UNKNOWN, "unreadable_answer", 10),
        (FaultKind.UNAVAILABLE, DeliveryStatus.UNKNOWN, "unreadable_answer", 0),
        (FaultKind.REDIRECT_ELSEWHERE, DeliveryStatus.UNKNOWN, "unreadable_answer", 0),
        (FaultKind.TOO_MANY_REQUESTS, DeliveryStatus.FAILED, "temporary", 0),
        (FaultKind.NOT_AUTHORISED, DeliveryStatus.FAILED, "not_authorised", 0),
        (FaultKind.OUT_OF_FUNDS, DeliveryStatus.FAILED, "no_credit", 0),
    ],
)
async def test_trouble_on_the_wire_is_an_outcome_and_never_a_second_message(
    tmp_path: Path, fault: FaultKind, status: DeliveryStatus, code: str, taken: int
) -> None:
    journal = tmp_path / "sms.jsonl"
    plan = FaultPlan.at("submit", fault, seconds=0.6)
    app = create_app(journal=journal, private_key=KEYS["private_key"], secret=KEYS["secret"], faults=plan)
    async with serving(app) as url, gateway_for(url, read_seconds=0.3) as gateway:
        outcomes = await gateway.send(slips(10))
        if fault is FaultKind.SLOW_ACCEPT:
            await asyncio.sleep(0.5)
    assert {(outcome.status, outcome.code) for outcome in outcomes} == {(status, code)}
    assert len(journal_lines(journal)) == taken


async def test_a_gateway_that_is_switched_off_got_nothing() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    async with gateway_for(f"http://127.0.0.1:{port}") as gateway:
        outcomes = await gateway.send(slips(2))
    assert [(outcome.status, outcome.code) for outcome in outcomes] == [(DeliveryStatus.FAILED, "temporary")] * 2


async def test_a_bad_number_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    journal = tmp_path / "sms.jsonl"
    messages = [
        SmsMessage(reference="R1", to="+85512345678", text="ប្រាក់ខែ"),
        SmsMessage(reference="R2", to="012 345 678", text="ប្រាក់ខែ"),
        SmsMessage(reference="R3", to="+85512345679", text=" "),
        SmsMessage(reference="R4", to="+85512345679", text="\ud800"),
        SmsMessage(reference="R5", to="+85512345679", text="a" * 1501),
        SmsMessage(reference="R6", to="+85512345670", text="ប្រាក់ខែ"),
    ]
    async with (
        serving(create_app(journal=journal, private_key=KEYS["private_key"], secret=KEYS["secret"])) as url,
        gateway_for(url) as gateway,
    ):
        outcomes = await gateway.send(messages)
    assert [outcome.code for outcome in outcomes] == [
        None,
        "invalid_message",
        "invalid_message",
        "invalid_message",
        "invalid_message",
        None,
    ]
    assert [outcome.reference for outcome in outcomes] == ["R1", "R2", "R3", "R4", "R5", "R6"]
    assert "345" not in "".join(outcome.detail for outcome in outcomes)
    assert [line["to"] for line in journal_lines(journal)] == ["+85512345678", "+85512345670"]


async def test_the_keys_and_the_wages_reach_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    app = create_app(journal=tmp_path / "sms.jsonl", private_key=KEYS["private_key"], secret=KEYS["secret"])
    async with serving(app) as url, gateway_for(url) as gateway:
        message = slips(1)[0]
        outcomes = await gateway.send([message])
        shown = f"{gateway!r} {outcomes!r} {message!r}"
    assert "POST" in caplog.text  # the request itself is logged
    for secret in (KEYS["private_key"], KEYS["secret"], message.to.removeprefix("+"), message.text):
        assert secret not in caplog.text
        assert secret not in shown


async def test_wages_can_be_hidden_from_the_gateways_reports(tmp_path: Path) -> None:
    journal = tmp_path / "sms.jsonl"
    app = create_app(journal=journal, private_key=KEYS["private_key"], secret=KEYS["secret"])
    async with serving(app) as url, gateway_for(url, masks_reports=True) as gateway:
        await gateway.send([SmsMessage(reference="R1", to="+85512345678", text="Net 210.50$")])
    assert journal_lines(journal)[0]["text"] == "Net 210.50$"


def _gateway() -> PlasGateGateway:
    return build({**KEYS, "receipt_url": "https://pay.example.com/webhooks/plasgate", "receipt_secret": RECEIPT_SECRET})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", b""),
        ("", b"not json"),
        ("", b"[[]]"),
        ("", b'[{"reference": "R1", "message_status": "DELIVRD"}]'),
        ("", b'[{"reference": "R1", "token": "guessed", "message_status": "DELIVRD"}]'),
        ("", '[{"reference": "R1", "token": "ក", "message_status": "DELIVRD"}]'.encode()),
        ("", b'{"reference": "", "token": "", "message_status": "DELIVRD"}'),
        ("/webhooks/plasgate?reference=R1&token=", b'{"message_status": "DELIVRD"}'),
        ("/webhooks/plasgate?" + "a=1&" * 100, b"{}"),
        ("", b"[" + b'{"reference": "R1"},' * 10_001 + b"{}]"),
        ("", b"[" * 100_000),
    ],
)
def test_a_receipt_that_proves_nothing_is_refused(path: str, body: bytes) -> None:
    with pytest.raises(ReceiptRefusedError):
        _gateway().read_receipt({"content-type": "application/json"}, body, NOW, path=path)


async def test_the_token_of_one_slip_says_nothing_about_another(tmp_path: Path) -> None:
    journal = tmp_path / "sms.jsonl"
    app = create_app(journal=journal, private_key=KEYS["private_key"], secret=KEYS["secret"])
    closed = "http://127.0.0.1:9/webhooks/plasgate"
    async with serving(app) as url, gateway_for(url, receipt_url=closed, receipt_secret=RECEIPT_SECRET) as gateway:
        await gateway.send(slips(2))
    first, second = (line["receipt_url"].partition("?")[2] for line in journal_lines(journal))
    swapped = f"/webhooks/plasgate?reference=SLIP1&token={first.partition('token=')[2]}"
    with pytest.raises(ReceiptRefusedError):
        gateway.read_receipt({}, b'{"message_status": "DELIVRD"}', NOW, path=swapped)
    told = gateway.read_receipt({}, b'{"id": "77", "message_status": "DELIVRD"}', NOW, path=f"/webhooks/plasgate?{second}")
    assert told == [SmsOutcome(reference="SLIP1", status=DeliveryStatus.DELIVERED, gateway_reference="77", happened_at=NOW)]


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("DELIVRD", DeliveryStatus.DELIVERED, None),
        ("delivrd", DeliveryStatus.DELIVERED, None),
        ("ESME_ROK", DeliveryStatus.SENT, None),
        ("ENROUTE", DeliveryStatus.SENT, None),
        ("EXPIRED", DeliveryStatus.FAILED, "expired"),
        ("REJECTD", DeliveryStatus.FAILED, "refused"),
        ("ESME_RINVDSTADR", DeliveryStatus.FAILED, "refused"),
        ("UNKNOWN", DeliveryStatus.UNKNOWN, None),
        ("something new", DeliveryStatus.UNKNOWN, None),
    ],
)
async def test_the_networks_words_become_ours(tmp_path: Path, word: str, status: DeliveryStatus, code: str | None) -> None:
    journal = tmp_path / "sms.jsonl"
    app = create_app(journal=journal, private_key=KEYS["private_key"], secret=KEYS["secret"])
    async with serving(app) as url, gateway_for(url, receipt_url="http://127.0.0.1:9/r", receipt_secret=RECEIPT_SECRET) as gateway:
        await gateway.send(slips(1))
    path = journal_lines(journal)[0]["receipt_url"].removeprefix("http://127.0.0.1:9")
    form = {"content-type": "application/x-www-form-urlencoded"}
    outcome = gateway.read_receipt(form, f"id=1&message_status={word.replace(' ', '+')}".encode(), NOW, path=path)[0]
    assert (outcome.status, outcome.code) == (status, code)


@pytest.mark.parametrize(
    "kinds", [[FaultKind.FORGED_EVENT], [FaultKind.DUPLICATE_EVENT], [FaultKind.REORDER_EVENTS], [FaultKind.LOST_EVENT]]
)
async def test_forged_doubled_and_lost_receipts(tmp_path: Path, kinds: Sequence[FaultKind]) -> None:
    listener = Listener()
    plan = FaultPlan.at("event", *kinds)
    app = create_app(journal=tmp_path / "sms.jsonl", private_key=KEYS["private_key"], secret=KEYS["secret"], faults=plan)
    async with (
        serving(listener.app()) as ours,
        serving(app) as url,
        gateway_for(url, receipt_url=f"{ours}/webhooks/plasgate", receipt_secret=RECEIPT_SECRET) as gateway,
    ):
        listener.gateway = gateway
        await gateway.send(slips(5))
        await asyncio.sleep(0.15)
        await gateway.send(slips(5, first=5))
        await until(lambda: any(outcome.reference == "SLIP9" for outcome in listener.outcomes))
    told = [outcome.reference for outcome in listener.outcomes]
    assert len(told) == {FaultKind.DUPLICATE_EVENT: 15, FaultKind.LOST_EVENT: 5}.get(kinds[0], 10)
    assert listener.refused == (kinds[0] is FaultKind.FORGED_EVENT)
    assert {outcome.status for outcome in listener.outcomes} == {DeliveryStatus.DELIVERED}


async def test_wrong_keys_send_nothing(tmp_path: Path) -> None:
    journal = tmp_path / "sms.jsonl"
    app = create_app(journal=journal, private_key="another", secret=KEYS["secret"])
    async with serving(app) as url, gateway_for(url) as gateway:
        outcomes = await gateway.send(slips(1))
    assert outcomes[0].code == "not_authorised"
    assert journal_lines(journal) == []


async def test_a_payday_of_slips_does_not_wait_for_the_simulator(tmp_path: Path) -> None:
    listener = Listener()
    app = create_app(journal=tmp_path / "sms.jsonl", private_key=KEYS["private_key"], secret=KEYS["secret"])
    async with (
        serving(listener.app()) as ours,
        serving(app) as url,
        gateway_for(url, receipt_url=f"{ours}/webhooks/plasgate", receipt_secret=RECEIPT_SECRET) as gateway,
    ):
        listener.gateway = gateway
        started = time.perf_counter()
        await gateway.send(slips(4000))
        await until(lambda: len(listener.outcomes) == 4000)
        taken = time.perf_counter() - started
    assert taken < 8, f"4,000 slips with receipts took {taken:.1f} s"  # aim: 2 s; room for a busy machine


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "private_key"),
        ({**KEYS, "base_url": "http://cloudapi.example.com"}, "must start with https"),
        ({**KEYS, "base_url": "ftp://cloudapi.example.com"}, "full address"),
        ({**KEYS, "sender": "LONGER THAN ELEVEN"}, "sender"),
        ({**KEYS, "receipt_url": "https://pay.example.com/r"}, "receipt_secret"),
        ({**KEYS, "receipt_url": "https://pay.example.com/r", "receipt_secret": "short-secret"}, "receipt_secret"),
        ({**KEYS, "colour": "blue"}, "colour"),
    ],
)
def test_settings_that_cannot_work_are_named(settings: dict[str, object], says: str) -> None:
    with pytest.raises(PlasGateConfigError, match=says) as raised:
        build(settings)
    assert "short-secret" not in str(raised.value)
    assert KEYS["secret"] not in str(raised.value)
