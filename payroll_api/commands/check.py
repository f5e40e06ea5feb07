"""`payroll check`: read a sheet, compute what the law owes, and print what is wrong. No database, no network."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from importers.check_json import NOTHING_READ, sheet_to_json
from importers.contract import ImportedSheet, PayrollRow
from importers.money import Money
from importers.period import PayPeriod, PeriodError, RunKind
from importers.read import read_sheet
from payroll_api.clock import pay_day, system_clock
from payroll_api.errors import ConfigurationError
from reconciliation.contract import DiscrepancySeverity, ExchangeRates, KnownWorker, Reconciliation
from reconciliation.facts_json import LEAST_RATE, MOST_RATE
from reconciliation.law.book import load_cambodia
from reconciliation.law.parameter import LawBookError, LawUnknownError
from reconciliation.policy import FactoryPolicy, PolicyError
from reconciliation.reconcile import reconcile
from reconciliation.to_json import reconciliation_json

CLEAN, PROBLEMS, REFUSED = 0, 1, 2
# Nobody sends more; the reader has a limit of its own, which names what to do.
_LARGEST = 64 * 1024 * 1024
_SHOWN = 40
_MONTH = re.compile(r"(20[0-9]{2})[-_. ]?(0[1-9]|1[0-2])(?![0-9])")


def check(given: argparse.Namespace) -> int:
    """Check one sheet; 0 clean, 1 problems or differences, 2 refused: the file, an option, or a month that the law book does not know."""
    try:
        period, kind, rates = period_of(given.sheet, given.period), _kind(given.kind), _rates(given.rate)
    except ConfigurationError as error:
        return _refuse(given, "option_wrong", str(error))
    try:
        with given.sheet.open("rb") as file:
            content = file.read(_LARGEST)
    except OSError as error:
        return _refuse(given, *_unreadable(given.sheet, error))
    sheet = read_sheet(content, file_name=given.sheet.name, period=period, sheets=given.sheet_name)
    unknown: str | None = None
    result: Reconciliation | None = None
    if sheet.rows and sheet.refused is None:
        try:
            result = reconcile(
                sheet.rows, period=period, kind=kind, known={}, keys=_keys, book=load_cambodia(), rates=rates, policy=FactoryPolicy()
            )
        except (LawUnknownError, LawBookError, PolicyError) as error:
            unknown = str(error)
    if given.json:
        _print_json(_report(sheet, result, unknown))
    else:
        # A name that the terminal's encoding lacks is shown as an escape, so that the rest is still told.
        lines = "".join(f"{line}\n" for line in _told(sheet, result, unknown))
        _write(lines.encode(sys.stdout.encoding, "backslashreplace"))
    return _status(sheet, result, unknown)


def _report(sheet: ImportedSheet, result: Reconciliation | None, unknown: str | None) -> dict[str, Any]:
    """The JSON of a sheet that was opened; `refused` says in one shape why nothing can be paid from it, or is null."""
    refused: dict[str, str] | None = None
    if sheet.refused is not None:
        refused = {"code": sheet.refused.code, "message": f"{sheet.refused.message} {sheet.refused.remedy}"}
    elif unknown is not None:
        refused = {"code": "law_unknown", "message": unknown}
    law = None if result is None else reconciliation_json(result)
    return {**sheet_to_json(sheet), "refused": refused, "reconciliation": law, "law_unknown": unknown}


def _unreadable(path: Path, error: OSError) -> tuple[str, str]:
    """The code and the sentence for a file that the system does not hand out."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "no_such_file", f"There is no such file: {path}. Check the folder and the spelling of the name."
    if isinstance(error, IsADirectoryError) or path.is_dir():  # Windows calls opening a folder a lack of permission
        return "is_a_folder", f"{path} is a folder. Name one workbook in it."
    if isinstance(error, PermissionError):
        return "no_permission", f"{path} cannot be read: no permission. Copy it to a folder of yours, or ask its owner."
    why = error.strerror or type(error).__name__
    return "file_unreadable", f"{path} cannot be read: {why}. Copy it to this computer's disk and check the copy."


def _refuse(given: argparse.Namespace, code: str, message: str) -> int:
    """Say why there is no sheet to tell about."""
    if given.json:
        _print_json({**NOTHING_READ, "file": {"name": given.sheet.name}, "refused": {"code": code, "message": message}})
    else:
        sys.stderr.write(f"payroll: {message}\n")
    return REFUSED


