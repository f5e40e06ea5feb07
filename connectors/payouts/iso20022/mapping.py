"""Our words <-> the bank's: an order into a credit transfer of pain.001, ISO's external status and reason codes into our outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from connectors.payouts.contract import DestinationKind, PayoutBatch, PayoutOrder, PayoutOutcome, PayoutStatus
from connectors.payouts.iso20022.characters import written
from connectors.payouts.iso20022.config import Config, is_bic
from connectors.payouts.iso20022.schema import TEXT, Form, SchemaError, Values, document, has, kind_at
from connectors.signatures import is_signable

REFERENCE_LENGTH = 35  # Max35Text, of MsgId and EndToEndId

# ISO external codes, "ExternalPaymentTransactionStatus1Code" and "ExternalPaymentGroupStatus1Code". BLCK (accepted, then blocked) and any
# status that is not here say neither that money moved nor that none will: the order stays open.
_PAID = frozenset({"ACSC", "ACCC", "CPUC"})
_ACCEPTED = frozenset({"ACSP", "ACTC", "ACCP", "ACWC", "ACWP", "ACFC", "ACIS", "ACPD", "PRES", "PDNG", "RCVD", "PART", "PATC"})
CANCELLED = "CANC"  # taken back on request, before it was executed
REJECTED = "RJCT"

# ISO external codes, "ExternalStatusReason1Code". Whatever says that the bank has the reference already is no rejection: the first
# message may have paid, so it is looked up. A code that is not here still comes with a status that says RJCT, which is final.
REASONS: Mapping[str, str] = {
    **dict.fromkeys(("AC01", "AC02", "AC03", "AC12", "AC13", "AC14", "BE17", "CNOR", "RC01", "RC03", "RC04"), "account_unknown"),
    **dict.fromkeys(("AC04", "AC05", "AC06", "AC07", "AC15", "MD07"), "account_closed"),
    **dict.fromkeys(("BE01", "BE22", "NMTC"), "name_mismatch"),
    **dict.fromkeys(("AM02", "AM06", "AM13", "AM14", "AM21", "AM23"), "limit_exceeded"),
    **dict.fromkeys(("AM04", "AM24"), "insufficient_funds"),
    **dict.fromkeys(("AG01", "AG03", "DS02", "DS03", "DS0B", "DS0C", "DS0H", "DS14", "DS24"), "not_authorised"),
    **dict.fromkeys(("AM01", "AM03", "AM09", "AM10", "AM11", "AM12", "AM18", "AM19", "AM20"), "invalid_order"),
    **dict.fromkeys(
        ("BE04", "BE05", "BE06", "BE07", "BE08", "BE09", "CH03", "CH04", "CH20", "DT01", "FF01", "FF02", "FF03"), "invalid_order"
    ),
    **dict.fromkeys(("AB01", "AB02", "AB05", "AB06", "AB07", "AB08", "AB09", "TM01"), "temporary"),
}
DUPLICATE_REASONS = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL"})


def unknown(reference: str, code: str, detail: str = "", **known: object) -> PayoutOutcome:
    """It is open what became of this order: it will be looked up, never sent again."""
    return PayoutOutcome(reference=reference, status=PayoutStatus.UNKNOWN, code=code, detail=detail, **known)  # type: ignore[arg-type]


def rejected(reference: str, code: str, detail: str = "") -> PayoutOutcome:
    """Conclusively not paid."""
    return PayoutOutcome(reference=reference, status=PayoutStatus.REJECTED, code=code, detail=detail)


def meaning(status: str | None, reason: str | None) -> tuple[PayoutStatus, str | None, str]:
    """Our status, code and a detail for people, for one of the bank's statuses and its reason."""
    if status in _PAID:
        return PayoutStatus.PAID, None, ""
    if status in _ACCEPTED:
        return PayoutStatus.ACCEPTED, None, ""
    if status == CANCELLED:
        return PayoutStatus.REJECTED, "other", "the bank cancelled it on request"
    if status == REJECTED:
        said = f"the bank says {reason}" if reason else "the bank gave no reason"
        if reason in DUPLICATE_REASONS:
            return PayoutStatus.UNKNOWN, "duplicate", said
        return PayoutStatus.REJECTED, REASONS.get(reason or "", "other"), said
    return PayoutStatus.UNKNOWN, "unreadable_answer", "the bank gave a status that is not known here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A pain.001 ready to leave. `refused` are orders that cannot be written and were left out of it."""

    body: bytes
    sent: Sequence[PayoutOrder]
    refused: Sequence[PayoutOutcome]
    total: Decimal  # major units


