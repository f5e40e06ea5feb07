"""What every payout connector promises: its profile as data, four calls, and one outcome for each order."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol, runtime_checkable

from connectors.payouts.formats import AccountFormat
from connectors.payouts.hours import Hours
from importers.money import Money


class DestinationKind(enum.StrEnum):
    """Where money can go."""

    BANK_ACCOUNT = "bank_account"
    WALLET = "wallet"  # a phone number in E.164
    CASH = "cash"  # an envelope at the factory


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """An account that belongs to one worker. `account` and `holder` are personal: never log them."""

    kind: DestinationKind
    account: str = field(repr=False)
    holder: str = field(repr=False)
    bank: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutOrder:
    """One payment to one destination. `reference` is ours, unique for ever, and was stored before it got here."""

    reference: str
    amount: Money
    destination: Destination
    purpose: str  # shown on the worker's account, no personal data


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutBatch:
    """Orders that travel together, all of one currency. `reference` identifies the batch at the provider."""

    reference: str
    orders: Sequence[PayoutOrder]
    execute_on: date
    callback_url: str | None = None  # unique to this batch, where the provider calls back


class PayoutStatus(enum.StrEnum):
    """What is known about an order at the provider."""

    ACCEPTED = "accepted"  # the provider will try; not yet money
    PAID = "paid"  # the provider says the money arrived
    REJECTED = "rejected"  # conclusively failed: no money moved and none will
    RETURNED = "returned"  # arrived or left, and came back
    UNKNOWN = "unknown"  # may or may not have happened: look up, never send again
    NOT_FOUND = "not_found"  # the provider does not know the reference (yet)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutOutcome:
    """The provider's word on one order.

    `amount` and `account` are what the provider echoed, where it does: they are compared with the order and a difference is never
    ignored: by the connector in `submit`, by the caller in `look_up`, which knows no order.
    `code` is stable and ours (see `OUTCOME_CODES`); `detail` is for people, without personal data.
    """

    reference: str
    status: PayoutStatus
    provider_reference: str | None = None
    code: str | None = None
    detail: str = ""
    amount: Money | None = None
    account: str | None = field(default=None, repr=False)
    fee: Money | None = None
    happened_at: datetime | None = None
    retry_after: timedelta | None = None  # with "temporary": the provider asked not to be called again before


OUTCOME_CODES: Mapping[str, str] = {
    "account_unknown": "the account does not exist at the provider",
    "account_closed": "the account is closed or blocked",
    "name_mismatch": "the account belongs to somebody else",
    "limit_exceeded": "the amount is over a limit of the account or the provider",
    "insufficient_funds": "the factory's account at the provider does not hold enough",
    "invalid_order": "the provider refused the order as malformed",
    "duplicate": "the provider has this reference already",
    "not_authorised": "the provider refused our credentials",
    "temporary": "the provider could not work and says that nothing happened",
    "timeout": "no answer in time",
    "connection_lost": "the connection broke after something may have been sent",
    "unreadable_answer": "the provider's answer could not be understood",
    "amount_differs": "the provider states another amount than was ordered",
    "payee_differs": "the provider states another account than was ordered",
    "not_received": "the provider never received the order",
    "not_proven": "the provider refused it in words that do not prove that no money moved",
    "withdrawn": "it was stopped before a byte of it left",
    "found_out": "two people found out what became of it",
    "other": "the provider gave a reason of its own",
}


# Refusals that prove for good that no money moved and none will, where the provider's own words map to them. A provider whose
# published text says that every refusal is final adds "other"; what is in no such list stays unknown until somebody finds out.
PROOFS_OF_FAILURE = frozenset(
    {
        "account_unknown", "account_closed", "name_mismatch", "limit_exceeded", "insufficient_funds", "invalid_order", "not_authorised",
        "temporary",
    }
)  # fmt: skip


class NameMatch(enum.StrEnum):
    """The four answers of the EPC's Verification of Payee."""

    MATCH = "MTCH"
    CLOSE_MATCH = "CMTC"
    NO_MATCH = "NMTC"
    NOT_APPLICABLE = "NOAP"  # could not be compared: a person decides


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationCheck:
    """What the provider says of an account before money moves. `exists` is None where it cannot tell."""

    exists: bool | None
    name_match: NameMatch
    holder: str | None = field(default=None, repr=False)  # as the provider tells it
    detail: str = ""


class RepeatBehaviour(enum.StrEnum):
    """What the provider does when a reference comes twice."""

    SAME_RESULT = "same_result"  # answers as the first time, pays once
    CONFLICT = "conflict"  # refuses the second, pays once
    PAYS_AGAIN = "pays_again"  # does not look: never repeat


class WebhookProof(enum.StrEnum):
    """What makes a provider's message believable."""

    SIGNATURE = "signature"  # over the body, by a key that only the provider has
    ADDRESS = "address"  # it came to an address that only the provider was told; the body proves nothing


