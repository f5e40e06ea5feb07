"""A bank that exchanges files, over a real SFTP server on loopback: what a payday meets when a line breaks."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import asyncssh
import pytest

from connectors.faults import FaultKind, FaultPlan
from connectors.payouts import conformance
from connectors.payouts.contract import Connector, Destination, DestinationKind, PayoutBatch, PayoutOrder, PayoutStatus
from connectors.payouts.iso20022 import sftp_under_test
from connectors.payouts.iso20022.config import ConfigError, bank_profiles, read_config
from connectors.payouts.iso20022.connector import build
from connectors.payouts.iso20022.schema_check import read_checked
from connectors.payouts.iso20022.simulated_bank import PHNOM_PENH
from importers.money import USD, Money
from importers.statements.read import read_statement

A, B = "GW1AAAA001", "GW1AAAA002"


def batch(reference: str = "B1", *references: str, holder: str = "Sok Dara 1") -> PayoutBatch:
    to = Destination(kind=DestinationKind.BANK_ACCOUNT, account="000100001", holder=holder)
    orders = [
        PayoutOrder(reference=name, amount=Money(21_000, USD), destination=to, purpose="Wages 2026-11") for name in references or (A, B)
    ]
    return PayoutBatch(reference=reference, orders=orders, execute_on=date(2026, 11, 30))


@contextlib.asynccontextmanager
async def bank(**settings: object) -> AsyncIterator[tuple[Connector, sftp_under_test.FilesRoom, Path]]:
    async with sftp_under_test.under_test(**settings) as (connector, room):
        yield connector, room, room.simulator.root


async def words(connector: Connector, reference: str = "B1") -> list[str]:
    return [one.status.value for one in await connector.look_up(reference, [A, B])]


async def test_the_file_bank_keeps_its_claims() -> None:
    async with sftp_under_test.under_test(batch_size=50) as (connector, room):
        findings = await conformance.check(connector, room)
    assert conformance.report(conformance.failures(findings)) == ""
    assert len(findings) > 40


async def test_a_batch_goes_out_as_one_file_and_comes_back_as_reports_and_a_statement() -> None:
    async with bank() as (connector, room, root):
        assert {one.status for one in await connector.submit(batch())} == {PayoutStatus.ACCEPTED}
        assert [path.name for path in (root / "archive").iterdir()] == ["B1.xml"]
        assert list((root / "in").iterdir()) == []
        assert read_checked((root / "archive" / "B1.xml").read_bytes())[2] == []
        assert await words(connector) == ["paid", "paid"]
        day = datetime.now(UTC).astimezone(PHNOM_PENH).date()
        statement = read_statement(await connector.fetch_statement(day) or b"", file_name="day")
        assert {line.references[0] for line in statement.lines} == {A, B}
        # Each file is read once: what disappears afterwards is still known.
        for path in (root / "out").iterdir():
            path.unlink()
        assert await words(connector) == ["paid", "paid"]
        assert len(await room.journal()) == 2


@pytest.mark.parametrize("fault", [FaultKind.REPLY_LOST_AFTER_ACCEPT, FaultKind.SLOW_ACCEPT])
async def test_a_lost_reply_is_unknown_and_found_by_listing(fault: FaultKind) -> None:
    async with bank() as (connector, room, _):
        await room.play(FaultPlan.at("submit", fault, seconds=room.slow_seconds))
        assert {one.status for one in await connector.submit(batch())} == {PayoutStatus.UNKNOWN}
        assert await words(connector) == ["paid", "paid"]
        again = await connector.submit(batch())
        assert {(one.status, one.code) for one in again} == {(PayoutStatus.UNKNOWN, "duplicate")}
        assert len(await room.journal()) == 2


async def test_half_a_file_is_never_taken_and_may_be_sent_again_under_its_name() -> None:
    async with bank() as (connector, room, root):
        await room.play(FaultPlan.at("submit", FaultKind.HALF_REQUEST))
        assert {one.status for one in await connector.submit(batch())} == {PayoutStatus.UNKNOWN}
        assert await words(connector) == ["not_found", "not_found"]
        assert [path.name for path in (root / "in").iterdir()] == [".B1.xml.part"]
        assert {one.status for one in await connector.submit(batch())} == {PayoutStatus.ACCEPTED}
        assert await words(connector) == ["paid", "paid"]
        assert len(await room.journal()) == 2


async def test_another_host_key_gets_no_byte_and_no_password() -> None:
    async with bank() as (_, room, root):
        stranger = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
        settings = dict(room.settings)
        settings["sftp"] = {**dict(settings["sftp"]), "host_key": stranger}  # type: ignore[call-overload]  # a mapping
        misled = build(settings)
        outcomes = await misled.submit(batch())
        assert {(one.status, one.code) for one in outcomes} == {(PayoutStatus.REJECTED, "not_authorised")}
        assert {one.status for one in await misled.look_up("B1", [A])} == {PayoutStatus.UNKNOWN}
        settings["sftp"] = {**dict(room.settings["sftp"]), "password": "another"}  # type: ignore[call-overload]  # a mapping
        outcomes = await build(settings).submit(batch())
        assert {(one.status, one.code) for one in outcomes} == {(PayoutStatus.REJECTED, "not_authorised")}
        assert list((root / "in").iterdir()) == []


async def test_a_server_that_is_away_took_nothing_and_a_broken_line_is_opened_again() -> None:
    async with bank() as (connector, room, _):
        settings = dict(room.settings)
        settings["sftp"] = {**dict(settings["sftp"]), "port": 9}  # type: ignore[call-overload]  # a mapping
        outcomes = await build(settings).submit(batch())
        assert {(one.status, one.code) for one in outcomes} == {(PayoutStatus.REJECTED, "temporary")}
        await connector.submit(batch())
        await room.play(FaultPlan.at("look_up", FaultKind.RESET_BEFORE_READ))
        assert await words(connector) == ["paid", "paid"]  # one break is repaired by a new connection


async def test_without_an_archive_an_absent_file_proves_nothing() -> None:
    async with bank() as (_, room, _root):
        settings = dict(room.settings)
        settings["sftp"] = {name: value for name, value in dict(settings["sftp"]).items() if name != "archive"}  # type: ignore[call-overload]  # a mapping
        careful = build(settings)
        assert careful.profile.not_found_is_final_after is None
        assert await words(careful) == ["unknown", "unknown"]
        await careful.aclose()


async def test_letters_booking_level_and_address_are_the_banks() -> None:
    settings = {
        "bank_profile": "generic_latin",
        "service_level": "URGP",
        "debtor_address": {"street": "Street 271", "building": "12B", "town": "Phnom Penh", "country": "KH"},
    }
    async with bank(**settings) as (connector, _, root):
        refused = await connector.submit(batch("B0", holder="សុខ ដារា"))
        assert {(one.status, one.code) for one in refused} == {(PayoutStatus.REJECTED, "invalid_order")}
        assert "សុខ" not in refused[0].detail
        await connector.submit(batch("B1", holder="Đặng Thị Hòa"))
        body = (root / "archive" / "B1.xml").read_bytes()
    assert read_checked(body)[2] == []
    for part in (b"pain.001.001.09", b"<Nm>Dang Thi Hoa</Nm>", b"<BtchBookg>true</BtchBookg>", b"<SvcLvl><Cd>URGP</Cd></SvcLvl>",
                 b"<StrtNm>Street 271</StrtNm><BldgNb>12B</BldgNb><TwnNm>Phnom Penh</TwnNm><Ctry>KH</Ctry>"):  # fmt: skip
        assert part in body.replace(b"\n", b"").replace(b"  ", b"")


def test_a_banks_profile_says_where_it_is_from_and_what_nobody_confirmed() -> None:
    for name, profile in bank_profiles().items():
        provenance = dict(profile["provenance"])  # type: ignore[call-overload]  # a table
        assert provenance["source"], name
        assert provenance["unverified"] or provenance["confirmed_by_the_bank"], name
    with pytest.raises(ConfigError, match="bank_profile"):
        read_config({"bank_profile": "nobodys"})
    with pytest.raises(ConfigError, match="needs the settings under sftp"):
        read_config({"transport": "sftp", "debtor_name": "F", "debtor_account": "1", "bank_bic": "ABAAKHPP", "currency": "USD"})
