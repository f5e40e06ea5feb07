"""The messages keep to ISO's schemas, and the bank's are read as banks write them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xsdata.formats.dataclass.parsers import XmlParser

from connectors.payouts.contract import PayoutStatus
from connectors.payouts.iso20022.config import ConfigError, read_config
from connectors.payouts.iso20022.mapping import DUPLICATE_REASONS, REASONS, PaymentForm, meaning
from connectors.payouts.iso20022.report import ReportError, read_report
from connectors.payouts.iso20022.schema import SchemaError, build, document
from connectors.payouts.iso20022.schema_check import read_checked
from connectors.payouts.iso20022.simulated_messages import MessageRefusedError, read_instruction
from importers.money import USD, Money
from tests.connectors.iso20022_story import batch, wage
from tests.connectors.iso20022_story import settings as agreement

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)
VERSIONS = ("pain.001.001.03", "pain.001.001.05", "pain.001.001.09")


def form(version: str = VERSIONS[0], **more: object) -> PaymentForm:
    return PaymentForm(read_config(agreement(base_url="https://bank.example", version=version, **more))[0])


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_keeps_to_its_schema_and_says_what_was_ordered(version: str) -> None:
    orders = [wage("GW1AAAAAAA"), wage("GW1BBBBBBB", "000123457", 19_250, 'ចាន់ <ធី> & "បុត្រ"')]
    written = form(version, banks={"ACLEDA": "ACLBKHPP"}).write(batch("B1", *orders), NOW)
    assert read_checked(written.body)[2] == []
    parsed: Any = XmlParser().from_bytes(written.body, document(version))
    message = parsed.cstmr_cdt_trf_initn
    assert (message.grp_hdr.msg_id, message.grp_hdr.nb_of_txs, message.grp_hdr.ctrl_sum) == ("B1", "2", Decimal("402.50"))
    first, second = message.pmt_inf[0].cdt_trf_tx_inf
    assert (first.pmt_id.end_to_end_id, first.amt.instd_amt.value, first.amt.instd_amt.ccy) == ("GW1AAAAAAA", Decimal("210.00"), "USD")
    assert (second.cdtr.nm, second.cdtr_acct.id.othr.id) == ('ចាន់ <ធី> & "បុត្រ"', "000123457")


def test_a_bank_is_named_by_its_code_where_it_is_known_and_by_its_name_where_not() -> None:
    def at(bank: str | None) -> str:
        order = wage("GW1AAAAAAA")
        destination = type(order.destination)(kind=order.destination.kind, account="1", holder="SOK DARA", bank=bank)
        named = type(order)(reference="GW1AAAAAAA", amount=order.amount, destination=destination, purpose="Wage")
        return form(banks={"ACLEDA": "ACLBKHPP"}).write(batch("B1", named), NOW).body.decode()

    assert "<CdtrAgt><FinInstnId><BIC>ACLBKHPP</BIC>" in at("ACLEDA")
    assert "<CdtrAgt><FinInstnId><BIC>CADIKHPP</BIC>" in at("CADIKHPP")
    assert "<CdtrAgt><FinInstnId><BIC>ABAAKHPP</BIC>" in at(None)
    assert "<CdtrAgt><FinInstnId><Nm>Wing Bank</Nm>" in at("Wing Bank")


@settings(max_examples=60, deadline=None)
@given(
    st.text(min_size=1, max_size=150),
    st.text(min_size=1, max_size=40),
    st.integers(min_value=1, max_value=5_000_000),
    st.text(max_size=150),
)
def test_what_is_sent_is_what_the_bank_reads_whatever_the_names(holder: str, account: str, cents: int, purpose: str) -> None:
    order = wage("GW1AAAAAAA", account, cents, holder)
    order = type(order)(reference=order.reference, amount=order.amount, destination=order.destination, purpose=purpose)
    written = form().write(batch("B1", order, wage("GW1BBBBBBB")), NOW)
    read = read_instruction(written.body)
    assert [one.reference for one in read.transfers] == [one.reference for one in written.sent]
    if not written.refused:
        # XML turns a carriage return into a line feed: nothing else may change on the way.
        assert read.transfers[0].account == account.replace("\r", "\n")
        assert read.transfers[0].amount == Money(cents, USD)
    else:
        assert [one.code for one in written.refused] == ["invalid_order"]


def test_a_broken_instruction_is_refused_with_its_fault() -> None:
    body = form().write(batch("B1", wage("GW1AAAAAAA"), wage("GW1BBBBBBB")), NOW).body
    broken = {
        b"<NbOfTxs>2</NbOfTxs>": (b"<NbOfTxs>3</NbOfTxs>", "AM18"),
        b"<CtrlSum>420.00</CtrlSum>": (b"<CtrlSum>421.00</CtrlSum>", "AM10"),
        b"<PmtMtd>TRF</PmtMtd>": (b"<PmtMtd>XXX</PmtMtd>", "FF01"),
        b"<EndToEndId>GW1AAAAAAA</EndToEndId>": (b"<EndToEndId>" + b"G" * 36 + b"</EndToEndId>", "FF01"),
        b"<Cdtr><Nm>SOK DARA</Nm></Cdtr>": (b"<Cdtr><Name>SOK DARA</Name></Cdtr>", "FF01"),
        b'<InstdAmt Ccy="USD">210.00</InstdAmt>': (b'<InstdAmt Ccy="USD">0.00</InstdAmt>', "AM01"),
        b"<?xml": (b'<!DOCTYPE x [<!ENTITY a "b">]><?xml', "FF01"),
        b"</Document>": (b"", "FF01"),
    }
    for true, (false, reason) in broken.items():
        assert true in body
        with pytest.raises(MessageRefusedError) as caught:
            read_instruction(body.replace(true, false))
        assert caught.value.reason == reason, true


def report(transactions: str, group: str = "", namespace: str = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.03") -> bytes:
    return (
        f'<Document xmlns="{namespace}"><CstmrPmtStsRpt><GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-11-30T10:00:00+07:00</CreDtTm></GrpHdr>'
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>B1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.03</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>B1</OrgnlPmtInfId>{transactions}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def said(reference: str, status: str, reason: str = "") -> str:
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    return f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>{why}</TxInfAndSts>"


def words(data: bytes, *references: str) -> list[tuple[PayoutStatus, str | None]]:
    return [(one.status, one.code) for one in read_report(data).on_look_up(references)]


def test_a_report_that_lists_only_the_failures_leaves_the_others_accepted() -> None:
    """As a bank does, in a national namespace, under a partial acceptance."""
    data = report(said("A", "RJCT", "AC01"), "<OrgnlNbOfTxs>3</OrgnlNbOfTxs><GrpSts>PART</GrpSts>", "urn:bank:pain.002.001.03.ch.02")
    assert words(data, "A", "B", "C") == [("rejected", "account_unknown"), ("accepted", None), ("accepted", None)]


def test_a_report_on_the_whole_message_is_a_word_on_each_order() -> None:
    assert words(report("", "<GrpSts>ACSC</GrpSts>"), "A", "B") == [("paid", None), ("paid", None)]
    reason = "<StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf>"
    assert words(report("", f"<GrpSts>RJCT</GrpSts>{reason}"), "A") == [("rejected", "insufficient_funds")]
    assert words(report("<PmtInfSts>RJCT</PmtInfSts>" + reason), "A") == [("rejected", "insufficient_funds")]


def test_what_the_bank_says_unclearly_stays_open() -> None:
    assert words(report(said("A", "ACSC")), "B") == [("unknown", "unreadable_answer")]
    assert words(report(said("A", "XXXX")), "A") == [("unknown", "unreadable_answer")]
    assert words(report(said("A", "ACSC") + said("A", "RJCT", "AC01")), "A") == [("unknown", "unreadable_answer")]
    assert words(report(said("A", "ACSC"), "<GrpSts>RJCT</GrpSts>"), "A") == [("unknown", "unreadable_answer")]
    assert words(report(said("A", "RJCT", "AM05")), "A") == [("unknown", "duplicate")]
    odd = said("A", "ACSC").replace(
        "</TxInfAndSts>", '<OrgnlTxRef><Amt><InstdAmt Ccy="USD">1.234</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>'
    )
    assert words(report(odd), "A") == [("unknown", "amount_differs")]


def test_not_found_needs_a_report_that_lists_every_order() -> None:
    assert words(report(said("A", "ACSC"), "<OrgnlNbOfTxs>1</OrgnlNbOfTxs>"), "A", "B") == [("paid", None), ("not_found", "not_received")]
    listed = report(said("A", "ACSC"), "<OrgnlNbOfTxs>2</OrgnlNbOfTxs><GrpSts>PDNG</GrpSts>")
    assert words(listed, "A", "B") == [("paid", None), ("accepted", None)]


def test_an_echo_that_differs_leaves_the_message_open() -> None:
    orders = [wage("A", cents=100), wage("B", cents=200)]
    total = Decimal("3.00")

    def submitted(data: bytes) -> list[tuple[PayoutStatus, str | None]]:
        return [(one.status, one.code) for one in read_report(data).on_submit(orders, total)]

    assert submitted(report("", "<OrgnlNbOfTxs>2</OrgnlNbOfTxs><OrgnlCtrlSum>3</OrgnlCtrlSum><GrpSts>ACTC</GrpSts>")) == [
        ("accepted", None),
        ("accepted", None),
    ]
    assert {one[1] for one in submitted(report("", "<OrgnlCtrlSum>3.01</OrgnlCtrlSum><GrpSts>ACTC</GrpSts>"))} == {"amount_differs"}
    assert {one[0] for one in submitted(report("", "<OrgnlNbOfTxs>1</OrgnlNbOfTxs><GrpSts>ACTC</GrpSts>"))} == {"unknown"}
    echo = '<OrgnlTxRef><Amt><InstdAmt Ccy="USD">1.01</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>'
    mixed = report(said("A", "ACSP").replace("</TxInfAndSts>", echo) + said("B", "ACSP"), "<GrpSts>ACTC</GrpSts>")
    assert submitted(mixed) == [("unknown", "amount_differs"), ("accepted", None)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><body>busy</body></html>",
        b"<Document/>",
        b'{"status": "ok"}',
        b'<!DOCTYPE a [<!ENTITY b "c">]><Document><CstmrPmtStsRpt/></Document>',
        report("")[:-20],
        report("").replace(b"<OrgnlMsgId>B1</OrgnlMsgId>", b""),
        report("", "<OrgnlCtrlSum>NaN</OrgnlCtrlSum>"),
    ],
    ids=range(8),
)
def test_what_is_no_report_is_refused(data: bytes) -> None:
    with pytest.raises(ReportError):
        read_report(data)


@given(st.sampled_from(sorted(REASONS) + sorted(DUPLICATE_REASONS) + ["", "XX99"]), st.sampled_from(["RJCT", "ACSC", "ACSP", "", "rjct"]))
def test_only_a_plain_no_is_a_rejection_and_a_duplicate_never_is(reason: str, status: str) -> None:
    said_status, code, _ = meaning(status, reason)
    assert (said_status is PayoutStatus.REJECTED) == (status == "RJCT" and reason not in DUPLICATE_REASONS)
    assert (code is None) == (said_status in (PayoutStatus.PAID, PayoutStatus.ACCEPTED))


def test_a_value_that_the_schema_forbids_is_named_without_being_shown() -> None:
    cls = document("pain.001.001.03")
    with pytest.raises(SchemaError, match="has no Wage"):
        build(cls, {"Wage": 1})
    with pytest.raises(SchemaError, match="needs CstmrCdtTrfInitn"):
        build(cls, {})
    with pytest.raises(SchemaError, match="MsgId takes 1 to 35 characters") as caught:
        build(cls, {"CstmrCdtTrfInitn": {"GrpHdr": {"MsgId": "SOK DARA" * 9}}})
    assert "SOK" not in str(caught.value)
    with pytest.raises(SchemaError, match="not a version"):
        document("pain.001.001.77")


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"bank_bic": "ABA"}, "bank_bic"),
        ({"signing_secret": "whsec_short"}, "whsec_"),
        ({"currency": "EUR"}, "currency"),
        ({"largest": "0.001"}, "decimals"),
        ({"smallest": "9", "largest": "1"}, "smallest"),
        ({"debtor_acount": "1"}, "debtor_acount"),
        ({"clock": 7}, "clock"),
    ],
)
def test_a_setting_that_cannot_work_is_named(changed: dict[str, object], names: str) -> None:
    with pytest.raises(ConfigError, match=names) as caught:
        read_config(agreement(base_url="https://bank.example") | changed)
    assert "signs" not in str(caught.value)


def test_a_debtor_with_brackets_in_its_name_is_written_as_it_is() -> None:
    written = form(debtor_name="{Golden} Needle").write(batch("B1", wage("GW1AAAAAAA")), NOW)
    assert ET.fromstring(written.body).find(".//{*}Dbtr/{*}Nm").text == "{Golden} Needle"  # type: ignore[union-attr]  # noqa: S314 our own message