class PaymentForm:
    """pain.001 of one version for one account, laid out once by the library."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._limits = config.limits
        self._form = Form.of(config.version, self._message, "CdtTrfTxInf", self._transfers())

    def write(self, batch: PayoutBatch, created: datetime) -> Written:
        """The batch as one message with one payment block. Orders that cannot be written are refused, the others go."""
        if len(batch.orders) > self._config.batch_size:
            return _refused_whole(batch, f"the bank takes {self._config.batch_size} orders in a message, not {len(batch.orders)}")
        rows: list[tuple[str, Mapping[str, str]]] = []
        sent: list[PayoutOrder] = []
        refused: list[PayoutOutcome] = []
        for order in batch.orders:
            fault = self._fault(order)
            if fault is not None:
                refused.append(rejected(order.reference, *fault))
                continue
            row = self._row(order)
            try:
                self._form.check(row[1])
            except SchemaError as error:
                refused.append(rejected(order.reference, "invalid_order", f"cannot be written for the bank: {error}"))
                continue
            rows.append(row)
            sent.append(order)
        total = sum((order.amount.amount for order in sent), Decimal(0))
        values = {
            "message": batch.reference,
            "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "count": str(len(sent)),
            "sum": str(total),
            "day": batch.execute_on.isoformat(),
        }
        if not is_signable(batch.reference):
            return _refused_whole(batch, "the batch cannot be signed: its reference must be visible ASCII characters without a dot")
        try:
            self._form.check(values)
        except SchemaError as error:
            return _refused_whole(batch, f"the batch cannot be written for the bank: {error}")
        return Written(body=self._form.write(values, rows) if sent else b"", sent=sent, refused=refused, total=total)

    def _fault(self, order: PayoutOrder) -> tuple[str, str] | None:
        smallest, largest = self._limits
        if order.destination.kind is not DestinationKind.BANK_ACCOUNT:
            return "invalid_order", "this connector pays bank accounts only"
        if order.amount.currency != self._config.money:
            return "invalid_order", f"this account pays {self._config.currency}, the order is in {order.amount.currency}"
        if not smallest <= order.amount <= largest:
            return "limit_exceeded", f"the account pays {smallest} to {largest} in one order"
        if written(order.destination.holder, self._config.character_set) is None:
            return "invalid_order", "the bank takes Latin letters only: enter the holder's name as the bank writes it"
        return None

    def _row(self, order: PayoutOrder) -> tuple[str, Mapping[str, str]]:
        bank = order.destination.bank or ""
        bic = self._config.banks.get(bank) or (bank if is_bic(bank) else "" if bank else self._config.bank_bic)
        values = {
            "reference": order.reference,
            "amount": str(order.amount.amount),
            "bank": bic or bank,
            "holder": written(order.destination.holder.strip(), self._config.character_set) or "",
            "account": order.destination.account,
            "purpose": written(order.purpose.strip(), self._config.character_set) or order.reference,
        }
        return ("bic" if bic else "bank_name"), values

    def _message(self, transfer: Values) -> Values:
        cls, config = document(config_version := self._config.version), self._config
        day: object = "@@day@@"
        if has(kind_at(cls, "CstmrCdtTrfInitn", "PmtInf"), "ReqdExctnDt", "Dt"):
            day = {"Dt": day}
        if not has(cls, "CstmrCdtTrfInitn", "PmtInf", "CdtTrfTxInf"):
            raise SchemaError(f"{config_version} has no credit transfers")
        level = {"SvcLvl": {"Cd": config.service_level}} if config.service_level else {}
        category = {"CtgyPurp": {"Cd": config.category_purpose}} if config.category_purpose else {}
        kind = {"PmtTpInf": {**level, **category}} if level or category else {}
        address = {"PstlAdr": config.debtor_address.values()} if config.debtor_address else {}
        payment = {
            "PmtInfId": "@@message@@",
            "PmtMtd": "TRF",
            "BtchBookg": config.batch_booking,
            "NbOfTxs": "@@count@@",
            "CtrlSum": "@@sum@@",
            **kind,
            "ReqdExctnDt": day,
            "Dbtr": {"Nm": config.debtor_name, **address},
            "DbtrAcct": {"Id": {"Othr": {"Id": config.debtor_account}}, "Ccy": config.currency},
            "DbtrAgt": {"FinInstnId": {self._bic_name(): config.bank_bic}},
            "CdtTrfTxInf": [transfer],
        }
        head = {
            "MsgId": "@@message@@",
            "CreDtTm": "@@created@@",
            "NbOfTxs": "@@count@@",
            "CtrlSum": "@@sum@@",
            "InitgPty": {"Nm": config.debtor_name},
        }
        return {"CstmrCdtTrfInitn": {"GrpHdr": head, "PmtInf": [payment]}}

    def _transfers(self) -> Mapping[str, Values]:
        def transfer(bank: str) -> Values:
            return {
                "PmtId": {"EndToEndId": "@@reference@@"},
                "Amt": {"InstdAmt": {TEXT: "@@amount@@", "Ccy": self._config.currency}},
                "CdtrAgt": {"FinInstnId": {bank: "@@bank@@"}},
                "Cdtr": {"Nm": "@@holder@@"},
                "CdtrAcct": {"Id": {"Othr": {"Id": "@@account@@"}}},
                "RmtInf": {"Ustrd": ["@@purpose@@"]},
            }

        return {"bic": transfer(self._bic_name()), "bank_name": transfer("Nm")}

    def _bic_name(self) -> str:
        """BIC up to version 03, BICFI since."""
        agent = kind_at(document(self._config.version), "CstmrCdtTrfInitn", "PmtInf", "DbtrAgt", "FinInstnId")
        return "BIC" if has(agent, "BIC") else "BICFI"


def _refused_whole(batch: PayoutBatch, why: str) -> Written:
    refused = [rejected(order.reference, "invalid_order", why) for order in batch.orders]
    return Written(body=b"", sent=(), refused=refused, total=Decimal(0))
