"""Currencies of statements, and whether a statement's balances agree with its lines."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from importers.money import CURRENCIES, Currency, Money, MoneyError
from importers.statements.contract import Direction, StatementLine

# ISO 4217 currencies whose minor unit is not the hundredth; riel are in CURRENCIES, by what circulates.
_EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def currency_of(code: str) -> Currency:
    """Any ISO currency that a bank may write; only those in `importers.money` are ever paid in. Raises MoneyError for no code at all."""
    known = CURRENCIES.get(code)
    if known is not None:
        return known
    if len(code) != 3 or not (code.isascii() and code.isalpha() and code.isupper()):  # noqa: PLR2004 ISO 4217
        raise MoneyError("a currency is three capital letters")
    return Currency(code, _EXPONENTS.get(code, 2), code)


def amount_of(text: str, code: str) -> Money:
    """The amount that stands in a bank message, exactly. Raises MoneyError, also for more decimals than the currency has."""
    currency = currency_of(code)
    whole, _, part = text.partition(".")
    if len(part) == currency.exponent and whole.isdigit() and text.isascii() and (part.isdigit() or not part) and len(text) < 17:  # noqa: PLR2004 all of Money
        return Money(int(whole + part), currency)  # the usual form, three times as fast as by Decimal
    try:
        return Money.of(Decimal(text), currency)
    except InvalidOperation:
        raise MoneyError("not an amount") from None


def check_balances(opening: Money | None, closing: Money | None, lines: Iterable[StatementLine]) -> tuple[str, ...]:
    """A warning with the figures where opening and entries do not make the closing balance; nothing where they do or cannot be compared.

    Not a reason to refuse: a bank's own statements were seen that book today what they value tomorrow.
    """
    if opening is None or closing is None:
        return ()
    if opening.currency != closing.currency:
        return (f"the opening balance is in {opening.currency}, the closing balance in {closing.currency}",)
    own = [line for line in lines if line.amount.currency == opening.currency]
    moved = sum(line.amount.minor if line.direction is Direction.IN else -line.amount.minor for line in own)
    off = closing.minor - opening.minor - moved
    if not off:
        return ()
    reached, gap = Money(opening.minor + moved, opening.currency), Money(off, opening.currency)
    return (f"opening {opening} and the entries make {reached}, the bank states {closing}: {gap} is not explained by entries",)
