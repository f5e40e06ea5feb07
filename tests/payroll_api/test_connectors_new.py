"""A connector of somebody else's: begun with one command, in a package of its own, found by its entry point, and it works at once."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.payouts import conformance
from connectors.payouts import conformance_faults as faults
from connectors.payouts.registry import available
from payroll_api.__main__ import main


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A new connector as `pip install` would leave it: the package, and its metadata beside it."""
    folder = tmp_path / "acme"
    assert main(["connectors", "new", "acme_pay", "--to", str(folder)]) == 0
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    metadata = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", "utf-8")
    lines = [
        f"[{group}]\n" + "\n".join(f"{name} = {target}" for name, target in found.items())
        for group, found in project["entry-points"].items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_pay"]:
        del sys.modules[name]


def test_it_is_found_checked_and_keeps_every_claim_as_it_is(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert available()["acme_pay"].package == "acme-pay-connector"
    capsys.readouterr()
    assert main(["connectors", "check", "acme_pay"]) == 0
    told = capsys.readouterr().out
    assert "FAILED" not in told
    assert told.count("ok ") > 40
    assert main(["connectors"]) == 0
    assert "acme-pay-connector" in capsys.readouterr().out
    assert "emplate" not in "".join(path.read_text("utf-8") for path in (package / "acme_pay").glob("*.py"))


def test_a_mistake_in_it_is_found_and_named(package: Path) -> None:
    mapping = package / "acme_pay" / "mapping.py"
    honest = mapping.read_text("utf-8")
    lie = honest.replace('return PayoutStatus.UNKNOWN, answer.code, "the orders', 'return PayoutStatus.REJECTED, answer.code, "the orders')
    assert lie != honest
    mapping.write_text(lie, "utf-8")

    async def check() -> list[conformance.Finding]:
        async with importlib.import_module("acme_pay.under_test").under_test() as (connector, room):
            return await conformance.check(connector, room, scenarios=[faults.open_after_work_was_done])

    assert re.search("FAILED +reply_lost_after_accept", conformance.report(asyncio.run(check())))


def test_orders_can_be_tried_through_it(package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing listens at the address, so nothing is sent, and it says so."""
    assert package.exists()
    config = {"base_url": "http://127.0.0.1:9", "api_key": "very-secret", "callback_secret": "whsec_" + "QUJD" * 8}
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    (tmp_path / "orders.json").write_text(json.dumps([{"kind": "bank_account", "account": "1", "amount": "5", "currency": "USD"}]), "utf-8")
    capsys.readouterr()
    asked = ["--config", str(tmp_path / "config.json"), "--orders", str(tmp_path / "orders.json"), "--json"]
    assert main(["connectors", "try", "acme_pay", *asked]) == 1
    assert json.loads(capsys.readouterr().out)["orders"][0]["last"]["code"] == "temporary"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Acme", "in small letters"),
        ("iso20022", "There is a iso20022 already"),
        ("json", "There is a json already"),
        ("", "in small letters"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(
    name: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["connectors", "new", name, "--to", str(tmp_path / "new")]) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    assert main(["connectors", "new", "acme_pay", "--to", str(tmp_path)]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
