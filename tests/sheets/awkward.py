"""Awkward payroll workbooks, built by code and synthetic: each with the rows and the problems it must end in.

They are modelled on what published payroll, attendance and bank sheets from Cambodia, Vietnam, Bangladesh, India and China do.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

HEAD = ("No.", "Worker code", "Name", "Gross pay (USD)", "Total deductions (USD)", "Net pay (USD)")
ROWS: tuple[tuple[Any, ...], ...] = (
    (1, "W001", "Sok Sophea", 250, 10, 240),
    (2, "W002", "Chan Dara", 231.5, 11.5, 220),
    (3, "W003", "ស្រី មុំ", 260.25, 10.25, 250),
)
_YES = True
PAID = (("W001", "240.00 USD"), ("W002", "220.00 USD"), ("W003", "250.00 USD"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file and what must come of it. `problems` are (code, cell) pairs; `unread` columns are expected to be asked about."""

    name: str
    data: bytes
    file_name: str = "payroll.xlsx"
    paid: tuple[tuple[str, str], ...] = PAID
    problems: tuple[tuple[str, str], ...] = ()
    rejected: int = 0
    refused: str | None = None
    sheet: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def saved(book: Workbook) -> bytes:
    """The workbook as bytes."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheet_of(*rows: Sequence[Any], change: Callable[[Worksheet], object] | None = None) -> bytes:
    """A one-sheet workbook of these rows, changed by hand afterwards if need be."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = "Pay"
    for row in rows:
        page.append(list(row))
    if change is not None:
        change(page)
    return saved(book)


def with_column(header: str, values: Iterable[Any], change: Callable[[Worksheet], object] | None = None) -> bytes:
    """The plain payroll with one more column (G)."""
    return sheet_of((*HEAD, header), *((*row, value) for row, value in zip(ROWS, values, strict=True)), change=change)


def with_net(*values: Any, header: str = "Net pay (USD)", change: Callable[[Worksheet], object] | None = None) -> bytes:
    """Code, name and a net column of these values, without gross."""
    rows = [(f"W{n:03}", ("Sok Sophea", "Chan Dara", "Kim Ly", "Tep Vanna")[n % 4], value) for n, value in enumerate(values, 1)]
    return sheet_of(("Worker code", "Name", header), *rows, change=change)


def _put(place: str, value: Any, form: str | None = None) -> Callable[[Worksheet], None]:
    def change(page: Worksheet) -> None:
        page[place] = value
        if form is not None:
            page[place].number_format = form

    return change


def _error_cell(page: Worksheet) -> None:
    page["F3"] = "#REF!"
    page["F3"].data_type = "e"


def _all(*changes: Callable[[Worksheet], object]) -> Callable[[Worksheet], None]:
    def change(page: Worksheet) -> None:
        for each in changes:
            each(page)

    return change


def _formats(column: str, form: str, rows: Iterable[int]) -> Callable[[Worksheet], None]:
    def change(page: Worksheet) -> None:
        for row in rows:
            page[f"{column}{row}"].number_format = form

    return change


def _hide_row(page: Worksheet) -> None:
    page.row_dimensions[3].hidden = True


def _hide_column(page: Worksheet) -> None:
    page.column_dimensions["D"].hidden = True


def _text_column(column: str, rows: Iterable[int], value: Callable[[int], str]) -> Callable[[Worksheet], None]:
    def change(page: Worksheet) -> None:
        for row in rows:
            page[f"{column}{row}"] = value(row)
            page[f"{column}{row}"].data_type = "s"

    return change


def _two_sheets(first: str, second: str) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title in (first, second):
        page = book.create_sheet(title)
        for row in (HEAD, *ROWS):
            page.append(list(row))
    return saved(book)


def _sixth_sheet() -> bytes:
    book = Workbook()
    for number in range(5):
        book.create_sheet(f"Notes {number}").append(["nothing", "to", "see"])
    page = book.create_sheet("Payroll")
    for row in (HEAD, *ROWS):
        page.append(list(row))
    return saved(book)


