"""What a factory's contract with a wallet provider says. The published API leaves all of it to the provider."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.payouts.contract import PROOFS_OF_FAILURE, DestinationKind, Finality, Limit, Profile, RepeatBehaviour, WebhookProof
from connectors.payouts.formats import FormatSettings
from connectors.payouts.hours import HoursSettings
from importers.money import Currency, Money, currency

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
REFERENCE_LENGTH = 35  # the API allows 256; ours also has to fit, whole, into a description of 160


class AmountLimits(BaseModel):
    """The least and the most one order may carry, in major units written as text: "0.01", "1000"."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    smallest: Decimal
    largest: Decimal


class GsmaConfig(BaseModel):
    """Settings of one wallet. The defaults are what the published API promises, which is little: confirm each with the provider."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str
    client_id: str = Field(min_length=1, max_length=256)
    api_key: SecretStr = Field(min_length=8)
    callback_secret: SecretStr = Field(min_length=16)
    debit_party_key: str = Field(default="accountid", min_length=1)
    debit_party_value: str = Field(min_length=1, repr=False)
    title: str = "Mobile wallet (GSMA Mobile Money API)"
    limits: dict[str, AmountLimits] = {
        # NBC's Retail Pay lets a phone number receive less than 4,000,000 KHR or 1,000 USD at a time.
        "USD": AmountLimits(smallest=Decimal("0.01"), largest=Decimal(1000)),
        "KHR": AmountLimits(smallest=Decimal(100), largest=Decimal(4_000_000)),
    }
    bulk: bool = True  # POST /batchtransactions; otherwise one POST /transactions/type/disbursement for each order
    single_path: Literal["/transactions/type/disbursement", "/transactions"] = "/transactions/type/disbursement"
    two_step: bool = False  # a batch is paid only after PATCH /batchStatus approved
    batch_size: int = Field(default=1000, ge=1, le=50_000)
    page_size: int = Field(default=1000, ge=1, le=10_000)
    concurrency: int = Field(default=16, ge=1, le=32)
    read_seconds: float = Field(default=30.0, gt=0, le=300)
    repeat: RepeatBehaviour = RepeatBehaviour.PAYS_AGAIN  # the API names X-CorrelationID, but promises nothing for a repeat
    idempotency_hours: int | None = Field(default=None, ge=1)
    not_found_is_final_seconds: int | None = Field(default=None, ge=1)
    # The API defines no proof of a callback's origin; what it defines is that it comes to the address which only the provider was told.
    callback_proof: WebhookProof = WebhookProof.ADDRESS
    statement_from: Literal["statemententries", "transactions"] = "statemententries"
    balance_currency: str | None = None  # the API's balance names none
    hours: HoursSettings | None = None
    accounts: list[FormatSettings] = [
        FormatSettings(pattern=r"\+[1-9][0-9]{7,14}", example="+85512345678", source="ITU-T E.164: a country code and 15 digits at most"),
    ]

    @field_validator("base_url")
    @classmethod
    def _is_https(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
            return value.rstrip("/")
        raise ValueError("must start with https:// (http:// only for 127.0.0.1), as the provider wrote it in the contract")

    @model_validator(mode="after")
    def _not_found_proves_nothing_for_a_batch_that_waits(self) -> Self:
        # A look-up approves a batch that was left waiting. That is safe only while nobody pays again on the word "not found".
        if self.two_step and self.not_found_is_final_seconds is not None:
            raise ValueError("two_step and not_found_is_final_seconds exclude each other; leave not_found_is_final_seconds out")
        return self

    @property
    def money_of_account(self) -> Currency | None:
        """The currency of the factory's account: as configured, else the only one that is paid."""
        code = self.balance_currency or (next(iter(self.limits)) if len(self.limits) == 1 else None)
        return currency(code) if code is not None else None

    def profile(self) -> Profile:
        """The claims of this wallet, as the conformance suite tests them."""
        limits = {}
        for code, limit in self.limits.items():
            money = currency(code)
            limits[code] = Limit(smallest=Money.of(limit.smallest, money), largest=Money.of(limit.largest, money))
        seconds, hours = self.not_found_is_final_seconds, self.idempotency_hours
        return Profile(
            name="gsma_mobile_money",
            title=self.title,
            kinds=frozenset({DestinationKind.WALLET}),
            limits=limits,
            batch_size=self.batch_size,
            repeat=self.repeat,
            idempotency_window=timedelta(hours=hours) if hours else None,
            looks_up=True,
            not_found_is_final_after=timedelta(seconds=seconds) if seconds else None,
            # "failed", "rejected" and "declined" are final states of a transaction, whatever reason stands beside them.
            proves_failure=PROOFS_OF_FAILURE | {"other"},
            arrives_whole=self.bulk,
            checks_names=True,
            has_webhooks=True,
            webhook_proof=self.callback_proof,
            has_statements=True,
            finality=Finality.LOOK_UP,
            hours=self.hours.hours() if self.hours else None,
            formats=[one.format() for one in self.accounts],
            tells_balance=self.money_of_account is not None,
            reference_length=REFERENCE_LENGTH,
        )
