"""The outer shell: `make help`, the set-up script's sentences, the CI script's verdicts, the containers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE", "MFLAGS", "PYTEST_"))}
    variables.pop("PYTHON", None)
    return subprocess.run(command, cwd=cwd, env=variables | environment, capture_output=True, text=True, check=False)  # noqa: S603 our own scripts


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the scripts and nothing installed."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / "pyproject.toml").write_text("[project]\n", "utf-8")
    (tmp_path / "requirements.lock").write_text(f"rich==15.0.0 --hash=sha256:{'0' * 64}\n", "utf-8")
    return tmp_path


def test_make_lists_every_target() -> None:
    listed = set(re.findall(r"^  make (\S+)", run("make", cwd=ROOT).stdout, re.MULTILINE))
    declared = set(re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)[0].split())
    assert listed == declared
    assert {"setup", "run", "test", "check", "bench", "lock", "clean"} <= listed


def test_an_old_python_is_refused_with_a_sentence(checkout: Path) -> None:
    old = checkout / "python2"
    old.write_text('#!/bin/sh\necho "Python 2.7.18"\nexit 1\n', "utf-8")
    old.chmod(0o755)
    told = run("sh", "scripts/setup.sh", "run", cwd=checkout, PYTHON=str(old))
    assert told.returncode == 1
    assert "is not a Python 3.11 or newer (Python 2.7.18)" in told.stderr


def test_setting_up_without_a_network_says_so(checkout: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
    told = run("sh", "scripts/setup.sh", "run", cwd=checkout, **nowhere)
    assert told.returncode == 1
    assert "no package index could be reached" in told.stderr
    assert "Traceback" not in told.stderr


def test_setting_up_for_nothing_says_what_there_is(checkout: Path) -> None:
    told = run("sh", "scripts/setup.sh", cwd=checkout)
    assert told.returncode == 2
    assert "scripts/setup.sh run" in told.stderr


@pytest.mark.parametrize(
    ("check", "tests", "is_good"),
    [
        ("true", "echo '==== 312 passed, 1 skipped in 61.20s (0:01:01) ===='", True),
        ("false", "echo '==== 312 passed in 61.20s ===='", False),
        ("true", "echo '==== 2 failed, 310 passed in 61.20s ===='; exit 1", False),
        ("true", "echo '==== no tests ran in 0.02s ===='; exit 5", False),
        ("true", "echo 'Setting up stopped'; exit 1", False),
        ("true", "true", False),  # silence is no success
    ],
)
def test_ci_tells_success_from_everything_else(checkout: Path, check: str, tests: str, is_good: bool) -> None:
    (checkout / "Makefile").write_text(f"check:\n\t@{check}\ntest:\n\t@{tests}\n", "utf-8")
    told = run("bash", ".ci/run", cwd=checkout)
    assert (told.returncode == 0) is is_good
    if "passed" in tests:
        assert re.search(r"^== .*312 passed|^== .*310 passed", told.stdout, re.MULTILINE)


def test_containers_are_pinned_and_without_rights() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    services = compose["services"]
    assert {"postgres", "migrate", "api", "worker", "bank", "wallet", "sms", "front"} <= services.keys()
    assert services["api"]["deploy"]["replicas"] == services["worker"]["deploy"]["replicas"] == 2
    for name, service in services.items():
        assert re.search(r":\d+\.\d+(\.\d+)?(-\S+)?$", service["image"]), f"{name}: pin the image's exact version"
        assert not service.get("privileged")
        assert "docker.sock" not in str(service)
    assert all(str(port).startswith("127.0.0.1:") for service in services.values() for port in service.get("ports", []))
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)
    assert "--require-hashes" in dockerfile
    assert all(re.search(r"python:3\.\d+\.\d+-slim", line) for line in dockerfile.splitlines() if line.startswith("FROM"))


def test_the_simulators_of_the_containers_are_there() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    for name in ("bank", "wallet", "sms"):
        module = services[name]["entrypoint"][-1]
        source = (ROOT / (module.replace(".", "/") + ".py")).read_text("utf-8")
        options = [word for word in services[name]["command"] if word.startswith("--")]
        missing = [option for option in options if f'"{option}"' not in source]
        assert not missing, f"{module} does not know {', '.join(missing)}"
