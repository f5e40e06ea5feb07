"""`payroll connectors try`: an engineer sends real orders to an address and reads what became of each."""

from __future__ import annotations

import importlib
import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connectors.faults import FaultKind, FaultPlan
from connectors.payouts.simulated_room import SimulatedRoom
from importers.money import USD, Money
from payroll_api.__main__ import parser
from payroll_api.commands.connectors import connectors

SIMULATED = ("aba_payway", "gsma_mobile_money", "iso20022")


async def run(*arguments: object) -> int:
    answer = connectors(parser().parse_args(["connectors", "try", *map(str, arguments)]))
    return await answer if isinstance(answer, Awaitable) else answer


def order(to: Any, amount: str = "15.20", **changes: Any) -> dict[str, Any]:
    return {"kind": to.kind.value, "account": to.account, "holder": to.holder, "amount": amount, "currency": "USD"} | changes


def written(folder: Path, room: SimulatedRoom, *orders: dict[str, Any], **more: Any) -> list[object]:
    (folder / "config.json").write_text(json.dumps(room.settings), "utf-8")
    (folder / "orders.json").write_text(json.dumps({"orders": orders} | more), "utf-8")
    return ["--config", folder / "config.json", "--orders", folder / "orders.json", "--poll", "0.05", "--wait", "20"]


