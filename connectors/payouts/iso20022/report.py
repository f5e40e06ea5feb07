"""pain.002, the bank's status report -> what it says of each order.

Read leniently and directly: any version, any namespace, with or without a list of transactions, listing all or only the failures.
The strictness is in what follows from it: only a plain word of the bank makes an order paid, rejected or not found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element

from connectors.payouts.contract import PayoutOrder, PayoutOutcome, PayoutStatus, ProviderEvent, WebhookUnreadableError
from connectors.payouts.iso20022.mapping import REJECTED, meaning, unknown
from connectors.payouts.names import same_account
from importers.money import Money, MoneyError, currency
from importers.statements.outside_xml import OutsideXmlError, local, read_tree

_CONTRADICTION = "contradiction"  # no ISO code: the bank says two things of one order


class ReportError(ValueError):
    """Not a status report that can be understood; the message says why, without its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatus:
    """What the bank says of one order. `amount` is what it echoed; `odd_amount` that it echoed something that is no amount."""

    reference: str
    status: str | None
    reason: str | None
    provider_reference: str | None
    amount: Money | None
    account: str | None = field(repr=False)
    odd_amount: bool
    happened_at: datetime | None

    def outcome(self) -> PayoutOutcome:
        """In our words."""
        status, code, detail = meaning(self.status, self.reason)
        if self.odd_amount:
            status, code, detail = PayoutStatus.UNKNOWN, "amount_differs", "the bank echoed an amount that cannot be read"
        return PayoutOutcome(
            reference=self.reference,
            status=status,
            provider_reference=self.provider_reference,
            code=code,
            detail=detail,
            amount=self.amount,
            account=self.account,
            happened_at=self.happened_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One pain.002. `count` and `control_sum` are the original message's as the bank took it."""

    identification: str
    message: str
    group_status: str | None
    group_reason: str | None
    count: int | None
    control_sum: Decimal | None
    created: datetime | None
    orders: Mapping[str, OrderStatus]

    def on_submit(self, orders: Sequence[PayoutOrder], total: Decimal) -> list[PayoutOutcome]:
        """One outcome for each order sent. What the bank echoes is compared; a difference leaves the whole message open."""
        if self.control_sum is not None and self.control_sum != total:
            return [unknown(order.reference, "amount_differs", "the bank states another total for the message") for order in orders]
        if self.count is not None and self.count != len(orders):
            return [unknown(order.reference, "unreadable_answer", "the bank counts other orders than were sent") for order in orders]
        return [self._compared(order) for order in orders]

    def _compared(self, order: PayoutOrder) -> PayoutOutcome:
        said = self.orders.get(order.reference)
        if said is None:
            return self._by_group(order.reference)
        if said.amount is not None and said.amount != order.amount:
            return unknown(order.reference, "amount_differs", f"ordered {order.amount}, the bank states {said.amount}")
        if said.account is not None and not same_account(said.account, order.destination.account):
            return unknown(order.reference, "payee_differs", "the bank states another account than was ordered")
        return self._listed(said)

    def on_look_up(self, references: Iterable[str]) -> list[PayoutOutcome]:
        """One outcome for each reference. Not listed means not found only where the bank lists every order that it took."""
        lists_all = self.count is not None and self.count == len(self.orders)
        outcomes = []
        for reference in references:
            said = self.orders.get(reference)
            if said is not None:
                outcomes.append(self._listed(said))
            elif lists_all and self.group_status != REJECTED:
                outcomes.append(PayoutOutcome(reference=reference, status=PayoutStatus.NOT_FOUND, code="not_received"))
            else:
                outcomes.append(self._by_group(reference))
        return outcomes

    def _listed(self, said: OrderStatus) -> PayoutOutcome:
        if self.group_status == REJECTED and said.status != REJECTED:
            return unknown(said.reference, "unreadable_answer", "the bank rejects the message but not this order in it")
        return said.outcome()

    def _by_group(self, reference: str) -> PayoutOutcome:
        """A word on the whole message is a word on each order that is not listed; without one it is open."""
        status, code, detail = meaning(self.group_status, self.group_reason)
        return PayoutOutcome(reference=reference, status=status, code=code, detail=detail, happened_at=self.created)


def event_of(content: bytes, identification: str) -> ProviderEvent:
    """A pain.002 as an event of this name. Raises WebhookUnreadableError."""
    try:
        report = read_report(content)
    except ReportError as error:
        raise WebhookUnreadableError(f"event {identification}: {error}") from None
    return ProviderEvent(
        event_id=identification, kind="pain.002", outcomes=report.on_look_up(report.orders), batch_reference=report.message
    )


def read_report(data: bytes) -> Report:
    """The report in a pain.002 message. Raises ReportError."""
    try:
        root = read_tree(data)
    except OutsideXmlError as error:
        raise ReportError(str(error)) from None
    body = root[0] if local(root.tag) == "Document" and len(root) else root
    tag = _Tags(body)
    original = body.find(tag("OrgnlGrpInfAndSts"))
    message = tag.text(original, "OrgnlMsgId")
    if local(body.tag) not in ("CstmrPmtStsRpt", "pain.002.001.02") or original is None or not message:
        raise ReportError("the answer is XML but no payment status report (pain.002)")
    blocks = body.findall(tag("OrgnlPmtInfAndSts"))
    only = blocks[0] if len(blocks) == 1 else None
    status, source = _whole(tag, original, only)
    return Report(
        identification=tag.text(body, "GrpHdr", "MsgId") or "",
        message=message,
        group_status=status,
        group_reason=_reason(tag, source),
        count=_count(tag.text(original, "OrgnlNbOfTxs")),
        control_sum=_decimal(tag.text(original, "OrgnlCtrlSum")),
        created=_moment(tag.text(body, "GrpHdr", "CreDtTm")),
        orders=_orders(tag, [body, *blocks]),
    )


def _whole(tag: _Tags, group: Element, block: Element | None) -> tuple[str | None, Element]:
    """The word on the whole message: its only payment block's where it has one, which is nearer to the orders than the group's."""
    of_group, of_block = tag.text(group, "GrpSts"), tag.text(block, "PmtInfSts")
    if block is None or of_block is None:
        return of_group, group
    if of_group == REJECTED and of_block != REJECTED:
        return _CONTRADICTION, group
    return of_block, block


class _Tags:
    """Names with the message's namespace, whichever it is."""

    def __init__(self, body: Element) -> None:
        self._prefix = body.tag.rpartition("}")[0] + "}" if "}" in body.tag else ""
        self._known: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        return self._known.setdefault(name, self._prefix + name)

    def down(self, element: Element | None, *path: str) -> Element | None:
        for name in path:
            element = element.find(self(name)) if element is not None else None
        return element

    def text(self, element: Element | None, *path: str) -> str | None:
        found = self.down(element, *path)
        return ((found.text or "").strip() or None) if found is not None else None


def _orders(tag: _Tags, blocks: Iterable[Element]) -> dict[str, OrderStatus]:
    orders: dict[str, OrderStatus] = {}
    for block in blocks:
        for transaction in block.findall(tag("TxInfAndSts")):
            said = _order(tag, transaction, tag.text(block, "PmtInfSts"))
            if said is None:
                continue
            before = orders.get(said.reference)
            if before is not None and (before.status, before.reason) != (said.status, said.reason):
                said = OrderStatus(
                    reference=said.reference,
                    status=_CONTRADICTION,
                    reason=None,
                    provider_reference=None,
                    amount=None,
                    account=None,
                    odd_amount=False,
                    happened_at=None,
                )
            orders[said.reference] = said
    return orders


def _order(tag: _Tags, transaction: Element, block_status: str | None) -> OrderStatus | None:
    reference = tag.text(transaction, "OrgnlEndToEndId")
    if reference is None:
        return None
    echoed = tag.down(transaction, "OrgnlTxRef", "Amt", "InstdAmt")
    amount = _money(echoed)
    payee = tag.down(transaction, "OrgnlTxRef", "CdtrAcct", "Id")
    return OrderStatus(
        reference=reference,
        status=tag.text(transaction, "TxSts") or block_status,
        reason=_reason(tag, transaction),
        provider_reference=tag.text(transaction, "AcctSvcrRef"),
        amount=amount,
        account=tag.text(payee, "IBAN") or tag.text(payee, "Othr", "Id"),
        odd_amount=echoed is not None and amount is None,
        happened_at=_moment(tag.text(transaction, "AccptncDtTm")),
    )


def _reason(tag: _Tags, element: Element) -> str | None:
    reason = tag.down(element, "StsRsnInf", "Rsn")
    found = tag.text(reason, "Cd") or tag.text(reason, "Prtry")
    # The bank's own words could name a worker: only what looks like a code is kept.
    return found if found is not None and found.isascii() and found.isalnum() and len(found) <= 8 else None  # noqa: PLR2004 a code


def _money(element: Element | None) -> Money | None:
    try:
        return Money.of((element.text or "").strip(), currency(element.get("Ccy", ""))) if element is not None else None
    except MoneyError:
        return None


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 15 else None  # noqa: PLR2004 Max15


def _decimal(text: str | None) -> Decimal | None:
    try:
        value = Decimal(text) if text is not None else None
    except InvalidOperation:
        raise ReportError("the control sum is not a number") from None
    if value is not None and not value.is_finite():
        raise ReportError("the control sum is not a number")
    return value


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text is not None else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
