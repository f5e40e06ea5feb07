"""A proxy in front of PostgreSQL that cuts a chosen COMMIT: its reply after it was done, or the COMMIT itself before it arrives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_COMMIT = b"COMMIT"


@dataclass(slots=True, kw_only=True)
class Cut:
    """Cut the COMMIT of a connection that has sent `marker` before it. `is_done`: the server commits, the client never hears of it."""

    marker: bytes
    is_done: bool
    times: int = 1
    every: int = 1  # of the COMMITs that fit, only each n-th is cut
    seen: int = 0
    made: int = 0


class PostgresProxy:
    """Listens on a socket file of its own and forwards to the server's."""

    def __init__(self, server: Path, folder: Path) -> None:
        self._server = server
        self.folder = folder
        self.cut: Cut | None = None
        self.on_cut: Callable[[], None] = lambda: None
        self._listening: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / self._server.name
        path.unlink(missing_ok=True)
        self._listening = await asyncio.start_unix_server(self._serve, path)

    def close(self) -> None:
        """Listen no longer."""
        if self._listening is not None:
            self._listening.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_unix_connection(self._server)
        except OSError:
            writer.close()
            return
        deaf = asyncio.Event()
        ways = [
            asyncio.create_task(self._down(up_reader, writer, deaf)),
            asyncio.create_task(self._up(reader, up_writer, deaf)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (writer, up_writer):
            end.close()
        await asyncio.gather(*ways, return_exceptions=True)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, deaf: asyncio.Event) -> None:
        is_marked = False
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                cut = self.cut
                if cut is not None:
                    is_marked = is_marked or cut.marker in data
                    if is_marked and _COMMIT in data:
                        is_marked = False
                        if self._falls(cut):
                            if cut.is_done:
                                deaf.set()
                                writer.write(data)
                                await writer.drain()
                                await asyncio.sleep(0.05)  # the server has it, and answers nobody
                            self.on_cut()
                            return
                    elif b"ROLLBACK" in data:
                        is_marked = False
                writer.write(data)
                await writer.drain()

    def _falls(self, cut: Cut) -> bool:
        cut.seen += 1
        if cut.made >= cut.times or cut.seen % cut.every:
            return False
        cut.made += 1
        return True

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, deaf: asyncio.Event) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if deaf.is_set():
                    continue
                writer.write(data)
                await writer.drain()