@pytest.mark.parametrize("name", SIMULATED)
async def test_orders_are_paid_and_told_with_the_callbacks_and_the_wire(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bring = importlib.import_module(f"connectors.payouts.{name}.under_test").under_test
    async with bring() as (connector, room):
        del connector
        checks = [{"kind": room.good(1).kind.value, "account": room.good(1).account, "holder": room.good(1).holder}]
        asked = written(tmp_path, room, order(room.good(1)), order(room.good(2), "18.05", reference="TR5ABCDEFGH"), checks=checks)
        status = await run(name, *asked, "--json", "--trace", tmp_path / "wire.jsonl")
        journal = await room.journal()
    report = json.loads(capsys.readouterr().out)
    assert (status, report["exit"]) == (0, 0)
    assert [one["status"] for one in report["orders"]] == ["paid", "paid"]
    assert report["orders"][1]["reference"] == "TR5ABCDEFGH"
    assert sorted(line.amount for line in journal) == [Money(1_520, USD), Money(1_805, USD)]
    assert (report["checks"][0]["exists"], report["checks"][0]["name_match"]) == (True, "MTCH")
    trace = (tmp_path / "wire.jsonl").read_text("utf-8")
    lines = [json.loads(line) for line in trace.splitlines()]
    assert {line["direction"] for line in lines} >= {"out"}
    secrets = [str(value) for key, value in room.settings.items() if any(word in key for word in ("secret", "key", "credential"))]
    secrets = [text for text in secrets if "PUBLIC" not in text]
    people = [room.good(1).account, room.good(1).holder, room.good(2).account.removeprefix("+")]
    assert secrets
    assert not [hidden for hidden in [*secrets, *people] if hidden in trace or hidden in json.dumps(report)]


async def test_by_callbacks_alone_the_provider_is_asked_only_after_it_called(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from connectors.payouts.gsma_mobile_money.under_test import under_test  # noqa: PLC0415 the others are loaded by name, too

    async with under_test() as (_connector, room):
        asked = written(tmp_path, room, order(room.good(1)))
        assert await run("gsma_mobile_money", *asked, "--by", "callbacks", "--json", "--trace", tmp_path / "wire.jsonl") == 0
        report = json.loads(capsys.readouterr().out)
        assert [one["verdict"] for one in report["callbacks"]] == ["read"]
        lines = [json.loads(line) for line in (tmp_path / "wire.jsonl").read_text("utf-8").splitlines()]
        assert [line["direction"] for line in lines][:2] == ["out", "in"]
        room.simulator.faults = FaultPlan.at("event", FaultKind.LOST_EVENT)
        (tmp_path / "orders.json").write_text(json.dumps([order(room.good(1))]), "utf-8")
        assert await run("gsma_mobile_money", *asked[:-1], "0.5", "--by", "callbacks", "--json") == 3
        assert [one["status"] for one in json.loads(capsys.readouterr().out)["orders"]] == ["accepted"]


async def test_a_refused_order_an_unknown_one_and_a_forged_callback_are_each_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from connectors.payouts.gsma_mobile_money.under_test import under_test  # noqa: PLC0415 the others are loaded by name, too

    async with under_test() as (_connector, room):
        asked = written(tmp_path, room, order(room.good(1)), order(room.unknown()), order(room.good(2), "5000000"))
        room.simulator.faults = FaultPlan.at("event", FaultKind.FORGED_EVENT)
        assert await run("gsma_mobile_money", *asked, "--json") == 1
        report = json.loads(capsys.readouterr().out)
        assert [one["last"]["code"] for one in report["orders"]] == [None, "account_unknown", "limit_exceeded"]
        asked = written(tmp_path, room, order(room.good(3)))
        room.simulator.faults = FaultPlan.at("submit", FaultKind.REPLY_LOST_AFTER_ACCEPT)
        assert await run("gsma_mobile_money", *asked) == 0
        told = capsys.readouterr().out
    assert "unknown > paid" in told or "unknown > accepted > paid" in told
    assert "5512" not in told


async def test_cash_waits_for_a_person_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text('title = "Cash desk"\n', "utf-8")
    (tmp_path / "orders.json").write_text(json.dumps([{"kind": "cash", "account": "W1", "amount": "210", "currency": "USD"}]), "utf-8")
    assert await run("cash", "--config", tmp_path / "config.toml", "--orders", tmp_path / "orders.json") == 3
    assert "a person confirms" in capsys.readouterr().out


async def test_the_schema_says_what_orders_may_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("--schema") == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    good = {"orders": [{"kind": "wallet", "account": "+85512345678", "amount": "15.20", "currency": "USD"}]}
    Draft202012Validator(schema).validate(good)
    assert not Draft202012Validator(schema).is_valid({"orders": [{"kind": "wallet", "account": "+85512345678", "amount": 15.2}]})


_WALLET = {
    "base_url": "http://127.0.0.1:9",
    "client_id": "c",
    "api_key": "very-secret-key",
    "callback_secret": "very-secret-callback",
    "debit_party_value": "1",
}
_ORDER = {"kind": "wallet", "account": "+85512345678", "holder": "Keo Bopha", "amount": "15.20", "currency": "USD"}


@pytest.mark.parametrize(
    ("config", "orders", "more", "sentence"),
    [
        (None, [_ORDER], [], "config.json: it cannot be read (No such file or directory)"),
        ("{not json", [_ORDER], [], "config.json: it is not valid JSON, line 1"),
        ("[1]", [_ORDER], [], "must hold one object of settings"),
        (json.dumps(_WALLET | {"base_url": "http://example.com"}), [_ORDER], [], "base_url: must start with https://"),
        (json.dumps(_WALLET | {"colour": "red"}), [_ORDER], [], "colour is not a setting of this connector"),
        (json.dumps({}), [_ORDER], [], "base_url is missing: add it"),
        (json.dumps(_WALLET), [_ORDER | {"amount": "much"}], [], "orders.0.amount string should match pattern"),
        (json.dumps(_WALLET), [{"kind": "wallet"}], [], "orders.0.account is missing: add it"),
        (json.dumps(_WALLET), [_ORDER | {"currency": "EUR"}], [], "orders.0: currency 'EUR' is not supported"),
        (json.dumps(_WALLET), [_ORDER | {"reference": "A1"}] * 2, [], "two orders have the same reference"),
        (json.dumps(_WALLET), [_ORDER], ["--listen", "nonsense:port"], "--listen nonsense:port: write an address and a port"),
        (json.dumps(_WALLET), [_ORDER], ["--trace", "/no/such/folder/x"], "--trace /no/such/folder/x: it cannot be written"),
    ],
)
async def test_what_is_wrong_is_told_in_a_sentence_without_a_secret_and_nothing_is_sent(
    config: str | None, orders: Any, more: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config, "utf-8")
    (tmp_path / "orders.json").write_text(json.dumps(orders), "utf-8")
    asked = ["gsma_mobile_money", "--config", tmp_path / "config.json", "--orders", tmp_path / "orders.json", *more]
    assert await run(*asked) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert await run(*asked, "--json") == 2
    refused = json.loads(capsys.readouterr().out)["refused"]
    assert not [hidden for hidden in ("very-secret", "Bopha", "12345678") if hidden in told + refused]


async def test_a_connector_that_is_not_there_is_named_with_those_that_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    (tmp_path / "orders.json").write_text("[]", "utf-8")
    assert await run("acme", "--config", tmp_path / "config.json", "--orders", tmp_path / "orders.json") == 2
    assert "use one of aba_payway" in capsys.readouterr().err


async def test_a_file_for_a_portal_waits_for_people_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bring = importlib.import_module("connectors.payouts.bank_file.under_test").under_test
    async with bring() as (_, room):
        status = await run("bank_file", *written(tmp_path, room, order(room.good(1))), "--json")
    (told,) = json.loads(capsys.readouterr().out)["orders"]
    assert (status, told["status"]) == (3, "accepted")
    assert "portal" in told["submitted"]["detail"]


async def test_a_provider_that_only_checks_accounts_is_asked_without_an_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bring = importlib.import_module("connectors.payouts.bakong.under_test").under_test
    async with bring() as (_, room):
        known, unknown = (
            {"kind": "bank_account", "account": account, "holder": "SOK DARA"} for account in (room.account(1), "nobody@aclb")
        )
        status = await run("bakong", *written(tmp_path, room, checks=[known, unknown]), "--json")
    report = json.loads(capsys.readouterr().out)
    assert (status, [one["exists"] for one in report["checks"]]) == (0, [True, False])
    assert report["orders"] == []