def _hidden_sheet() -> bytes:
    book = Workbook()
    for row in (HEAD, *ROWS):
        book.worksheets[0].append(list(row))
    other = book.create_sheet("Old")
    for row in (HEAD, *ROWS):
        other.append(list(row))
    other.sheet_state = "hidden"
    return saved(book)


def _merged_headers() -> bytes:
    def change(page: Worksheet) -> None:
        for place in ("A2:A3", "B2:B3", "C2:D2", "E2:E3", "A1:E1"):
            page.merge_cells(place)

    return sheet_of(
        ("Example Garment - Payroll",),
        ("Worker code", "Name", "Overtime hours", None, "Net pay (USD)"),
        (None, None, "150 %", "Sunday 200 %", None),
        *((row[1], row[2], 10.5, 8, row[5]) for row in ROWS),
        change=change,
    )


def _csv(text: str, encoding: str = "utf-8") -> bytes:
    return text.encode(encoding)


_LINES = [",".join(map(str, row)) for row in (HEAD, *ROWS)]
_KHMER_HEAD = ("ល.រ", "លេខកូដ", "ឈ្មោះ", "ប្រាក់ឈ្នួលសរុប ($)", "សរុបការកាត់ ($)", "ប្រាក់សុទ្ធ ($)")
_CHINESE_HEAD = ("序号", "工号", "姓名", "应发工资(美元)", "扣款合计(美元)", "实发工资(美元)")
_TOTAL = (None, None, "Total", 741.75, 31.75, 710)


