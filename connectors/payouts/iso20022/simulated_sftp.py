"""A bank that exchanges files: a real SFTP server on loopback around the simulated bank's books, which fails on purpose.

It takes a message when it appears under its final name, moves it into the archive, executes it, and puts a pain.002 and the day's camt.053
into the other folder. Half a file, or one under another name, is never looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncssh

from connectors.faults import FaultKind, FaultPlan
from connectors.payouts.iso20022.simulated_bank import PHNOM_PENH, Books, stamp
from connectors.payouts.iso20022.simulated_messages import MessageRefusedError, read_instruction, write_receipt, write_refusal, write_report
from connectors.payouts.iso20022.simulated_statement import write_statement

INBOX, OUTBOX, ARCHIVE = "in", "out", "archive"
PLAYED = frozenset(
    {
        FaultKind.RESET_BEFORE_READ,
        FaultKind.HALF_REQUEST,
        FaultKind.REPLY_LOST_AFTER_ACCEPT,
        FaultKind.SLOW_ACCEPT,
        FaultKind.UNAVAILABLE,
        FaultKind.PARTIAL_BATCH,
        FaultKind.OUT_OF_FUNDS,
        FaultKind.OTHER_AMOUNT_ECHOED,
        FaultKind.OTHER_PAYEE_ECHOED,
    }
)


class FileBank:
    """The books, the folders under `root`, and the faults of the moment."""

    def __init__(self, books: Books, root: Path) -> None:
        self.books = books
        self.faults = FaultPlan()
        self.root = root
        self.fault: FaultKind | None = None  # of the upload under way
        self._numbers = itertools.count(1)
        for folder in (INBOX, OUTBOX, ARCHIVE):
            (root / folder).mkdir(parents=True, exist_ok=True)

    def arrived(self, name: str) -> None:
        """Work on a message that stands in the inbox under its final name."""
        fault, self.fault = self.fault, None
        path = self.root / INBOX / name
        body = path.read_bytes()
        path.rename(self.root / ARCHIVE / name)
        try:
            instruction = read_instruction(body)
        except MessageRefusedError as error:
            return self._put("pain002", write_refusal(error.message, error.reason, stamp()))
        count = len(instruction.transfers) // 2 if fault is FaultKind.PARTIAL_BATCH else None
        message = self.books.take(instruction, "", count=count, out_of_funds=fault is FaultKind.OUT_OF_FUNDS)
        if message is None:
            return self._put("pain002", write_refusal(instruction.message, "DU01", stamp()))
        self._put("pain002", write_receipt(message.original, stamp()))
        self.books.execute(message)
        orders = message.told_of()
        if fault is FaultKind.OTHER_AMOUNT_ECHOED:
            orders = [told.with_another_amount() for told in orders]
        if fault is FaultKind.OTHER_PAYEE_ECHOED:
            orders = [told.with_another_payee() for told in orders]
        self._put("pain002", write_report(message.original, message.done_at, orders))
        day = datetime.now(UTC).astimezone(PHNOM_PENH).date().isoformat()
        booked = self.books.bookings(message.debtor, day)
        if booked is not None:
            self._put("camt053", write_statement(message.debtor, day, stamp(), *booked))
        return None

    def _put(self, kind: str, body: bytes) -> None:
        name = f"{kind}.{next(self._numbers):06}.xml"
        partial = self.root / OUTBOX / f".{name}"
        partial.write_bytes(body)
        partial.rename(self.root / OUTBOX / name)


class _Server(asyncssh.SFTPServer):
    """The bank's folders, with faults at the points where a line breaks."""

    def __init__(self, bank: FileBank, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        super().__init__(chan, chroot=os.fsencode(bank.root))
        self._bank = bank
        self._chan = chan

    def _cut(self) -> None:
        self._chan.get_connection().abort()
        raise asyncssh.SFTPConnectionLost("the line broke")

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Draw the fault of an upload when it begins."""
        if path.endswith(b".part"):
            self._bank.fault = self._bank.faults.draw("submit")
            if self._bank.fault is FaultKind.RESET_BEFORE_READ:
                self._cut()
            if self._bank.fault is FaultKind.UNAVAILABLE:
                raise asyncssh.SFTPFailure("no room")
        return super().open(path, pflags, attrs)

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Write, or half of it."""
        if self._bank.fault is FaultKind.HALF_REQUEST:
            super().write(file_obj, offset, data[: len(data) // 2])
            self._cut()
        written = super().write(file_obj, offset, data)
        assert isinstance(written, int)  # noqa: S101 for the type checker: a local file is written at once
        return written

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Let a message arrive; its answer may be lost or late."""
        super().rename(oldpath, newpath)
        fault = self._bank.fault
        self._bank.arrived(os.fsdecode(newpath).rpartition("/")[2])
        if fault is FaultKind.REPLY_LOST_AFTER_ACCEPT:
            self._cut()
        if fault is FaultKind.SLOW_ACCEPT:
            await asyncio.sleep(self._bank.faults.seconds)

    def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        """List a folder, or break."""
        fault = self._bank.faults.draw("look_up")
        if fault is FaultKind.RESET_BEFORE_READ:
            self._cut()
        if fault is FaultKind.UNAVAILABLE:
            raise asyncssh.SFTPFailure("try later")
        return super().scandir(path)


@contextlib.asynccontextmanager
async def serving_files(bank: FileBank, *, user: str, password: str, host_key: asyncssh.SSHKey, port: int = 0) -> AsyncIterator[int]:
    """The port of the bank's SFTP server on 127.0.0.1 while the block runs."""

    class Door(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            del username
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, given: str) -> bool:
            return (username, given) == (user, password)

    factory: Callable[..., asyncssh.SFTPServer] = lambda chan: _Server(bank, chan)  # noqa: E731 asyncssh wants a factory
    server = await asyncssh.listen("127.0.0.1", port, server_factory=Door, server_host_keys=[host_key], sftp_factory=factory)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
