"""What a factory has agreed with the bank whose portal takes the file."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.payouts.bank_file.layout import Layout, shipped
from connectors.payouts.contract import PROOFS_OF_FAILURE, DestinationKind, Finality, Limit, Profile, RepeatBehaviour
from connectors.payouts.formats import FormatSettings
from importers.money import Money, currency


class BankFileConfig(BaseModel):
    """Settings of one portal. `layout` is the name of one that comes with the project, or the whole layout."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    layout: Layout
    factory_name: str = Field(min_length=1, max_length=140)
    debit_account: str = Field(min_length=1, max_length=34, repr=False)
    largest: dict[str, Decimal] = {"USD": Decimal(5000), "KHR": Decimal(20_000_000)}  # of one payment, in major units
    title: str = "File for the bank's portal"
    accounts: list[FormatSettings] = []  # how the bank's accounts look, as it told the factory

    @field_validator("layout", mode="before")
    @classmethod
    def _by_name(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return shipped(value)
        except LookupError as error:
            raise ValueError(error.args[0]) from None

    def profile(self) -> Profile:
        """The claims: people carry the file to the portal and its result back, so nobody can be asked."""
        limits = {}
        for code, largest in self.largest.items():
            money = currency(code)
            limits[code] = Limit(smallest=Money(1, money), largest=Money.of(largest, money))
        return Profile(
            name="bank_file",
            title=self.title,
            kinds=frozenset({DestinationKind.BANK_ACCOUNT}),
            limits=limits,
            batch_size=self.layout.most_rows,
            # To put an order into its file again moves nothing: the file is made once. What the portal does with a file that is
            # uploaded twice is the bank's, and the reason for two persons.
            repeat=RepeatBehaviour.SAME_RESULT,
            idempotency_window=None,
            looks_up=False,
            not_found_is_final_after=None,
            checks_names=False,
            has_webhooks=False,
            has_statements=False,
            finality=Finality.BY_HAND,
            # A word that the layout calls "rejected" is the bank's own, whatever reason it gives.
            proves_failure=PROOFS_OF_FAILURE | {"other"},
            formats=[one.format() for one in self.accounts],
            own_account=self.debit_account,
            reference_length=next(column.longest for column in self.layout.columns if column.value == "reference"),
        )
