"""The books of a simulated wallet provider: requests it took, credits it executed, and files from which both come back."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from importers.money import Money, currency

OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """One account that the provider knows."""

    holder: str | None = field(default=None, repr=False)
    status: str = OPEN  # or closed, or blocked: good when it is asked about, refused when money comes


@dataclass(slots=True, kw_only=True)
class Item:
    """One disbursement. `state` is pending, completed, rejected or reversed."""

    reference: str
    account: str = field(repr=False)
    amount_minor: int
    currency: str
    debit: tuple[str, str] = field(repr=False)
    description: str = ""
    state: str = "pending"
    reason: str = ""
    provider_reference: str = ""
    at: str = ""

    @property
    def money(self) -> Money:
        """The amount of the order."""
        return Money(self.amount_minor, currency(self.currency))


@dataclass(slots=True, kw_only=True)
class Taken:
    """One request that was taken: a batch, or a single transaction."""

    identification: str
    title: str
    correlation_id: str
    server_id: str
    callback_url: str | None
    items: list[Item]
    single: bool
    created_at: str
    status: str = "created"  # created, approved, completed
    called_back: bool = False
    completed_at: str = ""
    hidden_until: float = 0.0  # monotonic seconds: look-ups say "not found" before it
    other_amount: bool = False  # answers state another amount than was ordered
    other_payee: bool = False  # answers state another account than was ordered
    out_of_funds: bool = False  # the second half of the items finds the account empty
    may_go: asyncio.Event = field(default_factory=asyncio.Event)  # set once the batch is approved


def stamp() -> str:
    """This moment, as the API writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Books:
    """Everything the provider remembers. Credits stand in `journal`, requests and refusals in the file beside it.

    A credit counts as executed when its journal line is written, so that a killed simulator neither forgets nor repeats it.
    """

    def __init__(self, journal: Path | None = None, wallets: Mapping[str, Wallet] | None = None, *, two_step: bool = False) -> None:
        self.wallets = wallets
        self.two_step = two_step
        self.journal: list[dict[str, Any]] = []
        self.by_correlation: dict[str, Taken] = {}
        self.by_id: dict[str, Taken] = {}
        self.by_server_id: dict[str, Taken] = {}
        self.by_reference: dict[str, tuple[Taken, Item]] = {}
        self.by_provider_reference: dict[str, tuple[Taken, Item]] = {}
        self._journal_file: IO[bytes] | None = None
        self._requests_file: IO[bytes] | None = None
        if journal is not None:
            journal.parent.mkdir(parents=True, exist_ok=True)
            requests = journal.with_name(journal.name + ".requests")
            self._read(_lines(requests), _lines(journal))
            self._journal_file, self._requests_file = _append_to(journal), _append_to(requests)

    def close(self) -> None:
        """Close the files."""
        for file in (self._journal_file, self._requests_file):
            if file is not None:
                file.close()

    def take(self, taken: Taken) -> Taken:
        """Take a request once: one that comes again under its correlation id is answered with what was taken the first time."""
        known = self.by_correlation.get(taken.correlation_id)
        if known is not None:
            return known
        self._note([{"kind": "taken", **_as_json(taken)}])
        self._index(taken)
        return taken

    def approve(self, taken: Taken) -> None:
        """Let a waiting batch go. A second approval changes nothing."""
        if taken.status == "created":
            taken.status = "approved"
            taken.may_go.set()
            self._note([{"kind": "approved", "correlation_id": taken.correlation_id}])

    def execute(self, taken: Taken) -> None:
        """Pay or refuse every item that is still pending, journal line first, and finish the batch."""
        credits_, refusals, middle = [], [], len(taken.items) // 2
        for position, item in enumerate(taken.items):
            if item.state != "pending":
                continue
            reason = self._refusal(taken, item, empty=taken.out_of_funds and position >= middle)
            item.at = stamp()
            if reason:
                item.state, item.reason = "rejected", reason
                refusals.append(
                    {"kind": "rejected", "correlation_id": taken.correlation_id, "position": position, "reason": reason, "at": item.at}
                )
            else:
                item.state, item.provider_reference = "completed", f"MM{uuid.uuid4().hex[:16].upper()}"
                credits_.append(self._line(taken, item, "credit"))
        self._write(credits_)
        self._note(refusals)
        taken.status, taken.completed_at = "completed", stamp()
        for item in taken.items:
            if item.provider_reference:
                self.by_provider_reference[item.provider_reference] = (taken, item)

    def give_back(self, reference: str) -> bool:
        """Return an executed credit to the factory. False if there is none."""
        found = self.by_reference.get(reference)
        if found is None or found[1].state != "completed":
            return False
        taken, item = found
        item.state = "reversed"
        self._write([self._line(taken, item, "return") | {"at": stamp()}])
        return True

    def called_back(self, taken: Taken) -> None:
        """Remember that the client has taken the callback."""
        taken.called_back = True
        self._note([{"kind": "called_back", "correlation_id": taken.correlation_id}])

    def wallet(self, account: str) -> Wallet | None:
        """The wallet, or None if the provider does not know it. Without an accounts file every wallet exists."""
        return Wallet() if self.wallets is None else self.wallets.get(account)

    def _refusal(self, taken: Taken, item: Item, *, empty: bool) -> str:
        wallet = self.wallet(item.account)
        first = self.by_reference.get(item.reference)
        if first is not None and first[1] is not item:
            return "duplicateRequest"
        if wallet is None:
            return "identifierError"
        if wallet.status != OPEN:
            return "account unavailable"
        return "insufficientFunds" if empty and taken.out_of_funds else ""

    def asked_for(self, table: str, key: str) -> Taken | None:
        """The request in one of the tables, unless it is hidden for a while."""
        tables = {"correlation": self.by_correlation, "id": self.by_id, "server_id": self.by_server_id}
        taken = tables[table].get(key)
        return None if taken is None or hidden(taken) else taken

    def _index(self, taken: Taken) -> None:
        if taken.status != "created":
            taken.may_go.set()
        self.by_correlation[taken.correlation_id] = taken
        self.by_id[taken.identification] = taken
        self.by_server_id[taken.server_id] = taken
        for item in taken.items:
            self.by_reference.setdefault(item.reference, (taken, item))

    def _line(self, taken: Taken, item: Item, kind: str) -> dict[str, Any]:
        return {
            "at": item.at,
            "kind": kind,
            "reference": item.reference,
            "batch": taken.title,
            "account": item.account,
            "amount_minor": item.amount_minor,
            "currency": item.currency,
            "provider_reference": item.provider_reference,
        }

    def _write(self, lines: list[dict[str, Any]]) -> None:
        _append(self._journal_file, lines)
        self.journal += lines

    def _note(self, lines: list[dict[str, Any]]) -> None:
        _append(self._requests_file, lines)

    def _read(self, requests: Iterable[dict[str, Any]], journal: Iterable[dict[str, Any]]) -> None:
        for line in requests:
            if line["kind"] == "taken":
                self._index(_from_json(line))
                continue
            taken = self.by_correlation[line["correlation_id"]]
            if line["kind"] == "approved":
                taken.status = "approved"
                taken.may_go.set()
            elif line["kind"] == "called_back":
                taken.called_back = True
            else:
                item = taken.items[line["position"]]
                item.state, item.reason, item.at = "rejected", line["reason"], line["at"]
        for line in journal:
            taken, item = self.by_reference[line["reference"]]
            item.state = "completed" if line["kind"] == "credit" else "reversed"
            item.provider_reference = line["provider_reference"]
            item.at = line["at"] if line["kind"] == "credit" else item.at
            self.by_provider_reference[item.provider_reference] = (taken, item)
            self.journal.append(line)
        for taken in self.by_correlation.values():
            if all(item.state != "pending" for item in taken.items):
                taken.status, taken.completed_at = "completed", stamp()


