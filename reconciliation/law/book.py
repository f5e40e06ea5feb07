"""The law book of a jurisdiction: every dated value with its source, read from TOML, known by the hash of its content."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from reconciliation.contract import Citation
from reconciliation.law.parameter import DatedValue, Favour, LawBookError, LawUnknownError, Parameter, Rows

# The rules are part of what an entitlement was computed by: raise this when a rule file changes what is owed.
RULES_EDITION = 5
_CAMBODIA = Path(__file__).parent / "cambodia" / "parameters"


@dataclass(frozen=True)
class LawBook:
    """All parameters of a jurisdiction. `version` is a hash of values, dates, sources and the rules' edition; books are equal by it."""

    jurisdiction: str = field(compare=False)
    parameters: Mapping[str, Parameter] = field(compare=False, repr=False)
    version: str

    def dated(self, name: str, day: date) -> DatedValue:
        """The value of `name` in force on `day`, with its source. Raises LawUnknownError."""
        try:
            parameter = self.parameters[name]
        except KeyError:
            raise LawUnknownError(f"the law book of {self.jurisdiction} has no value called {name!r}: add it with its source") from None
        return parameter.at(day)

    def number(self, name: str, day: date) -> Decimal:
        """The number called `name` in force on `day`. Raises LawUnknownError."""
        value = self.dated(name, day).value
        if not isinstance(value, Decimal):
            raise LawBookError(f"{name} is a table, not a number")
        return value

    def rows(self, name: str, day: date) -> Rows:
        """The table called `name` in force on `day`. Raises LawUnknownError."""
        value = self.dated(name, day).value
        if not isinstance(value, tuple):
            raise LawBookError(f"{name} is a number, not a table")
        return value

    def citation(self, name: str, day: date) -> Citation:
        """Where the value of `name` on `day` stands. Raises LawUnknownError."""
        return self.dated(name, day).citation

    def with_parameter(
        self, name: str, *, value: Decimal | int | Rows, since: date, citation: Citation, signed_off_by: str, note: str = ""
    ) -> LawBook:
        """A book that also knows `value` from `since` on, signed off by a named person; its version differs.

        It may fill a gap or correct a value of the same day. Raises LawBookError without a signature, a source or for an unknown name.
        """
        if not signed_off_by.strip() or not citation.title.strip():
            raise LawBookError(f"{name} from {since} needs the text it stands in and the person who signs it off")
        parameter = self.parameters.get(name)
        if parameter is None:
            raise LawBookError(f"{name!r} is not a value of the law book of {self.jurisdiction}; see its list of parameters")
        exact = value if isinstance(value, tuple) else Decimal(value)
        if isinstance(exact, tuple) != bool(parameter.columns):
            raise LawBookError(f"{name} is {'a table' if isinstance(exact, Decimal) else 'a number'} in the law book")
        new = DatedValue(since=since, value=exact, citation=citation, note=note, signed_off_by=signed_off_by)
        values = sorted([*(old for old in parameter.values if old.since != since), new], key=lambda dated: dated.since)
        return _book(self.jurisdiction, {**self.parameters, name: replace(parameter, values=tuple(values))})


def load(folder: Path, jurisdiction: str) -> LawBook:
    """The law book in the TOML files of `folder`. Raises LawBookError naming the file and the value that is wrong."""
    parameters: dict[str, Parameter] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            tables = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise LawBookError(f"{path.name}: not readable as TOML: {error}") from error
        for name, table in tables.items():
            if name in parameters:
                raise LawBookError(f"{path.name}: {name} stands in {parameters[name].file} already")
            parameters[name] = _parameter(path.name, name, table)
    if not parameters:
        raise LawBookError(f"no law book for {jurisdiction}: its folder holds no TOML file")
    return _book(jurisdiction, parameters)


@cache
def load_cambodia() -> LawBook:
    """The law book of Cambodia's garment sector that comes with this release."""
    return load(_CAMBODIA, "Cambodia")


def _book(jurisdiction: str, parameters: Mapping[str, Parameter]) -> LawBook:
    digest = sha256(f"{jurisdiction} {RULES_EDITION}\n".encode())
    for name in sorted(parameters):
        digest.update(f"{parameters[name]!r}\n".encode())
    return LawBook(jurisdiction, MappingProxyType(dict(sorted(parameters.items()))), digest.hexdigest())


def _parameter(file: str, name: str, table: Mapping[str, Any]) -> Parameter:
    try:
        values = tuple(_dated(value) for value in table["values"])
        return Parameter(
            name=name,
            title=table["title"],
            unit=table["unit"],
            sign_off=table["sign_off"],
            favour=Favour(table.get("favour", "fixed")),
            file=file,
            values=values,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LawBookError(f"{file}: {name}: {error}") from error


def _dated(table: Mapping[str, Any]) -> DatedValue:
    value: Decimal | Rows | None
    if table.get("unknown"):
        value = None
    elif "rows" in table:
        value = tuple(
            MappingProxyType({key: Decimal(cell) if isinstance(cell, int) else cell for key, cell in row.items()}) for row in table["rows"]
        )
    else:
        value = Decimal(table["value"])
    text = table["text"]
    citation = Citation(
        title=text,
        article=table.get("article", ""),
        published=table.get("published", ""),
        verified=table.get("verified", True),
    )
    return DatedValue(since=table["since"], value=value, citation=citation, note=table.get("note", ""))
