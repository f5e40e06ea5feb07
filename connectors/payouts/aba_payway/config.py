"""What a factory's PayWay contract says, and the points on which the public sources disagree."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.payouts.contract import DestinationKind, Finality, Limit, Profile, RepeatBehaviour
from importers.money import Money, currency

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
SANDBOX, PRODUCTION = "https://checkout-sandbox.payway.com.kh", "https://checkout.payway.com.kh"
SMALLEST = {"USD": Decimal("0.01"), "KHR": Decimal(100)}  # PayWay's own, by its payout page
LARGEST = {"USD": Decimal(5000), "KHR": Decimal(20_000_000)}  # ours; the contract's limits come as codes 44, 70, LAM01, LAM02
REFERENCE_LENGTH = 20  # of tran_id


class AbaPaywayConfig(BaseModel):
    """Settings of one PayWay merchant. README.md says where each default comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str = PRODUCTION
    merchant_id: str = Field(min_length=1, max_length=20)
    api_key: SecretStr = Field(min_length=8)
    rsa_public_key: str = Field(repr=False)  # PEM, as ABA gave it
    currency: Literal["USD", "KHR"]  # the merchant's: PayWay refuses any other (code 85)
    largest: Decimal | None = None  # of one order, in major units
    title: str = "ABA PayWay payout"
    bank_names: frozenset[str] = frozenset({"", "ABA", "ABA BANK", "ABAAKHPP"})  # how a sheet names the bank, upper case
    # PayWay's prose says base64, its example and a client that was tried against the sandbox say hex.
    payout_hash: Literal["hex", "base64"] = "hex"
    # "210.50" or "210.5", on the wire and in what is hashed. PayWay asks for two decimals; JavaScript clients send the shortest.
    usd_amounts: Literal["two_decimals", "shortest"] = "two_decimals"
    whitelist_first: bool = True  # whitelist an account before the first payout to it
    batch_size: int = Field(default=500, ge=1, le=5000)
    concurrency: int = Field(default=8, ge=1, le=32)
    read_seconds: float = Field(default=30.0, gt=0, le=300)
    page_size: int = Field(default=1000, ge=1, le=1000)
    # PayWay documents codes 4 and 83 for a repeated tran_id, but its sandbox has taken repeated ones: nothing is sent twice by default.
    repeat: RepeatBehaviour = RepeatBehaviour.PAYS_AGAIN

    @field_validator("base_url")
    @classmethod
    def _is_https(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
            return value.rstrip("/")
        raise ValueError(f"must be {SANDBOX} or {PRODUCTION} (http:// only for 127.0.0.1)")

    @field_validator("rsa_public_key")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        try:
            is_rsa = isinstance(load_pem_public_key(value.strip().encode()), RSAPublicKey)
        except (ValueError, UnsupportedAlgorithm):
            is_rsa = False
        if not is_rsa:
            raise ValueError("must be the RSA public key in PEM, from BEGIN PUBLIC KEY to END PUBLIC KEY, as ABA gave it")
        return value

    def public_key(self) -> RSAPublicKey:
        """ABA's key, for what only ABA may read."""
        key = load_pem_public_key(self.rsa_public_key.strip().encode())
        assert isinstance(key, RSAPublicKey)  # noqa: S101 the validator has made sure
        return key

    def profile(self) -> Profile:
        """The claims of this merchant, as the conformance suite tests them."""
        money = currency(self.currency)
        largest = self.largest if self.largest is not None else LARGEST[self.currency]
        limit = Limit(smallest=Money.of(SMALLEST[self.currency], money), largest=Money.of(largest, money))
        return Profile(
            name="aba_payway",
            title=self.title,
            kinds=frozenset({DestinationKind.BANK_ACCOUNT}),
            limits={self.currency: limit},
            batch_size=self.batch_size,
            repeat=self.repeat,
            idempotency_window=None,
            looks_up=True,
            # check-transaction-2 forgets after seven days: what it does not know may have been paid before.
            not_found_is_final_after=None,
            checks_names=True,
            has_webhooks=True,
            has_statements=True,
            finality=Finality.LOOK_UP,
            reference_length=REFERENCE_LENGTH,
        )
