"""A bank that sends CSV: the layout says what each column means, and nothing is guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers.money import USD, Money
from importers.statements.contract import Direction, StatementError
from importers.statements.read import read_statement
from importers.statements.table_statement import TableLayout

LAYOUT = TableLayout(
    account="4001234567",
    currency="USD",
    date="Date",
    date_format="%d/%m/%Y",
    debit="Money out",
    credit="Money in",
    entry="Bank ref",
    references=("Reference",),
    payee_account="To account",
    text="Details",
)
PLAIN = """Golden Needle Garment,,,,,,
Statement of 30/11/2026,,,,,,
Date,Bank ref,Reference,To account,Details,Money out,Money in
30/11/2026,B1,GW1AAAAAAA,'000123456,Wage,"1,210.00",
30/11/2026,B2,,000123457,Wage ref GW1BBBBBBB thank you,192.50,0.00
,,,,,,
01/12/2026,B2,GW1AAAAAAA,,RETURN,,210
"""


def test_a_plain_day_is_read_to_the_cent() -> None:
    statement = read_statement(PLAIN.encode(), file_name="day.csv", layout=LAYOUT)
    assert (statement.account, statement.opened_on, statement.closed_on) == ("4001234567", date(2026, 11, 30), date(2026, 12, 1))
    assert [(line.entry, line.direction, line.amount, line.references, line.account) for line in statement.lines] == [
        ("B1", Direction.OUT, Money(121_000, USD), ("GW1AAAAAAA",), "000123456"),
        ("B2", Direction.OUT, Money(19_250, USD), ("GW1BBBBBBB",), "000123457"),
        ("B2~2", Direction.IN, Money(21_000, USD), ("GW1AAAAAAA",), None),
    ]
    assert statement.warnings == ()


@pytest.mark.parametrize(
    ("text", "comma", "minor"),
    [
        ("-210.00", False, -21_000),
        ("(210)", False, -21_000),
        ("210.00-", False, -21_000),
        ("USD 1,234,567.89", False, 123_456_789),
        ("1.234,50", True, 123_450),
        ("12 345,5", True, 1_234_550),
    ],
)
def test_signed_amounts_in_both_ways_of_writing(text: str, comma: bool, minor: int) -> None:
    layout = TableLayout(account="1", currency="USD", date="Day", date_format="%Y-%m-%d", amount="Sum", decimal_comma=comma)
    line = read_statement(f"Day;Sum\n2026-11-30;{text}\n".encode("utf-16"), file_name="x.csv", layout=layout).lines[0]
    assert (line.amount.minor, line.direction) == (abs(minor), Direction.IN if minor > 0 else Direction.OUT)


@pytest.mark.parametrize(
    "row",
    [
        "31/02/2026,B9,,,x,5.00,",
        "11-30-2026,B9,,,x,5.00,",
        "30/11/2026,B9,,,x,5.00,6.00",
        "30/11/2026,B9,,,x,,",
        "30/11/2026,B9,,,SOK DARA,5.001,",
        "30/11/2026,B9,,,x,1E2,",
        '30/11/2026,B9,,,x,"1,5",',
        "Total,,,,,210.00,",
    ],
)
def test_a_row_that_cannot_be_read_is_named_and_the_others_stay(row: str) -> None:
    statement = read_statement((PLAIN + row).encode(), file_name="day.csv", layout=LAYOUT)
    assert len(statement.lines) == 3
    assert statement.warnings[0].startswith("row 8 was left out: ")
    assert "DARA" not in statement.warnings[0]


def test_a_file_that_does_not_fit_its_layout_says_so() -> None:
    with pytest.raises(StatementError, match="no row holds the layout's columns"):
        read_statement(PLAIN.encode(), file_name="x", layout=replace(LAYOUT, entry="Trace"))
    with pytest.raises(StatementError, match="no movement"):
        read_statement(PLAIN[: PLAIN.index("30/11/2026,B1")].encode(), file_name="x", layout=LAYOUT)
    with pytest.raises(StatementError, match="configure the layout"):
        read_statement(PLAIN.encode(), file_name="x")
    with pytest.raises(StatementError, match="either the amount"):
        replace(LAYOUT, amount="Money out")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20), st.integers(0, 330), st.integers(0, 40))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(noise: str, at: int, cut: int) -> None:
    refusal = ""
    try:
        read_statement((PLAIN[:at] + noise + PLAIN[at + cut :]).encode(), file_name="day.csv", layout=LAYOUT)
    except StatementError as error:
        refusal = str(error)
    assert "000123456" not in refusal
