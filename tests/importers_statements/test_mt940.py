"""MT940 as it comes: any code page, envelopes, dates that do not exist, memo lines."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers.money import USD, Money
from importers.statements.contract import Direction, Statement, StatementError
from importers.statements.read import read_statement, read_statements

PLAIN = """:20:STARTUMS
:25:ABAAKHPP/4001234567
:28C:00030/001
:60F:C261129USD1000,00
:61:2611301130D210,00NTRFGW1AAAAAAA//BANK77
:86:Wage 2026-11 SOK DARA
:61:2611301130D192,5NMSCNONREF//BANK78
:86:Wage 2026-11 ref GW1BBB
BBBB CHAN THY
:61:2612011130C210,00NTRFNONREF//BANK79
:86:RETURN GW1AAAAAAA account closed
:62F:C261130USD807,50
:64:C261130USD807,50
:86:End of statement GW1CCCCCCC
-
"""


def read(text: str | bytes) -> Statement:
    return read_statement(text if isinstance(text, bytes) else text.encode(), file_name="day.sta")


def test_a_plain_day_is_read_to_the_cent() -> None:
    statement = read(PLAIN)
    assert (statement.account, statement.currency, statement.identification) == ("4001234567", "USD", "STARTUMS/00030/001")
    assert (statement.opening, statement.closing, statement.warnings) == (Money(100_000, USD), Money(80_750, USD), ())
    assert [(line.entry, line.direction, line.amount.minor, line.booked_on) for line in statement.lines] == [
        ("BANK77", Direction.OUT, 21_000, date(2026, 11, 30)),
        ("BANK78", Direction.OUT, 19_250, date(2026, 11, 30)),
        ("BANK79", Direction.IN, 21_000, date(2026, 11, 30)),
    ]
    assert statement.lines[0].references == ("GW1AAAAAAA",)
    assert "GW1BBBBBBB" in statement.lines[1].references, "a reference broken at the line's end is put together"
    assert "GW1AAAAAAA" in statement.lines[2].references
    assert "GW1CCCCCCC" not in statement.lines[2].references, "the bank's closing words belong to no line"
    assert "DARA" not in repr(statement)


def test_an_envelope_a_control_character_and_another_code_page_do_not_matter() -> None:
    wrapped = "\x01{1:F01ABAAKHPPAXXX0000000000}{2:I940ABAAKHPPXXXXN}{4:\r\n" + PLAIN.replace("\n", "\r\n").removesuffix("-\r\n") + "-}"
    assert read(wrapped).lines == read(PLAIN).lines
    polish = PLAIN.replace("SOK DARA", "ŻÓŁĆ").encode("cp852")
    assert [line.amount for line in read(polish).lines] == [line.amount for line in read(PLAIN).lines]


def test_dates_that_do_not_exist_are_replaced_with_a_warning() -> None:
    statement = read(PLAIN.replace(":61:2611301130D210", ":61:2602280230D210").replace(":61:2611301130D192", ":61:2602300230D192"))
    assert [line.booked_on for line in statement.lines[:2]] == [date(2026, 2, 28), date(2026, 11, 30)]
    assert len(statement.warnings) == 2
    assert "line 5" in statement.warnings[0]


def test_an_entry_in_january_for_a_value_in_december_is_of_the_next_year() -> None:
    statement = read(PLAIN.replace("2611301130D210", "2612310102D210"))
    assert statement.lines[0].booked_on == date(2027, 1, 2)


def test_memo_lines_are_left_out_and_reversals_are_returns() -> None:
    memo = PLAIN.replace(":62F:", ":61:2611301130D0,00NMSCNONREF\n:61:2611301130RD10,00NTRFNONREF//BANK80\n:62F:")
    statement = read(memo.replace("807,50", "817,50"))
    assert (statement.lines[3].direction, statement.lines[3].is_return) == (Direction.IN, True)
    assert [warning for warning in statement.warnings if "moves nothing" in warning]
    assert len(statement.warnings) == 1


def test_pages_of_one_statement_are_joined() -> None:
    first, second = PLAIN.split(":61:2612011130C", 1)
    pages = (
        first
        + ":62M:C261130USD597,50\n-\n:20:STARTUMS\n:25:ABAAKHPP/4001234567\n:28C:00030/002\n:60M:C261130USD597,50\n:61:2612011130C"
        + second
    )
    statement = read(pages)
    assert (len(statement.lines), statement.opening, statement.closing) == (3, Money(100_000, USD), Money(80_750, USD))
    assert statement.warnings == ()


def test_a_line_that_cannot_be_read_is_named_and_the_others_stay() -> None:
    statement = read(PLAIN.replace(":61:2611301130D210,00", ":61:SOK DARA"))
    assert len(statement.lines) == 2
    assert "line 5" in statement.warnings[0]
    assert "DARA" not in " ".join(statement.warnings)
    assert "not explained" in statement.warnings[-1]


def test_two_statements_in_one_file() -> None:
    assert len(read_statements((PLAIN + PLAIN).encode(), file_name="x")) == 2


@pytest.mark.parametrize("text", [":20:A\n:25:B\n", ":20:A\n:60F:Cxx\n:61:2611301130D210,00NTRFX\n"])
def test_a_statement_without_a_currency_is_refused(text: str) -> None:
    with pytest.raises(StatementError, match="names its currency"):
        read(text)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=20), st.integers(0, 500), st.integers(0, 40))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(noise: str, at: int, cut: int) -> None:
    refusal = ""
    try:
        read_statements((PLAIN[:at] + noise + PLAIN[at + cut :]).encode("utf-8", "surrogatepass"), file_name="day.sta")
    except StatementError as error:
        refusal = str(error)
    assert "DARA" not in refusal
