"""The simulated bank's statement of one account and day: camt.053, written by the library's schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from connectors.payouts.iso20022.schema import TEXT, Form, Values, build, document, write
from importers.money import Money

STATEMENT = "camt.053.001.02"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One line of the account's statement. `out` is whether the money left."""

    provider_reference: str
    reference: str  # empty for a line that names no order
    account: str
    amount: Money
    booked_on: str
    out: bool = True
    fee: Money | None = None


def write_statement(debtor: str, day: str, created: str, opening: Money, lines: Sequence[Booking]) -> bytes:
    """A camt.053 of one account and day; the closing balance is the opening balance and the lines."""
    moved = sum(-line.amount.minor if line.out else line.amount.minor for line in lines if line.amount.currency == opening.currency)
    closing = Money(opening.minor + moved, opening.currency)
    values = {"account": debtor, "day": day, "created": created, "currency": opening.currency.code, "identification": f"S{day}"}
    values |= {"opening": str(abs(opening).amount), "opening_side": "CRDT" if opening.minor >= 0 else "DBIT"}
    values |= {"closing": str(abs(closing).amount), "closing_side": "CRDT" if closing.minor >= 0 else "DBIT"}
    if not lines:
        return write(build(document(STATEMENT), _filled(_statement([]), values))).encode()
    return _statement_form().write(values, ((_block(line), _row(line)) for line in lines))


def _filled(value: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401 a tree of values
    if isinstance(value, Mapping):
        return {key: _filled(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    return values.get(value.strip("@"), value) if isinstance(value, str) and value.startswith("@@") else value


def _block(line: Booking) -> str:
    if not line.reference:
        return "charge" if line.out else "deposit"
    return ("out_fee" if line.fee is not None else "out") if line.out else "return"


def _row(line: Booking) -> Mapping[str, str]:
    return {
        "provider": line.provider_reference,
        "reference": line.reference,
        "payee": line.account,
        "amount": str(line.amount.amount),
        "line_currency": line.amount.currency.code,
        "fee": str(line.fee.amount) if line.fee is not None else "",
        "booked": line.booked_on,
    }


def _statement(entries: list[Values]) -> Values:
    def balance(kind: str, name: str) -> Values:
        amount = {TEXT: f"@@{name}@@", "Ccy": "@@currency@@"}
        return {"Tp": {"CdOrPrtry": {"Cd": kind}}, "Amt": amount, "CdtDbtInd": f"@@{name}_side@@", "Dt": {"Dt": "@@day@@"}}

    statement = {
        "Id": "@@identification@@",
        "CreDtTm": "@@created@@",
        "Acct": {"Id": {"Othr": {"Id": "@@account@@"}}, "Ccy": "@@currency@@"},
        "Bal": [balance("OPBD", "opening"), balance("CLBD", "closing")],
        "Ntry": entries,
    }
    return {"BkToCstmrStmt": {"GrpHdr": {"MsgId": "@@identification@@", "CreDtTm": "@@created@@"}, "Stmt": [statement]}}


@cache
def _statement_form() -> Form:
    def entry(side: str, family: tuple[str, str], details: Values | None, *, fee: bool = False) -> Values:
        amount = {TEXT: "@@amount@@", "Ccy": "@@line_currency@@"}
        charges = {"Chrgs": [{"Amt": {TEXT: "@@fee@@", "Ccy": "@@line_currency@@"}}]} if fee else {}
        return {
            "Amt": amount,
            "CdtDbtInd": side,
            "Sts": "BOOK",
            "BookgDt": {"Dt": "@@booked@@"},
            "ValDt": {"Dt": "@@booked@@"},
            "AcctSvcrRef": "@@provider@@",
            "BkTxCd": {"Domn": {"Cd": "PMNT", "Fmly": {"Cd": family[0], "SubFmlyCd": family[1]}}},
            **charges,
            **({"NtryDtls": [{"TxDtls": [details]}]} if details is not None else {}),
        }

    refs = {"Refs": {"EndToEndId": "@@reference@@"}}
    payee = {"RltdPties": {"CdtrAcct": {"Id": {"Othr": {"Id": "@@payee@@"}}}}}
    back = {"RltdPties": {"DbtrAcct": {"Id": {"Othr": {"Id": "@@payee@@"}}}}, "RtrInf": {"Rsn": {"Cd": "AC04"}}}
    blocks = {
        "out": entry("DBIT", ("ICDT", "SALA"), {**refs, **payee}),
        "out_fee": entry("DBIT", ("ICDT", "SALA"), {**refs, **payee}, fee=True),
        "return": entry("CRDT", ("ICDT", "RRTN"), {**refs, **back}),
        "charge": entry("DBIT", ("MDOP", "CHRG"), None),
        "deposit": entry("CRDT", ("RCDT", "DMCT"), None),
    }
    return Form.of(STATEMENT, lambda row: _statement([row]), "Ntry", blocks)
