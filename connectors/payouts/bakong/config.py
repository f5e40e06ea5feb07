"""What the National Bank gives to whoever may ask its open API."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.payouts.contract import DestinationKind, Finality, Profile, RepeatBehaviour

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
PRODUCTION, TEST = "https://api-bakong.nbc.gov.kh", "https://sit-api-bakong.nbc.gov.kh"
OFFICIAL = frozenset({"api-bakong.nbc.gov.kh", "sit-api-bakong.nbc.gov.kh"})


class BakongConfig(BaseModel):
    """Settings of one registration. `renew_email` is the address it was made with: then a token that ran out is renewed once."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str = PRODUCTION
    token: SecretStr = Field(min_length=16)
    renew_email: str | None = Field(default=None, max_length=64, repr=False)
    title: str = "Bakong account check"
    path: str = Field(default="/v1/check_bakong_account", pattern=r"^/v1/[a-z_]+$")  # older registrations: /v1/check_account_exist
    read_seconds: float = Field(default=45.0, gt=0, le=120)  # the National Bank's own client waits so long

    @field_validator("base_url")
    @classmethod
    def _is_the_national_bank(cls, value: str) -> str:
        parts = urlsplit(value)
        if (parts.scheme == "https" and parts.hostname in OFFICIAL) or (parts.scheme == "http" and parts.hostname in LOOPBACK):
            return value.rstrip("/")
        # Relays of third parties offer the same API under their own names: workers' account ids are not for them.
        raise ValueError(f"must be {PRODUCTION} or {TEST}: workers' accounts are not shown to a relay of somebody else")

    def profile(self) -> Profile:
        """The claims: accounts are checked, names are not told, and without limits no currency is paid."""
        return Profile(
            name="bakong",
            title=self.title,
            kinds=frozenset({DestinationKind.BANK_ACCOUNT, DestinationKind.WALLET}),
            limits={},
            batch_size=1,
            repeat=RepeatBehaviour.PAYS_AGAIN,
            idempotency_window=None,
            looks_up=False,
            not_found_is_final_after=None,
            checks_names=False,
            has_webhooks=False,
            has_statements=False,
            finality=Finality.BY_HAND,
            reference_length=20,
        )
