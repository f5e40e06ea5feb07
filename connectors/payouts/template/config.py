"""What a factory's contract with the provider says. 1: make the settings those of your provider."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.payouts.contract import DestinationKind, Finality, Limit, Profile, RepeatBehaviour
from importers.money import Money, currency

NAME = "template"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class TemplateConfig(BaseModel):
    """Settings of one account with the provider. A field without a default must be given; an unknown one is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str
    api_key: SecretStr = Field(min_length=8)
    callback_secret: SecretStr  # whsec_..., agreed with the provider
    title: str = "A provider to start from"
    largest: dict[str, Decimal] = {"USD": Decimal(1000), "KHR": Decimal(4_000_000)}  # of one order, in major units
    batch_size: int = Field(default=200, ge=1, le=5000)
    read_seconds: float = Field(default=30.0, gt=0, le=300)

    @field_validator("base_url")
    @classmethod
    def _is_https(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
            return value.rstrip("/")
        raise ValueError("must start with https:// (http:// only for 127.0.0.1)")

    def profile(self) -> Profile:
        """The claims. 2: claim only what the provider has promised in writing; the conformance suite tries each claim."""
        limits = {}
        for code, largest in self.largest.items():
            money = currency(code)
            limits[code] = Limit(smallest=Money(1, money), largest=Money.of(largest, money))
        return Profile(
            name=NAME,
            title=self.title,
            kinds=frozenset({DestinationKind.BANK_ACCOUNT}),
            limits=limits,
            batch_size=self.batch_size,
            # What a second request with the same references does. PAYS_AGAIN where you are not sure: then none is ever sent.
            repeat=RepeatBehaviour.SAME_RESULT,
            idempotency_window=None,  # the provider remembers references for ever
            looks_up=True,
            # How long after a request "not found" proves that it never arrived; None where it never does.
            not_found_is_final_after=timedelta(minutes=10),
            checks_names=True,
            has_webhooks=True,
            has_statements=False,
            finality=Finality.LOOK_UP,
            reference_length=35,
        )
