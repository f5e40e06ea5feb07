"""`payroll entitlement`: what the law owes for one month, from facts in JSON on standard input."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from importers.money import MoneyError
from reconciliation.contract import Entitlement
from reconciliation.entitlements import entitlement as compute
from reconciliation.facts_json import FactsError, facts_schema, read_facts
from reconciliation.law.book import load_cambodia
from reconciliation.law.parameter import LawBookError, LawUnknownError
from reconciliation.policy import PolicyError
from reconciliation.to_json import entitlement_json

REFUSED = 2
_LARGEST = 1024 * 1024


def entitlement(given: argparse.Namespace) -> int:
    """Print the entitlement of the facts on standard input, or with --schema how facts are written; 0 told, 2 the facts were refused."""
    if given.schema:
        return _print_json(facts_schema())
    try:
        # Bytes: whether they are UTF-8 is judged with the facts, not by the terminal's settings.
        facts = read_facts(_standard_input())
        owed = compute(facts.work_month(), book=load_cambodia(), rates=facts.rates(), policy=facts.policy)
    except (FactsError, LawBookError, LawUnknownError, MoneyError, PolicyError) as error:
        sys.stderr.write(f"payroll: {error}\n")
        return REFUSED
    return _print_json(entitlement_json(owed)) if given.json else _print(_table(owed), sys.stdout.encoding)


def _standard_input() -> str:
    content = sys.stdin.buffer.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise FactsError(f"the facts are larger than {_LARGEST:,} bytes: give those of one worker and one month")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FactsError(f"the facts are not UTF-8 (byte {error.start + 1}): save them as UTF-8") from None


def _print_json(found: Mapping[str, Any]) -> int:
    return _print(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _print(text: str, encoding: str) -> int:
    """Write what the encoding lacks as an escape: a formula's sign must not end the answer."""
    sys.stdout.buffer.write(text.encode(encoding, "backslashreplace"))
    sys.stdout.flush()
    return 0


def _table(owed: Entitlement) -> str:
    lines = [f"{owed.worker_code} {owed.period}"]
    for line in owed.lines:
        article = "; ".join(dict.fromkeys(map(str, line.citations)))
        lines.append(f"  {line.side.value:9} {line.line.value:22} {line.amount!s:>14}  {line.formula}  ({article})")
    lines += [f"  gross {owed.gross}", f"  deductions {owed.deductions}", f"  net {owed.net}", ""]
    return "\n".join(lines)
