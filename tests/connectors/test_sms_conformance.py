"""The conformance examination passes our gateways and finds what is wrong with bad ones."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.faulty_server import serving
from connectors.sms import conformance
from connectors.sms.console import ConsoleGateway
from connectors.sms.contract import DeliveryStatus, SmsMessage, SmsOutcome, SmsProfile
from connectors.sms.plasgate.gateway import build
from connectors.sms.plasgate.simulator import create_app

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
NUMBERS = ["+85512345678", "+85512345679"]


async def test_plasgate_keeps_every_promise(tmp_path: Path) -> None:
    journal = tmp_path / "sms.jsonl"
    app = create_app(journal=journal, private_key="key", secret="secret")

    async def phone() -> Sequence[tuple[str, str]]:
        return [(line["to"], line["text"]) for line in map(json.loads, journal.read_text("utf-8").splitlines())]

    async with serving(app) as address:
        keys = {"private_key": "key", "secret": "secret", "sender": "GARMENT", "receipt_url": "http://127.0.0.1:9/r"}
        gateway = build({**keys, "base_url": address, "receipt_secret": "a secret for receipts", "batch_size": 40})
        assert await conformance.examine(gateway, numbers=NUMBERS, prefix="T1", now=NOW, phone=phone) == []
    assert await conformance.examine_unreachable(gateway, number=NUMBERS[0], prefix="T2") == []
    await gateway.aclose()


class BadGateway(ConsoleGateway):
    """Breaks one promise after the other."""

    def __init__(self, *faults: str) -> None:
        super().__init__(io.StringIO())
        self.faults = faults
        self.arrived: list[tuple[str, str]] = []

    @property
    def profile(self) -> SmsProfile:
        if "profile" in self.faults:
            return SmsProfile(name="Bad gateway", title=" ", batch_size=0, has_receipts=False)
        return SmsProfile(name="bad", title="Bad", batch_size=3, has_receipts=True)

    async def send(self, messages: Sequence[SmsMessage]) -> Sequence[SmsOutcome]:
        if "raises" in self.faults:
            raise TimeoutError
        text = [message.text.replace("្", "") if "mangles" in self.faults else message.text for message in messages]
        arrived = [(message.to, sent) for message, sent in zip(messages, text, strict=True)]
        self.arrived += arrived * 2 if "doubles" in self.faults else arrived
        outcomes = [
            SmsOutcome(
                reference=message.reference,
                status=DeliveryStatus.FAILED if "fails" in self.faults else DeliveryStatus.SENT,
                code="E17" if "codes" in self.faults else None,
                detail=f"sent to {message.to}" if "tells" in self.faults else "",
            )
            for message in messages
        ]
        return outcomes[1:] if "short" in self.faults else outcomes

    def read_receipt(self, headers: Mapping[str, str], body: bytes, received_at: datetime, *, path: str = "") -> Sequence[SmsOutcome]:
        if "crashes" in self.faults:
            json.loads(body)
        if "believes" in self.faults:
            return [SmsOutcome(reference="R1", status=DeliveryStatus.DELIVERED)]
        return super().read_receipt(headers, body, received_at, path=path)

    async def phone(self) -> Sequence[tuple[str, str]]:
        return self.arrived


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        ("profile", "a batch size"),
        ("short", "one outcome for each message, in order"),
        ("codes", "codes are ours"),
        ("fails", "a failure has a code"),
        ("tells", "no personal data in an outcome"),
        ("doubles", "each message is sent once"),
        ("mangles", "what is sent arrives unchanged"),
        ("crashes", "a strange receipt is refused"),
        ("believes", "a receipt is verified"),
    ],
)
async def test_each_broken_promise_is_found(fault: str, promise: str) -> None:
    gateway = BadGateway(fault)
    findings = await conformance.examine(gateway, numbers=NUMBERS, prefix="T1", now=NOW, phone=gateway.phone)
    assert promise in {finding.promise for finding in findings}
    assert all(finding.remedy for finding in findings)


async def test_a_gateway_that_is_honest_has_no_findings() -> None:
    gateway = BadGateway()
    assert await conformance.examine(gateway, numbers=NUMBERS, prefix="T1", now=NOW, phone=gateway.phone) == []


@pytest.mark.parametrize(
    ("fault", "promise"), [("raises", "trouble on the wire is an outcome"), ("", "nothing is sent without the provider")]
)
async def test_a_gateway_that_handles_trouble_badly_is_found(fault: str, promise: str) -> None:
    findings = await conformance.examine_unreachable(BadGateway(fault), number=NUMBERS[0], prefix="T1")
    assert [finding.promise for finding in findings] == [promise]
