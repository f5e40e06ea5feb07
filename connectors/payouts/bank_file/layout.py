"""What a bank's file looks like, as data: where each thing stands, how it is written, and who said so."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Value = Literal["number", "reference", "account", "holder", "bank", "amount", "currency", "purpose", "execute_on", "text"]
Fate = Literal["paid", "rejected", "returned", "accepted"]


class Column(BaseModel):
    """One column of the file. `text` is what stands in every row of a column whose value is `text`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    header: str = Field(min_length=1, max_length=120)
    value: Value
    text: str = Field(default="", max_length=200)
    longest: int = Field(default=140, ge=1, le=400)  # characters: a longer text is refused, never cut


class ResultLayout(BaseModel):
    """The result file: which headers stand above what, and what the bank's words mean. Headers are compared without case and blanks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reference: str
    status: str
    account: str | None = None  # compared where the bank gives it
    amount: str | None = None  # the same
    currency: str | None = None
    reason: str | None = None
    words: Mapping[str, Fate] = Field(min_length=1)
    reasons: Mapping[str, str] = {}  # the bank's reason -> one of our codes


class Layout(BaseModel):
    """One bank's file. Placeholders of `titles`, `footers`: {factory} {debit_account} {execute_on} {count} {total} {currency} {batch}."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provenance: str = Field(min_length=10)  # who said that the file looks so; [UNVERIFIED] where nobody did
    format: Literal["xlsx", "csv"]
    encoding: Literal["utf-8", "utf-8-sig", "utf-16"] = "utf-8-sig"  # of CSV
    delimiter: Literal[",", ";", "\t", "|"] = ","
    line_end: Literal["\r\n", "\n"] = "\r\n"
    sheet: str = Field(default="Payroll", min_length=1, max_length=31)
    titles: tuple[tuple[str, ...], ...] = ()
    has_headers: bool = True
    columns: tuple[Column, ...] = Field(min_length=2, max_length=40)
    footers: tuple[tuple[str, ...], ...] = ()
    date_format: str = "%d/%m/%Y"
    thousands: Literal["", ","] = ""
    most_rows: int = Field(default=1000, ge=1, le=10_000)
    result: ResultLayout

    @model_validator(mode="after")
    def _names_every_payment(self) -> Self:
        values = [column.value for column in self.columns]
        missing = {"reference", "account", "amount"} - set(values)
        if missing:
            raise ValueError(f"columns need one each of reference, account and amount; {', '.join(sorted(missing))} is missing")
        headers = [folded(column.header) for column in self.columns]
        if len(set(headers)) != len(headers):
            raise ValueError("two columns have the same header: nobody could tell them apart in the result file")
        return self


def folded(text: str) -> str:
    """A header or a word as it is compared: without case, and with single blanks."""
    return " ".join(text.split()).casefold()


def shipped(name: str) -> Layout:
    """A layout that comes with the project. Raises LookupError with the names there are."""
    folder = files("connectors.payouts.bank_file") / "layouts"
    known = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    if name not in known:
        raise LookupError(f"there is no layout {name!r}; use one of {', '.join(known)}, or write the whole layout here")
    return Layout.model_validate(tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8")))
