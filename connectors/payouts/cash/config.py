"""What a factory decides about cash."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from connectors.payouts.contract import DestinationKind, Finality, Limit, Profile, RepeatBehaviour
from importers.money import Money, currency


class CashConfig(BaseModel):
    """Settings of the envelopes list. `largest` is what one envelope may hold, in major units, by currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = "Cash in envelopes"
    largest: dict[str, Decimal] = {"USD": Decimal(5000), "KHR": Decimal(20_000_000)}
    batch_size: int = Field(default=5000, ge=1)

    def profile(self) -> Profile:
        """The claims of cash: nobody can be asked, and only a person's word makes it paid."""
        limits = {}
        for code, largest in self.largest.items():
            money = currency(code)
            limits[code] = Limit(smallest=Money(1, money), largest=Money.of(largest, money))
        return Profile(
            name="cash",
            title=self.title,
            kinds=frozenset({DestinationKind.CASH}),
            limits=limits,
            batch_size=self.batch_size,
            repeat=RepeatBehaviour.SAME_RESULT,  # the same list printed twice is the same list: nothing moves by it
            idempotency_window=None,
            looks_up=False,
            not_found_is_final_after=None,
            checks_names=False,
            has_webhooks=False,
            has_statements=False,
            finality=Finality.BY_HAND,
            reference_length=35,
        )
