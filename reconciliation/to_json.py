"""Entitlements, discrepancies and whole reconciliations as plain JSON values. Amounts are text, so that nothing is lost on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from importers.money import KHR, Money, total
from reconciliation.contract import Citation, Discrepancy, Entitlement, EntitlementLine, Reconciliation, Side

Json = dict[str, Any]


def money_json(amount: Money) -> Json:
    """`{"amount": "15.90", "currency": "USD"}`."""
    return {"amount": str(amount.amount), "currency": amount.currency.code}


def entitlement_json(owed: Entitlement) -> Json:
    """One worker's entitlement with all lines, sums in words and numbers, and sources."""
    employer = total((line.amount for line in owed.lines if line.side is Side.EMPLOYER), KHR)
    return {
        "worker_code": owed.worker_code,
        "period": str(owed.period),
        "lines": [_line(line) for line in owed.lines],
        "gross": money_json(owed.gross),
        "deductions": money_json(owed.deductions),
        "net": money_json(owed.net),
        "net_riel": money_json(owed.net_riel),
        "taxable_base": money_json(owed.taxable_base),
        "employer_contributions": money_json(employer),
        "law_version": owed.law_version,
    }


def discrepancy_json(one: Discrepancy) -> Json:
    """One difference, told in both languages."""
    return {
        "code": one.code,
        "severity": one.severity.value,
        "worker_code": one.worker_code,
        "sheet": one.sheet,
        "row": one.row,
        "subject": one.subject,
        "stated": _optional(one.stated),
        "lawful": _optional(one.lawful),
        "difference": _optional(one.difference),
        "basis": one.basis,
        "message": one.message,
        "message_km": one.message_km,
        "resolutions": [resolution.value for resolution in one.resolutions],
        "citations": _citations(one.citations),
    }


def reconciliation_json(result: Reconciliation) -> Json:
    """The whole check of a sheet: counts first, then every difference and every entitlement."""
    severities = Counter(one.severity.value for one in result.discrepancies)
    codes = Counter(one.code for one in result.discrepancies)
    return {
        "period": str(result.period),
        "kind": result.kind.value,
        "law_version": result.law_version,
        "workers": len(result.entitlements),
        "severities": dict(sorted(severities.items())),
        "codes": dict(sorted(codes.items())),
        "discrepancies": [discrepancy_json(one) for one in result.discrepancies],
        "entitlements": [entitlement_json(owed) for owed in result.entitlements.values()],
    }


def _line(line: EntitlementLine) -> Json:
    found: Json = {
        "line": line.line.value,
        "side": line.side.value,
        **money_json(line.amount),
        "formula": line.formula,
        "citations": _citations(line.citations),
    }
    if line.riel is not None:
        found["riel"] = str(line.riel.amount)
    return found


def _citations(citations: Iterable[Citation]) -> list[Json]:
    return [{"title": one.title, "article": one.article, "published": one.published, "verified": one.verified} for one in citations]


def _optional(amount: Money | None) -> Json | None:
    return None if amount is None else money_json(amount)
