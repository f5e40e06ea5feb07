"""How rows and problems of a sheet are kept: figures in the clear, personal values sealed together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from importers.contract import ImportedSheet, Meaning, PayMethod, PayrollRow, WorkerStatus
from importers.money import Money, currency
from payroll_api.encryption.vault import Vault
from payroll_api.people import keys

ROW_COLUMNS = (
    "factory_id", "file_id", "position", "sheet", "row", "worker_code", "net_minor", "currency", "figures", "person",
    "name_key", "phone_key", "account_key", "national_id_key",
)  # fmt: skip
PROBLEM_COLUMNS = (
    "factory_id", "file_id", "position", "sheet", "cell", "meaning", "value", "code", "severity", "message", "remedy", "remedy_km",
)  # fmt: skip

_PERSONAL = ("name", "name_latin", "national_id", "phone", "account", "account_name")
_PLAIN = ("sex", "position", "department", "spouse", "children", "bank")
_personal, _plain = attrgetter(*_PERSONAL), attrgetter(*_PLAIN)
_WORDS = {meaning: meaning.value for meaning in Meaning}  # asked a dozen times a row: an enum's own answer takes longer than writing it


def rows_to_records(vault: Vault, factory_id: UUID, file_id: UUID, rows: Iterable[PayrollRow]) -> Iterator[tuple[object, ...]]:
    """Rows as records for `copy_in` into file_rows. Each person is sealed for the place of her row and opens in no other."""
    file = str(file_id)
    for position, row in enumerate(rows):
        yield (
            factory_id,
            file_id,
            position,
            row.sheet,
            row.row,
            row.worker_code,
            row.net.minor,
            row.net.currency.code,
            to_json(_figures(row)).decode(),
            vault.seal(to_json(_present(_PERSONAL, _personal(row))), "file_rows", f"{file}:{position}", "person"),
            keys.name_key(vault, row.name),
            keys.phone_key(vault, row.phone) if row.phone else None,
            keys.account_key(vault, row.account) if row.account else None,
            keys.national_id_key(vault, row.national_id) if row.national_id else None,
        )


def record_to_row(vault: Vault, file_id: UUID, record: Mapping[str, Any]) -> PayrollRow:
    """A stored row as it was read. `record` has the columns of file_rows by name."""
    figures = record["figures"]
    person = json.loads(vault.open(record["person"], "file_rows", f"{file_id}:{record['position']}", "person"))
    return PayrollRow(
        sheet=record["sheet"],
        row=record["row"],
        worker_code=record["worker_code"],
        net=Money(record["net_minor"], currency(record["currency"])),
        joined_on=_day(figures.get("joined_on")),
        left_on=_day(figures.get("left_on")),
        status=WorkerStatus(figures["status"]) if "status" in figures else None,
        pay_method=PayMethod(figures["pay_method"]) if "pay_method" in figures else None,
        amounts=_monies(figures["amounts"]),
        alternates=_monies(figures["alternates"]),
        time={Meaning(meaning): Decimal(value) for meaning, value in figures["time"].items()},
        **{name: figures.get(name) for name in _PLAIN},
        **{name: person.get(name) for name in _PERSONAL},
    )


def problems_to_records(vault: Vault, factory_id: UUID, file_id: UUID, sheet: ImportedSheet) -> Iterable[tuple[object, ...]]:
    """Problems as records for COPY into file_problems."""
    for position, problem in enumerate(sheet.problems):
        yield (
            factory_id,
            file_id,
            position,
            problem.sheet,
            problem.cell,
            problem.meaning.value if problem.meaning else None,
            vault.seal(problem.value, "file_problems", f"{file_id}:{position}", "value"),
            problem.code,
            problem.severity.value,
            problem.message,
            problem.remedy,
            problem.remedy_km,
        )


def money_json(amounts: Mapping[str, Money]) -> dict[str, object]:
    """Amounts by currency code as JSON: decimal text, never a float."""
    return {code: str(amount.amount) for code, amount in amounts.items()}


def _figures(row: PayrollRow) -> dict[str, object]:
    figures: dict[str, object] = {
        "amounts": {_WORDS[meaning]: (money.minor, money.currency.code) for meaning, money in row.amounts.items()},
        "alternates": {_WORDS[meaning]: (money.minor, money.currency.code) for meaning, money in row.alternates.items()},
        "time": {_WORDS[meaning]: str(value) for meaning, value in row.time.items()},
        **_present(_PLAIN, _plain(row)),
    }
    if row.joined_on:
        figures["joined_on"] = row.joined_on.isoformat()
    if row.left_on:
        figures["left_on"] = row.left_on.isoformat()
    if row.status:
        figures["status"] = row.status.value
    if row.pay_method:
        figures["pay_method"] = row.pay_method.value
    return figures


def _present(names: Iterable[str], values: Iterable[object]) -> dict[str, object]:
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _monies(stored: Mapping[str, list[Any]]) -> dict[Meaning, Money]:
    return {Meaning(meaning): Money(minor, currency(code)) for meaning, (minor, code) in stored.items()}


def _day(text: object) -> date | None:
    return date.fromisoformat(str(text)) if text else None
