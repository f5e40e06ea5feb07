"""What is installed is what was locked: hashes for everything, addresses for nothing, the same versions for running and developing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def packages(lock: str) -> dict[str, str]:
    """Package and version with its marker, of each requirement with at least one hash."""
    text = (ROOT / lock).read_text("utf-8").replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for line in requirements:
        assert re.match(r"[a-z0-9.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line), f"{lock}: no hash or no exact version: {line[:60]}"
    return dict(line.split(" --hash=")[0].strip().split("==", 1) for line in requirements)


def normal(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)", text, re.MULTILINE)


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    run, dev = packages("requirements.lock"), packages("requirements-dev.lock")
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    missing = [name for name in map(normal, wanted) if name not in run]
    missing += [name for name in map(normal, project["dependency-groups"]["dev"]) if name not in dev]
    assert not missing, f"run `make lock` and commit both locks: {', '.join(missing)}"


def test_developing_and_running_use_the_same_versions() -> None:
    run, dev = packages("requirements.lock"), packages("requirements-dev.lock")
    assert {name: dev.get(name) for name in run} == run


def test_running_needs_no_tool_of_development() -> None:
    assert not {"pytest", "mypy", "ruff", "hypothesis", "uv"} & packages("requirements.lock").keys()
