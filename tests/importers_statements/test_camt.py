"""What banks write at day's end, read line by line: odd lines warn, none stops the others, none is lost in silence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers.money import KHR, USD, Money
from importers.statements.contract import Direction, Statement, StatementError
from importers.statements.read import read_statement, read_statements

V2, V8, SWISS = (f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version:02d}" for version in (2, 8, 4))


def balance(code: str, amount: str, currency: str = "USD", side: str = "CRDT") -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        "<Dt><Dt>2026-11-30</Dt></Dt></Bal>"
    )


def entry(
    amount: str = "210.00", *, details: str = "", side: str = "DBIT", currency: str = "USD", more: str = "", status: str = "BOOK"
) -> str:
    inner = f"<NtryDtls>{details}</NtryDtls>" if details else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>{status}</Sts>'
        f"<BookgDt><Dt>2026-11-30</Dt></BookgDt>{more}{inner}</Ntry>"
    )


def detail(reference: str, amount: str = "", account: str = "000123456", more: str = "") -> str:
    value = f'<AmtDtls><TxAmt><Amt Ccy="USD">{amount}</Amt></TxAmt></AmtDtls>' if amount else ""
    return (
        f"<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>{value}"
        f"<RltdPties><CdtrAcct><Id><Othr><Id>{account}</Id></Othr></Id></CdtrAcct></RltdPties>{more}</TxDtls>"
    )


def message(
    *entries: str,
    opening: str = "1000.00",
    closing: str | None = None,
    namespace: str = V2,
    kind: tuple[str, str] = ("BkToCstmrStmt", "Stmt"),
) -> bytes:
    balances = balance("OPBD", opening) + (balance("CLBD", closing) if closing is not None else "")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{namespace}"><{kind[0]}><GrpHdr><MsgId>M</MsgId></GrpHdr>'
        f"<{kind[1]}><Id>S-2026-11-30</Id><CreDtTm>2026-11-30T20:00:00+07:00</CreDtTm>"
        f"<Acct><Id><Othr><Id>4001234567</Id></Othr></Id><Ccy>USD</Ccy></Acct>{balances}{''.join(entries)}</{kind[1]}></{kind[0]}></Document>"
    ).encode()


def read(data: bytes) -> Statement:
    return read_statement(data, file_name="statement.xml")


def test_a_plain_day_is_read_to_the_cent() -> None:
    statement = read(message(entry(details=detail("GW1AAAAAAA"), more="<AcctSvcrRef>B77</AcctSvcrRef>"), closing="790.00"))
    assert (statement.account, statement.currency, statement.identification) == ("4001234567", "USD", "S-2026-11-30")
    assert (statement.opening, statement.closing) == (Money(100_000, USD), Money(79_000, USD))
    assert (statement.opened_on, statement.closed_on, statement.warnings) == (date(2026, 11, 30), date(2026, 11, 30), ())
    line = statement.lines[0]
    assert (line.entry, line.direction, line.amount, line.booked_on) == ("B77", Direction.OUT, Money(21_000, USD), date(2026, 11, 30))
    assert (line.references, line.account, line.is_return) == (("GW1AAAAAAA",), "000123456", False)
    assert "000123456" not in repr(line)
    assert "4001234567" not in repr(statement)


@pytest.mark.parametrize("namespace", [V2, V8, SWISS, "urn:bank:national:camt.053.ch.02"])
@pytest.mark.parametrize("kind", [("BkToCstmrStmt", "Stmt"), ("BkToCstmrDbtCdtNtfctn", "Ntfctn"), ("BkToCstmrAcctRpt", "Rpt")])
def test_statements_notifications_and_reports_of_any_version_are_read(namespace: str, kind: tuple[str, str]) -> None:
    coded = entry(details=detail("GW1AAAAAAA")).replace("<Sts>BOOK</Sts>", "<Sts><Cd>BOOK</Cd></Sts>")
    statement = read(message(entry(details=detail("GW1BBBBBBB")), coded, namespace=namespace, kind=kind))
    assert [line.references for line in statement.lines] == [("GW1BBBBBBB",), ("GW1AAAAAAA",)]


def test_a_message_without_a_namespace_and_one_in_another_encoding_are_read() -> None:
    data = message(entry(details=detail("GW1AAAAAAA"))).replace(f' xmlns="{V2}"'.encode(), b"")
    assert read(data).lines[0].references == ("GW1AAAAAAA",)
    wide = data.decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert read(wide).lines == read(data).lines
    marked = b"\xef\xbb\xbf" + data
    assert read(marked).lines == read(data).lines


def test_a_balance_that_does_not_add_up_is_a_warning_with_the_figures() -> None:
    statement = read(message(entry(details=detail("GW1AAAAAAA")), closing="800.00"))
    assert len(statement.lines) == 1
    assert statement.warnings == (
        "opening 1,000.00 USD and the entries make 790.00 USD, the bank states 800.00 USD: 10.00 USD is not explained by entries",
    )


def test_a_debit_balance_is_below_zero() -> None:
    data = message(closing="5.00").replace(
        b'CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">5.00</Amt><CdtDbtInd>CRDT',
        b'CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">5.00</Amt><CdtDbtInd>DBIT',
    )
    assert read(data).closing == Money(-500, USD)


@pytest.mark.parametrize("flag", ["<RvslInd>true</RvslInd>", "<RvslInd>false</RvslInd>", ""])
def test_money_that_comes_back_is_known_by_its_reason_whatever_the_flag_says(flag: str) -> None:
    back = detail("GW1AAAAAAA", more="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>").replace("CdtrAcct", "DbtrAcct")
    line = read(message(entry(details=back, side="CRDT", more=flag))).lines[0]
    assert (line.direction, line.is_return, line.references, line.account) == (Direction.IN, True, ("GW1AAAAAAA",), "000123456")


def test_one_debit_for_three_wages_is_opened_where_the_bank_tells_the_parts() -> None:
    parts = detail("GW1AAAAAAA", "100.00", "1") + detail("GW1BBBBBBB", "60.00", "2") + detail("GW1CCCCCCC", "50.00", "3")
    statement = read(message(entry("210.00", details=parts, more="<AcctSvcrRef>B77</AcctSvcrRef>"), closing="790.00"))
    assert [(line.entry, line.amount.minor, line.references[0], line.account) for line in statement.lines] == [
        ("B77/1", 10_000, "GW1AAAAAAA", "1"),
        ("B77/2", 6_000, "GW1BBBBBBB", "2"),
        ("B77/3", 5_000, "GW1CCCCCCC", "3"),
    ]
    assert statement.warnings == ()


def test_one_debit_for_three_wages_without_parts_stays_one_line_with_three_references() -> None:
    parts = detail("GW1AAAAAAA") + detail("GW1BBBBBBB") + detail("GW1CCCCCCC")
    lines = read(message(entry("210.00", details=parts))).lines
    assert [(line.amount.minor, line.references) for line in lines] == [(21_000, ("GW1AAAAAAA", "GW1BBBBBBB", "GW1CCCCCCC"))]


def test_parts_that_do_not_make_the_whole_are_kept_as_one_booking_with_a_warning() -> None:
    parts = detail("GW1AAAAAAA", "100.00") + detail("GW1BBBBBBB", "60.00")
    statement = read(message(entry("210.00", details=parts)))
    assert [line.amount.minor for line in statement.lines] == [21_000]
    assert "does not equal its 2 details" in statement.warnings[0]


def test_a_charge_on_top_of_a_batch_is_a_line_of_its_own() -> None:
    parts = detail("GW1AAAAAAA", "100.00") + detail("GW1BBBBBBB", "60.00")
    charge = '<Chrgs><TtlChrgsAndTaxAmt Ccy="USD">1.50</TtlChrgsAndTaxAmt></Chrgs>'
    lines = read(message(entry("161.50", details=parts, more=charge))).lines
    assert [(line.amount.minor, line.fee) for line in lines] == [(10_000, None), (6_000, None), (150, Money(150, USD))]


def test_a_charge_on_one_wage_is_told_beside_the_amount() -> None:
    charge = '<Chrgs><Rcrd><Amt Ccy="USD">0.50</Amt></Rcrd></Chrgs>'
    line = read(message(entry("210.50", details=detail("GW1AAAAAAA", "210.00"), more=charge))).lines[0]
    assert (line.amount, line.fee) == (Money(21_050, USD), Money(50, USD))


def test_a_batch_booking_without_details_is_known_by_its_message() -> None:
    line = read(message(entry(details="<TxDtls><Refs><MsgId>B1</MsgId><PmtInfId>P1</PmtInfId></Refs></TxDtls>"))).lines[0]
    assert line.references == ("P1", "B1")


def test_a_reference_in_the_text_is_found_where_the_field_says_not_provided() -> None:
    text = "<RmtInf><Ustrd>Wage 2026-11 ref GW1AAAAAAA thank you</Ustrd></RmtInf>"
    line = read(message(entry(details=detail("NOTPROVIDED", more=text)))).lines[0]
    assert line.references == ("GW1AAAAAAA",)


def test_the_same_booking_twice_stays_two_bookings() -> None:
    twice = entry(details=detail("GW1AAAAAAA"), more="<AcctSvcrRef>B77</AcctSvcrRef>")
    assert [line.entry for line in read(message(twice, twice)).lines] == ["B77", "B77~2"]


def test_odd_entries_warn_and_do_not_stop_the_others() -> None:
    statement = read(
        message(
            entry("12,50"),
            entry("0.00"),
            entry("5.00", side="XXXX"),
            entry("7.00", status="PDNG"),
            entry("1.234"),
            entry("9.00", currency="EUR"),
            entry("800000", currency="KHR"),
            entry("-3.00"),
            entry("4.00").replace("2026-11-30", "2026-02-30"),
            entry(details=detail("GW1AAAAAAA")),
        )
    )
    assert [(str(line.amount), line.direction) for line in statement.lines] == [
        ("9.00 EUR", Direction.OUT),
        ("800,000 KHR", Direction.OUT),
        ("3.00 USD", Direction.IN),
        ("4.00 USD", Direction.OUT),
        ("210.00 USD", Direction.OUT),
    ]
    assert statement.lines[1].amount == Money(800_000, KHR)
    assert statement.lines[3].booked_on == date(2026, 11, 30)
    assert len(statement.warnings) == 7


def test_two_accounts_in_one_file_are_two_statements() -> None:
    data = message(entry(details=detail("GW1AAAAAAA")), entry(details=detail("GW1BBBBBBB")))
    start, end = data.index(b"<Stmt>"), data.index(b"</Stmt>") + len(b"</Stmt>")
    both = data[:end] + data[start:end].replace(b"4001234567", b"4001234568") + data[end:]
    assert [(one.account, len(one.lines)) for one in read_statements(both, file_name="x")] == [("4001234567", 2), ("4001234568", 2)]
    with pytest.raises(StatementError, match="holds 2 statements"):
        read(both)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"<html><body>sign in</body></html>", "no account statement"),
        (b"<Document><CstmrPmtStsRpt/></Document>", "CstmrPmtStsRpt"),
        (b'<!DOCTYPE a [<!ENTITY b "ccccc">]><Document>&b;</Document>', "document type definition"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><Document/>', "document type definition"),
        (message(entry())[:-30], "well-formed"),
        (b"PK\x03\x04", "Excel or zip"),
        (b"%PDF-1.7", "PDF"),
        (b"Date;Amount\n", "not known"),
        (b"<", "well-formed"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "well-formed"),
    ],
    ids=range(11),
)
def test_what_is_no_statement_is_refused_with_the_way_out(data: bytes, why: str) -> None:
    with pytest.raises(StatementError, match=why) as caught:
        read(data)
    assert str(caught.value).startswith("statement.xml: ")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10**9), st.sampled_from(["DBIT", "CRDT"])), max_size=40), st.integers(-(10**9), 10**9))
def test_opening_and_lines_always_make_the_closing_balance(moves: list[tuple[int, str]], opening: int) -> None:
    closing = opening + sum(cents if side == "CRDT" else -cents for cents, side in moves)

    def text(cents: int) -> str:
        return str(Decimal(abs(cents)).scaleb(-2))

    data = message(*(entry(text(cents), side=side) for cents, side in moves)).replace(
        balance("OPBD", "1000.00").encode(),
        (
            balance("OPBD", text(opening), side="CRDT" if opening >= 0 else "DBIT")
            + balance("CLBD", text(closing), side="CRDT" if closing >= 0 else "DBIT")
        ).encode(),
    )
    statement = read(data)
    assert statement.warnings == ()
    assert [line.amount.minor for line in statement.lines] == [cents for cents, _ in moves]
    assert len({line.entry for line in statement.lines}) == len(moves)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=30), st.integers(0, 2000), st.integers(0, 60))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(noise: bytes, at: int, cut: int) -> None:
    data = message(entry(details=detail("GW1AAAAAAA")), entry("5.00", side="CRDT"), closing="795.00")
    damaged = data[:at] + noise + data[at + cut :]
    refusal = ""
    try:
        read_statements(damaged, file_name="statement.xml")
    except StatementError as error:
        refusal = str(error)
    assert "000123456" not in refusal


def test_a_notification_that_dates_nothing_but_itself_is_taken_as_of_that_day() -> None:
    """As published samples of camt.054 version 8 do: no account currency, no booking date, no reference but a UETR."""
    bare = (
        entry()
        .replace("<BookgDt><Dt>2026-11-30</Dt></BookgDt>", "<BkTxCd> </BkTxCd>")
        .replace("</Ntry>", "<NtryDtls><TxDtls><Refs><UETR>255ae394-9965-4438-ac86-f406feada396</UETR></Refs></TxDtls></NtryDtls></Ntry>")
    )
    data = (
        message(bare, kind=("BkToCstmrDbtCdtNtfctn", "Ntfctn"))
        .replace(balance("OPBD", "1000.00").encode(), b"")
        .replace(b"<Ccy>USD</Ccy>", b"")
    )
    statement = read(data)
    assert (statement.currency, statement.opening, statement.closing) == ("USD", None, None)
    assert [(line.booked_on, line.references) for line in statement.lines] == [(date(2026, 11, 30), ())]


def test_amounts_with_idle_decimals_and_balances_dated_to_the_second_are_read() -> None:
    timed = balance("OPBD", "5442.09000").replace("<Dt>2026-11-30</Dt>", "<DtTm>2026-11-29T00:00:00.000000000</DtTm>")
    statement = read(message(entry("8.850")).replace(balance("OPBD", "1000.00").encode(), timed.encode()))
    assert (statement.opening, statement.lines[0].amount) == (Money(544_209, USD), Money(885, USD))
    assert statement.warnings == ()


def test_balances_in_two_currencies_are_a_warning() -> None:
    statement = read(
        message(entry(), closing="790.00").replace(balance("CLBD", "790.00").encode(), balance("CLBD", "27.00", "SEK").encode())
    )
    assert statement.warnings == ("the opening balance is in USD, the closing balance in SEK",)
    assert len(statement.lines) == 1


def test_a_long_statement_is_read_in_pieces_without_losing_a_line() -> None:
    many = [entry(f"{number}.00", details=detail(f"GW1{number:07d}")) for number in range(1, 3001)]
    statement = read(message(*many, opening="9000000.00", closing=f"{9_000_000 - 3000 * 3001 // 2}.00"))
    assert [line.amount.minor for line in statement.lines] == [number * 100 for number in range(1, 3001)]
    assert [line.references[0] for line in statement.lines] == [f"GW1{number:07d}" for number in range(1, 3001)]
    assert statement.warnings == ()


def test_a_message_in_an_envelope_is_read_as_the_message_alone() -> None:
    plain = message(entry(details=detail("GW1AAAAAAA")), closing="790.00").partition(b"?>")[2]
    header = b'<AppHdr xmlns="urn:iso:std:iso:20022:tech:xsd:head.001.001.02"><BizMsgIdr>B</BizMsgIdr></AppHdr>'
    for begin, end in (
        (b"<BizMsgEnvlp>" + header, b"</BizMsgEnvlp>"),
        (b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header/><s:Body>', b"</s:Body></s:Envelope>"),
    ):
        assert read(begin + plain + end) == read(plain)


def test_a_notice_of_what_is_still_to_come_is_read_with_nothing_booked() -> None:
    bare = message(entry(currency="EUR", status="INFO"), kind=("BkToCstmrDbtCdtNtfctn", "Ntfctn")).replace(b"<Ccy>USD</Ccy>", b"")
    bare = bare.replace(balance("OPBD", "1000.00").encode(), b"")
    statement = read(bare)
    assert (statement.currency, statement.lines, statement.is_complete) == ("EUR", (), False)
    assert "not booked yet" in statement.warnings[0]


def test_where_only_the_message_says_when_it_was_written_its_bookings_are_of_that_day() -> None:
    undated = message(entry().replace("<BookgDt><Dt>2026-11-30</Dt></BookgDt>", "")).replace(balance("OPBD", "1000.00").encode(), b"")
    undated = undated.replace(b"<CreDtTm>2026-11-30T20:00:00+07:00</CreDtTm>", b"")
    with pytest.raises(StatementError, match="no date"):
        read(undated)
    dated = undated.replace(b"<MsgId>M</MsgId>", b"<MsgId>M</MsgId><CreDtTm>2026-11-29T20:00:00+07:00</CreDtTm>")
    assert [line.booked_on for line in read(dated).lines] == [date(2026, 11, 29)]
