"""Money as integer minor units with a currency that carries its exponent. No float ever touches it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from typing import Self

# numeric(38) in PostgreSQL would hold more; a wage beyond this is a typing error, and bigint columns stay safe.
LARGEST_MINOR = 10**15


class MoneyError(ValueError):
    """An amount that cannot be money: wrong currency, too many decimals, not a number, or out of range."""


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 currency; `exponent` is the number of decimals that circulate (USD 2, KHR 0)."""

    code: str
    exponent: int
    sign: str

    def __str__(self) -> str:
        return self.code


USD = Currency("USD", 2, "$")
KHR = Currency("KHR", 0, "៛")
CURRENCIES = {currency.code: currency for currency in (USD, KHR)}


def currency(code: str) -> Currency:
    """The currency with this ISO code. Raises MoneyError for one that is not paid in here."""
    try:
        return CURRENCIES[code]
    except KeyError:
        raise MoneyError(f"currency {code!r} is not supported; use one of {', '.join(sorted(CURRENCIES))}") from None


class Rounding(enum.Enum):
    """The named rules by which an exact amount becomes whole minor units."""

    HALF_UP = ROUND_HALF_UP
    HALF_EVEN = ROUND_HALF_EVEN
    IN_FAVOUR_OF_WORKER = ROUND_CEILING
    DOWN = ROUND_FLOOR

    def to_int(self, exact: Fraction | Decimal | int) -> int:
        """`exact` as a whole number by this rule, without passing through a float."""
        value = Fraction(exact)
        floor, rest = divmod(value.numerator, value.denominator)
        if not rest or self is Rounding.DOWN:
            return floor
        if self is Rounding.IN_FAVOUR_OF_WORKER:
            return floor + 1
        twice = 2 * rest
        if twice != value.denominator:
            return floor + (twice > value.denominator)
        if self is Rounding.HALF_EVEN:
            return floor + floor % 2
        return floor + (floor >= 0)  # half up is away from zero, as a clerk rounds


@dataclass(frozen=True, slots=True, init=False)
class Money:
    """An exact amount: `minor` whole minor units (cents, riel) of `currency`."""

    minor: int
    currency: Currency

    def __init__(self, minor: int, currency: Currency) -> None:
        if type(minor) is not int:
            raise MoneyError(f"minor units must be an int, not {type(minor).__name__}")
        if not -LARGEST_MINOR <= minor <= LARGEST_MINOR:
            raise MoneyError(f"amount out of range: {minor} minor units of {currency}")
        # A payroll makes millions of them: the slots are filled at once, as the generated way would by two calls of setattr.
        _set_minor(self, minor)
        _set_currency(self, currency)

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: Currency) -> Self:
        """`amount` in major units, exactly. Raises MoneyError if it has more decimals than the currency."""
        try:
            value = Decimal(amount)
            scaled = value.scaleb(currency.exponent) if value.is_finite() else None
        except InvalidOperation:
            scaled = None
        if scaled is None:
            raise MoneyError(f"{amount!r} is not an amount")
        if scaled != scaled.to_integral_value():
            raise MoneyError(f"{amount} has more decimals than {currency} allows ({currency.exponent})")
        return cls(int(scaled), currency)

    @classmethod
    def zero(cls, currency: Currency) -> Self:
        """Nothing, in `currency`."""
        return cls(0, currency)

    @classmethod
    def rounded(cls, exact: Fraction | Decimal | int, currency: Currency, rule: Rounding = Rounding.HALF_UP) -> Self:
        """`exact` major units rounded once to the currency's minor unit by the named rule."""
        return cls(rule.to_int(Fraction(exact) * 10**currency.exponent), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, exact, with the currency's number of decimals."""
        return Decimal(self.minor).scaleb(-self.currency.exponent)

    @property
    def exact(self) -> Fraction:
        """The amount in major units as a fraction, for exact arithmetic."""
        return Fraction(self.minor, 10**self.currency.exponent)

    def _same(self, other: Money) -> None:
        if not isinstance(other, Money):
            raise TypeError(f"Money only mixes with Money, not {type(other).__name__}")
        if other.currency != self.currency:
            raise MoneyError(f"cannot mix {self.currency} and {other.currency}; convert at a stated rate first")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.minor), self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __gt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor > other.minor

    def __ge__(self, other: Money) -> bool:
        self._same(other)
        return self.minor >= other.minor

    def times(self, factor: int | Fraction | Decimal, rule: Rounding = Rounding.HALF_UP) -> Money:
        """This amount times an exact factor, rounded once by the named rule."""
        return Money(rule.to_int(Fraction(factor) * self.minor), self.currency)

    def convert(self, to: Currency, rate: Fraction | Decimal, rule: Rounding = Rounding.HALF_UP) -> Money:
        """This amount in `to`, at `rate` units of `to` for one unit of this currency, rounded once."""
        return Money.rounded(self.exact * Fraction(rate), to, rule)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Parts in proportion to `weights` that add up to exactly this amount (largest remainders first)."""
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise MoneyError("weights must be non-negative and add up to more than zero")
        shares = [divmod(self.minor * weight, total) for weight in weights]
        parts = [quotient for quotient, _ in shares]
        left = self.minor - sum(parts)
        by_remainder = sorted(range(len(weights)), key=lambda index: (-shares[index][1], index))
        for index in by_remainder[:left]:
            parts[index] += 1
        return [Money(part, self.currency) for part in parts]

    def __str__(self) -> str:
        return f"{self.amount:,} {self.currency}"

    def short(self) -> str:
        """The amount as a worker reads it: `$210.00`, `952,000៛`."""
        body = f"{abs(self.amount):,}"
        text = f"{self.currency.sign}{body}" if self.currency.exponent else f"{body}{self.currency.sign}"
        return f"-{text}" if self.minor < 0 else text


def total(amounts: Iterable[Money], currency: Currency) -> Money:
    """The sum of `amounts`, all of `currency`; zero when there are none."""
    result = Money.zero(currency)
    for amount in amounts:
        result += amount
    return result


_set_minor, _set_currency = (Money.__dict__[name].__set__ for name in ("minor", "currency"))
