"""Bakong says whether an account exists. It tells no name and pays nothing."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.json_http import read_answer
from connectors.payouts import conformance
from connectors.payouts.bakong.config import BakongConfig
from connectors.payouts.bakong.mapping import is_account_id, judge
from connectors.payouts.bakong.under_test import under_test
from connectors.payouts.contract import Destination, DestinationKind, NameMatch
from connectors.payouts.registry import ConnectorConfigError
from connectors.payouts.registry import build as registered


def account(text: str) -> Destination:
    return Destination(kind=DestinationKind.WALLET, account=text, holder="Sok Dara 1")


async def test_bakong_keeps_its_few_claims_and_pays_nothing() -> None:
    async with under_test() as (connector, provider):
        assert not connector.profile.pays
        findings = await conformance.check(connector, provider)
    assert conformance.report(conformance.failures(findings)) == ""
    assert len(findings) == 14


async def test_even_the_true_holders_name_is_not_confirmed() -> None:
    async with under_test() as (connector, provider):
        said = await connector.check_destination(provider.good(1))
    assert (said.exists, said.name_match, said.holder) == (True, NameMatch.NOT_APPLICABLE, None)


@pytest.mark.parametrize("text", ["000100200", "+85512345678", "sok@dara@aclb", "@aclb", "sok@", "so k@aclb", f"{'s' * 28}@aclb"])
async def test_what_is_no_bakong_id_is_not_even_asked_about(text: str) -> None:
    async with under_test() as (connector, provider):
        assert (await connector.check_destination(account(text))).exists is None
        assert provider.simulator.asked == 0


@given(name=st.from_regex(r"[a-z0-9_.]{1,20}", fullmatch=True), bank=st.from_regex(r"[a-z]{1,10}", fullmatch=True))
def test_a_name_at_a_bank_is_an_id(name: str, bank: str) -> None:
    assert is_account_id(f"{name}@{bank}")
    assert not is_account_id(f"{name}@{bank}@x")
    assert not is_account_id(f"{name}@{bank}{'x' * 32}")


async def test_a_token_that_ran_out_is_renewed_once_for_all_who_ask() -> None:
    async with under_test(read_seconds=5) as (connector, provider):
        provider.simulator.token = "another, since yesterday"
        said = await asyncio.gather(*(connector.check_destination(provider.good(number)) for number in range(8)))
        assert [one.exists for one in said] == [True] * 8
        assert provider.simulator.renewals == 1


async def test_without_the_registered_address_a_token_that_ran_out_is_told_to_people() -> None:
    async with under_test(renew_email=None) as (connector, provider):
        provider.simulator.token = "another, since yesterday"
        said = await connector.check_destination(provider.good(1))
        assert (said.exists, provider.simulator.renewals) == (None, 0)
        assert "renew it" in said.detail
    async with under_test(renew_email="stranger@example.com") as (connector, provider):
        provider.simulator.token = "another, since yesterday"
        assert (await connector.check_destination(provider.good(1))).exists is None


@pytest.mark.parametrize(
    ("status", "content", "exists"),
    [
        (200, b'{"responseCode": 0}', True),
        (200, b'{"responseCode": 1, "errorCode": 11}', False),
        (404, b'{"responseCode": 1, "errorCode": 11}', False),
        (200, b'{"responseCode": 1, "errorCode": 12}', False),
        (500, b'{"responseCode": 1, "errorCode": 11}', None),
        (500, b'{"responseCode": 0}', None),
        (429, b'{"responseCode": 1, "errorCode": 11}', None),
        (200, b'{"responseCode": 1, "errorCode": 9}', None),
        (200, b'{"responseCode": false}', None),
        (200, b'{"responseCode": "0"}', None),
        (404, b"<html>", None),
        (200, b"", None),
    ],
)
def test_only_the_documented_codes_say_yes_or_no(status: int, content: bytes, exists: bool | None) -> None:
    assert judge(read_answer(status, {}, content)).exists is exists


@pytest.mark.parametrize(
    "url", ["https://bakongrelay.com/api", "http://api-bakong.nbc.gov.kh", "https://api-bakong.nbc.gov.kh.example.com"]
)
def test_workers_accounts_are_shown_to_the_national_bank_alone(url: str) -> None:
    with pytest.raises(ConnectorConfigError, match="not shown to a relay"):
        registered("bakong", {"base_url": url, "token": "t" * 20})
    assert BakongConfig(token="t" * 20).read_seconds == 45
