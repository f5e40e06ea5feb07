"""The demo's folder: one demo at a time, and what it must remember from one start to the next (ports, secrets, logins, paydays)."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import errno
import fcntl
import json
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from payroll_api.errors import ConfigurationError

# PostgreSQL's own files take about 50 MiB, its write-ahead log grows to a few hundred under load.
ROOM_MIB = 300
SIMULATORS = ("bank", "wallet", "sms")

PEOPLE = {
    "sokha": ("Sokha", "preparer", "prepares payroll (HR)"),
    "dara": ("Dara", "approver", "approves and releases"),
    "chanthy": ("Chanthy", "finance", "statements and breaks"),
    "sreymom": ("Sreymom", "auditor", "reads and proves"),
    "admin": ("Administrator", "administrator", "people, keys, provider accounts"),
}
_WORDS = re.findall(
    r"\w+",
    "amber basket bridge candle canyon cedar copper cotton dragon ferry garden ginger harbor island jasmine kettle lantern lotus mango"
    " market meadow mirror monsoon needle orchid paddle palace pepper pillow planet quarry rattan ribbon river saddle sesame silver"
    " spindle sunset tamarind teapot temple thimble thread timber velvet village walnut willow window",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payday:
    """A payday that this demo began, so that it is never played twice."""

    sheet: str  # sha256 of the workbook's bytes
    period: str
    file_id: UUID
    run_id: UUID | None = None
    is_done: bool = False


@dataclass(slots=True, kw_only=True)
class Memory:
    """What `demo.json` holds. The secrets are between the demo's own processes, the passwords are the demo's only."""

    ports: dict[str, int]
    secrets: dict[str, str] = field(repr=False)
    passwords: dict[str, str] = field(repr=False)
    paydays: list[Payday] = field(default_factory=list)

    def payday(self, sheet: str, period: str) -> Payday | None:
        """The payday of these bytes, if it began here before."""
        return next((known for known in self.paydays if (known.sheet, known.period) == (sheet, period)), None)

    def remember(self, payday: Payday) -> None:
        """Keep a payday in place of what was known of it."""
        self.paydays = [known for known in self.paydays if (known.sheet, known.period) != (payday.sheet, payday.period)] + [payday]


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of one demo."""

    path: Path

    @property
    def logs(self) -> Path:
        """Where each process writes."""
        return self.path / "logs"

    def journal(self, simulator: str) -> Path:
        """Where a simulator keeps what it executed."""
        return self.path / "journals" / f"{simulator}.jsonl"

    @property
    def memory_file(self) -> Path:
        """The demo's memory."""
        return self.path / "demo.json"

    def load(self) -> Memory:
        """The memory of the last start, or a new one with free ports and fresh secrets."""
        try:
            content = json.loads(self.memory_file.read_text())
            paydays = [
                Payday(
                    sheet=known["sheet"],
                    period=known["period"],
                    file_id=UUID(known["file_id"]),
                    run_id=UUID(known["run_id"]) if known["run_id"] else None,
                    is_done=known["is_done"],
                )
                for known in content["paydays"]
            ]
            return Memory(ports=content["ports"], secrets=content["secrets"], passwords=content["passwords"], paydays=paydays)
        except FileNotFoundError:
            return _fresh()
        except (ValueError, KeyError, TypeError):
            raise ConfigurationError(
                f"{self.memory_file} is damaged. Use another folder (--data-dir), or remove {self.path} to begin a new demo."
            ) from None

    def save(self, memory: Memory) -> None:
        """Write the memory so that a crash leaves the old or the new one."""
        new = self.memory_file.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(dataclasses.asdict(memory), file, default=str, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.memory_file)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Folder]:
    """The folder, locked for this demo alone. Raises ConfigurationError when it cannot be used."""
    folder = Folder(path.resolve())
    for part in (folder.path, folder.logs, folder.path / "journals"):
        part.mkdir(parents=True, exist_ok=True, mode=0o755)
    free = shutil.disk_usage(folder.path).free // 1024 // 1024
    if free < ROOM_MIB:
        raise OSError(errno.ENOSPC, f"only {free} MiB are free, the demo needs {ROOM_MIB}", str(folder.path))
    with (folder.path / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"A demo is running in {folder.path} already: look at its pages, stop it with Ctrl-C, or use another folder (--data-dir)."
            ) from None
        yield folder


def _fresh() -> Memory:
    names = ("bank_credential", "wallet_key", "wallet_callback", "sms_key", "sms_secret", "sms_receipts")
    signing = ("bank_signing", "bank_webhook")
    return Memory(
        ports={name: free_port() for name in SIMULATORS},
        secrets={name: secrets.token_hex(24) for name in names}
        | {name: "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode() for name in signing},
        passwords={login: "-".join([*(secrets.choice(_WORDS) for _ in range(3)), str(secrets.randbelow(9000) + 1000)]) for login in PEOPLE},
    )


def is_free(port: int) -> bool:
    """Whether a port of this machine can be listened on now."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on. Raises ConfigurationError."""
    # Below what the system gives to outgoing connections (32768 and up), and drawn, so that it is still free at the next start.
    for port in (20_000 + secrets.randbelow(10_000) for _ in range(50)):
        if is_free(port):
            return port
    raise ConfigurationError("No free port was found for the simulated bank. Stop some programs that listen on ports, and start again.")
