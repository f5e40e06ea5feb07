"""The rules of CONTRIBUTING.md that a machine can check."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from payroll_api.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("importers", "reconciliation", "connectors", "payroll_api")
GENERATED = ROOT / "payroll_api" / "migrations" / "versions"
EXACT = (
    "importers/money.py",
    "reconciliation",
    "payroll_api/payments",
    "payroll_api/ledger",
    "payroll_api/settlement",
)
SPEAKS_TO_THE_TERMINAL = ("payroll_api/__main__.py", "payroll_api/cli", "payroll_api/demo")
NAMELESS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "service",
    "services_impl",
    "manager",
    "managers",
    "common",
    "core",
    "misc",
    "base_service",
}
LONGEST_FILE, LONGEST_FUNCTION, USUAL_FILE = 400, 60, 120  # lines


def sources(*roots: str) -> list[Path]:
    found: list[Path] = []
    for root in roots:
        start = ROOT / root
        found += [start] if start.suffix == ".py" else sorted(start.rglob("*.py"))
    return [path for path in found if path.is_file() and GENERATED not in path.parents]


def lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def floats(path: Path) -> Iterator[int]:
    """Lines that name the type or write such a number; asking whether something is a float, to refuse it, is allowed."""
    tree = ast.parse(path.read_text("utf-8"))
    questions = {
        id(name)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
        for name in ast.walk(node.args[1])
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "float" and id(node) not in questions:
            yield node.lineno
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno


def test_there_is_something_to_check() -> None:
    assert all(sources(package) for package in PACKAGES)


def test_no_file_is_too_long_and_most_are_short() -> None:
    lengths = {path: len(lines_of(path)) for path in sources(*PACKAGES, "tests", "bench", "scripts")}
    too_long = [f"{where(path, 1)} has {length} lines" for path, length in lengths.items() if length > LONGEST_FILE]
    assert not too_long, "split these by what they do: " + "; ".join(too_long)
    usual = statistics.median(length for path, length in lengths.items() if path.name != "__init__.py")
    assert usual <= USUAL_FILE, f"the median file has {usual} lines"


def test_no_function_is_too_long() -> None:
    too_long = [
        f"{where(path, node.lineno)} {node.name} has {length} lines"
        for path in sources(*PACKAGES, "tests", "bench", "scripts")
        for node in functions(path)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) >= LONGEST_FUNCTION
    ]
    assert not too_long, "; ".join(too_long)


def test_a_float_never_comes_near_money() -> None:
    found = [where(path, line) for path in sources(*EXACT) for line in floats(path)]
    assert not found, "write Decimal, Fraction or int: " + ", ".join(found)


def test_the_search_for_floats_finds_them(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("wage = 208.0\n\n\ndef read(text: str) -> object:\n    return float(text) + isinstance(text, float)\n", "utf-8")
    assert list(floats(planted)) == [1, 5]


def test_libraries_do_not_print() -> None:
    allowed = {path for root in SPEAKS_TO_THE_TERMINAL for path in sources(root)}
    found = [
        where(path, node.lineno)
        for path in sources(*PACKAGES)
        if path not in allowed
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not found, "log it, or return it to the command line: " + ", ".join(found)


def test_every_file_is_named_by_its_verb_or_noun() -> None:
    found = [where(path, 1) for path in sources(*PACKAGES) if path.stem in NAMELESS or NAMELESS & set(path.relative_to(ROOT).parts)]
    assert not found, "say what it does: " + ", ".join(found)


def test_an_exception_to_a_rule_gives_its_reason() -> None:
    marker = re.compile(r"#\s*noqa(?::\s*[A-Z]+[0-9]+(?:\s*,\s*[A-Z]+[0-9]+)*)?(?P<reason>.*)")
    found = []
    for path in sources(*PACKAGES, "bench", "scripts"):
        for number, line in enumerate(lines_of(path), start=1):
            match = marker.search(line)
            if match and len(match["reason"].strip(" #:-")) < len("why"):
                found.append(where(path, number))
    assert not found, "write the reason behind the code: " + ", ".join(found)


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="there is no README yet")
def test_every_setting_is_documented() -> None:
    pages = "\n".join(path.read_text("utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    missing = [name for name in (f"PAYROLL_{field.upper()}" for field in Settings.model_fields) if name not in pages]
    assert not missing, "describe in README.md or docs/: " + ", ".join(missing)
