"""Which gateways there are, and a package that brings one of its own."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.sms import console, registry
from connectors.sms.contract import DeliveryStatus, ReceiptRefusedError, SmsMessage
from connectors.sms.plasgate.gateway import PlasGateGateway

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
KEYS = {"private_key": "key", "secret": "secret", "sender": "GARMENT"}

Package = Callable[[str, str, str], None]

GATEWAY = """
class Gateway:
    profile = None
    async def send(self, messages): return []
    def read_receipt(self, headers, body, received_at, *, path=""): return []
    async def aclose(self): pass

def build(config):
    return Gateway()

def build_half(config):
    return object()
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Installs a package with one gateway: its name, its module's text, its entry point."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name: str, text: str, value: str) -> None:
        (tmp_path / f"{value.partition(':')[0]}.py").write_text(text, "utf-8")
        info = tmp_path / f"factory_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: factory-{name}\nVersion: 1.0\n", "utf-8")
        (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{name} = {value}\n", "utf-8")

    return install


def test_ours_are_there_without_any_installation() -> None:
    assert {"console", "plasgate"} <= set(registry.available())
    assert isinstance(registry.build("plasgate", KEYS), PlasGateGateway)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(registry.UnknownGatewayError, match=r"'plasgat'.*console, plasgate"):
        registry.build("plasgat", {})


def test_an_installed_package_adds_a_gateway(package: Package) -> None:
    package("mekong", GATEWAY, "factory_mekong_sms:build")
    assert "mekong" in registry.available()
    assert type(registry.build("mekong", {})).__module__ == "factory_mekong_sms"
    del sys.modules["factory_mekong_sms"]


def test_an_installed_package_cannot_take_our_name(package: Package) -> None:
    package("plasgate", GATEWAY, "factory_impostor_sms:build")
    assert isinstance(registry.build("plasgate", KEYS), PlasGateGateway)


def test_a_package_that_cannot_be_loaded_is_named(package: Package) -> None:
    package("broken", "import a_module_that_is_not_there", "factory_broken_sms:build")
    with pytest.raises(registry.BrokenGatewayError, match=r"'broken'.*factory_broken_sms.*Reinstall"):
        registry.build("broken", {})


def test_half_a_gateway_is_refused(package: Package) -> None:
    package("half", GATEWAY, "factory_half_sms:build_half")
    with pytest.raises(registry.BrokenGatewayError, match="'half' lacks a method"):
        registry.build("half", {})
    del sys.modules["factory_half_sms"]


async def test_the_console_shows_the_text_but_not_the_number() -> None:
    stream = io.StringIO()
    gateway = console.ConsoleGateway(stream)
    outcomes = await gateway.send([SmsMessage(reference="SLIP1", to="+85512345678", text="ប្រាក់ខែ 210.50$")])
    assert [outcome.status for outcome in outcomes] == [DeliveryStatus.DELIVERED]
    assert stream.getvalue() == "SMS SLIP1 to +855 ••• 678 (UCS-2, 1 segments)\nប្រាក់ខែ 210.50$\n\n"
    with pytest.raises(ReceiptRefusedError):
        gateway.read_receipt({}, b"", NOW)


def test_the_console_has_no_settings() -> None:
    with pytest.raises(ValueError, match="remove colour"):
        registry.build("console", {"colour": "blue"})


def test_a_short_number_is_masked_altogether() -> None:
    assert console.masked("1234567") == "•••"
