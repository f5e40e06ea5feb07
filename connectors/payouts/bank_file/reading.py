"""Read the bank's result file: one word for each payment, with account and amount compared; what does not fit is told by its row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace

from connectors.payouts.bank_file.layout import Layout, ResultLayout, folded
from connectors.payouts.contract import FileResult, PayoutOrder, PayoutOutcome, PayoutStatus
from connectors.payouts.names import same_account
from importers.money import Money, MoneyError

_SEARCHED_ROWS = 60
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


def read(rows: Sequence[Sequence[str]], orders: Sequence[PayoutOrder], layout: Layout) -> FileResult:
    """The outcomes of these orders, and what is strange about the file. An order that it does not name has none.

    An order that stands twice with two different words, or beside another account or amount, is UNKNOWN: people ask the bank.
    """
    result = layout.result
    found = _header(rows, result)
    if found is None:
        wanted = ", ".join(name for name in (result.reference, result.status, result.account, result.amount) if name)
        return FileResult(outcomes=(), problems=(f"no row has the headers {wanted}: is this the result file of this bank?",))
    header, columns = found
    by_reference = {order.reference: order for order in orders}
    outcomes: dict[str, PayoutOutcome] = {}
    problems: list[str] = []
    for number, row in enumerate(rows[header + 1 :], start=header + 2):
        values = {name: row[place].strip() if place < len(row) else "" for name, place in columns.items()}
        if not values["reference"] or not values["status"]:
            continue  # a total, a signature, a blank line
        order = by_reference.get(values["reference"].lstrip("'"))
        if order is None:
            problems.append(f"row {number}: names a payment that is not in this file")
            continue
        outcome = _outcome(order, values, result, number, problems)
        earlier = outcomes.get(order.reference)
        if earlier is not None and (earlier.status, earlier.code) != (outcome.status, outcome.code):
            problems.append(f"row {number}: the payment stands twice, with two different words")
            outcome = replace(outcome, status=PayoutStatus.UNKNOWN, code="other", detail="the bank's result file names it twice")
        outcomes[order.reference] = outcome
    missing = len(by_reference) - len(outcomes)
    if missing:
        problems.append(f"{missing} payments of this file are not in the result file: they stay open")
    return FileResult(outcomes=tuple(outcomes.values()), problems=tuple(problems))


def _header(rows: Sequence[Sequence[str]], result: ResultLayout) -> tuple[int, Mapping[str, int]] | None:
    """The header row and where each thing stands; every header that the layout names must be there, once."""
    named = {name: getattr(result, name) for name in ("reference", "status", "account", "amount", "currency", "reason")}
    needed = {name: folded(header) for name, header in named.items() if header is not None}
    for index, row in enumerate(rows[:_SEARCHED_ROWS]):
        cells = [folded(cell) for cell in row]
        places = {name: cells.index(header) for name, header in needed.items() if cells.count(header) == 1}
        if len(places) == len(needed):
            return index, places
    return None


def _outcome(order: PayoutOrder, values: Mapping[str, str], result: ResultLayout, number: int, problems: list[str]) -> PayoutOutcome:
    fates = {folded(word): fate for word, fate in result.words.items()}
    fate = fates.get(folded(values["status"]))
    account = values.get("account", "").lstrip("'") or None
    amount = _amount(values, order)
    if "account" in values and (account is None or not same_account(order.destination.account, account)):
        problems.append(f"row {number}: another account than was sent")
        return _unknown(order, "payee_differs", "the bank's result file names another account; ask the bank")
    if "amount" in values and amount != order.amount:
        problems.append(f"row {number}: another amount than was sent")
        return _unknown(order, "amount_differs", "the bank's result file states another amount; ask the bank")
    if fate is None:
        problems.append(f"row {number}: the bank's word is not in the layout; add it to result.words")
        return _unknown(order, "unreadable_answer", "the bank's word is not known; ask the bank")
    reasons = {folded(reason): code for reason, code in result.reasons.items()}
    is_bad = fate in {"rejected", "returned"}
    code = reasons.get(folded(values.get("reason", "")), "other") if is_bad else None
    return PayoutOutcome(reference=order.reference, status=PayoutStatus(fate), code=code, amount=amount, detail="by the bank's result file")


def _amount(values: Mapping[str, str], order: PayoutOrder) -> Money | None:
    text = unicodedata.normalize("NFKC", values.get("amount", "")).replace(",", "").replace(" ", "").lstrip("'")
    text = text.removeprefix("$").removeprefix("៛").removesuffix("៛").removesuffix("USD").removesuffix("KHR")
    unit = values.get("currency") or order.amount.currency.code
    if not _AMOUNT.fullmatch(text) or folded(unit) != folded(order.amount.currency.code):
        return None
    try:
        return Money.of(text.rstrip("0").rstrip(".") if "." in text else text, order.amount.currency)
    except MoneyError:
        return None


def _unknown(order: PayoutOrder, code: str, detail: str) -> PayoutOutcome:
    return PayoutOutcome(reference=order.reference, status=PayoutStatus.UNKNOWN, code=code, detail=detail)