class Finality(enum.StrEnum):
    """Whose word makes an order paid."""

    LOOK_UP = "look_up"
    WEBHOOK = "webhook"
    STATEMENT = "statement"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The least and the most one order may carry, in one currency."""

    smallest: Money
    largest: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a provider can do and how it behaves, as data. The conformance suite tests every claim."""

    name: str
    title: str
    kinds: frozenset[DestinationKind]
    limits: Mapping[str, Limit]  # by currency code: a currency without one is not paid here
    batch_size: int
    repeat: RepeatBehaviour
    idempotency_window: timedelta | None  # None: the provider remembers for ever
    looks_up: bool
    not_found_is_final_after: timedelta | None  # None: "not found" never proves that nothing was sent
    not_found_polls: int = 3  # how many answers in a row must say so, besides
    proves_failure: frozenset[str] = PROOFS_OF_FAILURE  # codes of REJECTED that prove that no money moved: any other is unknown
    arrives_whole: bool = True  # a batch is one message: an order that is missing from one that arrived will never come
    overdue_after: timedelta = timedelta(hours=24)  # an order without a final word for so long is a person's
    checks_names: bool
    checks_at_once: int = 1  # how many accounts one question may hold: over 1, see ChecksInBulk
    has_webhooks: bool
    webhook_proof: WebhookProof = WebhookProof.SIGNATURE
    has_statements: bool
    finality: Finality
    formats: Sequence[AccountFormat] = ()  # how accounts look; none: nothing is known of it, and none is refused
    hours: Hours | None = None  # when orders are worked on; None: at any time, every day
    tells_balance: bool = False  # see TellsBalance
    own_account: str | None = field(default=None, repr=False)  # what it pays from, as agreed with the bank: None where unknown
    reference_length: int
    reference_alphabet: str = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"

    @property
    def pays(self) -> bool:
        """Whether money can go through it at all. Without a limit in any currency it only checks accounts, and no run chooses it."""
        return bool(self.limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A request as it came, before anything was believed. Header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """A verified message of a provider. `event_id` is the provider's own, or a hash of the content where it has none.

    `outcomes` are hints: money-final ones are confirmed by `look_up` where the profile says so. `batch_reference` is set when
    the event concerns a whole batch, whose orders must then be looked up. `is_statement`: the body itself is a statement, or a
    notification of bookings (camt.054), and is matched like one that was uploaded.
    """

    event_id: str
    kind: str
    outcomes: Sequence[PayoutOutcome] = ()
    batch_reference: str | None = None
    is_statement: bool = False


class WebhookRefusedError(Exception):
    """The request did not prove that it came from the provider: answered 401, without the reason."""


class WebhookUnreadableError(Exception):
    """The request is the provider's but makes no sense: answered 2xx, kept aside for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducedFile:
    """A file that people carry to the provider. It holds names and accounts: never log it."""

    name: str
    media_type: str
    content: bytes = field(repr=False)
    content_hash: str  # SHA-256, hex


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """What a provider's result file says. `problems` name rows, and nobody."""

    outcomes: Sequence[PayoutOutcome]
    problems: Sequence[str]


@runtime_checkable
class WritesFiles(Protocol):
    """What a connector has besides, whose orders travel in a file that people carry."""

    def write_file(self, batch: PayoutBatch) -> ProducedFile:
        """The file of a batch. Raises ValueError, whose text names nobody, where it cannot be written."""

    def read_result(self, rows: Sequence[Sequence[str]], orders: Sequence[PayoutOrder]) -> FileResult:
        """What the provider's result file, as rows of text, says of these orders; account and amount are compared."""


@runtime_checkable
class ChecksInBulk(Protocol):
    """What a connector has besides, whose profile says `checks_at_once` over 1."""

    async def check_destinations(self, destinations: Sequence[Destination]) -> Sequence[DestinationCheck]:
        """As `check_destination`, for up to `checks_at_once` accounts in one question; one answer for each, in order."""


@runtime_checkable
class TellsBalance(Protocol):
    """What a connector has besides, whose profile says `tells_balance`."""

    async def balance(self) -> Money | None:
        """What the factory's own account can pay now, in the account's currency; None where the provider does not tell."""


@runtime_checkable
class ReadsReports(Protocol):
    """What a connector has besides, whose provider's status reports also come as files that a person brings (pain.002)."""

    def read_report(self, content: bytes) -> ProviderEvent:
        """The report as an event, its id a hash of the content. Nothing proves who wrote it. Raises WebhookUnreadableError."""


@runtime_checkable
class Connector(Protocol):
    """A payout provider. Every call may raise nothing but the errors named: trouble on the wire is an outcome."""

    @property
    def profile(self) -> Profile:
        """What this connector claims."""

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        """Ask the provider whether the account exists and whose it is. Trouble is NOAP with a detail."""

    async def submit(self, batch: PayoutBatch) -> Sequence[PayoutOutcome]:
        """Send the batch once; exactly one outcome for each order, in order. Never retries by itself.

        Whatever leaves it open whether money moves (time-out, dropped connection, 5xx, unreadable answer) is UNKNOWN.
        """

    async def look_up(self, batch_reference: str, references: Sequence[str]) -> Sequence[PayoutOutcome]:
        """Ask what became of orders of one batch; one outcome for each reference, in order. Safe to repeat."""

    def read_webhook(self, request: WebhookRequest) -> ProviderEvent:
        """Verify and read a provider's message. Raises WebhookRefusedError or WebhookUnreadableError."""

    async def fetch_statement(self, day: date) -> bytes | None:
        """The provider's statement of one day as it writes it (camt.053 XML for a bank), or None if there is none."""

    async def aclose(self) -> None:
        """Release connections."""
