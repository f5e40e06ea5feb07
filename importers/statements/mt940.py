"""SWIFT MT940 (and MT942), as banks really write it: any code page, envelopes or none, dates that do not exist.

Tags: 20 reference, 25 account, 28C number, 60F/M opening, 61 line, 86 its text, 62F/M closing. Source: SWIFT Standards, Category 9.
What looks wrong is a warning with the line's number; only a file without a single statement is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from importers.money import Money, MoneyError
from importers.statements.balances import amount_of, check_balances
from importers.statements.contract import Direction, Statement, StatementError, StatementLine
from importers.statements.text_references import references_in

LARGEST = 64 * 1024 * 1024
_CODE_PAGES = ("cp1252", "cp852")  # after UTF-8
# The tags of MT940 and MT942, and NS of banks that write fields of their own. Text that only looks like another tag is text (16:26:37).
_FIELD = re.compile(r":(20|21|25P?|28C?|13[CD]?|34F|60[FM]|61|62[FM]|64|65|86|90[CD]|NS):", re.ASCII)
_BALANCE = re.compile(r"([CD])([0-9]{6})([A-Z]{3})([0-9]+,[0-9]*)", re.ASCII)
_LINE = re.compile(r"([0-9]{6})([0-9]{4})?(R?[CD])([A-Z])?([0-9]+,[0-9]*)([A-Z][A-Z0-9]{3})?(.*)", re.ASCII | re.DOTALL)
_CURRENCY = re.compile(r"[0-9]*([A-Z]{3})[CD]?[0-9]", re.ASCII)  # of 34F and 90C: an MT942 has no balances
_CHARGES = re.compile(r"/CHGS/([A-Z]{3})([0-9]+,[0-9]*)", re.ASCII)  # what the bank kept of this movement
_MOST_WARNINGS = 50
_LONGEST_TEXT = 500


@dataclass(slots=True, kw_only=True)
class _Open:
    """A statement while it is read."""

    identification: str = ""
    account: str = ""
    currency: str = ""
    opening: Money | None = None
    closing: Money | None = None
    first: date | None = None
    last: date | None = None
    lines: list[StatementLine] = field(default_factory=list)
    raw: list[tuple[int, str, str]] = field(default_factory=list)  # number, 61, 86
    warnings: list[str] = field(default_factory=list)
    line_open: bool = False  # whether an 86 now belongs to the last 61; after the closing balance it speaks of the whole
    seen: dict[str, int] = field(default_factory=dict)

    def warn(self, text: str) -> None:
        if len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(text)


def read_mt940(data: bytes, *, file_name: str) -> tuple[Statement, ...]:
    """Every statement in the file; pages of one statement that continue each other (62M, 60M) are joined. Raises StatementError."""
    if len(data) > LARGEST:
        raise StatementError(f"{file_name}: the file is larger than {LARGEST // 1024 // 1024} MiB; ask the bank for one file a day")
    statements: list[_Open] = []
    continues = False
    for number, tag, value in _fields(_decode(data)):
        if tag == "20" and not continues:
            statements.append(_Open(identification=value.strip()))
        elif statements:
            _take(statements[-1], number, tag, value)
        if tag in ("62M", "62F"):
            continues = tag == "62M"
    done = [_finish(statement, file_name, number) for number, statement in enumerate(statements, 1)]
    if not done:
        raise StatementError(f"{file_name}: no statement was found in it (no :20: field); fetch it from the bank again")
    return tuple(done)


def _decode(data: bytes) -> str:
    """UTF-8, else the code page in which more of the bytes above ASCII are letters."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    high = bytes(byte for byte in data if byte > 127)[:4096]  # noqa: PLR2004 the end of ASCII
    page = max(_CODE_PAGES, key=lambda page: sum(letter.isalpha() for letter in high.decode(page, "ignore")))
    return data.decode(page, "replace")


def _fields(text: str) -> Iterator[tuple[int, str, str]]:
    """(line number, tag, value) with continuation lines joined; envelopes ({1:..., -}) and control characters are dropped."""
    tag, value, began = "", [""], 0
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        line = raw.lstrip("\x01\x02\x03\ufeff").rstrip("\x03 ")
        if line.startswith("{"):
            line = line.rpartition("{4:")[2] if "{4:" in line else ""
        if line in ("", "-", "-}") or line.startswith("-}"):
            continue
        match = _FIELD.match(line)
        if match is None:
            value.append(line)
            continue
        if tag:
            yield began, tag, "\n".join(value)
        tag, value, began = match[1], [line[match.end() :]], number
    if tag:
        yield began, tag, "\n".join(value)


def _take(statement: _Open, number: int, tag: str, value: str) -> None:
    match tag:
        case "25":
            statement.account = _account(value.split("\n", maxsplit=1)[0])
        case "28C" | "28":
            statement.identification = f"{statement.identification}/{value.strip()}"
        case "62F" | "62M":
            statement.closing, statement.last = _balance(statement, number, value)
            statement.line_open = False
        case "60F" | "60M":
            if statement.opening is None:  # a following page repeats it
                statement.opening, statement.first = _balance(statement, number, value)
        case "61":
            statement.raw.append((number, value, ""))
            statement.line_open = True
        case "86" | "NS" if statement.line_open:
            at, line, text = statement.raw[-1]
            # Each line of NS begins with two digits that say what it is.
            said = value if tag == "86" else re.sub(r"^[0-9]{2}", "", value, flags=re.MULTILINE)
            statement.raw[-1] = (at, line, f"{text}\n{said}" if text else said)
        case _:
            _take_from_the_head(statement, tag, value)


