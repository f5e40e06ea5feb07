"""`payroll entitlement`: what the law owes for one month, from facts in JSON on standard input."""

from __future__ import annotations

import argparse
import json
import sys

from payroll_api.errors import ConfigurationError
from reconciliation.contract import Entitlement
from reconciliation.entitlements import entitlement as compute
from reconciliation.facts_json import FactsError, facts_schema, read_facts
from reconciliation.law.book import load_cambodia
from reconciliation.law.parameter import LawUnknownError
from reconciliation.policy import PolicyError
from reconciliation.to_json import entitlement_json

_LARGEST = 1024 * 1024


def entitlement(given: argparse.Namespace) -> int:
    """Print the entitlement of the facts on standard input, or with --schema how facts are written."""
    if given.schema:
        sys.stdout.write(json.dumps(facts_schema(), ensure_ascii=False, indent=1) + "\n")
        return 0
    try:
        facts = read_facts(sys.stdin.read(_LARGEST))
        owed = compute(facts.work_month(), book=load_cambodia(), rates=facts.rates(), policy=facts.policy)
    except (FactsError, LawUnknownError, PolicyError) as error:
        raise ConfigurationError(f"{error}") from None
    sys.stdout.write(json.dumps(entitlement_json(owed), ensure_ascii=False, indent=1) + "\n" if given.json else _table(owed))
    return 0


def _table(owed: Entitlement) -> str:
    lines = [f"{owed.worker_code} {owed.period}"]
    for line in owed.lines:
        article = "; ".join(dict.fromkeys(f"{one.title} {one.article}".strip() for one in line.citations))
        lines.append(f"  {line.side.value:9} {line.line.value:22} {line.amount!s:>14}  {line.formula}  ({article})")
    lines += [f"  gross {owed.gross}", f"  deductions {owed.deductions}", f"  net {owed.net}", ""]
    return "\n".join(lines)
