"""`payroll connectors new NAME`: a package of one's own with a connector that works, to be changed step by step."""

from __future__ import annotations

import re
import sys
from importlib.resources import files
from pathlib import Path

from payroll_api import wiring
from payroll_api.errors import ConfigurationError

_TEMPLATE = "connectors.payouts.template"
_NAME = re.compile(r"^[a-z][a-z0-9_]{1,60}$")
_PYPROJECT = """\
[build-system]
requires = ["setuptools>=80"]
build-backend = "setuptools.build_meta"

[project]
name = "{dashed}-connector"
version = "0.1.0"
description = "Garment Wages pays through {name}"
requires-python = ">=3.11"
dependencies = ["garment-wages"]

# This line is how Garment Wages finds the connector.
[project.entry-points."garment_wages.payout_connectors"]
{name} = "{name}.connector:build"

[tool.setuptools]
packages = ["{name}"]
"""
_TEST = """\
\"\"\"The connector keeps every claim of its profile.\"\"\"

import asyncio

from connectors.payouts import conformance


def test_it_keeps_its_claims() -> None:
    findings = asyncio.run(conformance.check_package("{name}"))
    assert conformance.report(conformance.failures(findings)) == ""
"""


def new(name: str | None, folder: Path | None) -> int:
    """Write the package. Raises ConfigurationError for a name or folder that is taken."""
    if name is None or _NAME.match(name) is None:
        raise ConfigurationError("Name the new connector in small letters, digits and underscores, for example acme_pay.")
    if name in wiring.payout_connectors() or name in sys.stdlib_module_names:
        raise ConfigurationError(f"There is a {name} already. Choose another name.")
    target = folder or Path(f"{name}-connector")
    if target.exists() and any(target.iterdir()):
        raise ConfigurationError(f"{target} is not empty. Name another folder with --to; nothing was written.")
    package = target / name
    package.mkdir(parents=True)
    for source in sorted(files(_TEMPLATE).iterdir(), key=lambda entry: entry.name):
        if source.name.endswith((".py", ".md")):
            (package / source.name).write_text(_renamed(source.read_text(encoding="utf-8"), name), encoding="utf-8")
    (target / "pyproject.toml").write_text(_PYPROJECT.format(name=name, dashed=name.replace("_", "-")), encoding="utf-8")
    tests = target / "tests"
    tests.mkdir()
    (tests / f"test_{name}.py").write_text(_TEST.format(name=name), encoding="utf-8")
    sys.stdout.write(
        f"{target} holds a connector that works against a simulated provider.\n"
        f"  pip install --no-deps -e {target}     makes it known here\n"
        f"  payroll connectors check {name}   tries every claim of its profile\n"
        f"Then change it file by file, in the order of the numbers in the comments, and check after each step:"
        f" docs/guide-connectors.md.\n"
    )
    return 0


def _renamed(text: str, name: str) -> str:
    camel = "".join(part.capitalize() for part in name.split("_"))
    text = text.replace(_TEMPLATE, name).replace('NAME = "template"', f'NAME = "{name}"')
    return re.sub(r"\bTemplate(?=[A-Z])", camel, text)
