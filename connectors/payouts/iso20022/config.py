"""What a factory's contract with its bank says, read once when the connector is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from connectors.signatures import SecretError, secret_bytes
from importers.money import Currency, Money, MoneyError, currency

# Retail Pay (RFT) takes 50,000 USD or 200 million KHR from account to account; a bank's own agreement may say less or more.
_LARGEST = {"USD": Decimal(50_000), "KHR": Decimal(200_000_000)}
_BIC = re.compile(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?", re.ASCII)


class ConfigError(ValueError):
    """A configuration that cannot work; the message names the setting and what to write, never a secret."""


def is_bic(text: str) -> bool:
    """Whether `text` is a bank identifier code of 8 or 11 characters."""
    return _BIC.fullmatch(text) is not None


def _bic(text: str) -> str:
    if not is_bic(text):
        raise ValueError("a BIC has 8 or 11 capitals and digits, such as ABAAKHPP")
    return text


Bic = Annotated[str, AfterValidator(_bic)]


class Config(BaseModel):
    """Settings of one account at one bank. Amounts are in major units of `currency`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "iso20022"
    title: str = "Bank (ISO 20022)"
    base_url: str = Field(pattern=r"^https?://[^\s]+$")
    credential: SecretStr
    signing_secret: SecretStr  # whsec_...: what our messages are signed with
    webhook_secrets: tuple[SecretStr, ...] = Field(min_length=1)  # whsec_ or whpk_: two while the bank changes its key
    debtor_name: str = Field(min_length=1, max_length=140)
    debtor_account: str = Field(pattern=r"^[0-9A-Za-z/-]{1,34}$")
    bank_bic: Bic
    currency: Literal["USD", "KHR"]
    banks: Mapping[str, Bic] = Field(default_factory=dict)  # bank as the register names it -> BIC
    version: Literal["pain.001.001.03", "pain.001.001.05", "pain.001.001.09"] = "pain.001.001.03"
    batch_size: int = Field(default=1000, ge=1, le=10_000)
    checks_at_once: int = Field(default=1, ge=1, le=1000)  # over 1: the bank answers /account-checks with a list
    smallest: Decimal | None = Field(default=None, gt=0)
    largest: Decimal | None = Field(default=None, gt=0)
    not_found_is_final_after_seconds: int = Field(default=600, ge=0)
    read_seconds: Decimal = Field(default=Decimal(30), gt=0)
    category_purpose: Literal["SALA", "PAYR", ""] = "SALA"

    @model_validator(mode="after")
    def _limits_and_secrets(self) -> Self:
        try:
            if self.limits[0] > self.limits[1]:
                raise ValueError("smallest is larger than largest")
            secret_bytes(self.signing_secret.get_secret_value())
        except (MoneyError, SecretError) as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def money(self) -> Currency:
        """The currency that the account is held in."""
        return currency(self.currency)

    @property
    def limits(self) -> tuple[Money, Money]:
        """The smallest and the largest amount of one order."""
        smallest = Money(1, self.money) if self.smallest is None else Money.of(self.smallest, self.money)
        return smallest, Money.of(_LARGEST[self.currency] if self.largest is None else self.largest, self.money)

    @property
    def quiet(self) -> timedelta:
        """How long after the last possible sending "not found" proves that the bank never got it."""
        return timedelta(seconds=self.not_found_is_final_after_seconds)


def read_config(values: Mapping[str, object]) -> tuple[Config, Callable[[], datetime]]:
    """The settings, and the clock under the key `clock` (the real one where it is missing). Raises ConfigError."""
    given = dict(values)
    clock = given.pop("clock", None) or _real_clock
    if not callable(clock):
        raise ConfigError("iso20022: clock must be a function without arguments that answers an aware datetime")
    try:
        return Config.model_validate(given), clock
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "settings"
        raise ConfigError(f"iso20022: {place}: {first['msg']}; see connectors/payouts/iso20022/README.md") from None


def _real_clock() -> datetime:
    return datetime.now(UTC)
