"""The words of a problem: every code with its severity, its message, and what HR can do, in English and Khmer."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from importers.contract import CellProblem, Meaning, Severity
from importers.workbook import Cell, text_of

_LONGEST_VALUE = 120


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every code with its `severity`, `message`, `remedy` and `remedy_km`."""
    return tomllib.loads(files("importers").joinpath("problems.toml").read_text(encoding="utf-8"))


def problem(
    code: str,
    *,
    sheet: str = "",
    cell: str = "",
    meaning: Meaning | None = None,
    value: Cell = "",
    severity: Severity | None = None,
    hint: str = "",
    sheets: str = "",
) -> CellProblem:
    """A problem with its words. `severity` replaces the code's own where the row decides it (a wallet without a phone)."""
    words = catalogue()[code]
    places = {"hint": hint, "sheets": sheets}
    return CellProblem(
        sheet=sheet,
        cell=cell,
        meaning=meaning,
        value=text_of(value)[:_LONGEST_VALUE],
        code=code,
        severity=severity or Severity(words["severity"]),
        message=_filled(words["message"], places),
        remedy=_filled(words["remedy"], places),
        remedy_km=_filled(words["remedy_km"], places),
    )


def _filled(text: str, places: Mapping[str, str]) -> str:
    for name, value in places.items():
        text = text.replace("{" + name + "}", value)
    return text.strip()


def severity_of(code: str) -> Severity:
    """How far a code reaches when nothing in the row says otherwise."""
    return Severity(catalogue()[code]["severity"])