def _tables() -> list[Case]:
    """Where the table is."""
    titles = (("Example Garment Co., Ltd."), ("Payroll for November 2026"), "")
    above = [(title,) for title in titles]
    return [
        Case(name="plain", data=sheet_of(HEAD, *ROWS)),
        Case(name="titles above", data=sheet_of(*above, HEAD, *ROWS)),
        Case(name="header in row 12", data=sheet_of(*[("note",)] * 11, HEAD, *ROWS)),
        Case(name="starts at column C", data=sheet_of(*((None, None, *row) for row in (HEAD, *ROWS)))),
        Case(name="khmer headers", data=sheet_of(_KHMER_HEAD, *ROWS)),
        Case(name="chinese headers", data=sheet_of(_CHINESE_HEAD, *ROWS)),
        Case(name="zero-width spaces in headers", data=sheet_of(tuple("\u200b".join(word) for word in HEAD), *ROWS)),
        Case(
            name="misspelt headers",
            data=sheet_of(("No.", "Worker cod", "Name", "Gros pay", "Total deducton", "Net pay (USD)"), *ROWS),
            extra={"assumed": True},
        ),
        Case(name="merged two-row header", data=_merged_headers()),
        Case(name="column numbers under the header", data=sheet_of(HEAD, ("(1)", "(2)", "(3)", "(4)", "(5)", "(6)"), *ROWS)),
        Case(name="plain column numbers", data=sheet_of(HEAD, (1, 2, 3, 4, 5, 6), *ROWS)),
        Case(name="blank row under the header", data=sheet_of(HEAD, (), *ROWS)),
        Case(name="blank rows between workers", data=sheet_of(HEAD, ROWS[0], (), ROWS[1], (), (), ROWS[2])),
        Case(name="totals row", data=sheet_of(HEAD, *ROWS, _TOTAL)),
        Case(name="khmer totals row in the first column", data=sheet_of(HEAD, *ROWS, ("សរុប", None, None, 741.75, 31.75, 710))),
        Case(name="total without its word", data=sheet_of(HEAD, *ROWS, (None, None, None, 741.75, 31.75, 710))),
        Case(
            name="wrong total",
            data=sheet_of(HEAD, *ROWS, (None, None, "Grand total", 741.75, 31.75, 711)),
            problems=(("total_differs", "F5"),),
        ),
        Case(
            name="average and maximum rows",
            data=sheet_of(HEAD, *ROWS, _TOTAL, (None, None, "Average", 247.25, 10.58, 236.67)),
        ),
        Case(name="headcount where a name stands", data=sheet_of(HEAD, *ROWS, ("Total", None, 3, 741.75, 31.75, 710))),
        Case(
            name="department blocks",
            data=sheet_of(
                HEAD,
                ("Sewing",),
                ROWS[0],
                ROWS[1],
                (None, None, "Sub-total", 481.5, 21.5, 460),
                ("Cutting",),
                ROWS[2],
                (None, None, "Sub-total", 260.25, 10.25, 250),
                (None, None, "Grand total", 741.75, 31.75, 710),
            ),
        ),
        Case(name="header repeated on each page", data=sheet_of(HEAD, ROWS[0], HEAD, *ROWS[1:])),
        Case(
            name="signature block",
            data=sheet_of(HEAD, *ROWS, _TOTAL, (), (None, "Prepared by", "Checked by"), (None, "........", "........")),
        ),
        Case(name="signature block without totals", data=sheet_of(HEAD, *ROWS, (), (None, "Prepared by"), (None, "Sok Sophea"))),
        Case(name="example row", data=sheet_of(HEAD, (0, "EXAMPLE", "Sok Sophea", 250, 10, 240), *ROWS)),
        Case(
            name="note beside the table",
            data=sheet_of((*HEAD, None, None), (*ROWS[0], None, "paid late"), *ROWS[1:]),
            problems=(("column_not_understood", "H1"),),
        ),
        Case(name="sixth sheet of six", data=_sixth_sheet()),
        Case(name="two sheets alike", data=_two_sheets("A", "B"), paid=(), refused="ambiguous_sheet"),
        Case(name="two sheets, one chosen", data=_two_sheets("A", "B"), sheet="B"),
        Case(name="two months, one of the period", data=_two_sheets("October 2026", "November 2026")),
        Case(name="sheet that does not exist", data=_two_sheets("A", "B"), sheet="C", paid=(), refused="no_such_sheet"),
        Case(name="hidden sheet", data=_hidden_sheet(), problems=(("hidden_sheet", ""),)),
        Case(name="hidden row", data=sheet_of(HEAD, *ROWS, change=_hide_row), problems=(("hidden_data", "A3"),)),
        Case(name="hidden column", data=sheet_of(HEAD, *ROWS, change=_hide_column), problems=(("hidden_data", "D2"),)),
        Case(name="another month in the title", data=sheet_of(("Payroll October 2026",), HEAD, *ROWS), problems=(("period_differs", ""),)),
        Case(name="khmer month in the title", data=sheet_of(("ប្រចាំខែវិច្ឆិកា ឆ្នាំ២០២៦",), HEAD, *ROWS)),
    ]


