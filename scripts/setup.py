"""Makes .venv and installs the locked, hashed packages and the project into it. Standard library only; quick when nothing changed.

`sh scripts/setup.sh run|dev` finds the Python and calls this. Whatever goes wrong is told as a sentence that says what to do.
"""

# ruff: noqa: INP001, S603  a script beside the packages; it starts nothing but Python and pip, with arguments of its own

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "setup.json"
LOG = VENV / "setup.log"
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
ROOM_MIB = {"run": 600, "dev": 900}  # what an installation takes at its height, with the packages being unpacked

_SIGNS = (  # words of pip's log, and what they mean to the person in front of it; the first that fits is told
    (("No space left on device", "Errno 28", "Disk quota exceeded"), "the disk is full: free {room} MiB and run this again."),
    (
        ("DO NOT MATCH THE HASHES",),
        "a downloaded package is not the one that was locked. Do not go on: try another network, and report it if it happens again.",
    ),
    (
        (
            *("Temporary failure in name resolution", "nodename nor servname", "Network is unreachable", "NewConnectionError"),
            *("ConnectTimeout", "ReadTimeout", "Read timed out", "Max retries exceeded", "ProxyError", "CERTIFICATE_VERIFY_FAILED"),
            "(from versions: none)",  # what pip says when every index was silent
        ),
        "no package index could be reached. Check the network (and pip's proxy or index settings), then run this again: it goes on.",
    ),
    (
        ("Could not find a version", "No matching distribution"),
        "a locked package has no build for this machine ({platform}). Linux with glibc and macOS, on x86-64 or arm64, work.",
    ),
    (("Permission denied", "Errno 13"), "something in {root} may not be written: give the folder to your user (no sudo is needed here)."),
)


class SetupError(Exception):
    """Setting up cannot go on; the message says why and what to do."""


