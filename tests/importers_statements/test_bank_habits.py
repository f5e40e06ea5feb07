"""What banks really send: each case is one habit seen in published samples of other projects, written again from nothing."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest
from openpyxl import Workbook

from importers.money import USD, Money
from importers.statements.contract import Direction, Statement, StatementError
from importers.statements.read import read_statement, read_statements
from importers.statements.table_statement import TableLayout


def mt940(*fields: str, encoding: str = "utf-8") -> Statement:
    return read_statement("\r\n".join(fields).encode(encoding), file_name="bank.sta")


OPENING, CLOSING = ":60F:C261130USD1000,00", ":62F:C261130USD900,"
HEAD = (":20:START", ":25:12345678/000123456", ":28C:1/1", OPENING)


def test_fields_of_a_banks_own_are_text_of_the_movement_they_follow() -> None:
    statement = mt940(
        ":20:STARTUMS", ":25:0001234567", ":28:46", ":NS:22FACTORY LTD", "23second line", OPENING,
        ":61:2611301130DF100,00S   X", ":NS:01GW2611000001", "02 more of it", CLOSING,
    )  # fmt: skip
    assert statement.identification == "STARTUMS/46"
    assert [(line.references, line.direction, line.amount) for line in statement.lines] == [
        (("GW2611000001",), Direction.OUT, Money(10_000, USD))
    ]
    assert statement.warnings == ()


def test_a_time_broken_over_two_lines_is_no_field() -> None:
    statement = mt940(*HEAD, ":61:261130D100,00NTRFNONREF", ":86:paid 30.11.2026 at 16", ":26:37 GW2611000001", CLOSING)
    assert statement.lines[0].references == ("GW2611000001",)


def test_an_interim_report_has_a_currency_without_a_balance() -> None:
    statement = mt940(
        ":20:INTERIM", ":25:US64SVBKUS6S/3300958879/USD", ":28C:1/1", ":34F:USDD0,00", ":13D:2611301730+0700",
        ":61:2611301130D0,42NCHGNONREF//0550010", ":90D:1USD0,42",
    )  # fmt: skip
    assert (statement.currency, statement.account, statement.opening, statement.opened_on) == (
        "USD", "3300958879", None, date(2026, 11, 30)
    )  # fmt: skip
    assert statement.lines[0].amount == Money(42, USD)


def test_a_currency_behind_the_account_number_is_no_part_of_it() -> None:
    assert mt940(":20:A", ":25:51210600/9223382012USD", OPENING, CLOSING.replace("900", "1000")).account == "9223382012"
    assert mt940(":20:A", ":25:KH12ABAA000123", OPENING, CLOSING.replace("900", "1000")).account == "KH12ABAA000123"


@pytest.mark.parametrize(
    ("line", "booked", "said"),
    [
        (":61:2602300301D100,00NTRFNONREF", date(2026, 3, 1), "the entry date was taken"),
        (":61:260230D100,00NTRFNONREF", date(2026, 11, 30), "the statement's day was taken"),
        (":61:2602270230D100,00NTRFNONREF", date(2026, 2, 27), "the value date was taken"),
    ],
)
def test_the_thirtieth_of_february_costs_a_warning_and_not_the_movement(line: str, booked: date, said: str) -> None:
    statement = mt940(*HEAD, line, CLOSING)
    assert statement.lines[0].booked_on == booked
    assert any(said in warning for warning in statement.warnings), statement.warnings


@pytest.mark.parametrize(
    ("page", "text"), [("cp852", "Csoportos átutalás jóváírása"), ("cp1252", "Gebühren für Überweisung"), ("utf-8", "ប្រាក់ឈ្នួល")]
)
def test_letters_of_any_code_page_arrive(page: str, text: str) -> None:
    assert mt940(*HEAD, ":61:2611301130D100,00NTRFNONREF", f":86:{text}", CLOSING, encoding=page).lines[0].text == text


def test_charges_in_the_details_are_split_off() -> None:
    statement = mt940(*HEAD, ":61:2611301130D100,00NTRFGW2611000001//X1", "/OCMT/USD99,5/", ":86:?25/CHGS/USD0,5/", CLOSING)
    assert statement.lines[0].fee == Money(50, USD)
    more_than_all = mt940(*HEAD, ":61:2611301130D100,00NTRFGW2611000001", ":86:/CHGS/USD100,5/", CLOSING)
    assert more_than_all.lines[0].fee is None


def test_a_leading_control_character_memo_lines_and_a_reversed_credit() -> None:
    statement = mt940(
        "\x01:20:START", *HEAD[1:], ":61:2611301130D0,00NMSCNONREF", ":61:2611301130RC100,00NTRFGW2611000001", ":86:returned", CLOSING
    )
    assert [(line.direction, line.is_return, line.references) for line in statement.lines] == [(Direction.OUT, True, ("GW2611000001",))]
    assert statement.warnings == ("line 5: a memo line that moves nothing was left out",)


CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version:02d}"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt>
<Id>S1</Id><CreDtTm>2026-12-01T06:10:29.000000000</CreDtTm><Acct><Id><Othr><Id>000123</Id></Othr></Id></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">1000.00000</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><DtTm>2026-11-30T00:00:00.000000000</DtTm></Dt></Bal>{entries}</Stmt></BkToCstmrStmt></Document>"""


