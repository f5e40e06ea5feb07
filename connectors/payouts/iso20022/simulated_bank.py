"""The simulated bank's books: what it took, what it executed, and files from which a killed simulator starts again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Any

from connectors.payouts.iso20022.simulated_messages import Instruction, Original, Told
from connectors.payouts.iso20022.simulated_statement import Booking
from importers.money import Money, currency

PHNOM_PENH = timezone(timedelta(hours=7))  # a bank's day; no summer time
OPENING = {"USD": Money.of(10_000_000, currency("USD")), "KHR": Money.of(40_000_000_000, currency("KHR"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account at the bank."""

    holder: str
    status: str  # open, closed, or blocked: good when it is asked about, refused when money comes


@dataclass(slots=True, kw_only=True)
class Order:
    """One credit transfer and what became of it."""

    reference: str
    account: str
    amount: Money
    status: str = "PDNG"
    reason: str = ""
    provider_reference: str = ""
    at: str = ""


@dataclass(slots=True, kw_only=True)
class Message:
    """One pain.001 that was taken."""

    original: Original
    debtor: str
    orders: list[Order]
    callback_url: str
    done_at: str = ""  # when every order was executed or refused
    told: bool = False  # whether the callback was answered
    other_payee: bool = False  # reports state another account than was ordered
    hidden_until: float = 0.0  # event-loop seconds: look-ups say "not found" before it
    out_of_funds: bool = False  # the second half finds the account empty

    def told_of(self) -> list[Told]:
        """Each order, as a status report lists it."""
        return [
            Told(
                reference=order.reference,
                status=order.status,
                reason=order.reason,
                provider_reference=order.provider_reference,
                at=order.at,
                amount=order.amount,
                account=order.account,
            )
            for order in self.orders
        ]