def _print_json(report: dict[str, Any]) -> None:
    """JSON is UTF-8 whatever the terminal's encoding; half a character from a broken name becomes JSON's own escape."""
    _write(f"{json.dumps(report, ensure_ascii=False, indent=1)}\n".encode("utf-8", "backslashreplace"))


def _write(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


def period_of(sheet: Path, text: str | None) -> PayPeriod:
    """The month that a sheet pays: as told, from the file's name, or this month. Raises ConfigurationError."""
    if text is not None:
        try:
            return PayPeriod.parse(text)
        except PeriodError as error:
            raise ConfigurationError(f"--period: {error}.") from None
    found = _MONTH.search(sheet.stem)
    today = pay_day(system_clock())
    return PayPeriod(int(found[1]), int(found[2])) if found else PayPeriod(today.year, today.month)


def _kind(text: str) -> RunKind:
    try:
        return RunKind(text)
    except ValueError:
        raise ConfigurationError(f"--kind is one of {', '.join(RunKind)}.") from None


def _rates(text: str) -> ExchangeRates:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal(0)
    if not rate.is_finite() or not LEAST_RATE <= rate <= MOST_RATE:
        raise ConfigurationError(f"--rate is riel for one dollar, from {LEAST_RATE:,} to {MOST_RATE:,}, for example 4000.")
    return ExchangeRates(tax=rate, nssf=rate, source="the command line")


def _keys(row: PayrollRow) -> KnownWorker:
    """Offline there is no factory's key: plain hashes find two rows with one account just as well, and leave this process with it."""

    def key(value: str | None) -> bytes | None:
        return None if value is None else hashlib.sha256(value.encode()).digest()

    return KnownWorker(
        worker_code=row.worker_code,
        name_key=key(row.name),
        phone_key=key(row.phone),
        account_key=key(row.account),
        national_id_key=key(row.national_id),
        joined_on=row.joined_on,
        left_on=row.left_on,
    )


def _status(sheet: ImportedSheet, result: Reconciliation | None, unknown: str | None) -> int:
    if sheet.refused is not None or unknown is not None:
        return REFUSED
    differs = result is not None and any(one.severity is not DiscrepancySeverity.INFORMS for one in result.discrepancies)
    return PROBLEMS if sheet.problems or differs else CLEAN


def _told(sheet: ImportedSheet, result: Reconciliation | None, unknown: str | None) -> Iterator[str]:
    yield f"{sheet.file_name}: {sheet.counts.read} rows, {sheet.counts.accepted} taken, {sheet.counts.rejected} not"
    for title, sums in (("net of the rows taken", sheet.net_accepted), ("net of the rows not taken", sheet.net_rejected)):
        if sums:
            yield f"  {title}: {', '.join(str(amount) for amount in sums.values())}"
    if sheet.problems:
        yield f"\n{len(sheet.problems)} problems in the file"
        for problem in sheet.problems[:_SHOWN]:
            place = f"{problem.sheet}!{problem.cell}" if problem.cell else problem.sheet or "file"
            yield f"  {place}: {problem.message} {problem.remedy}  [{problem.code}]"
        yield from _more(len(sheet.problems))
    if unknown is not None:
        yield f"\nThe law's figures could not be computed: {unknown}"
    if result is not None:
        yield from _differences(result)


def _differences(result: Reconciliation) -> Iterator[str]:
    told: list[Any] = [one for one in result.discrepancies if one.severity is not DiscrepancySeverity.INFORMS]
    counts = Counter(one.severity.value for one in result.discrepancies)
    yield f"\n{len(told)} differences from the law or among the workers ({counts['blocks']} stop a payment, {counts['warns']} warn)"
    for one in told[:_SHOWN]:
        sums = f" sheet {_or_none(one.stated)}, law {_or_none(one.lawful)}." if one.stated or one.lawful else ""
        yield f"  row {one.row} {one.worker_code}: {one.message}{sums}  [{one.code}]"
    yield from _more(len(told))


def _or_none(amount: Money | None) -> str:
    return "nothing" if amount is None else str(amount)


def _more(count: int) -> Iterator[str]:
    if count > _SHOWN:
        yield f"  ... and {count - _SHOWN} more: --json prints all"
