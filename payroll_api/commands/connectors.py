"""`payroll connectors`: which banks, wallets and gateways this installation can use, and whether one keeps what it claims."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine

from connectors.payouts import conformance
from payroll_api import wiring
from payroll_api.commands.connectors_new import new
from payroll_api.commands.connectors_try import try_
from payroll_api.errors import ConfigurationError


def connectors(given: argparse.Namespace) -> int | Coroutine[None, None, int]:
    """List the connectors, check one, try one, or begin a new one."""
    if given.action == "try" or given.schema:
        return try_(given)
    if given.action == "new":
        return new(given.name, given.to)
    if given.action == "check":
        return _check(given.name)
    rows = [("kind", "name", "from")]
    rows += [("payout", name, source.package) for name, source in sorted(wiring.payout_connectors().items())]
    rows += [("sms", name, "") for name in wiring.sms_gateways()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
    return 0


def _check(name: str | None) -> int:
    known = wiring.payout_connectors()
    if name is None or name not in known:
        raise ConfigurationError(f"Name a payout connector to check: one of {', '.join(sorted(known))}.")
    package = known[name].target.partition(":")[0].rpartition(".")[0]
    try:
        findings = asyncio.run(conformance.check_package(package))
    except conformance.NothingToCheckError as error:
        raise ConfigurationError(f"{error}.") from None
    sys.stdout.write(conformance.report(findings) + "\n")
    return 1 if conformance.failures(findings) else 0