def camt(entries: str, version: int = 2) -> Statement:
    return read_statement(CAMT.format(version=version, entries=entries).encode(), file_name="bank.xml")


def entry(amount: str, side: str, details: str = "", *, status: str = "<Sts>BOOK</Sts>", more: str = "") -> str:
    return (
        f'<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{more}{status}<BookgDt><Dt>2026-11-30</Dt></BookgDt>'
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


@pytest.mark.parametrize("version", range(2, 14))
def test_every_version_of_camt_053_is_read(version: int) -> None:
    status = "<Sts><Cd>BOOK</Cd></Sts>" if version > 7 else "<Sts>BOOK</Sts>"
    statement = camt(entry("8.850", "DBIT", "<TxDtls><Refs><EndToEndId>GW2611000001</EndToEndId></Refs></TxDtls>", status=status), version)
    assert (statement.lines[0].amount, statement.lines[0].references) == (Money(885, USD), ("GW2611000001",))
    assert statement.opening == Money(100_000, USD)


@pytest.mark.parametrize("indicator", ["true", "false"])
def test_a_return_is_one_whichever_way_its_bank_sets_the_reversal_indicator(indicator: str) -> None:
    details = "<TxDtls><Refs><EndToEndId>GW2611000001</EndToEndId></Refs><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls>"
    line = camt(entry("10.00", "CRDT", details, more=f"<RvslInd>{indicator}</RvslInd>")).lines[0]
    assert (line.is_return, line.direction, line.reason) == (True, Direction.IN, "AC04")
    ordinary = "<TxDtls><Refs><EndToEndId>GW2611000002</EndToEndId></Refs></TxDtls>"
    assert camt(entry("10.00", "DBIT", ordinary, more=f"<RvslInd>{indicator}</RvslInd>")).lines[0].is_return is (indicator == "true")


def test_one_debit_that_names_a_whole_payroll_is_one_line_with_all_its_references() -> None:
    details = "".join(f"<TxDtls><Refs><EndToEndId>GW261100000{number}</EndToEndId></Refs></TxDtls>" for number in range(3))
    statement = camt(entry("300.00", "DBIT", details))
    assert [(line.amount, len(line.references)) for line in statement.lines] == [(Money(30_000, USD), 3)]


def test_one_debit_whose_parts_have_amounts_is_a_line_for_each() -> None:
    details = "".join(
        f'<TxDtls><Refs><EndToEndId>GW261100000{number}</EndToEndId></Refs><Amt Ccy="USD">10{number}.00</Amt></TxDtls>'
        for number in range(3)
    )
    assert [line.amount.minor for line in camt(entry("303.00", "DBIT", details)).lines] == [10_000, 10_100, 10_200]


XLSX_LAYOUT = TableLayout(
    account="000123", currency="USD", date="Date", date_format="%d/%m/%Y", debit="Money out", credit="Money in", text="Details"
)


def test_a_banks_workbook_is_read_by_its_layout() -> None:
    book = Workbook()
    first = book["Sheet"]
    first.append(["ABC Bank, account 000123"])
    sheet = book.create_sheet("Transactions")
    sheet.append(["Period", "November"])
    sheet.append(["Date", "Details", "Money out", "Money in"])
    sheet.append([datetime(2026, 11, 30, tzinfo=UTC).replace(tzinfo=None), "Salary GW2611000001", 0.1 + 0.2, None])
    sheet.append(["30/11/2026", "Return GW2611000002", None, "1,210.50"])
    sheet.append(["total", "", 0.3, 1210.5])
    content = io.BytesIO()
    book.save(content)
    statement = read_statement(content.getvalue(), file_name="statement.xlsx", layout=XLSX_LAYOUT)
    assert [(line.amount.minor, line.direction, line.references, line.booked_on) for line in statement.lines] == [
        (30, Direction.OUT, ("GW2611000001",), date(2026, 11, 30)),
        (121_050, Direction.IN, ("GW2611000002",), date(2026, 11, 30)),
    ]
    assert statement.warnings == ("row 5 was left out: its date is not written as %d/%m/%Y",)
    with pytest.raises(StatementError, match="configure its layout"):
        read_statements(content.getvalue(), file_name="statement.xlsx")
    with pytest.raises(StatementError, match=r"no sheet \(Sheet, Transactions\)"):
        read_statements(
            content.getvalue(),
            file_name="s.xlsx",
            layout=TableLayout(account="1", currency="USD", date="Day", date_format="%d", amount="X"),
        )
    with pytest.raises(StatementError, match="cannot be opened"):
        read_statements(b"PK\x03\x04 no workbook", file_name="s.xlsx", layout=XLSX_LAYOUT)
