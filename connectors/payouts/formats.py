"""How account numbers of a provider and its banks look: what cannot be one is found before a run is approved, not on payday.

Banks publish no such rules, so none is built in for them: a factory writes down what its bank told it, with where it stands. What is
known from a standard (a wallet is a phone number in E.164) is the connector's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, field_validator

_SPACING = re.compile(r"[\s\u200b-\u200d-]+")
_LONGEST_PATTERN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFormat:
    """One way an account may look. `bank` is the bank as the register names it; None: any. `source` says where the rule stands."""

    pattern: str  # of the whole account, without spaces and hyphens
    example: str
    source: str
    bank: str | None = None

    def fits(self, account: str) -> bool:
        """Whether an account looks like this."""
        return re.fullmatch(self.pattern, _SPACING.sub("", account)) is not None


class FormatSettings(BaseModel):
    """A format as a connector's configuration writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: str = Field(min_length=1, max_length=_LONGEST_PATTERN)
    example: str = Field(min_length=1, max_length=40)
    source: str = Field(min_length=3, max_length=200)
    bank: str | None = None

    @field_validator("pattern")
    @classmethod
    def _can_be_read(cls, value: str) -> str:
        # Without a star or a plus nothing can run away: how often a sign may come is written as {8,12}.
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is no pattern: {error}; write digits as [0-9]{{9}}") from None
        if re.search(r"(?<!\\)[*+]", value):
            raise ValueError("may not use * or +; write how many signs there may be, such as [0-9]{8,12}")
        return value

    def format(self) -> AccountFormat:
        """The same, checked. Raises ValueError where its own example does not fit: then one of the two is wrong."""
        made = AccountFormat(pattern=self.pattern, example=self.example, source=self.source, bank=self.bank)
        if not made.fits(self.example):
            raise ValueError(f"the example {self.example!r} does not fit its own pattern")
        return made


def fits_one(formats: Sequence[AccountFormat], bank: str | None, account: str) -> bool:
    """Whether an account looks like one of its bank. The bank's own formats come before those for any; without one nothing is refused."""
    named = [one for one in formats if one.bank is not None and bank is not None and one.bank.casefold() == bank.casefold()]
    possible = named or [one for one in formats if one.bank is None]
    return not possible or any(one.fits(account) for one in possible)
