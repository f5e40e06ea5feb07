"""The messages of the simulated bank: pain.001 in, pain.002 out, written by the library's schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from xml.etree.ElementTree import Element

from connectors.payouts.iso20022.schema import TEXT, Form, SchemaError, Values, build, document, write
from connectors.payouts.iso20022.schema_check import read_checked
from importers.money import Money, MoneyError, currency
from importers.money import total as sum_of
from importers.statements.outside_xml import OutsideXmlError

STATUS = "pain.002.001.03"


class MessageRefusedError(Exception):
    """A pain.001 that the bank refuses as a whole, with ISO's reason code."""

    def __init__(self, reason: str, message: str = "UNKNOWN", faults: Sequence[str] = ()) -> None:
        super().__init__(f"{reason} {'; '.join(faults)}")
        self.reason = reason
        self.message = message
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One credit transfer as the bank read it."""

    reference: str
    account: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One pain.001 as the bank read it."""

    message: str
    name: str  # pain.001.001.03
    debtor: str
    total: str
    transfers: Sequence[Transfer]


def read_instruction(data: bytes) -> Instruction:
    """The instruction, if it keeps to the schema and to its own counts and sums. Raises MessageRefusedError."""
    try:
        name, root, faults = read_checked(data)
    except (OutsideXmlError, SchemaError) as error:
        raise MessageRefusedError("FF01", faults=[str(error)]) from None
    if not name.startswith("pain.001."):
        raise MessageRefusedError("FF01", faults=["not a pain.001"])
    text = _Texts(root.tag.rpartition("}")[0] + "}")
    body = root[0]
    message = text(body, "GrpHdr", "MsgId") or "UNKNOWN"
    if faults:
        raise MessageRefusedError("FF01", message, faults)
    blocks = body.findall(text.prefix + "PmtInf")
    if len(blocks) != 1:
        raise MessageRefusedError("FF01", message, ["this bank takes one payment block in a message"])
    transfers = [_transfer(text, element, message) for element in blocks[0].findall(text.prefix + "CdtTrfTxInf")]
    if text(body, "GrpHdr", "NbOfTxs") != str(len(transfers)):
        raise MessageRefusedError("AM18", message)
    return Instruction(
        message=message,
        name=name,
        debtor=text(blocks[0], "DbtrAcct", "Id", "Othr", "Id"),
        total=str(_total(message, transfers, text(body, "GrpHdr", "CtrlSum")).amount),
        transfers=transfers,
    )


@dataclass(frozen=True, slots=True)
class _Texts:
    prefix: str

    def __call__(self, element: Element, *path: str) -> str:
        for step in path:
            found = element.find(self.prefix + step)
            if found is None:
                return ""
            element = found
        return element.text or ""


def _transfer(text: _Texts, element: Element, message: str) -> Transfer:
    amount = element.find(f"{text.prefix}Amt/{text.prefix}InstdAmt")
    try:
        money = Money.of(amount.text or "", currency(amount.get("Ccy", ""))) if amount is not None else None
    except MoneyError:
        raise MessageRefusedError("AM03", message) from None
    if money is None or money.minor <= 0:
        raise MessageRefusedError("AM01", message)
    return Transfer(
        reference=text(element, "PmtId", "EndToEndId"),
        account=text(element, "CdtrAcct", "Id", "Othr", "Id") or text(element, "CdtrAcct", "Id", "IBAN"),
        amount=money,
    )


