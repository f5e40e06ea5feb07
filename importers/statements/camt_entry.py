"""One entry (Ntry) of an ISO 20022 account message -> the movements in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import ClassVar
from xml.etree.ElementTree import Element

from importers.money import Money, MoneyError
from importers.statements.balances import amount_of
from importers.statements.contract import Direction, StatementLine
from importers.statements.text_references import references_in

Children = dict[str, Element]  # by tag
_REFERENCES = ("EndToEndId", "InstrId")
_BATCH_REFERENCES = ("PmtInfId", "MsgId", "TxId", "AcctOwnrTxId")
_NO_REFERENCE = frozenset({"NOTPROVIDED", "NOTPROVIDED.", "NONREF"})
# Sub-families of ISO's external bank transaction codes: charges, fees, and commission in its forms.
_CHARGE_CODES = frozenset({"CHRG", "FEES", "COMM", "COME", "COMI", "COMT"})
_RETURN_CODES = frozenset({"RRTN", "RPCR", "RRCT"})
_DIRECTIONS = {"DBIT": Direction.OUT, "CRDT": Direction.IN}
_LONGEST_CODE = 8
_MOST_WARNINGS = 50
LONGEST_TEXT = 500  # ISO's longest is Max500Text


class _Tags(dict[str, str]):
    """Names with the statement's namespace, each joined once: a statement asks for thirty names a hundred thousand times."""

    def __init__(self, namespace: str) -> None:
        super().__init__()
        self.namespace = namespace

    def __missing__(self, name: str) -> str:
        tag = self[name] = self.namespace + name
        return tag


@dataclass(slots=True, kw_only=True)
class _Booking:
    """What the entry says for all its details."""

    entry: str
    direction: Direction
    amount: Money
    booked_on: date
    is_return: bool
    is_charge: bool
    fee: Money | None
    text: str


