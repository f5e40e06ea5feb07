"""The orders of a trial as an engineer writes them: orders.json, its schema, and what is wrong with it in sentences."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.payouts.contract import Destination, DestinationKind, PayoutBatch, PayoutOrder, Profile
from importers.money import Money, MoneyError, currency
from payroll_api.errors import ConfigurationError

_MOST = 5000


class Account(BaseModel):
    """An account to pay to, or to ask about."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: DestinationKind = Field(description="bank_account, wallet (account is a phone number, +855...) or cash", examples=["wallet"])
    account: str = Field(min_length=1, max_length=64, repr=False, examples=["+85512345678"])
    holder: str = Field(default="", max_length=140, repr=False, description="whose it is, for the check of the name", examples=["Sok Dara"])
    bank: str | None = Field(default=None, description="the bank's name or BIC, where the connector needs one")

    def destination(self) -> Destination:
        """The account as a connector takes it."""
        return Destination(kind=self.kind, account=self.account, holder=self.holder, bank=self.bank)


class Order(Account):
    """One order."""

    reference: str | None = Field(default=None, min_length=1, max_length=64, description="ours, unique for ever; made up if left out")
    amount: Annotated[str, Field(pattern=r"^[0-9]{1,12}([.][0-9]{1,4})?$", description="major units as text", examples=["15.20"])]
    currency: str = Field(examples=["USD"], pattern="^[A-Z]{3}$")
    purpose: str = Field(default="Trial", max_length=140, description="shown on the receiver's account")


class Orders(BaseModel):
    """What a trial sends: `orders` are paid, `checks` are only asked about."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    batch: str | None = Field(default=None, min_length=1, max_length=64, description="the batch's reference; made up if left out")
    execute_on: date | None = Field(default=None, description="the day of payment, today in Phnom Penh if left out")
    orders: list[Order] = Field(default=[], max_length=_MOST)
    checks: list[Account] = Field(default=[], max_length=_MOST)


def schema() -> str:
    """The JSON Schema of orders.json."""
    return json.dumps(Orders.model_json_schema(), indent=1)


def read_orders(path: Path) -> Orders:
    """The file; a bare list is taken for the orders. Raises ConfigurationError with the place and what to do."""
    try:
        found = json.loads(path.read_bytes(), parse_float=str, parse_int=str)
    except OSError as error:
        raise ConfigurationError(f"--orders {path}: it cannot be read ({error.strerror}). Name a JSON file.") from None
    except (ValueError, RecursionError):
        raise ConfigurationError(f"--orders {path}: it is not JSON. `payroll connectors try --schema` prints what it may hold.") from None
    try:
        return Orders.model_validate({"orders": found} if isinstance(found, list) else found)
    except ValidationError as error:
        faults = "; ".join(_fault(dict(fault)) for fault in error.errors(include_url=False, include_context=False, include_input=False)[:5])
        raise ConfigurationError(f"--orders {path}: {faults}. `payroll connectors try --schema` prints what it may hold.") from None


def _fault(fault: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in fault["loc"]) or "the file"
    words = {"missing": "is missing: add it", "extra_forbidden": "is not known: remove it or correct its name"}
    return f"{where} {words.get(fault['type'], str(fault['msg'])[:1].lower() + str(fault['msg'])[1:])}"


def batches(given: Orders, profile: Profile, today: date) -> list[PayoutBatch]:
    """The orders in batches of one currency that the provider takes. Raises ConfigurationError for an amount that is none."""
    orders = [_order(order, place, profile) for place, order in enumerate(given.orders)]
    if len({order.reference for order in orders}) != len(orders):
        raise ConfigurationError("--orders: two orders have the same reference. A reference is used once, for ever.")
    parts: list[Sequence[PayoutOrder]] = []
    for unit in dict.fromkeys(order.amount.currency for order in orders):
        same = [order for order in orders if order.amount.currency == unit]
        size = max(profile.batch_size, 1)
        parts += [same[start : start + size] for start in range(0, len(same), size)]
    return [
        PayoutBatch(
            reference=given.batch if given.batch and len(parts) == 1 else _made_up(profile),
            orders=part,
            execute_on=given.execute_on or today,
        )
        for part in parts
    ]


def _order(order: Order, place: int, profile: Profile) -> PayoutOrder:
    try:
        amount = Money.of(Decimal(order.amount), currency(order.currency))
    except MoneyError as error:
        raise ConfigurationError(f"--orders: orders.{place}: {error}.") from None
    return PayoutOrder(
        reference=order.reference or _made_up(profile), amount=amount, destination=order.destination(), purpose=order.purpose
    )


def _made_up(profile: Profile) -> str:
    """A reference nobody has used before, in the provider's alphabet. A digit second: see payments/references.py."""
    letters = [secrets.choice(profile.reference_alphabet) for _ in range(min(profile.reference_length, 20) - 3)]
    return f"TR{secrets.randbelow(10)}{''.join(letters)}"