def _total(message: str, transfers: Sequence[Transfer], stated: str) -> Money:
    """The sum of the transfers, which must be the one stated, if one is."""
    try:
        total = sum_of((one.amount for one in transfers), transfers[0].amount.currency)
        if stated and Money.of(stated, total.currency) != total:
            raise MessageRefusedError("AM10", message)
    except MoneyError:
        raise MessageRefusedError("AM03", message, ["one currency in a message"]) from None
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One order in a status report."""

    reference: str
    status: str
    reason: str
    provider_reference: str
    at: str
    amount: Money
    account: str = field(repr=False)

    def with_another_payee(self) -> Told:
        """The same, with an error in the account."""
        return replace(self, account=f"{self.account[:-1]}{(int(self.account[-1], 36) + 1) % 10}")

    def with_another_amount(self) -> Told:
        """The same, with an error in the amount."""
        return replace(self, amount=Money(self.amount.minor + 1, self.amount.currency))


def write_refusal(message: str, reason: str, created: str) -> bytes:
    """A pain.002 that refuses the whole message."""
    return _group_report(message, "pain.001", "RJCT", created, {"StsRsnInf": [{"Rsn": {"Cd": reason}}]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The message that a report speaks of. `total` is in major units, as it stood in the message or is written now."""

    message: str
    name: str
    count: int
    total: str


def write_receipt(original: Original, created: str) -> bytes:
    """A pain.002 that says the message was taken and checked: not yet money."""
    known = {"OrgnlNbOfTxs": str(original.count), "OrgnlCtrlSum": Decimal(original.total)}
    return _group_report(original.message, original.name, "ACTC", created, known)


def _group_report(message: str, name: str, status: str, created: str, more: Mapping[str, object]) -> bytes:
    group = {"OrgnlMsgId": message, "OrgnlMsgNmId": name, "GrpSts": status, **more}
    values = {"CstmrPmtStsRpt": {"GrpHdr": {"MsgId": f"R{message}"[:35], "CreDtTm": created}, "OrgnlGrpInfAndSts": group}}
    return write(build(document(STATUS), values)).encode()


def write_report(original: Original, created: str, orders: Iterable[Told]) -> bytes:
    """A pain.002 that lists orders with what became of each."""
    values = {
        "identification": f"R{original.message}"[:35],
        "message": original.message,
        "name": original.name,
        "created": created,
        "count": str(original.count),
        "sum": original.total,
    }
    kinds = {"ACSC": "paid", "RJCT": "rejected"}
    rows = (
        (
            kinds.get(told.status, "pending"),
            {
                "reference": told.reference,
                "status": told.status,
                "reason": told.reason,
                "provider": told.provider_reference,
                "at": told.at,
                "amount": str(told.amount.amount),
                "currency": told.amount.currency.code,
                "account": told.account,
            },
        )
        for told in orders
    )
    return _report_form().write(values, rows)


@cache
def _report_form() -> Form:
    def whole(transaction: Values) -> Values:
        group = {
            "OrgnlMsgId": "@@message@@",
            "OrgnlMsgNmId": "@@name@@",
            "OrgnlNbOfTxs": "@@count@@",
            "OrgnlCtrlSum": "@@sum@@",
        }
        return {
            "CstmrPmtStsRpt": {
                "GrpHdr": {"MsgId": "@@identification@@", "CreDtTm": "@@created@@"},
                "OrgnlGrpInfAndSts": group,
                "OrgnlPmtInfAndSts": [{"OrgnlPmtInfId": "@@message@@", "TxInfAndSts": [transaction]}],
            }
        }

    start = {"OrgnlEndToEndId": "@@reference@@", "TxSts": "@@status@@"}
    amount = {"Amt": {"InstdAmt": {TEXT: "@@amount@@", "Ccy": "@@currency@@"}}}
    end = {"OrgnlTxRef": {**amount, "CdtrAcct": {"Id": {"Othr": {"Id": "@@account@@"}}}}}
    blocks: dict[str, Values] = {
        "paid": {**start, "AccptncDtTm": "@@at@@", "AcctSvcrRef": "@@provider@@", **end},
        "rejected": {**start, "StsRsnInf": [{"Rsn": {"Cd": "@@reason@@"}}], "AccptncDtTm": "@@at@@", **end},
        "pending": {**start, **end},
    }
    return Form.of(STATUS, whole, "TxInfAndSts", blocks)