def _take_from_the_head(statement: _Open, tag: str, value: str) -> None:
    """What an MT942 says in place of balances: its currency and its day."""
    if tag in ("34F", "90C", "90D") and not statement.currency and (found := _CURRENCY.match(value)):
        statement.currency = found[1]
    elif tag in ("13", "13C", "13D") and statement.first is None:
        statement.first = _day(value)


def _account(value: str) -> str:
    """The account of field 25: behind the bank's code; a currency that some banks append to the number is none of it."""
    parts = [part.strip(' "') for part in value.split("/") if part.strip()]
    if len(parts) > 1 and len(parts[-1]) == 3 and parts[-1].isalpha():  # noqa: PLR2004 a currency
        parts.pop()
    account = parts[-1] if parts else ""
    return account[:-3] if account[:-3].isdigit() and account[-3:].isalpha() else account


def _balance(statement: _Open, number: int, value: str) -> tuple[Money | None, date | None]:
    match = _BALANCE.match(value)
    if match is None:
        statement.warn(f"line {number}: the balance cannot be read")
        return None, None
    statement.currency = statement.currency or match[3]
    try:
        amount = _amount(match[4], match[3])
    except MoneyError:
        statement.warn(f"line {number}: the balance cannot be read as {match[3]}")
        return None, _day(match[2])
    return (-amount if match[1] == "D" else amount), _day(match[2])


def _amount(text: str, code: str) -> Money:
    return amount_of(text.replace(",", ".").rstrip("."), code)


def _day(text: str) -> date | None:
    try:
        return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None


def _finish(statement: _Open, file_name: str, position: int) -> Statement:
    if not statement.currency:
        raise StatementError(f"{file_name}: statement {position} has no balance that names its currency; ask the bank for a complete one")
    for number, value, text in statement.raw:
        line = _line(statement, number, value, text)
        if line is not None:
            statement.lines.append(line)
    days = [line.booked_on for line in statement.lines]
    first, last = statement.first or min(days, default=statement.last), statement.last or max(days, default=statement.first)
    if first is None or last is None:
        raise StatementError(f"{file_name}: statement {position} bears no date at all; ask the bank for a complete one")
    return Statement(
        identification=statement.identification,
        account=statement.account,
        currency=statement.currency,
        opened_on=first,
        closed_on=last,
        opening=statement.opening,
        closing=statement.closing,
        lines=tuple(statement.lines),
        warnings=(*statement.warnings, *check_balances(statement.opening, statement.closing, statement.lines)),
    )


def _line(statement: _Open, number: int, value: str, text: str) -> StatementLine | None:
    match = _LINE.match(value)
    if match is None:
        statement.warn(f"line {number}: the movement cannot be read and was left out: ask the bank")
        return None
    value_date, entry_day, mark, _, amount_text, _, rest = match.groups()
    try:
        amount = _amount(amount_text, statement.currency)
    except MoneyError:
        statement.warn(f"line {number}: the amount cannot be read as {statement.currency} and was left out: ask the bank")
        return None
    if not amount:
        statement.warn(f"line {number}: a memo line that moves nothing was left out")
        return None
    booked_on = _booked_on(statement, number, value_date, entry_day)
    if booked_on is None:
        statement.warn(f"line {number}: the movement bears no date and was left out: ask the bank")
        return None
    head, _, supplementary = rest.partition("\n")
    ours, _, theirs = head.partition("//")
    details = re.sub(r"\s*\n\s*", "", text)  # banks break words at the line's end
    spaced = text.replace("\n", " ").strip()
    own = () if ours.strip().upper() in ("", "NONREF", "NOTPROVIDED") or " " in ours.strip() else (ours.strip(),)
    references = dict.fromkeys((*own, *references_in(f"{details} {spaced} {supplementary}")))
    name = theirs.strip() or f"#{len(statement.lines) + 1}"
    times = statement.seen[name] = statement.seen.get(name, 0) + 1
    return StatementLine(
        entry=name if times == 1 else f"{name}~{times}",
        # D takes from the account and C adds to it; RC (reversal of a credit) takes, RD adds.
        direction=Direction.OUT if mark in ("D", "RC") else Direction.IN,
        amount=amount,
        booked_on=booked_on,
        references=tuple(references),
        is_return=mark.startswith("R"),
        fee=_fee(f"{supplementary} {details}", amount),
        text=(spaced or supplementary.strip())[:_LONGEST_TEXT],
    )


def _fee(text: str, of: Money) -> Money | None:
    found = _CHARGES.search(text)
    try:
        fee = _amount(found[2], found[1]) if found is not None else None
    except MoneyError:
        return None
    return fee if fee is not None and fee.currency == of.currency and 0 < fee.minor < of.minor else None


def _booked_on(statement: _Open, number: int, value_date: str, entry_day: str | None) -> date | None:
    """The entry date (month and day, in the value date's year or the one beside it), else the value date, else the closing day."""
    value_day = _day(value_date)
    if entry_day and value_day is not None:
        months = int(entry_day[:2]) - value_day.month
        year = value_day.year + (months < -6) - (months > 6)  # noqa: PLR2004 half a year
        booked = _day(f"{year % 100:02d}{entry_day}")
        if booked is not None:
            return booked
        statement.warn(f"line {number}: the entry date {entry_day} does not exist; the value date was taken")
    if value_day is not None:
        return value_day
    booked = _day(f"{value_date[:2]}{entry_day}") if entry_day else None
    taken = "the entry date" if booked else "the statement's day"
    statement.warn(f"line {number}: the value date does not exist; {taken} was taken")
    return booked or statement.last or statement.first
