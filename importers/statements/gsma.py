"""A wallet provider's statement entries (GSMA Mobile Money API 1.1.2, JSON) as a statement."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from importers.money import CURRENCIES, Money, MoneyError
from importers.statements.contract import Direction, Statement, StatementError, StatementLine
from importers.statements.text_references import references_in

PHNOM_PENH = ZoneInfo("Asia/Phnom_Penh")
_RETURN_TYPES = ("reversal", "refund", "return")
_UNBOOKED = frozenset({"pending", "failed", "rejected", "declined", "created", "accepted"})


def read_gsma_statement(data: bytes) -> Statement:
    """The entries of one wallet account: {"account": {"key", "value"}, "day", "statementEntries": [...]} as the connector writes it.

    An entry that cannot be read is left out and named in `warnings` by its position. The API gives no balances. Raises StatementError
    for a document that is no statement.
    """
    document = _document(data)
    account = document["account"]
    own = (str(account.get("key", "")), str(account.get("value", "")))
    day = _day(document.get("day"))
    lines: list[StatementLine] = []
    warnings: list[str] = []
    for position, entry in enumerate(document["statementEntries"], start=1):
        line = _line(entry, own, position)
        if isinstance(line, StatementLine):
            lines.append(line)
        else:
            warnings.append(f"entry {position}: {line}")
    currencies = sorted({line.amount.currency.code for line in lines})
    if len(currencies) > 1:
        warnings.append(f"the account moved in {' and '.join(currencies)}; each line carries its own currency")
    days = sorted({line.booked_on for line in lines})
    if day is None and not days:
        raise StatementError("the wallet statement names no day and holds no entry that can be read; fetch it again")
    return Statement(
        identification=f"gsma {own[0]} {day or days[0]}",
        account=own[1],
        currency=currencies[0] if currencies else "",
        opened_on=day or days[0],
        closed_on=day or days[-1],
        opening=None,
        closing=None,
        lines=tuple(lines),
        warnings=tuple(warnings),
    )


def _document(data: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(data, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise StatementError("the wallet statement is not JSON; fetch it again or ask the provider") from None
    if not isinstance(document, dict) or not isinstance(document.get("statementEntries"), list):
        raise StatementError("the wallet statement has no 'statementEntries' list; upload the file as the connector fetched it")
    if not isinstance(document.get("account"), dict) or not document["account"].get("value"):
        raise StatementError("the wallet statement does not name the factory's account; upload the file as the connector fetched it")
    return document


def _line(entry: object, own: tuple[str, str], position: int) -> StatementLine | str | None:
    """One entry as a line, or why it is none."""
    if not isinstance(entry, Mapping):
        return "is no object"
    state = str(entry.get("transactionStatus", "completed")).lower()
    if state in _UNBOOKED:
        return f"is not booked ({state}) and is left out"
    amount = _amount(entry)
    booked = _moment(entry.get("creationDate") or entry.get("dateCreated") or entry.get("modificationDate") or entry.get("dateModified"))
    if amount is None or booked is None:
        return "has no amount, currency or date that can be read; compare with the provider's own page"
    debit, credit = _parties(entry.get("debitParty")), _parties(entry.get("creditParty"))
    if (own in debit) == (own in credit):
        return "names the factory's account on neither or on both sides; ask the provider"
    out = own in debit
    kind = str(entry.get("displayType", "")).lower()
    text = str(entry.get("descriptionText", ""))
    told = entry.get("requestingOrganisationTransactionReference")
    references = [told] if isinstance(told, str) and told else []
    references += [found for found in references_in(text) if found not in references]
    others = [value for _, value in (credit if out else debit)]
    return StatementLine(
        entry=str(entry.get("transactionReference") or position),
        direction=Direction.OUT if out else Direction.IN,
        amount=amount,
        booked_on=booked.astimezone(PHNOM_PENH).date(),
        references=tuple(references),
        account=others[0] if others else None,
        is_return=not out and any(word in kind for word in _RETURN_TYPES),
        text=text,
    )


def _amount(entry: Mapping[str, Any]) -> Money | None:
    money = CURRENCIES.get(str(entry.get("currency")))
    value = entry.get("amount")
    if money is None or isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        amount = Money.of(value, money)
    except MoneyError:
        return None
    return amount if amount.minor >= 0 else None


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _parties(value: object) -> list[tuple[str, str]]:
    """The identifiers of one side, as (key, value)."""
    listed = value if isinstance(value, list) else []
    return [(str(party.get("key", "")), str(party.get("value", ""))) for party in listed if isinstance(party, Mapping)]
