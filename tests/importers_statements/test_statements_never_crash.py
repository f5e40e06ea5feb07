"""Whatever bytes come, a statement is read or refused with a sentence: nothing else ever leaves the readers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers.statements.contract import Statement, StatementError
from importers.statements.read import read_statements
from importers.statements.table_statement import TableLayout
from tests.importers_statements.test_bank_habits import CAMT, entry

MT940 = b"""{1:F01ABAAKHPPXXXX0000000000}{2:O9400000}{4:
:20:START
:25:12345678/000123456
:28C:1/1
:60F:C261130USD1000,00
:61:2611301130D100,00NTRFGW2611000001//BANK1
supplementary
:86:wages /CHGS/USD0,5/ GW2611000001
:61:2611301130RC1,NTRFNONREF
:62F:C261130USD899,00
:64:C261130USD899,00
-}
"""
DETAILS = (
    '<TxDtls><Refs><EndToEndId>GW2611000001</EndToEndId></Refs><Amt Ccy="USD">100.00</Amt>'
    '<Chrgs><TtlChrgsAndTaxAmt Ccy="USD">1</TtlChrgsAndTaxAmt></Chrgs>'
    "<RltdPties><CdtrAcct><Id><Othr><Id>000999</Id></Othr></Id></CdtrAcct></RltdPties></TxDtls>"
)
XML = CAMT.format(version=2, entries=entry("100.00", "DBIT", DETAILS) + entry("1.00", "CRDT")).encode()
WALLET = b'{"account":{"key":"msisdn","value":"+85512"},"day":"2026-11-30","statementEntries":[{"amount":"1.00","currency":"USD"}]}'
CSV = b"Date,Text,Amount\n30/11/2026,GW2611000001,-100.00\n30/11/2026,x,1e5\n"
LAYOUT = TableLayout(account="000123", currency="USD", date="Date", date_format="%d/%m/%Y", amount="Amount", text="Text")

_PIECES = st.sampled_from(
    [b"", b"<", b">", b"]]>", b"<!--",
      b"&", b"&amp;", b"\x00", b"\x01", b"\xff", b"\xe1\x9e\x80", b"9" * 30, b"-",
     b",", b".", b"NaN", b"1e999", b":61:", b":62F:", b"\n",
     b"<Ntry>", b"</Ntry>", b"<Stmt>", b'Ccy=""', b'Ccy="XXX"', b"<?x?>", b"{", b"[", b'"', b"0000-00-00", b"99991231"]
)  # fmt: skip


def read(data: bytes) -> tuple[Statement, ...]:
    try:
        return read_statements(data, file_name="bank", layout=LAYOUT)
    except StatementError:
        return ()


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([MT940, XML, WALLET, CSV]),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 40), _PIECES), min_size=1, max_size=6),
)
def test_a_message_cut_and_patched_anywhere_is_read_or_refused(message: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    data = bytearray(message)
    for place, length, piece in cuts:
        start = place % (len(data) + 1)
        data[start : start + length] = piece
    for statement in read(bytes(data)):
        assert all(line.amount.minor > 0 and len(line.text) <= 500 for line in statement.lines)
        assert len({line.entry for line in statement.lines}) == len(statement.lines)


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([b"", b":20:X\n:60F:", b"<Document>", b'{"account":', b"Date,Text,Amount\n", b"\xff\xfe<\x00"])
)
def test_any_bytes_are_read_or_refused(tail: bytes, head: bytes) -> None:
    read(head + tail)


HOSTILE = {
    "a billion laughs": b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><Document><BkToCstmrStmt>&c;</BkToCstmrStmt></Document>',
    "a file of ours": b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><Document/>',
    "a thousand levels": b"<Document>" * 1000,
    "an unknown entity": b"<Document><BkToCstmrStmt><Stmt><Id>&nobody;</Id></Stmt></BkToCstmrStmt></Document>",
    "no end": XML[: len(XML) // 2],
    "two roots": XML + XML,
    "an encoding nobody has": b'<?xml version="1.0" encoding="EBCDIC-XX"?><Document/>',
    "UTF-16 that is none": b"\xff\xfe<\x00D\x00\x00",
    "a web page": b"<html><body>Sign in</body></html>",
    "nothing": b"   \n",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused_with_a_sentence(what: str) -> None:
    with pytest.raises(StatementError, match="bank"):
        read_statements(HOSTILE[what], file_name="bank")