@dataclass(slots=True, kw_only=True)
class EntryReader:
    """Collects the lines of one statement. `undated` are positions in `lines` whose day is still NO_DAY."""

    NO_DAY: ClassVar[date] = date(1, 1, 1)

    namespace: str  # of the statement's own element, "{urn:...}" or empty
    lines: list[StatementLine] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    undated: list[int] = field(default_factory=list)
    currency: str | None = None  # of an entry that was left out: a notice of what is still to come names no other
    _entries: dict[str, int] = field(default_factory=dict)
    _read: int = 0
    _tags: _Tags = field(init=False)

    def __post_init__(self) -> None:
        self._tags = _Tags(self.namespace)

    def warn(self, text: str) -> None:
        """Keep a warning; after fifty the rest is the same story."""
        if len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(text)

    def money(self, element: Element | None) -> Money | None:
        """The amount of an element with its Ccy attribute, or None if it cannot be money."""
        if element is None:
            return None
        try:
            return amount_of((element.text or "").strip(), element.get("Ccy", ""))
        except MoneyError:
            return None

    def take(self, entry: Element) -> None:
        """Read one entry into lines: one for each detail whose amounts make the entry, else one for the whole."""
        self._read += 1
        parts = {child.tag: child for child in entry}
        amount = self.money(parts.get(self._tags["Amt"]))
        if amount is None:
            return self.warn(f"entry {self._read} has no readable amount and was left out: ask the bank")
        status = _code(parts.get(self._tags["Sts"]))
        if status not in ("BOOK", None):
            self.currency = amount.currency.code
            return self.warn(f"entry {self._read} of {amount} is not booked yet ({status[:4]}) and was left out")
        direction = _DIRECTIONS.get(self._value(parts, "CdtDbtInd"))
        if direction is None:
            return self.warn(f"entry {self._read} of {amount} says neither debit nor credit and was left out: ask the bank")
        if not amount:
            return self.warn(f"entry {self._read} moves nothing and was left out")
        if amount.minor < 0:
            amount = -amount
            direction = Direction.IN if direction is Direction.OUT else Direction.OUT
            self.warn(f"entry {self._read} has a negative amount and was read the other way round")
        family = self._sub_family(parts)
        booking = _Booking(
            entry=self._unique(self._value(parts, "AcctSvcrRef") or self._value(parts, "NtryRef") or f"#{self._read}"),
            direction=direction,
            amount=amount,
            booked_on=self._booked_on(parts),
            is_return=self._value(parts, "RvslInd") in ("true", "1") or family in _RETURN_CODES,
            is_charge=family in _CHARGE_CODES,
            fee=self._fee(parts, amount),
            text=self._value(parts, "AddtlNtryInf"),
        )
        groups = entry.findall(self._tags["NtryDtls"]) if self._tags["NtryDtls"] in parts else ()
        details = [detail for group in groups for detail in group.findall(self._tags["TxDtls"])]
        lines = self._lines(booking, details)
        if booking.booked_on is self.NO_DAY:
            self.undated.extend(range(len(self.lines), len(self.lines) + len(lines)))
        self.lines.extend(lines)
        return None

    def _lines(self, booking: _Booking, details: list[Element]) -> list[StatementLine]:
        if len(details) == 1:
            return [self._detail(booking, details[0], booking.entry, booking.amount)]
        amounts = [self._detail_amount({child.tag: child for child in detail}, booking.amount) for detail in details]
        stated = [amount for amount in amounts if amount is not None]
        if details and len(stated) == len(details):
            over = booking.amount.minor - sum(amount.minor for amount in stated)
            if over == 0 or (booking.fee is not None and over == booking.fee.minor):
                shared = replace(booking, fee=None)
                numbered = enumerate(zip(details, stated, strict=True), 1)
                split = [self._detail(shared, detail, f"{booking.entry}/{number}", amount) for number, (detail, amount) in numbered]
                charge = replace(booking, is_charge=True)
                rest = [_whole(charge, f"{booking.entry}/fee", Money(over, booking.amount.currency), ())] if over else []
                return split + rest
            self.warn(f"entry {self._read} of {booking.amount} does not equal its {len(details)} details; it was kept as one booking")
        found = [self._detail(booking, detail, booking.entry, booking.amount).references for detail in details]
        references = tuple(dict.fromkeys(reference for references in found for reference in references))
        return [_whole(booking, booking.entry, booking.amount, references or references_in(booking.text))]

    def _detail(self, booking: _Booking, detail: Element, entry: str, amount: Money) -> StatementLine:
        parts = {child.tag: child for child in detail}
        text = self._remittance(parts)
        family = self._sub_family(parts)
        return StatementLine(
            entry=entry,
            direction=booking.direction,
            amount=amount,
            booked_on=booking.booked_on,
            references=self._references(parts) or references_in(text) or references_in(booking.text),
            account=self._account(parts, booking.direction),
            is_return=booking.is_return or self._tags["RtrInf"] in parts or family in _RETURN_CODES,
            is_charge=booking.is_charge or family in _CHARGE_CODES,
            reason=self._reason(parts),
            fee=self._fee(parts, booking.amount) or booking.fee,
            text=text or booking.text,
        )

    def _down(self, parts: Children, *path: str) -> Element | None:
        """The element at the end of a path of names, first of its kind. `find` by a plain tag runs in C, by a path it does not."""
        found = parts.get(self._tags[path[0]])
        for name in path[1:]:
            if found is None:
                return None
            found = found.find(self._tags[name])
        return found

    def _value(self, parts: Children, *path: str) -> str:
        found = self._down(parts, *path)
        return (found.text or "").strip()[:LONGEST_TEXT] if found is not None else ""

    def _booked_on(self, parts: Children) -> date:
        for name in ("BookgDt", "ValDt"):
            for form in ("Dt", "DtTm"):
                text = self._value(parts, name, form)
                try:
                    return date.fromisoformat(text[:10])
                except ValueError:
                    continue
        return self.NO_DAY

    def _sub_family(self, parts: Children) -> str:
        return self._value(parts, "BkTxCd", "Domn", "Fmly", "SubFmlyCd") if self._tags["BkTxCd"] in parts else ""

    def _reason(self, parts: Children) -> str | None:
        """Why it came back. Only what looks like a code is kept: a bank's own words could name a worker."""
        if self._tags["RtrInf"] not in parts:
            return None
        code = self._value(parts, "RtrInf", "Rsn", "Cd") or self._value(parts, "RtrInf", "Rsn", "Prtry")
        return code if code.isascii() and code.isalnum() and len(code) <= _LONGEST_CODE else None

    def _fee(self, parts: Children, of: Money) -> Money | None:
        charges = parts.get(self._tags["Chrgs"])
        if charges is None:
            return None
        total = self.money(charges.find(self._tags["TtlChrgsAndTaxAmt"])) or self.money(charges.find(self._tags["Amt"]))
        if total is None:
            records = [self.money(record.find(self._tags["Amt"])) for record in charges.findall(self._tags["Rcrd"])]
            fees = [fee.minor for fee in records if fee is not None and fee.currency == of.currency]
            total = Money(sum(fees), of.currency) if fees else None
        return total if total is not None and total.minor > 0 and total.currency == of.currency else None

    def _detail_amount(self, parts: Children, of: Money) -> Money | None:
        for path in (("Amt",), ("AmtDtls", "TxAmt", "Amt"), ("AmtDtls", "InstdAmt", "Amt")):
            amount = self.money(self._down(parts, *path))
            if amount is not None and amount.currency == of.currency:
                return amount
        return None

    def _references(self, parts: Children) -> tuple[str, ...]:
        refs = parts.get(self._tags["Refs"])
        if refs is None:
            return ()
        inner = {child.tag: child for child in refs}
        for names in (_REFERENCES, _BATCH_REFERENCES):
            found = [self._value(inner, name) for name in names]
            known = tuple(dict.fromkeys(reference for reference in found if reference and reference.upper() not in _NO_REFERENCE))
            if known:
                return known
        return ()

    def _account(self, parts: Children, direction: Direction) -> str | None:
        """The other side's account: the payee's of money that left, the payer's of money that came."""
        account = self._down(parts, "RltdPties", "CdtrAcct" if direction is Direction.OUT else "DbtrAcct", "Id")
        if account is None:
            return None
        inner = {child.tag: child for child in account}
        return self._value(inner, "IBAN") or self._value(inner, "Othr", "Id") or None

    def _remittance(self, parts: Children) -> str:
        remittance = parts.get(self._tags["RmtInf"])
        if remittance is None:
            return self._value(parts, "AddtlTxInf")
        return " ".join(text.strip() for text in remittance.itertext() if text.strip())[:LONGEST_TEXT]

    def _unique(self, name: str) -> str:
        """The bank's id, numbered where the bank gives it twice: the same booking twice must stay two bookings."""
        times = self._entries[name] = self._entries.get(name, 0) + 1
        return name if times == 1 else f"{name}~{times}"


def _whole(booking: _Booking, entry: str, amount: Money, references: tuple[str, ...]) -> StatementLine:
    return StatementLine(
        entry=entry,
        direction=booking.direction,
        amount=amount,
        booked_on=booking.booked_on,
        references=references,
        is_return=booking.is_return,
        is_charge=booking.is_charge,
        fee=booking.fee,
        text=booking.text,
    )


def _code(status: Element | None) -> str | None:
    """BOOK, PDNG, INFO: directly up to version 7, in a Cd element since. None where the entry does not say."""
    if status is None:
        return None
    inner = status[0] if len(status) else status
    return (inner.text or "").strip() or None