def _meanings() -> list[Case]:
    """What a column means."""
    return [
        Case(name="no net column", data=sheet_of(HEAD[:5], *(row[:5] for row in ROWS)), paid=(), refused="no_net_column"),
        Case(
            name="net by one word, nothing proves it",
            data=sheet_of(("Code no", "Worker code", "Name", "Netto"), *((n, *row[1:3], row[5]) for n, row in enumerate(ROWS))),
            paid=(),
            refused="no_net_column",
        ),
        Case(name="net by one word, the figures prove it", data=sheet_of((*HEAD[:5], "Net (USD)"), *ROWS)),
        Case(
            name="two columns named net pay",
            data=sheet_of((*HEAD, "Net pay (USD)"), *((*row, row[5]) for row in ROWS)),
            paid=(),
            refused="no_net_column",
        ),
        Case(
            name="captions that differ by one space",
            data=sheet_of((*HEAD, "Transport", "Trans port"), *((*row, 7, 9) for row in ROWS)),
            problems=(("column_not_understood", "G1"), ("column_not_understood", "H1")),
        ),
        Case(
            name="employer's pension is not hers",
            data=with_column("Employer pension (USD)", (4, 4, 4)),
            problems=(("column_not_understood", "G1"),),
        ),
        Case(name="last month's net", data=with_column("Net pay last month", (1, 2, 3)), problems=(("column_not_understood", "G1"),)),
        Case(name="unknown word", data=with_column("Zorblax", (1, 2, 3)), problems=(("column_not_understood", "G1"),)),
        Case(name="column without a header", data=with_column("", (5, 5, 5)), problems=(("column_not_understood", "G1"),)),
        Case(
            name="no code column",
            data=sheet_of(("Name", "Position", "Net pay (USD)"), *((row[2], "Sewer", row[5]) for row in ROWS)),
            paid=(),
            refused="no_code_column",
        ),
        Case(
            name="no name column",
            data=sheet_of(("Worker code", "Position", "Net pay (USD)"), *((row[1], "Sewer", row[5]) for row in ROWS)),
            paid=(),
            refused="no_name_column",
        ),
        Case(
            name="header says a name, cells are numbers",
            data=sheet_of(("Worker code", "Name", "Net pay (USD)"), *((row[1], 5, row[5]) for row in ROWS)),
            paid=(),
            refused="no_name_column",
        ),
        Case(
            name="currency by number format",
            data=sheet_of(
                ("Worker code", "Name", "Net pay"), *((*row[1:3], row[5]) for row in ROWS), change=_formats("C", '"$"#,##0.00', range(2, 5))
            ),
        ),
        Case(
            name="currency beside the table",
            data=sheet_of(
                ("Currency:", "USD"),
                ("Worker code", "Name", "Net pay"),
                *((*row[1:3], row[5]) for row in ROWS),
                change=_put("A1", "Currency: USD"),
            ),
        ),
        Case(
            name="currency by size only",
            data=sheet_of(("Worker code", "Name", "Net pay"), *((*row[1:3], row[5]) for row in ROWS)),
            problems=(("currency_assumed", "C1"),),
        ),
        Case(
            name="riel only",
            data=with_net(960000, 880000, 1000000, header="Net pay (KHR)"),
            paid=(("W001", "960,000 KHR"), ("W002", "880,000 KHR"), ("W003", "1,000,000 KHR")),
        ),
        Case(
            name="header and format name two currencies",
            data=with_net(240, 220, 250, change=_formats("C", '#,##0"៛"', range(2, 5))),
            paid=(),
            refused="no_net_column",
        ),
        Case(name="riel beside dollars", data=with_column("Net pay (KHR)", (960000, 880000, 1000000))),
        Case(
            name="riel beside dollars, one wrong",
            data=with_column("Net pay (KHR)", (960000, 808000, 1000000)),
            paid=(PAID[0], PAID[2]),
            rejected=1,
            problems=(("currencies_disagree", "G3"),),
        ),
        Case(
            name="two parts of the pay, not one amount",
            data=with_column("Net pay (KHR)", (1000, 300, 2700)),
            paid=(),
            refused="two_currency_columns_differ",
            rejected=3,
            extra={"any_problems": True},
        ),
    ]


