"""What a factory's contract with its bank says, read once when the connector is built."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from connectors.payouts.formats import FormatSettings
from connectors.payouts.hours import HoursSettings
from connectors.payouts.iso20022.characters import CharacterSet
from connectors.payouts.iso20022.sftp import SftpSettings
from connectors.signature_schemes import Key
from connectors.signatures import SecretError, secret_bytes
from importers.money import Currency, Money, MoneyError, currency

# Retail Pay (RFT) takes 50,000 USD or 200 million KHR from account to account; a bank's own agreement may say less or more.
_LARGEST = {"USD": Decimal(50_000), "KHR": Decimal(200_000_000)}
_BANKS = Path(__file__).parent / "banks"
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


class DebtorAddress(BaseModel):
    """Where the factory is, in parts: since November 2025 many banks take no address in free lines."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    street: str = Field(default="", max_length=70)
    building: str = Field(default="", max_length=16)
    post_code: str = Field(default="", max_length=16)
    town: str = Field(min_length=1, max_length=35)
    country: str = Field(pattern=r"^[A-Z]{2}$")

    def values(self) -> dict[str, object]:
        """Under ISO's names, in any version."""
        named = {"StrtNm": self.street, "BldgNb": self.building, "PstCd": self.post_code, "TwnNm": self.town, "Ctry": self.country}
        return {name: text for name, text in named.items() if text}


class Config(BaseModel):
    """Settings of one account at one bank. Amounts are in major units of `currency`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "iso20022"
    title: str = "Bank (ISO 20022)"
    transport: Literal["https", "sftp"] = "https"
    base_url: str = ""  # these four are of https
    credential: SecretStr = SecretStr("")
    signing_secret: SecretStr = SecretStr("")  # whsec_...: what our messages are signed with
    webhook_secrets: tuple[Key, ...] = ()  # whsec_ or whpk_: several while the bank changes its key, each with its days or revoked
    sftp: SftpSettings | None = None
    hours: HoursSettings | None = None
    accounts: tuple[FormatSettings, ...] = ()  # how the banks' accounts look, as each bank told the factory
    debtor_name: str = Field(min_length=1, max_length=140)
    debtor_account: str = Field(pattern=r"^[0-9A-Za-z/-]{1,34}$")
    bank_bic: Bic
    currency: Literal["USD", "KHR"]
    banks: Mapping[str, Bic] = Field(default_factory=dict)  # bank as the register names it -> BIC
    version: Literal["pain.001.001.03", "pain.001.001.05", "pain.001.001.09"] = "pain.001.001.03"
    batch_size: int = Field(default=1000, ge=1, le=10_000)
    tells_balance: bool = False  # true: the bank answers GET /balance (https only)
    checks_at_once: int = Field(default=1, ge=1, le=1000)  # over 1: the bank answers /account-checks with a list
    smallest: Decimal | None = Field(default=None, gt=0)
    largest: Decimal | None = Field(default=None, gt=0)
    not_found_is_final_after_seconds: int = Field(default=600, ge=0)
    read_seconds: Decimal = Field(default=Decimal(30), gt=0)
    category_purpose: Literal["SALA", "PAYR", ""] = "SALA"
    service_level: str = Field(default="", pattern=r"^[A-Z]{0,4}$")  # ISO external code, such as URGP or NURG
    batch_booking: bool = False  # true: the bank books one line for the file, and the statement names no worker
    character_set: CharacterSet = "utf-8"
    debtor_address: DebtorAddress | None = None

    @model_validator(mode="after")
    def _limits_and_secrets(self) -> Self:
        try:
            if self.limits[0] > self.limits[1]:
                raise ValueError("smallest is larger than largest")
            if self.transport == "https":
                self._needs_of_https()
            elif self.sftp is None:
                raise ValueError("transport sftp needs the settings under sftp: host, username, private_key or password, host_key")
        except (MoneyError, SecretError) as error:
            raise ValueError(str(error)) from None
        return self

    @field_validator("tells_balance")
    @classmethod
    def _over_https(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("transport") == "sftp":
            raise ValueError("a bank that exchanges files over SFTP tells no balance; leave tells_balance out")
        return value

    def _needs_of_https(self) -> None:
        if not re.fullmatch(r"https?://[^\s]+", self.base_url):
            raise ValueError("base_url is missing or no address: write it as https://...")
        if not self.credential.get_secret_value() or not self.webhook_secrets:
            raise ValueError("credential and webhook_secrets are missing: transport https needs them")
        secret_bytes(self.signing_secret.get_secret_value())

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
    given = {**_bank_settings(values.get("bank_profile")), **values}
    given.pop("bank_profile", None)
    clock = given.pop("clock", None) or _real_clock
    if not callable(clock):
        raise ConfigError("iso20022: clock must be a function without arguments that answers an aware datetime")
    try:
        return Config.model_validate(given), clock
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "settings"
        raise ConfigError(f"iso20022: {place}: {first['msg']}; see connectors/payouts/iso20022/README.md") from None


def bank_profiles() -> Mapping[str, Mapping[str, object]]:
    """The profiles of banks that come with the project, by name: their `settings`, and under `provenance` where those are from."""
    return {file.stem: tomllib.loads(file.read_text("utf-8")) for file in sorted(_BANKS.glob("*.toml"))}


def _bank_settings(name: object) -> Mapping[str, object]:
    if name is None:
        return {}
    known = bank_profiles()
    if name not in known:
        raise ConfigError(f"iso20022: bank_profile: there is no profile of this name; use one of {', '.join(known)}, or leave it out")
    settings = known[str(name)]["settings"]
    return dict(settings) if isinstance(settings, Mapping) else {}


def _real_clock() -> datetime:
    return datetime.now(UTC)
