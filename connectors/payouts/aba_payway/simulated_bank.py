"""The books of a simulated PayWay: accounts at the bank, the merchant's whitelist, and transactions that were executed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from importers.money import Money, currency

PHNOM_PENH = ZoneInfo("Asia/Phnom_Penh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account at the bank."""

    holder: str = field(default="", repr=False)
    status: str = "open"  # or closed: in the whitelist perhaps, but not paid to


@dataclass(slots=True, kw_only=True)
class Transaction:
    """One payout that was executed."""

    reference: str
    account: str = field(repr=False)
    amount: Money
    apv: str
    at: str
    returned: bool = False
    hidden_until: float = 0.0  # monotonic seconds: checks say "not found" before it


class Books:
    """Everything the bank remembers. A credit counts when its journal line is written, so that a kill neither forgets nor repeats it."""

    def __init__(self, journal: Path | None = None, accounts: Mapping[str, Account] | None = None) -> None:
        self.accounts = accounts
        self.journal: list[dict[str, Any]] = []
        self.transactions: dict[str, Transaction] = {}
        self.whitelist: dict[str, bool] = {}
        self._file, self._listed = journal, journal and journal.with_name(journal.name + ".whitelist")
        if journal is not None and self._listed is not None:
            journal.parent.mkdir(parents=True, exist_ok=True)
            for line in _lines(journal):
                self._keep(line)
            self.whitelist = {line["account"]: line["enabled"] for line in _lines(self._listed)}

    def account(self, number: str) -> Account | None:
        """The account, or None if the bank does not know it. Without an accounts file every account exists and has no name."""
        return Account() if self.accounts is None else self.accounts.get(number)

    def allow(self, number: str, *, enabled: bool) -> None:
        """Put an account into the whitelist, or switch it."""
        _append(self._listed, {"account": number, "enabled": enabled})
        self.whitelist[number] = enabled

    def execute(self, reference: str, account: str, amount: Money) -> Transaction:
        """Credit the account, journal line first."""
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "kind": "credit",
            "reference": reference,
            "account": account,
            "amount_minor": amount.minor,
            "currency": amount.currency.code,
            "provider_reference": f"{len(self.journal) + 1:06d}",
        }
        _append(self._file, line)
        self._keep(line)
        return self.transactions[reference]

    def give_back(self, reference: str) -> bool:
        """Return an executed credit to the merchant. False if there is none."""
        found = self.transactions.get(reference)
        credit = next((line for line in self.journal if line["reference"] == reference), None)
        if found is None or credit is None or found.returned:
            return False
        line = credit | {"kind": "return", "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")}
        _append(self._file, line)
        self._keep(line)
        return True

    def shown(self, reference: str) -> Transaction | None:
        """A transaction as a check finds it."""
        found = self.transactions.get(reference)
        return None if found is None or time.monotonic() < found.hidden_until else found

    def _keep(self, line: dict[str, Any]) -> None:
        self.journal.append(line)
        if line["kind"] == "return":
            self.transactions[line["reference"]].returned = True
            return
        self.transactions[line["reference"]] = Transaction(
            reference=line["reference"],
            account=line["account"],
            amount=Money(line["amount_minor"], currency(line["currency"])),
            apv=line["provider_reference"],
            at=datetime.fromisoformat(line["at"]).astimezone(PHNOM_PENH).strftime("%Y-%m-%d %H:%M:%S"),
        )


def read_accounts(path: Path) -> dict[str, Account]:
    """The accounts file: {"bank_account": [{"account": "...", "holder": "...", "status": "open"}]}."""
    listed = json.loads(path.read_text(encoding="utf-8"))["bank_account"]
    return {line["account"]: Account(holder=line.get("holder", ""), status=line.get("status", "open")) for line in listed}


def _append(path: Path | None, line: dict[str, Any]) -> None:
    if path is not None:
        with path.open("ab", buffering=0) as file:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file; a last line without its end was cut off by a kill and never counted."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        path.write_bytes(whole)
    return [json.loads(line) for line in whole.splitlines()]
