"""The factory's own account and the provider's service: balance, heartbeat, and a reversal that a person asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from connectors.json_http import Answer
from connectors.payouts.contract import PayoutOutcome
from connectors.payouts.gsma_mobile_money import mapping
from connectors.payouts.gsma_mobile_money.client import GsmaClient
from connectors.payouts.gsma_mobile_money.config import GsmaConfig
from importers.money import Money

# What can be paid from first; `accountsBalance` is what the published compliance cases write.
_BALANCES = ("availableBalance", "currentBalance", "accountsBalance", "accountBalance")


def own_path(config: GsmaConfig, what: str) -> str:
    """The path of the factory's account, percent-encoded."""
    return f"/accounts/{quote(config.debit_party_key, safe='')}/{quote(config.debit_party_value, safe='')}/{what}"


async def balance(client: GsmaClient, config: GsmaConfig) -> Money | None:
    """What the account can pay now, in the currency that the configuration names; None where that, or the answer, says nothing."""
    money = config.money_of_account
    body = await _object(client, own_path(config, "balance"))
    told = next((body[name] for name in _BALANCES if body.get(name) is not None), None)
    if money is None or body.get("currency", money.code) != money.code:
        return None
    return mapping.read_amount(told, money.code)


async def is_available(client: GsmaClient) -> bool | None:
    """The provider's heartbeat: works (also slowly), does not, or says nothing."""
    status = str((await _object(client, "/heartbeat")).get("serviceStatus", "")).lower()
    return {"available": True, "degraded": True, "unavailable": False}.get(status)


async def ask_reversal(client: GsmaClient, transaction: str, *, reference: str, callback_url: str | None) -> PayoutOutcome:
    """POST /transactions/{reference}/reversals, once. ACCEPTED is "we will see": the money is back when the statement says so."""
    answer = await client.write(
        "POST",
        f"/transactions/{quote(transaction, safe='')}/reversals",
        mapping.compact({"type": "reversal"}),
        correlation_id=mapping.correlation_id(reference, "reversal"),
        callback_url=callback_url,
    )
    status, code, detail = mapping.judge(answer)
    return PayoutOutcome(reference=reference, status=status, code=code, detail=detail)


async def _object(client: GsmaClient, path: str) -> Mapping[str, Any]:
    answer = await client.get(path)
    found = isinstance(answer, Answer) and answer.status == 200 and isinstance(answer.body, Mapping)  # noqa: PLR2004 found
    return answer.body if found and isinstance(answer, Answer) else {}
