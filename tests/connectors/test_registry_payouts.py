"""Which connectors there are, and what an operator reads when one is configured wrongly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from connectors.payouts.observed import ObservedConnector
from connectors.payouts.registry import (
    BUILT_IN,
    BrokenConnectorError,
    ConnectorConfigError,
    UnknownConnectorError,
    available,
    build,
)

WALLET = {
    "base_url": "https://wallet.example",
    "client_id": "factory",
    "api_key": "a-long-api-key",
    "callback_secret": "a-long-callback-secret",
    "debit_party_value": "2000",
}


def third_party(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, target: str, code: str) -> None:
    """An installed package of somebody else, as its metadata and its module."""
    module = target.partition(":")[0]
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[garment_wages.payout_connectors]\n{name} = {target}\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, module, raising=False)


def test_the_projects_own_connectors_are_there_without_installed_metadata() -> None:
    assert {"cash", "gsma_mobile_money", "iso20022"} <= set(available())
    assert available()["cash"].target == BUILT_IN["cash"]


def test_a_connector_comes_observed_and_named_as_asked() -> None:
    connector = build("cash", {})
    assert isinstance(connector, ObservedConnector)
    assert connector.profile.name == "cash"


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownConnectorError, match="cash, gsma_mobile_money"):
        build("wing", {})


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(ConnectorConfigError, match="callback_secret is missing: add it"):
        build("gsma_mobile_money", {key: value for key, value in WALLET.items() if key != "callback_secret"})


def test_a_mistyped_setting_is_named() -> None:
    with pytest.raises(ConnectorConfigError, match="bulck is not a setting of this connector"):
        build("gsma_mobile_money", WALLET | {"bulck": True})


def test_orders_never_travel_without_tls() -> None:
    with pytest.raises(ConnectorConfigError, match=r"base_url: must start with https://"):
        build("gsma_mobile_money", WALLET | {"base_url": "http://wallet.example"})


def test_a_two_step_wallet_may_not_take_not_found_for_final() -> None:
    with pytest.raises(ConnectorConfigError, match="exclude each other"):
        build("gsma_mobile_money", WALLET | {"two_step": True, "not_found_is_final_seconds": 60})


def test_no_value_of_a_wrong_configuration_is_shown() -> None:
    with pytest.raises(ConnectorConfigError) as refused:
        build("gsma_mobile_money", WALLET | {"callback_secret": "hunter2", "read_seconds": "hunter3"})
    assert "callback_secret" in str(refused.value)
    assert "hunter" not in str(refused.value)
    assert refused.value.__cause__ is None


CODE = """
from connectors.payouts.cash.connector import CashConnector
from connectors.payouts.cash.config import CashConfig
import dataclasses

class Mine(CashConnector):
    @property
    def profile(self):
        return dataclasses.replace(super().profile, name="{name}")

def build(config):
    return Mine(CashConfig())
"""


def test_a_third_partys_connector_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    third_party(tmp_path, monkeypatch, "village_bank", "village_bank_gw:build", CODE.format(name="village_bank"))
    assert available()["village_bank"].package == "village_bank_gw"
    assert build("village_bank", {}).profile.name == "village_bank"


def test_a_connector_whose_profile_has_another_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    third_party(tmp_path, monkeypatch, "village_bank", "village_bank_other:build", CODE.format(name="town_bank"))
    with pytest.raises(BrokenConnectorError, match="give both the same name"):
        build("village_bank", {})


def test_nobody_takes_over_the_name_of_our_own_connector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    third_party(tmp_path, monkeypatch, "cash", "hijacked_cash:build", CODE.format(name="cash"))
    with pytest.raises(BrokenConnectorError, match="both declare the payout connector 'cash'"):
        build("cash", {})


def test_a_connector_that_cannot_be_loaded_or_is_none_says_whose_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    third_party(tmp_path, monkeypatch, "broken_bank", "broken_bank_gw:build", "import nothing_like_this")
    with pytest.raises(BrokenConnectorError, match="reinstall the package broken_bank_gw"):
        build("broken_bank", {})
    (tmp_path / "broken_bank_gw.py").write_text("def build(config):\n    return object()\n")
    sys.modules.pop("broken_bank_gw", None)
    with pytest.raises(BrokenConnectorError, match="does not return a Connector"):
        build("broken_bank", {})
