"""How a difference is told: its stable code, its weight, what HR can do, and a sentence in English and in Khmer."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from importers.contract import PayrollRow
from importers.money import Money
from reconciliation.contract import Citation, Discrepancy, DiscrepancySeverity, Resolution
from reconciliation.formula_km import in_khmer
from reconciliation.words import ENGLISH, KHMER


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of difference. `english` and `khmer` are templates."""

    severity: DiscrepancySeverity
    resolutions: tuple[Resolution, ...]
    english: str
    khmer: str


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds of difference by code."""
    table = tomllib.loads(Path(__file__).with_name("discrepancies.toml").read_text("utf-8"))
    return {
        code: Kind(
            severity=DiscrepancySeverity(entry["severity"]),
            resolutions=tuple(Resolution(one) for one in entry["can"]),
            english=entry["en"],
            khmer=entry["km"],
        )
        for code, entry in table.items()
    }


def tell(
    code: str,
    row: PayrollRow | None,
    subject: str,
    *,
    worker_code: str | None = None,
    stated: Money | None = None,
    lawful: Money | None = None,
    difference: Money | None = None,
    basis: str = "",
    basis_km: str | None = None,
    citations: tuple[Citation, ...] = (),
    severity: DiscrepancySeverity | None = None,
) -> Discrepancy:
    """A difference with its sentences. `row` is None for one of the whole file; `difference` is seen from the worker's hand."""
    kind = kinds()[code]
    worker = worker_code if worker_code is not None else "" if row is None else row.worker_code
    article = "; ".join(map(str, citations))
    words = {
        "worker": worker,
        "stated": "" if stated is None else stated.short(),
        "lawful": "" if lawful is None else lawful.short(),
        "difference": "" if difference is None else abs(difference).short(),
    }
    english = kind.english.format(**words, line=ENGLISH.get(subject, subject), basis=basis)
    khmer = kind.khmer.format(**words, line=KHMER.get(subject, subject), basis=in_khmer(basis) if basis_km is None else basis_km)
    return Discrepancy(
        code=code,
        severity=severity or kind.severity,
        worker_code=worker,
        sheet="" if row is None else row.sheet,
        row=0 if row is None else row.row,
        subject=subject,
        stated=stated,
        lawful=lawful,
        difference=difference,
        basis=basis,
        message=f"{english.strip()} {article}.".strip() if article else english.strip(),
        message_km=khmer.strip(),
        resolutions=kind.resolutions,
        citations=citations,
    )
