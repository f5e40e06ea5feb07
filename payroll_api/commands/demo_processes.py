"""The demo's processes: started, waited for, watched, and stopped in order. Only processes that a demo started are ever ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from payroll_api.errors import ConfigurationError

START_SECONDS = 30
STOP_SECONDS = 12  # a little more than a worker takes at most to hear out what is under way


class ChildDiedError(ConfigurationError):
    """A process of the demo ended by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Children:
    """The processes of one demo, in the order of their start."""

    def __init__(self, logs: Path, register: Path) -> None:
        self._logs = logs
        self._register = register
        self._children: list[Child] = []

    def end_orphans(self) -> None:
        """End what a demo in this folder left behind when it was killed itself. Told by id and start time: never another's process."""
        with contextlib.suppress(OSError, ValueError):
            for pid, started in json.loads(self._register.read_text()):
                with contextlib.suppress(psutil.Error):
                    process = psutil.Process(pid)
                    if str(process.create_time()) == started:
                        process.terminate()
                        process.wait(STOP_SECONDS)
        self._register.unlink(missing_ok=True)

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Start `python arguments...`; what it writes goes to a log of its name."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            # A session of its own: Ctrl-C reaches the demo, which stops the others in order.
            process = subprocess.Popen(  # noqa: S603 our own modules, with arguments of our own
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                start_new_session=True,
            )
        child = Child(name=name, process=process, log=log)
        self._children.append(child)
        self._write_register()
        return child

    async def ready(self, child: Child, address: str) -> None:
        """Wait until `address` answers anything but trouble. Raises ChildDiedError, ConfigurationError."""
        deadline = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
            while time.monotonic() < deadline:
                self.require_alive()
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(address)).status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                        return
                await asyncio.sleep(0.05)
        raise ConfigurationError(f"The process {child.name!r} did not get ready within {START_SECONDS} s. Its log says why: {child.log}.")

    def require_alive(self) -> None:
        """Raises ChildDiedError naming the process that has ended, and the last it wrote."""
        for child in self._children:
            if (status := child.process.poll()) is not None:
                raise ChildDiedError(f"The process {child.name!r} has ended (status {status}). {_last_words(child.log)}")

    def running(self) -> list[tuple[str, int]]:
        """Name and process id of each."""
        return [(child.name, child.process.pid) for child in self._children]

    async def watch(self) -> None:
        """Return never, but raise ChildDiedError when one ends."""
        while True:
            self.require_alive()
            await asyncio.sleep(0.5)

    def kill(self, name: str) -> None:
        """SIGKILL one process as a crash would, and forget it: for tests of what happens then."""
        child = next(child for child in self._children if child.name == name)
        child.process.kill()
        child.process.wait()
        self._children.remove(child)

    def stop(self) -> None:
        """Stop all, the last started first; each hears out what is under way. Whoever does not end in time is killed."""
        for child in reversed(self._children):
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
            try:
                child.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self._children.clear()
        self._register.unlink(missing_ok=True)

    def _write_register(self) -> None:
        entries = []
        for child in self._children:
            with contextlib.suppress(psutil.Error):
                entries.append([child.process.pid, str(psutil.Process(child.process.pid).create_time())])
        self._register.write_text(json.dumps(entries))


def _last_words(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"It wrote: {lines[-1][:300]} (all of it: {log})" if lines else f"It wrote nothing to {log}."
