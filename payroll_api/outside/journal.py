"""A file outside the database with one line for each sending, on disk before a byte of the sending leaves.

In the clear a line holds ids and a count. Who is paid what (work-card codes, sums, references) is sealed with a key derived from the
master key: whoever finds the file learns nothing about a person, and whoever restores the database can still ask the provider.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import functools
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from payroll_api.encryption.vault import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class SentOrder:
    """One order of a sending: the attempt it is, for whom, and what was approved."""

    reference: str
    payment_id: UUID
    number: int
    worker_code: str
    period: str
    kind: str
    currency: str
    amount_minor: int
    payload_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One line: the `epoch`-th sending of a factory, to one of its provider accounts."""

    factory_id: UUID
    epoch: int
    at: datetime
    provider_account_id: UUID
    dispatch_id: UUID
    dispatch: str
    fence: int
    orders: Sequence[SentOrder] = field(repr=False)


class Journal:
    """The journal in one file. Reads only what was added since it last looked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._file: tuple[int, int] | None = None
        self._id: UUID | None = None
        self._newest: dict[UUID, int] = {}

    def identity(self) -> UUID | None:
        """Which journal this is; None while there is none."""
        self._catch_up()
        return self._id

    def newest(self, factory_id: UUID) -> int:
        """The highest number of a factory's sendings; 0 when it has none."""
        self._catch_up()
        return self._newest.get(factory_id, 0)

    def factories(self) -> set[UUID]:
        """Every factory that has sent anything."""
        self._catch_up()
        return set(self._newest)

    def begin(self) -> UUID:
        """Make the journal if there is none; give its identity."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(self._path) as descriptor:
            if os.fstat(descriptor).st_size == 0:
                _write(descriptor, {"v": 1, "journal": str(uuid4())})
                _keep_name(self._path.parent)
        found = self.identity()
        assert found is not None  # noqa: S101 its first line was just written
        return found

    def append(self, keys: Keys, sending: Sending) -> None:
        """Add a line; it is on disk when this returns."""
        content = json.dumps([[str(value) for value in _values(order)] for order in sending.orders]).encode()
        line = {
            "v": 1,
            "factory": str(sending.factory_id),
            "epoch": sending.epoch,
            "at": sending.at.isoformat(),
            "account": str(sending.provider_account_id),
            "id": str(sending.dispatch_id),
            "dispatch": sending.dispatch,
            "fence": sending.fence,
            "count": len(sending.orders),
            "orders": base64.b64encode(keys.seal_outside(zlib.compress(content), sending.dispatch)).decode(),
        }
        with _locked(self._path) as descriptor:
            _write(descriptor, line)

    def read(self, keys: Keys, factory_id: UUID) -> Iterator[Sending]:
        """Every sending of a factory, in order. Raises SealBrokenError for a line that was changed."""
        for line in _lines(self._path, 0)[0]:
            if line.get("factory") == str(factory_id):
                content = zlib.decompress(keys.open_outside(base64.b64decode(line["orders"]), line["dispatch"]))
                yield Sending(
                    factory_id=factory_id,
                    epoch=line["epoch"],
                    at=datetime.fromisoformat(line["at"]),
                    provider_account_id=UUID(line["account"]),
                    dispatch_id=UUID(line["id"]),
                    dispatch=line["dispatch"],
                    fence=line["fence"],
                    orders=[_order(values) for values in json.loads(content)],
                )

    def _catch_up(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            size, file = 0, None
        else:
            size, file = found.st_size, (found.st_dev, found.st_ino)
        if size < self._offset or file != self._file:  # another file has taken its place, perhaps a longer one
            self._offset, self._file, self._id, self._newest = 0, file, None, {}
        if size == self._offset:
            return
        lines, self._offset = _lines(self._path, self._offset)
        for line in lines:
            if "journal" in line and self._id is None:
                self._id = UUID(line["journal"])
            elif "factory" in line:
                factory = UUID(line["factory"])
                self._newest[factory] = max(self._newest.get(factory, 0), line["epoch"])


@functools.cache
def journal_at(path: Path) -> Journal:
    """The journal of a path, one for each process: it remembers how far it has read."""
    return Journal(path)


def _values(order: SentOrder) -> tuple[object, ...]:
    return (
        order.reference, order.payment_id, order.number, order.worker_code, order.period, order.kind, order.currency, order.amount_minor,
        order.payload_hash.hex(),
    )  # fmt: skip


def _order(values: Sequence[str]) -> SentOrder:
    reference, payment, number, code, period, kind, unit, minor, payload = values
    return SentOrder(
        reference=reference,
        payment_id=UUID(payment),
        number=int(number),
        worker_code=code,
        period=period,
        kind=kind,
        currency=unit,
        amount_minor=int(minor),
        payload_hash=bytes.fromhex(payload),
    )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file, opened for adding, with nobody else adding."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _write(descriptor: int, line: dict[str, object]) -> None:
    size = os.fstat(descriptor).st_size
    # A process that died while it wrote left half a line: the next one begins on its own.
    torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
    content = (b"\n" if torn else b"") + json.dumps(line, separators=(",", ":")).encode() + b"\n"
    while content:
        content = content[os.write(descriptor, content) :]
    os.fsync(descriptor)


def _keep_name(folder: Path) -> None:
    """A new file's name is on disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lines(path: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
    """The whole lines from `offset` on, and where they end. Half a line is left for later; a torn one in the middle is nobody's."""
    if not path.exists():
        return [], 0
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read()
    end = content.rfind(b"\n") + 1
    found = []
    for text in content[:end].splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            found.append(line)
    return found, offset + end
