"""ISO 20022 account messages (camt.053 statement, camt.054 notification, camt.052 report), every version and namespace.

Elements are named as in ISO's schemas and found without regard to the namespace: banks send versions 2 to 13 and national ones. They are
read directly because the generated classes of pyiso20022 take 7,000 lines/s and refuse what a schema does not know, where one odd
line must not cost the others. What looks wrong is a warning with evidence; only a file that is no such message is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from xml.etree.ElementTree import Element  # a name for types; files are opened by outside_xml

from importers.money import Currency, Money
from importers.statements.balances import check_balances
from importers.statements.camt_entry import LONGEST_TEXT, EntryReader
from importers.statements.contract import Statement, StatementError, StatementLine
from importers.statements.outside_xml import OutsideXmlError, growing_tree, local

_STATEMENTS = frozenset({"Stmt", "Ntfctn", "Rpt"})
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)


def read_camt(data: bytes, *, file_name: str) -> tuple[Statement, ...]:
    """Every statement in the message, in its order. Raises StatementError."""
    readers: list[EntryReader] = []
    root: Element | None = None
    try:
        for root in growing_tree(data):
            _take_finished(root, readers, whole=False)
    except OutsideXmlError as error:
        raise StatementError(f"{file_name}: {error}") from None
    elements = _take_finished(root, readers, whole=True) if root is not None else []
    if root is None or not elements:
        what = local(root[0].tag if root is not None and len(root) else "nothing")
        raise StatementError(
            f"{file_name}: the file is XML but holds no account statement (it is a <{what[:40]}>); ask the bank for camt.053"
        )
    document = _document(root)
    written = _text(document, "{*}GrpHdr/{*}CreDtTm") or _text(document, "*/{*}GrpHdr/{*}CreDtTm")
    return tuple(
        _statement(element, reader, file_name, number, written)
        for number, (element, reader) in enumerate(zip(elements, readers, strict=True), 1)
    )


def _document(root: Element) -> Element:
    """The message's own element: some banks put it into an envelope, beside the business application header or in a SOAP body."""
    within = (inner for child in root for inner in (child, *child))
    return next((element for element in chain((root,), within) if local(element.tag) == "Document"), root)


def _take_finished(root: Element, readers: list[EntryReader], *, whole: bool) -> list[Element]:
    """Read and remove the entries that cannot grow any more, so that a long statement never stands in memory as a tree."""
    document = _document(root)
    body = list(document[0]) if len(document) and local(document.tag) == "Document" else list(document)
    statements = [element for element in body if local(element.tag) in _STATEMENTS]
    for index, statement in enumerate(statements):
        if index == len(readers):
            readers.append(EntryReader(namespace=statement.tag.rpartition("}")[0] + "}" if "}" in statement.tag else ""))
        tag = readers[index].namespace + "Ntry"
        finished = len(statement) if whole or index < len(statements) - 1 else len(statement) - 1
        entries = [child for child in statement[:finished] if child.tag == tag]
        for entry in entries:
            readers[index].take(entry)
        if entries:
            statement[:finished] = [child for child in statement[:finished] if child.tag != tag]
    return statements


def _statement(element: Element, reader: EntryReader, file_name: str, number: int, written: str | None) -> Statement:
    opening, closing = _balance(element, _OPENING, reader), _balance(element, _CLOSING, reader)
    currency = _text(element, "{*}Acct/{*}Ccy") or _first_currency(opening, closing, reader.lines) or reader.currency
    if currency is None:
        raise StatementError(f"{file_name}: statement {number} names no currency (no balance, no entry); ask the bank for a complete one")
    account = _text(element, "{*}Acct/{*}Id/{*}IBAN") or _text(element, "{*}Acct/{*}Id/{*}Othr/{*}Id") or ""
    first, last = _days(element, reader.lines, written)
    if first is None or last is None:
        raise StatementError(f"{file_name}: statement {number} bears no date at all; ask the bank for a complete one")
    lines = list(reader.lines)
    for index in reader.undated:
        lines[index] = replace(lines[index], booked_on=last)
    if reader.undated:
        reader.warn(f"{len(reader.undated)} entries have no readable date and were taken as of {last}")
    if not account:
        reader.warn("the statement does not name its account")
    return Statement(
        identification=_text(element, "{*}Id") or f"{file_name}#{number}",
        account=account,
        currency=currency,
        opened_on=first,
        closed_on=last,
        opening=opening,
        closing=closing,
        lines=tuple(lines),
        is_complete=local(element.tag) == "Stmt",
        warnings=(*reader.warnings, *check_balances(opening, closing, lines)),
    )


def _text(element: Element, path: str) -> str | None:
    found = element.find(path)
    return found.text.strip()[:LONGEST_TEXT] if found is not None and found.text and found.text.strip() else None


def _balance(element: Element, codes: Sequence[str], reader: EntryReader) -> Money | None:
    """The first balance of the preferred kind, signed; lines of credit and interim balances are other kinds."""
    balances = [(_text(balance, "{*}Tp/{*}CdOrPrtry/{*}Cd"), balance) for balance in element.findall("{*}Bal")]
    for code in codes:
        for kind, balance in balances:
            if kind == code:
                amount = reader.money(balance.find("{*}Amt"))
                if amount is None:
                    reader.warn(f"the {code} balance cannot be read")
                    return None
                return -amount if _text(balance, "{*}CdtDbtInd") == "DBIT" else amount
    return None


def _first_currency(opening: Money | None, closing: Money | None, lines: Sequence[StatementLine]) -> str | None:
    known: list[Currency] = [money.currency for money in (opening, closing, *(line.amount for line in lines[:1])) if money is not None]
    return known[0].code if known else None


def _days(element: Element, lines: Sequence[StatementLine], message_written: str | None) -> tuple[date | None, date | None]:
    """First and last day: as the statement says, else of its balances, else of its entries, else the day it was written."""
    dated = [line.booked_on for line in lines if line.booked_on is not EntryReader.NO_DAY]
    balances = [_day(_text(balance, "{*}Dt/{*}Dt") or _text(balance, "{*}Dt/{*}DtTm")) for balance in element.findall("{*}Bal")]
    known = dated + [day for day in balances if day is not None]
    written = _day(_text(element, "{*}CreDtTm") or message_written)
    first = _day(_text(element, "{*}FrToDt/{*}FrDtTm")) or min(dated, default=None) or min(known, default=written)
    last = _day(_text(element, "{*}FrToDt/{*}ToDtTm")) or max(known, default=written)
    return first, last


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "").strip()[:10])
    except ValueError:
        return None
