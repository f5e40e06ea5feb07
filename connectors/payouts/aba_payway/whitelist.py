"""The whitelist: PayWay pays only accounts that stand in it, and tells whose they are when they are added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.json_http import Answer, NoAnswer
from connectors.payouts import names
from connectors.payouts.aba_payway import mapping
from connectors.payouts.aba_payway.client import PaywayClient
from connectors.payouts.contract import Destination, DestinationCheck, NameMatch

_GOOD = frozenset({"200", "0", "00"})
_KNOWN_ALREADY = "PTL148"
_MISSING = frozenset({"PTL134"})
_UNFIT: Mapping[str, str] = {
    "PTL25": "PayWay does not pay to this class of account",
    "PTL146": "PayWay calls the account number invalid",
    "PTL147": "the account is kept in another currency than the factory's PayWay account",
}


async def add(client: PaywayClient, destination: Destination, unit: str) -> DestinationCheck:
    """Put an account into the whitelist, or enable it where it stands there. `exists` is None where PayWay gave no clear answer."""
    answer = await client.whitelist(destination.account)
    if isinstance(answer, Answer) and mapping.status_code(answer.body) == _KNOWN_ALREADY:
        answer = await client.enable(destination.account)
        if mapping.status_code(answer.body if isinstance(answer, Answer) else None) == _KNOWN_ALREADY:
            return DestinationCheck(exists=True, name_match=NameMatch.NOT_APPLICABLE, detail="in the whitelist; PayWay tells no name again")
    return _read(answer, destination, unit)


def _read(answer: Answer | NoAnswer, destination: Destination, unit: str) -> DestinationCheck:
    if isinstance(answer, NoAnswer):
        return cannot_tell(f"PayWay gave no usable answer ({answer.code}); check again later")
    code = mapping.status_code(answer.body)
    if code in _MISSING:
        return DestinationCheck(exists=False, name_match=NameMatch.NOT_APPLICABLE, detail="ABA knows no such account")
    if code in _UNFIT:
        return cannot_tell(f"{_UNFIT[code]}: ask the worker for another account")
    data = answer.body.get("data") if isinstance(answer.body, Mapping) else None
    if code not in _GOOD or answer.status != 200 or not isinstance(data, Mapping):  # noqa: PLR2004 success
        return cannot_tell(f"PayWay answered {answer.status}, code {code or 'none'}; check again later")
    return _whose(data, destination, unit)


def _whose(data: Mapping[str, Any], destination: Destination, unit: str) -> DestinationCheck:
    if data.get("payee") != destination.account:
        return cannot_tell("PayWay answered about another account; check again later")
    if data.get("currency", unit) != unit:
        return DestinationCheck(exists=True, name_match=NameMatch.NOT_APPLICABLE, detail=_UNFIT["PTL147"])
    if str(data.get("status", 1)) != "1":
        return DestinationCheck(exists=True, name_match=NameMatch.NOT_APPLICABLE, detail="the account is switched off at PayWay")
    holder = data.get("name")
    if not isinstance(holder, str) or not holder.strip():
        return DestinationCheck(exists=True, name_match=NameMatch.NOT_APPLICABLE, detail="PayWay tells no name")
    return DestinationCheck(exists=True, name_match=names.compare(destination.holder, holder), holder=holder)


def cannot_tell(detail: str) -> DestinationCheck:
    """No word on whether the account exists."""
    return DestinationCheck(exists=None, name_match=NameMatch.NOT_APPLICABLE, detail=detail)
