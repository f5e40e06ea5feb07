"""ABA PayWay's list of transactions (JSON, as the connector fetches it) as a statement.

The list states neither balances nor whose account a payout went to. What it holds besides payouts is what customers paid in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from importers.money import CURRENCIES, Money, MoneyError
from importers.statements.contract import Direction, Statement, StatementError, StatementLine

MARK = b'"payway_merchant"'
# How PayWay names what customers paid; everything else left the merchant's account. The list of such names is not complete in public.
_PAID_IN = ("aba pay", "abapay", "khqr", "alipay", "wechat", "visa", "mastercard", "jcb", "upi", "card")
_BOOKED, _TAKEN_BACK = "APPROVED", "REFUNDED"


def read_payway_statement(data: bytes) -> Statement:
    """The transactions of one merchant and day. What cannot be read, or was never booked, is named in `warnings` by its position.

    Raises StatementError for a document that is no such list.
    """
    document = _document(data)
    day = document["day"]
    lines: list[StatementLine] = []
    warnings: list[str] = []
    for position, entry in enumerate(document["transactions"], start=1):
        found = list(_lines(entry)) if isinstance(entry, Mapping) else ["is no object"]
        lines += [line for line in found if isinstance(line, StatementLine)]
        warnings += [f"transaction {position}: {said}" for said in found if isinstance(said, str)]
    return Statement(
        identification=f"payway {document['payway_merchant']} {day}",
        account=str(document["payway_merchant"]),
        currency=str(document.get("currency", "")),
        opened_on=day,
        closed_on=day,
        opening=None,
        closing=None,
        lines=tuple(lines),
        warnings=tuple(warnings),
    )


def _document(data: bytes) -> dict[str, Any]:
    remedy = "upload the file as the connector fetched it"
    try:
        document = json.loads(data, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise StatementError(f"PayWay's list is not JSON; {remedy}") from None
    if not isinstance(document, dict) or not isinstance(document.get("transactions"), list) or not document.get("payway_merchant"):
        raise StatementError(f"PayWay's list has no 'transactions' or names no merchant; {remedy}")
    try:
        return document | {"day": date.fromisoformat(str(document.get("day")))}
    except ValueError:
        raise StatementError(f"PayWay's list names no day; {remedy}") from None


def _lines(entry: Mapping[str, Any]) -> Iterator[StatementLine | str]:
    """The bookings of one transaction, or why there is none."""
    state = str(entry.get("payment_status")).upper()
    if state not in {_BOOKED, _TAKEN_BACK}:
        yield "is not booked and is left out"
        return
    amount = _amount(entry.get("total_amount", entry.get("payment_amount")), entry)
    booked, reference = _day(entry.get("transaction_date")), entry.get("transaction_id")
    if amount is None or booked is None or not isinstance(reference, str) or not reference:
        yield "has no amount, date or id that can be read; compare with PayWay's own page"
        return
    paid_in = str(entry.get("payment_type", "")).lower().startswith(_PAID_IN)
    line = StatementLine(
        entry=str(entry.get("bank_ref") or entry.get("apv") or reference),
        direction=Direction.IN if paid_in else Direction.OUT,
        amount=amount,
        booked_on=booked,
        references=(reference,),
        text=str(entry.get("payment_type", "")),
    )
    yield line
    if state == _TAKEN_BACK and not paid_in:
        back = _amount(entry.get("refund_amount"), entry) or amount
        yield StatementLine(
            entry=f"{line.entry}R",
            direction=Direction.IN,
            amount=back,
            booked_on=booked,
            references=(reference,),
            is_return=True,
            text=line.text,
        )


def _amount(value: object, entry: Mapping[str, Any]) -> Money | None:
    money = CURRENCIES.get(str(entry.get("original_currency") or entry.get("payment_currency")))
    if money is None or isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        amount = Money.of(value, money)
    except MoneyError:
        return None
    return amount if amount.minor > 0 else None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