def stamp() -> str:
    """This moment, as the messages write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_accounts(path: Path) -> Mapping[str, Account]:
    """Accounts from {"bank": [{"account", "holder", "status"}]}. Raises OSError, ValueError or KeyError."""
    listed = json.loads(path.read_text(encoding="utf-8"))["bank"]
    return {str(one["account"]): Account(holder=str(one["holder"]), status=str(one.get("status", "open"))) for one in listed}


@dataclass(slots=True, kw_only=True)
class Books:
    """Everything the bank remembers. A credit counts as executed when its journal line is written."""

    accounts: Mapping[str, Account] | None = None
    funds: dict[str, int] = field(default_factory=dict)  # planted: what each account has in all, in minor units; then OPENING does not hold
    journal: list[dict[str, Any]] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    _owner: dict[str, str] = field(default_factory=dict)  # EndToEndId -> the message that brought it first
    _journal_file: IO[bytes] | None = None
    _messages_file: IO[bytes] | None = None

    @classmethod
    def open(cls, journal: Path | None, accounts: Mapping[str, Account] | None) -> Books:
        """Books that go on where the files end; the file of messages stands beside the journal."""
        books = cls(accounts=accounts)
        if journal is not None:
            journal.parent.mkdir(parents=True, exist_ok=True)
            messages = journal.with_name(journal.name + ".messages")
            books._read(_lines(messages), _lines(journal))
            books._journal_file, books._messages_file = journal.open("ab"), messages.open("ab")
        return books

    def close(self) -> None:
        """Close the files."""
        for file in (self._journal_file, self._messages_file):
            if file is not None:
                file.close()

    def take(self, instruction: Instruction, callback_url: str, *, count: int | None = None, out_of_funds: bool = False) -> Message | None:
        """Take a message, or its first `count` orders; None if one with its MsgId was taken before."""
        if instruction.message in self.messages:
            return None
        transfers, total = instruction.transfers[:count], instruction.total
        if count is not None:
            total = str(Money(sum(one.amount.minor for one in transfers), instruction.transfers[0].amount.currency).amount)
        message = Message(
            original=Original(message=instruction.message, name=instruction.name, count=len(transfers), total=total),
            debtor=instruction.debtor,
            orders=[Order(reference=one.reference, account=one.account, amount=one.amount) for one in transfers],
            callback_url=callback_url,
            out_of_funds=out_of_funds,
        )
        self._note({"kind": "taken", **_as_json(message)})
        self._index(message)
        return message

    def execute(self, message: Message) -> None:
        """Pay or refuse every order that is still pending, journal first, and finish the message."""
        credits_, refusals, middle = [], {}, len(message.orders) // 2
        number = len(self.journal)
        left = self.left(message.debtor, message.orders[0].amount.currency.code).minor if message.orders else 0
        for position, order in enumerate(message.orders):
            if order.status != "PDNG":
                continue
            order.at = stamp()
            short = order.amount.minor > left
            reason = self._refusal(message, order, empty=short or (message.out_of_funds and position >= middle))
            if reason:
                order.status, order.reason = "RJCT", reason
                refusals[position] = reason
            else:
                number += 1
                left -= order.amount.minor
                order.status, order.provider_reference = "ACSC", f"SIM{number:012d}"
                credits_.append(_journal_line(message, order, "credit"))
        self._write_journal(credits_)
        message.done_at = stamp()
        self._note({"kind": "done", "message": message.original.message, "at": message.done_at, "refused": refusals})

    def left(self, debtor: str, code: str) -> Money:
        """What the account can still pay: what it began with, less what was executed, and what came back."""
        begin = self.funds.get(debtor, OPENING[code].minor)
        lines = [line for line in self.journal if line["debtor"] == debtor and line["currency"] == code]
        moved = sum(line["amount_minor"] if line["kind"] == "credit" else -line["amount_minor"] for line in lines)
        return Money(begin - moved, currency(code))

    def give_back(self, reference: str) -> bool:
        """Return an executed credit to the factory's account. False if there is none, or it came back before."""
        message = self.messages.get(self._owner.get(reference, ""))
        found = [order for order in message.orders if order.reference == reference and order.status == "ACSC"] if message else []
        if message is None or not found or any(line["kind"] == "return" and line["reference"] == reference for line in self.journal):
            return False
        order = found[0]
        line = _journal_line(message, order, "return")
        self._write_journal([{**line, "at": stamp(), "provider_reference": f"SIM{len(self.journal) + 1:012d}"}])
        return True

    def told(self, message: Message) -> None:
        """The callback was answered."""
        message.told = True
        self._note({"kind": "told", "message": message.original.message})

    def bookings(self, debtor: str, day: str) -> tuple[Money, list[Booking]] | None:
        """Opening balance and lines of one account's day in Phnom Penh, or None where nothing was booked."""
        before, lines, opening = 0, [], None
        for line in self.journal:
            if line["debtor"] != debtor:
                continue
            booked = datetime.fromisoformat(line["at"]).astimezone(PHNOM_PENH).date().isoformat()
            amount, out = Money(line["amount_minor"], currency(line["currency"])), line["kind"] == "credit"
            opening = OPENING[line["currency"]]
            if booked < day:
                before += -amount.minor if out else amount.minor
            elif booked == day:
                lines.append(
                    Booking(
                        provider_reference=line["provider_reference"],
                        reference=line["reference"],
                        account=line["account"],
                        amount=amount,
                        booked_on=booked,
                        out=out,
                    )
                )
        return None if opening is None or not lines else (Money(opening.minor + before, opening.currency), lines)

    def debtors(self) -> Sequence[str]:
        """The factory's accounts that ordered anything."""
        return sorted({message.debtor for message in self.messages.values()})

    def _refusal(self, message: Message, order: Order, *, empty: bool) -> str:
        if self._owner.get(order.reference) != message.original.message:
            return "AM05"
        if empty:
            return "AM04"
        if self.accounts is None:
            return ""
        account = self.accounts.get(order.account)
        return "AC01" if account is None else {"open": "", "blocked": "AC06"}.get(account.status, "AC04")

    def _index(self, message: Message) -> None:
        self.messages[message.original.message] = message
        seen: set[str] = set()
        for order in message.orders:
            self._owner.setdefault(order.reference, message.original.message)
            if order.reference in seen:
                order.status, order.reason = "RJCT", "AM05"
            seen.add(order.reference)

    def _note(self, line: Mapping[str, Any]) -> None:
        if self._messages_file is not None:
            self._messages_file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            self._messages_file.flush()

    def _write_journal(self, lines: Sequence[dict[str, Any]]) -> None:
        if self._journal_file is not None and lines:
            self._journal_file.write(b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines))
            self._journal_file.flush()
        self.journal.extend(lines)

    def _read(self, messages: Iterable[dict[str, Any]], journal: Iterable[dict[str, Any]]) -> None:
        for line in messages:
            if line["kind"] == "taken":
                self._index(_from_json(line))
                continue
            message = self.messages[line["message"]]
            if line["kind"] == "told":
                message.told = True
                continue
            message.done_at = line["at"]
            for position, reason in line["refused"].items():
                order = message.orders[int(position)]
                order.status, order.reason, order.at = "RJCT", reason, line["at"]
        self.journal = list(journal)
        executed = {(line["batch"], line["reference"]): line for line in self.journal if line["kind"] == "credit"}
        for message in self.messages.values():
            for order in message.orders:
                found = executed.get((message.original.message, order.reference))
                if found is not None and order.status == "PDNG":
                    order.status, order.at, order.provider_reference = "ACSC", found["at"], found["provider_reference"]


def _journal_line(message: Message, order: Order, kind: str) -> dict[str, Any]:
    return {
        "at": order.at,
        "reference": order.reference,
        "batch": message.original.message,
        "account": order.account,
        "amount_minor": order.amount.minor,
        "currency": order.amount.currency.code,
        "provider_reference": order.provider_reference,
        "kind": kind,
        "debtor": message.debtor,
    }


def _as_json(message: Message) -> dict[str, Any]:
    return {
        "message": message.original.message,
        "name": message.original.name,
        "total": message.original.total,
        "debtor": message.debtor,
        "callback_url": message.callback_url,
        "out_of_funds": message.out_of_funds,
        "orders": [[order.reference, order.account, order.amount.minor, order.amount.currency.code] for order in message.orders],
    }


def _from_json(line: Mapping[str, Any]) -> Message:
    orders = [Order(reference=one[0], account=one[1], amount=Money(one[2], currency(one[3]))) for one in line["orders"]]
    original = Original(message=line["message"], name=line["name"], count=len(orders), total=line["total"])
    return Message(
        original=original,
        debtor=line["debtor"],
        orders=orders,
        callback_url=line["callback_url"],
        out_of_funds=line["out_of_funds"],
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file; a last line that a kill cut short never happened, and is cut off."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) != len(data):
        path.write_bytes(whole)
    return [json.loads(line) for line in whole.splitlines()]
