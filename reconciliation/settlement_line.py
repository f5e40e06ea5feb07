"""One statement line beside the payment whose reference it bears: what agrees, and what does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from importers.money import Money
from importers.statements.contract import StatementLine
from reconciliation.contract import ExpectedPayment

Finding = tuple[str, str, Money | None]  # kind, reason, difference
_CHARGE = re.compile(r"\b(fees?|charges?|commissions?)\b|កម្រៃ|សេវា", re.IGNORECASE)


def compare(payment: ExpectedPayment, line: StatementLine, account_key: Callable[[str], bytes], late_after_days: int) -> Finding:
    """What an outgoing line says of its payment. The gravest finding wins: currency, payee, amount, date."""
    if line.amount.currency != payment.amount.currency:
        return "currency", f"ordered {payment.amount}, the bank booked {line.amount}", None
    difference = line.amount - payment.amount
    if not _right_account(payment, line, account_key):
        return "account", f"payment {payment.reference} went to another account than was ordered: stop and ask the bank", difference or None
    if difference:
        return _other_amount(payment, line, difference)
    days = (line.booked_on - payment.executed_on).days
    if 0 <= days <= late_after_days:
        return "matched", "reference, amount, currency and payee agree", None
    return ("early", f"booked {-days} days before its day", None) if days < 0 else ("late", f"booked {days} days after its day", None)


def _other_amount(payment: ExpectedPayment, line: StatementLine, difference: Money) -> Finding:
    if line.fee is not None and line.fee == abs(difference):
        who = "on top of the wage" if difference.minor > 0 else "out of the worker's wage, who is short of it"
        return "fee", f"ordered {payment.amount}, booked {line.amount}: the bank took its fee of {line.fee} {who}", difference
    return "amount", f"ordered {payment.amount}, the bank booked {line.amount}", difference


def rank(payment: ExpectedPayment, line: StatementLine, account_key: Callable[[str], bytes]) -> int:
    """How well a line fits its payment, 0 the best: of several bookings the best one is the payment, the others came twice."""
    wrong_currency = line.amount.currency != payment.amount.currency
    wrong_amount = wrong_currency or line.amount.minor != payment.amount.minor
    return 4 * wrong_currency + 2 * (not _right_account(payment, line, account_key)) + wrong_amount


def is_charge(line: StatementLine) -> bool:
    """Whether the bank calls a line a charge of its own, by its code or in its text."""
    return line.is_charge or _CHARGE.search(line.text) is not None


def is_same_booking(payment: ExpectedPayment, line: StatementLine) -> bool:
    """Whether a line is the booking that settled the payment before, told once more.

    By the bank's own id; where the bank gives none (`#` and a position, which is another in each file), or only a notice told of it (`~`
    before the notice's id), by amount and day, too.
    """
    if payment.settled_entry is None:
        return False
    told = payment.settled_entry.removeprefix("~")
    has_no_id = told.startswith("#") and line.entry.startswith("#")
    if line.entry == told and not has_no_id:
        return True
    is_alike = line.amount == payment.amount and line.booked_on == payment.settled_on
    return is_alike and (has_no_id or told != payment.settled_entry)


def is_same_batch(payment: ExpectedPayment, line: StatementLine) -> bool:
    """Whether one booking for several payments is the one that settled this payment before."""
    told = (payment.settled_entry or "").removeprefix("~")
    return line.entry == told or (told != payment.settled_entry and line.booked_on == payment.settled_on)


def returns(
    payment: ExpectedPayment, back: Sequence[tuple[int, StatementLine]], extra: int = 0
) -> Iterator[tuple[int, StatementLine, Finding]]:
    """What incoming lines with the payment's reference are: the whole wage back, a part, or more than was sent.

    `extra` minor units were booked once too often: they come back first, and the worker keeps her wage. The money's direction decides,
    not the bank's reversal flag, which banks set both ways.
    """
    left = payment.amount.minor - payment.returned
    for position, line in back:
        amount = line.amount
        if amount.currency != payment.amount.currency:
            yield position, line, ("currency", f"ordered {payment.amount}, {amount} came back", None)
        elif 0 < amount.minor <= extra:
            extra -= amount.minor
            yield position, line, ("given_back", f"{amount} of what was booked twice came back; the worker keeps her wage", None)
        elif amount.minor > left:
            over = Money(amount.minor - left, amount.currency)
            yield position, line, ("amount", f"more came back than was sent: {amount}, of which {over} too much", over)
        elif amount.minor == left:
            left = 0
            what = f"{amount}, the rest of {payment.amount}," if payment.amount != amount else f"{amount}"
            yield position, line, ("returned", f"{what} came back: pay the worker another way", -amount)
        else:
            left -= amount.minor
            yield position, line, ("partial_return", f"{amount} of {payment.amount} came back", -amount)


def _right_account(payment: ExpectedPayment, line: StatementLine, account_key: Callable[[str], bytes]) -> bool:
    """Whether the line names the payee's account; a bank that names none is not held to be wrong."""
    return line.account is None or payment.account_key is None or account_key(line.account) == payment.account_key
