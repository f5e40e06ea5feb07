"""`make mutants`: change one spot of the code of money in a copy, run the tests that guard it, and count how many changes they notice.

    python -m tests.planted.mutants [--sample 120] [--seed 1] [--jobs 2] [--only pure]

A change is one comparison, operator, constant, condition or returned value. Log lines, docstrings and texts are left alone: whether a
sentence is worded well is no matter of cents.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import queue
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.planted.__main__ import copied, status_of
from tests.planted.recipe import ROOT

_PURE = ("tests/payroll_api/test_payments_protocol.py", "tests/payroll_api/test_payments_verdict.py")
_STORIES = (
    "tests/payroll_api/test_payments_faults.py",
    "tests/payroll_api/test_review_paid_twice.py",
    "tests/payroll_api/test_review_wrong_payee.py",
    "tests/payroll_api/test_review_statements.py",
    "tests/payroll_api/test_outside_guard.py",
)
GUARDED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "money": (("importers/money.py",), ("tests/importers/test_money.py",)),
    "law": (
        (
            "reconciliation/entitlements.py",
            "reconciliation/law/figures.py",
            *(
                f"reconciliation/law/cambodia/{name}.py"
                for name in (
                    *("back_pay", "benefits", "indemnity", "leave", "month", "nssf"),
                    *("overtime", "payday", "piece_work", "stated", "tax", "wages"),
                )
            ),
        ),
        (
            "tests/reconciliation/test_formulas.py",
            "tests/law_cases",
            "tests/reconciliation/test_entitlement_properties.py",
            "tests/reconciliation/test_law_book.py",
            "tests/reconciliation/test_facts_refused.py",
        ),
    ),
    "sheet": (
        tuple(f"reconciliation/{name}.py" for name in ("comparison", "facts", "plausible", "reconcile", "what_if", "whole_file")),
        tuple(f"tests/reconciliation/test_{name}.py" for name in ("sheet_facts", "reconcile", "piece_holidays", "what_if", "any_row")),
    ),
    "matching": (("reconciliation/settlement.py", "reconciliation/settlement_line.py"), ("tests/reconciliation/test_settlement.py",)),
    "pure": (("payroll_api/payments/protocol.py", "payroll_api/payments/verdict.py"), _PURE),
    "engine": (
        tuple(
            f"payroll_api/{name}.py"
            for name in (
                "payments/gate",
                "payments/intent",
                "payments/look_up",
                "payments/outcomes",
                "payments/prepare",
                "payments/submit",
                "payments/withdraw",
                "ledger/book",
                "settlement/effects",
                "settlement/judged",
            )
        ),
        (*_PURE, *_STORIES),
    ),
}
_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult}


Change = Callable[[Any], None]  # changes a node in place


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change: the file, the line, what it was and became, and the file's new text."""

    group: str
    file: str
    line: int
    change: str
    text: str


def mutants(group: str, file: str) -> Iterator[Mutant]:
    """Every change of one file."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    quiet = {id(node) for part in ast.walk(tree) for talk in _talk(part) for node in ast.walk(talk)}
    for place, node in enumerate(ast.walk(tree)):
        if id(node) in quiet or not hasattr(node, "lineno"):
            continue
        for change in range(len(_changes(node))):
            other = copy.deepcopy(tree)
            target = list(ast.walk(other))[place]
            was = ast.unparse(target)
            _changes(target)[change](target)
            now = ast.unparse(other)
            yield Mutant(group=group, file=file, line=node.lineno, change=f"{was[:60]} -> {ast.unparse(target)[:60]}", text=now)


def _talk(node: ast.AST) -> Sequence[ast.AST]:
    """What of a node is no matter of cents: talk, and how a class is made (`slots=True`)."""
    return [node] if _is_talk(node) else node.decorator_list if isinstance(node, ast.ClassDef) else []


def _is_talk(node: ast.AST) -> bool:
    """What only speaks to people: log lines, raised sentences, f-strings, annotations."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        return node.func.value.id == "log"
    return isinstance(node, ast.Raise | ast.JoinedStr | ast.AnnAssign | ast.Assert | ast.Import | ast.ImportFrom)


def _changes(node: ast.AST) -> list[Change]:
    found: list[Change] = []
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        found.append(_compare)
    if isinstance(node, ast.BoolOp):
        found.append(_bool)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS and not isinstance(node.left, ast.Constant):
        found.append(_operator)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        found.append(_unary)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        found.append(_number)
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        found.append(_truth)
    if isinstance(node, ast.If | ast.IfExp):
        found.append(_condition)
    return found


def _compare(node: ast.Compare) -> None:
    node.ops[0] = _COMPARISONS[type(node.ops[0])]()


def _bool(node: ast.BoolOp) -> None:
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _operator(node: ast.BinOp) -> None:
    node.op = _OPERATORS[type(node.op)]()


def _unary(node: ast.UnaryOp) -> None:
    node.op = ast.UAdd() if isinstance(node.op, ast.USub) else ast.Not()
    if isinstance(node.op, ast.Not):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)


def _number(node: ast.Constant) -> None:
    assert isinstance(node.value, int)
    node.value += 1


def _truth(node: ast.Constant) -> None:
    node.value = not node.value


def _condition(node: ast.If | ast.IfExp) -> None:
    node.test = ast.UnaryOp(ast.Not(), node.test)


def chosen(groups: Sequence[str], sample: int, seed: int) -> list[Mutant]:
    """A sample over all groups, the same for the same seed and the same code."""
    lots = random.Random(seed)  # noqa: S311 a lot to repeat
    everything = [mutant for group in groups for file in GUARDED[group][0] for mutant in mutants(group, file)]
    return sorted(lots.sample(everything, min(sample, len(everything))), key=lambda mutant: (mutant.file, mutant.line, mutant.change))


def main(arguments: Sequence[str] | None = None) -> int:
    """Try a sample and tell the score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", nargs="*", choices=sorted(GUARDED), default=list(GUARDED))
    parser.add_argument("--least", type=int, default=85, help="per cent that must be noticed")
    given = parser.parse_args(arguments)
    wanted = chosen(given.only, given.sample, given.seed)
    score: dict[str, list[int]] = {group: [0, 0] for group in given.only}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(given.jobs) as pool:
        Path(folder).chmod(0o755)
        trees: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(given.jobs):
            trees.put(copied(Path(folder) / str(number)))

        def try_one(mutant: Mutant) -> tuple[Mutant, int]:
            tree = trees.get()
            path = tree / mutant.file
            before = path.read_text("utf-8")
            try:
                path.write_text(mutant.text, "utf-8")
                return mutant, status_of(tree, GUARDED[mutant.group][1])[0]
            finally:
                path.write_text(before, "utf-8")
                trees.put(tree)

        for mutant, status in pool.map(try_one, wanted):
            score[mutant.group][0] += status != 0
            score[mutant.group][1] += 1
            if status == 0:
                sys.stdout.write(f"lived  {mutant.file}:{mutant.line}  {mutant.change}\n")
                sys.stdout.flush()
    noticed, tried = (sum(counts[place] for counts in score.values()) for place in (0, 1))
    for group, (some, all_) in score.items():
        sys.stdout.write(f"{group:10} {some} of {all_} noticed\n")
    sys.stdout.write(f"mutation score {100 * noticed / max(tried, 1):.0f} % of {tried} sampled changes\n")
    return 0 if 100 * noticed >= given.least * tried else 1


if __name__ == "__main__":
    sys.exit(main())
