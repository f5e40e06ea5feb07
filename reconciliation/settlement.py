"""Payments against a bank statement: every line and every payment gets its verdict, and the parts of a line add up to the line.

A line is matched by our reference, then amount, currency, payee and date are compared; nothing is matched on trust. A line that is not
ours, or makes no sense, is a break of its own and never stops the others. Only dictionary look-ups: the work grows with the lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from operator import itemgetter

from importers.money import Money
from importers.statements.contract import Direction, StatementLine
from reconciliation.contract import ExpectedPayment, SettlementMatch, SettlementVerdict
from reconciliation.settlement_line import Finding, compare, is_charge, is_same_batch, is_same_booking, rank, returns

_Numbered = tuple[int, StatementLine]
_Placed = tuple[int, SettlementMatch]
_MATCHED = frozenset({"matched", "seen", "given_back", "funding"})
_SEEN: Finding = ("seen", "the booking that settled this payment, in another statement", None)
_UNREFERENCED: Finding = (
    "unreferenced",
    "the reference is missing, but payee, amount and date are those of one payment: a person confirms",
    None,
)


class SettlementError(ValueError):
    """The expected payments contradict each other: two bear one reference."""


@dataclass(slots=True)
class _Sorted:
    """The lines of a statement, by what their references name."""

    single: dict[int, list[_Numbered]] = field(default_factory=lambda: defaultdict(list))  # payment -> its lines
    batches: list[tuple[int, StatementLine, list[int]]] = field(default_factory=list)
    foreign: list[_Numbered] = field(default_factory=list)


def _nobody(line: StatementLine) -> bool:
    del line
    return False


def settle(
    payments: Sequence[ExpectedPayment],
    lines: Sequence[StatementLine],
    *,
    account_key: Callable[[str], bytes],
    as_of: date,
    missing_after_days: int = 0,
    late_after_days: int = 3,
    is_funding: Callable[[StatementLine], bool] = _nobody,
) -> tuple[SettlementMatch, ...]:
    """A verdict for every line and for every payment that the statement should show by `as_of`.

    Verdicts come in the order of the lines, then the payments without a line. A payment that was booked and came back in one statement
    gets both verdicts, the return second. A payment executed later than `as_of` less `missing_after_days` is still awaited: no verdict.
    `is_funding` knows the factory's own transfers to the account. Raises SettlementError if two payments bear one reference.
    """
    key = cache(account_key)
    sorted_lines = _sort(payments, lines, _by_reference(payments))
    found: list[tuple[int, SettlementMatch]] = []
    seen: set[int] = set()  # payments that some line names
    paid: set[int] = set()  # payments that some line takes from the account
    for index, own in sorted_lines.single.items():
        told = list(_one_payment(payments[index], own, key, late_after_days))
        found += told
        if any(match.payment_id is not None for _, match in told):  # a charge for it alone shows nothing of the payment itself
            seen.add(index)
            paid.update(index for _, line in own if line.direction is Direction.OUT)
    for position, line, members in sorted_lines.batches:
        found += _batch(position, line, members, payments, paid)
        seen.update(members)
        paid.update(members if line.direction is Direction.OUT else ())
    still_open = [index for index, payment in enumerate(payments) if index not in seen and not payment.already_settled]
    for position, line, named in _unnamed(sorted_lines.foreign, still_open, payments, key, late_after_days):
        if named is None:
            found.append(_verdict(position, line, None, _nobodys(line, is_funding)))
        else:
            found.append(_verdict(position, line, payments[named], _UNREFERENCED))
            seen.add(named)
    found.sort(key=itemgetter(0))
    due = as_of - timedelta(days=missing_after_days)
    missing = (payments[index] for index in still_open if index not in seen and payments[index].executed_on <= due)
    return (*(match for _, match in found), *(_missing(payment) for payment in missing))


def _by_reference(payments: Sequence[ExpectedPayment]) -> dict[str, int]:
    result = {payment.reference: index for index, payment in enumerate(payments)}
    if len(result) != len(payments):
        raise SettlementError(
            f"{len(payments) - len(result)} expected payments bear a reference that another one bears; send each attempt once"
        )
    return result


def _sort(payments: Sequence[ExpectedPayment], lines: Sequence[StatementLine], by_reference: dict[str, int]) -> _Sorted:
    members_of: dict[str, list[int]] = defaultdict(list)
    for index, payment in enumerate(payments):
        if payment.batch_reference is not None:
            members_of[payment.batch_reference].append(index)
    result = _Sorted()
    for position, line in enumerate(lines):
        members = list(dict.fromkeys(by_reference[reference] for reference in line.references if reference in by_reference))
        if not members:
            members = list(dict.fromkeys(index for reference in line.references for index in members_of.get(reference, ())))
        if not members:
            result.foreign.append((position, line))
        elif len(members) == 1:
            result.single[members[0]].append((position, line))
        else:
            result.batches.append((position, line, members))
    return result


def _one_payment(
    payment: ExpectedPayment, own: list[_Numbered], account_key: Callable[[str], bytes], late_after_days: int
) -> Iterator[_Placed]:
    """The verdicts on the lines that name one payment alone."""
    if len(own) == 1 and own[0][1].direction is Direction.OUT and not payment.already_settled and _is_plain(payment, own[0][1]):
        # By far the most common line of all.
        position, line = own[0]
        yield _verdict(position, line, payment, compare(payment, line, account_key, late_after_days))
        return
    out: list[_Numbered] = []
    for position, line in own:
        if line.direction is Direction.IN:
            continue
        if line.is_return:
            yield _verdict(position, line, payment, _reversed(line))
        elif is_charge(line) and line.amount.currency == payment.amount.currency and line.amount.minor < payment.amount.minor:
            yield _verdict(position, line, None, _charge(line, payment))
        else:
            out.append((position, line))
    extra = payment.extra
    for position, line, finding in _outgoing(payment, out, account_key, late_after_days):
        yield _verdict(position, line, payment, finding)
        extra += line.amount.minor if finding[0] == "twice" and line.amount.currency == payment.amount.currency else 0
    for position, line, finding in returns(payment, [numbered for numbered in own if numbered[1].direction is Direction.IN], extra):
        yield _verdict(position, line, payment, finding)


def _is_plain(payment: ExpectedPayment, line: StatementLine) -> bool:
    return not (line.is_return or line.is_charge or payment.booked) and line.amount == payment.amount


def _outgoing(
    payment: ExpectedPayment, out: list[_Numbered], account_key: Callable[[str], bytes], late_after_days: int
) -> Iterator[tuple[int, StatementLine, Finding]]:
    """What the bookings that take money from the account are: the payment, parts of it, or more than it."""
    if payment.already_settled:
        again = {position for position, line in out if is_same_booking(payment, line)}
        for position, line in out:
            yield position, line, _SEEN if position in again and position == min(again) else _twice(payment, line.amount)
    elif out and len(out) + bool(payment.booked) > 1 and _adds_up(payment, out, account_key):
        for position, line in out:
            so_far = " with what left before" if payment.booked else ""
            yield position, line, ("split", f"{line.amount}, one of the parts that make {payment.amount}{so_far}", None)
    elif out:
        best = min(out, key=lambda numbered: (rank(payment, numbered[1], account_key), numbered[0]))[0]
        for position, line in out:
            is_best = position == best
            yield position, line, compare(payment, line, account_key, late_after_days) if is_best else _twice(payment, line.amount)


def _adds_up(payment: ExpectedPayment, out: list[_Numbered], account_key: Callable[[str], bytes]) -> bool:
    """Whether several bookings, each to the right account, together with what left before are exactly the payment."""
    if any(line.amount.currency != payment.amount.currency or not line.amount for _, line in out):
        return False
    own = payment.account_key
    right = all(line.account is None or own is None or account_key(line.account) == own for _, line in out)
    return right and payment.booked + sum(line.amount.minor for _, line in out) == payment.amount.minor


def _batch(
    position: int, line: StatementLine, members: list[int], payments: Sequence[ExpectedPayment], paid: set[int]
) -> Iterator[_Placed]:
    """One booking for several payments: matched when it is exactly their sum, open for a person when it is not."""
    chosen = [payments[index] for index in members]
    currency = line.amount.currency
    same = all(payment.amount.currency == currency for payment in chosen)
    total = sum(payment.amount.minor for payment in chosen) if same else 0
    fee = line.fee.minor if line.fee is not None and line.fee.currency == currency else 0
    if not same or line.amount.minor not in {total, total + fee}:
        of = f"of {Money(total, currency)}" if same else "of another currency"
        finding = (
            "batch",
            f"one booking of {line.amount} for {len(chosen)} payments {of}",
            Money(line.amount.minor - total, currency) if same else None,
        )
        yield _verdict(position, line, None, finding)
        for payment in chosen:
            yield _verdict(position, line, payment, ("batch", finding[1], None), part=Money.zero(currency))
        return
    for index, payment in zip(members, chosen, strict=True):
        if line.direction is Direction.IN:
            finding = ("returned", "came back in one booking with others: pay the worker another way", -payment.amount)
        elif index in paid or (payment.already_settled and not is_same_batch(payment, line)):
            finding = _twice(payment, payment.amount)
        elif payment.already_settled:
            finding = _SEEN
        else:
            finding = ("matched", f"part of one booking for {len(chosen)} payments", None)
        yield _verdict(position, line, payment, finding, part=payment.amount)
    if line.amount.minor != total:
        over = Money(line.amount.minor - total, currency)
        yield _verdict(position, line, None, ("fee", f"the bank booked its fee of {over} with {len(chosen)} payments", over), part=over)


def _unnamed(
    foreign: list[_Numbered],
    still_open: list[int],
    payments: Sequence[ExpectedPayment],
    account_key: Callable[[str], bytes],
    late_after_days: int,
) -> Iterator[tuple[int, StatementLine, int | None]]:
    """Lines without a reference of ours, each with the one open payment that payee, amount and date point at, if there is exactly one."""
    candidates: dict[tuple[bytes, Money], list[int]] = defaultdict(list)
    for index in still_open:
        key = payments[index].account_key
        if key is not None:
            candidates[key, payments[index].amount].append(index)
    for position, line in foreign:
        named: int | None = None
        if candidates and line.account is not None and line.direction is Direction.OUT:
            chosen = candidates.get((account_key(line.account), line.amount), [])
            if len(chosen) == 1 and 0 <= (line.booked_on - payments[chosen[0]].executed_on).days <= late_after_days:
                named = chosen.pop()
        yield position, line, named


def _twice(payment: ExpectedPayment, amount: Money) -> Finding:
    return "twice", f"payment {payment.reference} was booked before: ask the bank to return this", amount


def _reversed(line: StatementLine) -> Finding:
    return "reversed", f"{line.amount} that had come back left again: ask the bank whether the worker has it now", None


def _charge(line: StatementLine, payment: ExpectedPayment) -> Finding:
    return "fee", f"the bank charged {line.amount} for payment {payment.reference} on a line of its own", line.amount


def _nobodys(line: StatementLine, is_funding: Callable[[StatementLine], bool]) -> Finding:
    """What a line is that names no payment of ours."""
    if line.direction is Direction.OUT and is_charge(line):
        return "fee", f"the bank charged {line.amount} on a line of its own", line.amount
    if line.direction is Direction.IN and not line.is_return and is_funding(line):
        return "funding", f"the factory put {line.amount} on this account", None
    return "foreign", f"{line.amount} {line.direction.value} bears no reference of ours", None


def _verdict(
    position: int, line: StatementLine, payment: ExpectedPayment | None, finding: Finding, *, part: Money | None = None
) -> _Placed:
    kind, reason, difference = finding
    return position, SettlementMatch(
        verdict=SettlementVerdict.MATCHED if kind in _MATCHED else SettlementVerdict.BREAK,
        line_index=position,
        payment_id=None if payment is None else payment.payment_id,
        kind=kind,
        reason=reason,
        difference=difference,
        amount=line.amount if part is None else part,
    )


def _missing(payment: ExpectedPayment) -> SettlementMatch:
    when = f"ordered for {payment.executed_on}"
    return SettlementMatch(
        verdict=SettlementVerdict.BREAK,
        line_index=None,
        payment_id=payment.payment_id,
        kind="missing",
        reason=f"payment {payment.reference} of {payment.amount}, {when}, is not on the statement: look it up at the bank",
        difference=-payment.amount,
    )