def main(arguments: Sequence[str]) -> int:
    """Set up for `run` or `dev`; 0 when all is in place."""
    if len(arguments) != 1 or arguments[0] not in LOCKS:
        sys.stderr.write("Say what for: 'sh scripts/setup.sh run' or 'sh scripts/setup.sh dev'.\n")
        return 2
    extent = arguments[0]
    if _is_in_place(extent):
        return 0
    try:
        with (ROOT / "pyproject.toml").open() as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)  # a second `make` waits for the first
            if not _is_in_place(extent):
                _set_up(extent)
    except SetupError as error:
        sys.stderr.write(f"\nSetting up stopped: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"\nSetting up stopped: {_meaning(str(error), extent) or error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Run it again: it goes on where it was.\n")
        return 130
    return 0


def _set_up(extent: str) -> None:
    started = time.monotonic()
    _check_room(extent)
    _make_venv()
    STAMP.unlink(missing_ok=True)
    count = sum(line[:1].isalnum() for line in LOCKS[extent].read_text("utf-8").splitlines())
    _say(f"Installing {count} packages, each checked against its hash (a minute or two on a good line) ...")
    options = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--no-input", "--progress-bar", "off"]
    _pip(["install", *options, "-r", str(LOCKS[extent])], extent, count)
    _pip(["install", "--no-deps", "--no-index", "--no-build-isolation", "--no-input", "--editable", str(ROOT)], extent, 0)
    STAMP.write_text(json.dumps(_wanted(extent), indent=2), "utf-8")
    _say(f"Ready in {time.monotonic() - started:.0f} s.")


def _wanted(extent: str) -> dict[str, str]:
    """What an installation is made of; when it is the same, there is nothing to do."""
    wanted = {"root": str(ROOT), "project": _digest(ROOT / "pyproject.toml"), "run": _digest(LOCKS["run"])}
    return {**wanted, "dev": _digest(LOCKS["dev"])} if extent == "dev" else wanted


def _is_in_place(extent: str) -> bool:
    try:
        made = json.loads(STAMP.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    if os.environ.get("PYTHON_IS_CHOSEN") and _version_of(PYTHON) != _version_of(Path(sys.executable)):
        return False
    return PYTHON.exists() and isinstance(made, dict) and _wanted(extent).items() <= made.items()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_room(extent: str) -> None:
    free = shutil.disk_usage(ROOT).free // 2**20
    if free < ROOM_MIB[extent]:
        raise SetupError(f"only {free} MiB are free in {ROOT}, and {ROOM_MIB[extent]} are needed: free some room and run this again.")


def _make_venv() -> None:
    """A working virtual environment of this Python; one that works already is kept unless PYTHON= asked for another."""
    version = _version_of(PYTHON)
    is_asked_for = not os.environ.get("PYTHON_IS_CHOSEN") or version == _version_of(Path(sys.executable))
    if version and version >= (3, 11) and is_asked_for and _belongs_here() and _has_pip():
        return
    command = [sys.executable, "-m", "venv", "--clear"]
    if importlib.util.find_spec("ensurepip") is None:
        if importlib.util.find_spec("pip") is None:
            raise SetupError(_no_pip())
        command.append("--without-pip")  # the system's own pip fills it
    _say(f"Making .venv with Python {sys.version.split()[0]} ...")
    made = subprocess.run([*command, str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise SetupError(_meaning(made.stdout + made.stderr, "dev") or f"{_no_pip()} ({made.stderr.strip() or made.stdout.strip()})")


def _belongs_here() -> bool:
    """Whether .venv was made in this folder: its scripts hold the path, so a copied or moved one does not work."""
    script = VENV / "bin" / "activate"
    return script.is_file() and str(VENV) in script.read_text("utf-8")


def _no_pip() -> str:
    minor = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if Path("/etc/debian_version").exists():
        return f"this Python cannot make virtual environments: run 'sudo apt install {minor}-venv' and then this again."
    return (
        f"this Python ({sys.executable}) comes without ensurepip: install the full {minor}, or choose another with PYTHON=/path/to/python3."
    )


def _has_pip() -> bool:
    return any(VENV.glob("lib/python3.*/site-packages/pip/__main__.py"))


def _version_of(python: Path) -> tuple[int, ...] | None:
    if python == Path(sys.executable):
        return sys.version_info[:3]
    try:
        told = subprocess.run([str(python), "-c", "import sys; print(*sys.version_info[:3])"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return tuple(int(part) for part in told.stdout.split())


def _pip(arguments: Sequence[str], extent: str, count: int) -> None:
    """Run pip for .venv, count the packages as they come, and explain a failure."""
    start = [str(PYTHON), "-m", "pip"] if _has_pip() else [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    command = [*start, "--disable-pip-version-check", *arguments]
    environment = {**os.environ, "PIP_REQUIRE_VIRTUALENV": "0", "PYTHONUNBUFFERED": "1"}
    with (
        LOG.open("a", encoding="utf-8") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as running,
    ):
        if running.stdout is None:
            raise SetupError("pip could not be started")
        lines = list(_shown(running.stdout, count))
        log.writelines(lines)
    if running.returncode != 0:
        said = "".join(lines)
        last = "".join(lines[-6:]).strip()
        raise SetupError(_meaning(said, extent) or f"pip gave up; its last words were:\n{last}\nAll of them are in {LOG}.")


def _shown(lines: Iterable[str], count: int) -> Iterator[str]:
    fetched = 0
    for line in lines:
        yield line
        if count and line.startswith(("Collecting ", "Processing ")):
            fetched += 1
            if sys.stdout.isatty():
                sys.stdout.write(f"\r  {min(fetched, count)}/{count} fetched")
                sys.stdout.flush()
        if count and line.startswith("Installing collected packages"):
            _say(("\r" if sys.stdout.isatty() else "") + f"  {fetched} fetched and checked, unpacking ...")


def _meaning(said: str, extent: str) -> str | None:
    for signs, sentence in _SIGNS:
        if any(sign in said for sign in signs):
            return sentence.format(room=ROOM_MIB[extent], platform=f"{sys.platform}, Python {sys.version.split()[0]}", root=ROOT)
    return None


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
