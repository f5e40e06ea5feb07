"""What a factory's account at PlasGate needs."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

LARGEST_BATCH = 1000


class PlasGateConfigError(ValueError):
    """A configuration that cannot work; the message names each setting and repeats no value."""


class PlasGateConfig(BaseModel):
    """Keys, sender and addresses. Secrets never show in repr or in an error.

    `receipt_url` is the address at which our service takes delivery receipts; without one, none are asked for. `receipt_secret`
    makes the token in that address (at least 16 characters). A `batch_size` of 1 uses the endpoint for single messages.
    `masks_reports` keeps the text out of the reports that PlasGate shows to its users. `plain_http` is for a simulator on a
    private network; loopback needs no permission.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    private_key: SecretStr = Field(min_length=1)
    secret: SecretStr = Field(min_length=1)
    sender: Annotated[str, Field(min_length=1, max_length=11)]
    base_url: str = "https://cloudapi.plasgate.com"
    receipt_url: str | None = None
    receipt_secret: SecretStr | None = Field(default=None, min_length=16)
    batch_size: Annotated[int, Field(ge=1, le=LARGEST_BATCH)] = 500
    read_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0
    masks_reports: bool = False
    plain_http: bool = False

    @classmethod
    def read(cls, settings: Mapping[str, object]) -> Self:
        """The configuration from plain settings. Raises PlasGateConfigError."""
        try:
            return cls.model_validate(dict(settings))
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(str(part) for part in problem['loc']) or 'settings'}: {problem['msg']}" for problem in error.errors()
            )
            raise PlasGateConfigError(f"PlasGate's settings cannot be used: {wrong}. See connectors/sms/plasgate/README.md") from None

    @field_validator("base_url", "receipt_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        address = urlsplit(value)
        if address.scheme not in {"http", "https"} or not address.hostname or address.fragment:
            raise ValueError("write a full address such as https://sms.example.com")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.receipt_url and self.receipt_secret is None:
            raise ValueError("receipt_url needs receipt_secret: without it anybody could report a delivery")
        address = urlsplit(self.base_url)
        if address.scheme == "http" and not (self.plain_http or _is_loopback(address.hostname or "")):
            raise ValueError("base_url must start with https: the keys and the wages would travel in clear")
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
