"""The simulator's memory: which messages reached which phone, and which receipts were taken. Two files that only grow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one phone. `status` is PlasGate's word: DELIVRD, or UNDELIV for a phone out of reach."""

    identifier: str
    reference: str | None
    to: str
    text: str
    segments: int
    status: str
    receipt_url: str | None


class Journal:
    """JSON lines at `path`, and beside it the ids whose receipts were taken, so that a restart sends the rest."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._taken_path = path.with_suffix(f"{path.suffix}.receipts")
        path.parent.mkdir(parents=True, exist_ok=True)
        _end_last_line(path)
        _end_last_line(self._taken_path)

    def write(self, deliveries: Iterable[Delivery]) -> None:
        """Remember messages, on disk before this returns."""
        at = datetime.now(UTC).isoformat()
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(_line(delivery, at) for delivery in deliveries)

    def take(self, identifiers: Sequence[str]) -> None:
        """Remember that these receipts need no sending any more."""
        with self._taken_path.open("a", encoding="ascii") as file:
            file.writelines(f"{identifier}\n" for identifier in identifiers)

    def open_receipts(self) -> list[Delivery]:
        """Messages from before a restart whose receipts were not taken."""
        taken = set(self._taken_path.read_text("ascii").split())
        with self.path.open(encoding="utf-8") as file:
            entries = [json.loads(line) for line in file if line.endswith("}\n")]
        return [
            Delivery(
                identifier=entry["id"],
                reference=entry["reference"],
                to=entry["to"],
                text=entry["text"],
                segments=entry["segments"],
                status=entry["status"],
                receipt_url=entry["receipt_url"],
            )
            for entry in entries
            if entry["receipt_url"] and entry["id"] not in taken
        ]


def _line(delivery: Delivery, at: str) -> str:
    entry = {
        "at": at,
        "id": delivery.identifier,
        "reference": delivery.reference,
        "to": delivery.to,
        "text": delivery.text,
        "segments": delivery.segments,
        "status": delivery.status,
        "receipt_url": delivery.receipt_url,
    }
    return json.dumps(entry, ensure_ascii=False) + "\n"


def _end_last_line(path: Path) -> None:
    """Start on a fresh line after a crash in the middle of one."""
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, 2)
            if file.read() != b"\n":
                file.write(b"\n")
