"""The import rules cover what there is; whether they hold is checked by `make check` and here."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS: dict[str, dict[str, Any]] = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "importlinter.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
}


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def test_the_import_rules_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--config", "importlinter.toml", "--no-cache", "--no-logo"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 our own command
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr


def test_no_rule_has_an_exception() -> None:
    assert not [
        name for name, contract in CONTRACTS.items() if contract.get("ignore_imports") or contract.get("unmatched_ignore_imports_alerting")
    ]


def test_a_connector_sees_nothing_of_importers_but_money_and_statements() -> None:
    seen = {
        (path.relative_to(ROOT).as_posix(), ".".join(name.split(".")[:2]))
        for path in (ROOT / "connectors").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in imported(node)
        if name.split(".")[0] in {"importers", "reconciliation", "payroll_api"}
    }
    assert seen, "connectors pay money, so they must know it"
    assert not [entry for entry in seen if entry[1] not in {"importers.money", "importers.statements"}]


def test_every_simulator_is_kept_out_of_production() -> None:
    kept_out = set(CONTRACTS["no-simulator-in-production"]["forbidden_modules"])
    simulators = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "connectors").rglob("*.py") if path.stem == "simulator"
    }
    assert simulators
    assert simulators <= kept_out


def test_every_provider_stands_apart() -> None:
    apart = set(CONTRACTS["connectors-apart"]["modules"]) | set(CONTRACTS["gateways-apart"]["modules"])
    providers = {f"connectors.payouts.{path.parent.name}" for path in (ROOT / "connectors" / "payouts").glob("*/__init__.py")}
    providers |= {f"connectors.sms.{path.parent.name}" for path in (ROOT / "connectors" / "sms").glob("*/__init__.py")}
    assert providers <= apart