def _cells() -> list[Case]:
    """What stands in a cell."""
    three = (("W001", "240.00 USD"), ("W002", "1,220.50 USD"), ("W003", "250.00 USD"))
    missing = (PAID[0], PAID[2])
    return [
        Case(name="money as text", data=with_net("$ 240", "1,220.50", "USD 250.00"), paid=three),
        Case(name="khmer digits", data=with_net("២៤០", "១,២២០.៥០", "២៥០$"), paid=three),
        Case(name="continental decimals", data=with_net("240,00", "USD 1.220,50", "'250,00"), paid=three),
        Case(name="binary noise", data=with_net(240.00000000000003, 1220.4999999999998, 250), paid=three),
        Case(
            name="parts of a cent in the net",
            data=with_net(240, 220.123, 250),
            paid=missing,
            rejected=1,
            problems=(("too_many_decimals", "C3"),),
        ),
        Case(
            name="ambiguous thousands",
            data=with_net("240.00", "1.220", "250.00"),
            paid=missing,
            rejected=1,
            problems=(("amount_ambiguous", "C3"),),
        ),
        Case(name="no number", data=with_net(240, "later", 250), paid=missing, rejected=1, problems=(("amount_not_read", "C3"),)),
        Case(
            name="date for an amount",
            data=with_net(240, date(2026, 11, 1), 250),
            paid=missing,
            rejected=1,
            problems=(("amount_is_a_date", "C3"),),
        ),
        Case(
            name="other currency in a cell",
            data=with_net(240, "880000 KHR", 250),
            paid=missing,
            rejected=1,
            problems=(("currency_differs", "C3"),),
        ),
        Case(
            name="other currency in a format",
            data=with_net(240, 220, 250, change=_all(_formats("C", '"$"0.00', (2, 4)), _formats("C", '0"៛"', (3,)))),
            paid=missing,
            rejected=1,
            problems=(("currency_differs", "C3"),),
            extra={"sample": 3},
        ),
        Case(
            name="net missing",
            data=with_net(240, None, 250),
            paid=missing,
            rejected=1,
            problems=(("net_missing", "C3"),),
            extra={"coded": True},
        ),
        Case(name="net below zero", data=with_net(240, "(5.00)", 250), paid=missing, rejected=1, problems=(("net_negative", "C3"),)),
        Case(name="net zero", data=with_net(240, "-", 250), paid=(PAID[0], ("W002", "0.00 USD"), PAID[2]), problems=(("net_zero", "C3"),)),
        Case(name="error cell", data=sheet_of(HEAD, *ROWS, change=_error_cell), paid=missing, rejected=1, problems=(("error_cell", "F3"),)),
        Case(name="hashes saved", data=with_net(240, "#####", 250), paid=missing, rejected=1, problems=(("hashes_saved", "C3"),)),
        Case(
            name="formula without a saved value",
            data=sheet_of(HEAD, *ROWS, change=_put("F3", "=D3-E3")),
            paid=missing,
            rejected=1,
            problems=(("formula_not_saved", "F3"), ("formulas_read", "")),
        ),
        Case(name="true for an amount", data=with_net(240, _YES, 250), paid=missing, rejected=1, problems=(("not_a_value", "C3"),)),
        Case(
            name="net off by a cent",
            data=sheet_of(HEAD, ROWS[0], (2, "W002", "Chan Dara", 231.5, 11.5, 219.99), ROWS[2]),
            paid=(PAID[0], ("W002", "219.99 USD"), PAID[2]),
            problems=(("net_does_not_add_up", "F3"),),
        ),
        Case(name="unrounded overtime", data=with_column("OT pay (USD)", (10.09615, 0, 5)), problems=(("amount_unrounded", "G2"),)),
        Case(
            name="hours in many spellings",
            data=with_column("OT hours", ("10h30", "10:30", 10.5)),
            extra={"hours": ("10.5", "10.5", "10.5")},
        ),
        Case(
            name="hours under a clock format",
            data=with_column("OT hours", (time(10, 30), 10.5, 10.5)),
            extra={"hours": ("10.5", "10.5", "10.5")},
        ),
        Case(
            name="hours turned into a date",
            data=with_column("OT hours", (8, 10, 8), change=_put("G3", 10, "h:mm")),
            paid=missing,
            rejected=1,
            problems=(("hours_as_date", "G3"),),
        ),
        Case(name="hours or minutes", data=with_column("OT hours", (4.3, 2.15, 3.45)), problems=(("hours_maybe_minutes", "G2"),)),
        Case(
            name="too many hours",
            data=with_column("OT hours", (8, 4000, 8)),
            paid=missing,
            rejected=1,
            problems=(("hours_out_of_range", "G3"),),
        ),
        Case(
            name="dates",
            data=with_column("Join date", (date(2021, 11, 5), "05/11/2021", "៥ វិច្ឆិកា ២០២១")),
            extra={"joined": date(2021, 11, 5)},
        ),
        Case(
            name="dates with month first",
            data=with_column("Join date", ("2021-11-05", "05.11.21", "11/25/2021")),
            problems=(("date_not_read", "G4"),),
        ),
        Case(
            name="joins after the period",
            data=with_column("Join date", ("2021-11-05", "2021-11-05", "2027-01-05")),
            problems=(("date_out_of_range", "G4"),),
        ),
        Case(
            name="phones",
            data=with_column("Phone", ("012 345 678", "+855 97.123.4567", "៩៧១២៣៤៥៦៧")),
            problems=(("phone_lost_zero", "G4"),),
        ),
        Case(
            name="two phones in a cell",
            data=with_column("Phone", ("012 345 678", "012345678/097 1234567", "012 345 678")),
            problems=(("two_phones", "G3"),),
        ),
        Case(
            name="accounts damaged",
            data=with_column("Account no.", ("000123456", "1.23457E+13", "123456789.0")),
            paid=(PAID[0],),
            rejected=2,
            problems=(("account_damaged", "G3"), ("account_damaged", "G4")),
        ),
        Case(
            name="account beyond 15 digits",
            data=with_column("Account no.", ("000123456", 12345678901234567890, "000123457")),
            paid=missing,
            rejected=1,
            problems=(("account_damaged", "G3"),),
        ),
        Case(
            name="account as a number",
            data=with_column("Account no.", ("000123456", 123456789, "000123457")),
            problems=(("account_as_number", "G3"),),
        ),
        Case(
            name="account from a formula",
            data=with_column("Account no.", ("000123456", "=1+1", "000123457")),
            paid=missing,
            rejected=1,
            problems=(("formula_in_identity", "G3"), ("formulas_read", "")),
        ),
        Case(
            name="account with a hidden character",
            data=with_column("Account no.", ("000123456", "000\u200b123", "000123457")),
            paid=missing,
            rejected=1,
            problems=(("hidden_characters", "G3"),),
        ),
        Case(name="apostrophe before the account", data=with_column("Account no.", ("'000123456", "0001-234 56", "000123457"))),
        Case(
            name="name that turns its direction",
            data=sheet_of(HEAD, ROWS[0], (2, "W002", "Chan \u202eDara", 231.5, 11.5, 220), ROWS[2]),
            paid=missing,
            rejected=1,
            problems=(("hidden_characters", "C3"),),
        ),
        Case(
            name="name in a legacy font",
            data=sheet_of(HEAD, ROWS[0], (2, "W002", "R)ak;ebovtS", 231.5, 11.5, 220), ROWS[2]),
            paid=missing,
            rejected=1,
            problems=(("legacy_font", "C3"),),
        ),
        Case(
            name="legacy font by its style",
            data=sheet_of(HEAD, *ROWS, change=lambda page: setattr(page["C3"], "font", Font(name="Limon S1"))),
            paid=missing,
            rejected=1,
            problems=(("legacy_font", "C3"),),
        ),
        Case(
            name="one worker twice",
            data=sheet_of(HEAD, *ROWS, (4, "W002", "Chan Dara", 231.5, 11.5, 220)),
            paid=missing,
            rejected=2,
            problems=(("worker_twice", "B3"), ("worker_twice", "B5")),
        ),
        Case(
            name="code missing",
            data=sheet_of(HEAD, ROWS[0], (2, None, "Chan Dara", 231.5, 11.5, 220), ROWS[2]),
            paid=missing,
            rejected=1,
            problems=(("code_missing", "B3"),),
        ),
        Case(
            name="name missing",
            data=sheet_of(HEAD, ROWS[0], (2, "W002", None, 231.5, 11.5, 220), ROWS[2]),
            paid=missing,
            rejected=1,
            problems=(("name_missing", "C3"),),
        ),
        Case(
            name="amount without a worker",
            data=sheet_of(HEAD, ROWS[0], (2, None, None, None, None, 33), *ROWS[1:]),
            rejected=1,
            problems=(("row_without_worker", "B3"),),
        ),
        Case(
            name="numeric codes",
            data=sheet_of(HEAD, *((n, 100 + n, *row[2:]) for n, row in enumerate(ROWS))),
            paid=(("100", "240.00 USD"), ("101", "220.00 USD"), ("102", "250.00 USD")),
        ),
        Case(
            name="wallet without a phone",
            data=with_column("Pay method", ("cash", "wallet", "សាច់ប្រាក់")),
            paid=missing,
            rejected=1,
            problems=(("phone_missing", "G3"),),
        ),
        Case(
            name="bank without an account",
            data=with_column("Pay method", ("cash", "ធនាគារ", "cash")),
            paid=missing,
            rejected=1,
            problems=(("account_missing", "G3"),),
        ),
        Case(
            name="unknown way of paying",
            data=with_column("Pay method", ("cash", "gold", "cash")),
            paid=missing,
            rejected=1,
            problems=(("pay_method_not_read", "G3"),),
        ),
    ]


