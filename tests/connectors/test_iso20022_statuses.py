"""pain.002 as banks write it: every status, partial acceptance that lists only failures, and namespaces of a country's own."""

from __future__ import annotations

import pytest

from connectors.payouts.contract import PayoutStatus
from connectors.payouts.iso20022.report import read_report

A, B = "GW1AAAA001", "GW1AAAA002"
ISO = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.{:02d}"


def report(
    group: str = "", block: str = "", orders: str = "", *, namespace: str = ISO.format(3), prefix: str = "", count: str = ""
) -> bytes:
    def tag(name: str, inner: str) -> str:
        return f"<{prefix}{name}>{inner}</{prefix}{name}>" if inner else ""

    body = tag("GrpHdr", tag("MsgId", "R1") + tag("CreDtTm", "2026-11-30T10:00:00+07:00"))
    body += tag(
        "OrgnlGrpInfAndSts", tag("OrgnlMsgId", "B1") + tag("OrgnlMsgNmId", "pain.001") + tag("OrgnlNbOfTxs", count) + tag("GrpSts", group)
    )
    body += tag("OrgnlPmtInfAndSts", tag("OrgnlPmtInfId", "B1") + tag("PmtInfSts", block) + orders) if block or orders else ""
    declared = f'xmlns{":" + prefix[:-1] if prefix else ""}="{namespace}"'
    return f"<{prefix}Document {declared}>{tag('CstmrPmtStsRpt', body)}</{prefix}Document>".encode()


def order(reference: str, status: str, reason: str = "", prefix: str = "") -> str:
    why = f"<{prefix}StsRsnInf><{prefix}Rsn><{prefix}Cd>{reason}</{prefix}Cd></{prefix}Rsn></{prefix}StsRsnInf>" if reason else ""
    said = f"<{prefix}OrgnlEndToEndId>{reference}</{prefix}OrgnlEndToEndId><{prefix}TxSts>{status}</{prefix}TxSts>{why}"
    return f"<{prefix}TxInfAndSts>{said}</{prefix}TxInfAndSts>"


def words(message: bytes) -> list[str]:
    return [one.status.value for one in read_report(message).on_look_up([A, B])]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, PayoutStatus.PAID) for status in ("ACSC", "ACCC", "CPUC")),
        *((status, PayoutStatus.ACCEPTED) for status in ("RCVD", "ACTC", "ACCP", "ACSP", "ACWC", "ACWP", "ACFC", "ACIS", "ACPD", "PRES")),
        *((status, PayoutStatus.ACCEPTED) for status in ("PDNG", "PART", "PATC")),
        *((status, PayoutStatus.REJECTED) for status in ("RJCT", "CANC")),
        *((status, PayoutStatus.UNKNOWN) for status in ("BLCK", "XXXX", "acsc", "")),
    ],
)
def test_every_status_of_a_transaction(status: str, expected: PayoutStatus) -> None:
    assert words(report(orders=order(A, status)))[0] == expected


def test_partial_acceptance_that_lists_only_the_failures() -> None:
    assert words(report("PART", orders=order(B, "RJCT", "AC04"))) == ["accepted", "rejected"]
    assert words(report(block="PART", orders=order(B, "RJCT", "AC04"))) == ["accepted", "rejected"]


def test_the_word_on_the_block_is_nearer_than_the_word_on_the_group() -> None:
    assert words(report("PART", "RJCT")) == ["rejected", "rejected"]
    assert words(report("ACCP", "ACSC")) == ["paid", "paid"]
    assert words(report("RJCT", "ACCP")) == ["unknown", "unknown"]  # they contradict each other
    assert words(report("RJCT", orders=order(A, "ACSC"))) == ["unknown", "rejected"]


@pytest.mark.parametrize(
    ("namespace", "prefix"),
    [*((ISO.format(version), "") for version in range(3, 15)), ("http://www.six-interbank-clearing.com/de/pain.002.001.03.ch.02.xsd", ""),
     ("urn:kh:nbc:pain.002.001.03", "ns2:"), ("", "")],
)  # fmt: skip
def test_every_version_and_a_countrys_own_namespace(namespace: str, prefix: str) -> None:
    message = report("PART", orders=order(B, "RJCT", "AM04", prefix), namespace=namespace, prefix=prefix)
    found = read_report(message).on_look_up([A, B])
    assert [(one.status, one.code) for one in found] == [(PayoutStatus.ACCEPTED, None), (PayoutStatus.REJECTED, "insufficient_funds")]


def test_an_order_is_not_found_only_where_the_bank_lists_all_that_it_counts() -> None:
    assert words(report("ACSC", orders=order(A, "ACSC"), count="1")) == ["paid", "not_found"]
    assert words(report("ACSP", orders=order(A, "ACSC"), count="2")) == ["paid", "accepted"]