def read_wallets(path: Path) -> dict[str, Wallet]:
    """The accounts file: {"wallet": [{"account": "+855...", "holder": "...", "status": "open"}]}."""
    listed = json.loads(path.read_text(encoding="utf-8"))["wallet"]
    return {line["account"]: Wallet(holder=line.get("holder"), status=line.get("status", OPEN)) for line in listed}


def hidden(taken: Taken) -> bool:
    """Whether look-ups do not show this request yet."""
    return time.monotonic() < taken.hidden_until


def _as_json(taken: Taken) -> dict[str, Any]:
    items = [[item.reference, item.account, item.amount_minor, item.currency, *item.debit, item.description] for item in taken.items]
    head = {
        key: getattr(taken, key)
        for key in ("identification", "title", "correlation_id", "server_id", "callback_url", "single", "created_at")
    }
    return {**head, "items": items, "status": taken.status}


def _from_json(line: dict[str, Any]) -> Taken:
    items = [
        Item(reference=reference, account=account, amount_minor=minor, currency=code, debit=(key, value), description=text)
        for reference, account, minor, code, key, value, text in line.pop("items")
    ]
    line.pop("kind")
    return Taken(**line, items=items)


def _append_to(path: Path) -> IO[bytes]:
    return path.open("ab", buffering=0)


def _append(file: IO[bytes] | None, lines: list[dict[str, Any]]) -> None:
    """All lines in one write, so that a killed simulator leaves whole lines behind."""
    if file is not None and lines:
        file.write(b"".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines))


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file; a last line without its end was cut off by a kill and never counted."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        path.write_bytes(whole)
    return [json.loads(line) for line in whole.splitlines()]