def _files() -> list[Case]:
    """What kind of file it is."""
    text = "\n".join(_LINES) + "\n"
    return [
        Case(name="csv", data=_csv(text), file_name="p.csv"),
        Case(name="csv with a byte order mark", data=_csv(text, "utf-8-sig"), file_name="p.csv"),
        Case(name="csv in utf-16", data=_csv(text, "utf-16"), file_name="p.csv"),
        Case(name="csv in windows-1252", data=_csv(text.replace("ស្រី មុំ", "José Núñez"), "cp1252"), file_name="p.csv"),
        Case(
            name="csv with semicolons and decimal commas",
            data=_csv(text.replace(",", ";").replace(".5", ",5").replace(".25", ",25")),
            file_name="p.csv",
        ),
        Case(name="tab-separated with a csv name", data=_csv(text.replace(",", "\t")), file_name="p.csv"),
        Case(name="csv with titles and group captions", data=_csv("Example Garment\n,,,Pay,,\n" + text), file_name="p.csv"),
        Case(name="xlsx with a csv name", data=sheet_of(HEAD, *ROWS), file_name="p.csv", problems=(("extension_differs", ""),)),
        Case(name="empty file", data=b"", paid=(), refused="file_empty"),
        Case(name="blank file", data=b" \r\n", file_name="p.csv", paid=(), refused="file_empty"),
        Case(name="text with an xlsx name", data=_csv(text), paid=(), refused="not_a_workbook"),
        Case(name="web page with an xlsx name", data=b"<html><table><tr><td>1</td></tr></table></html>", paid=(), refused="web_page"),
        Case(name="old excel", data=b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), file_name="p.xls", paid=(), refused="old_excel"),
        Case(name="cut in half", data=sheet_of(HEAD, *ROWS)[:2000], paid=(), refused="damaged_file"),
        Case(name="sixty megabytes", data=b"PK\x03\x04" + bytes(60 * 1024 * 1024), paid=(), refused="file_too_large"),
        Case(name="empty sheet", data=sheet_of(), paid=(), refused="no_table_found"),
        Case(name="headers only", data=sheet_of(HEAD), paid=(), refused="no_rows_found"),
        Case(name="a letter, no table", data=sheet_of(("Dear Sir,",), ("please pay",)), paid=(), refused="no_table_found"),
    ]


def cases() -> list[Case]:
    """The whole library."""
    return [*_tables(), *_meanings(), *_cells(), *_files()]
