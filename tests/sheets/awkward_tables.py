"""Awkward workbooks: where the table is."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.sheets.awkward_case import HEAD, ROWS, Case, saved, sheet_of

_KHMER_HEAD = ("ល.រ", "លេខកូដ", "ឈ្មោះ", "ប្រាក់ឈ្នួលសរុប ($)", "សរុបការកាត់ ($)", "ប្រាក់សុទ្ធ ($)")
_CHINESE_HEAD = ("序号", "工号", "姓名", "应发工资(美元)", "扣款合计(美元)", "实发工资(美元)")
_TOTAL = (None, None, "Total", 741.75, 31.75, 710)


def _hide_row(page: Worksheet) -> None:
    page.row_dimensions[3].hidden = True


def _hide_column(page: Worksheet) -> None:
    page.column_dimensions["D"].hidden = True


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


def _headers() -> list[Case]:
    """Where the header stands and how it is written."""
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
        Case(name="column numbers with their sums", data=sheet_of(HEAD, ("(1)", "(2)", "(3)", "(4)", "(5)", "(6)=(4)-(5)"), *ROWS)),
        Case(name="column letters", data=sheet_of(HEAD, (None, None, None, "a", "b", "c=a-b"), *ROWS)),
        Case(name="roman column numbers", data=sheet_of(HEAD, ("I", "II", "III", "IV", "V", "VI"), *ROWS)),
        Case(name="khmer column numbers", data=sheet_of(HEAD, ("១", "២", "៣", "៤", "៥", "៦"), *ROWS)),
        Case(name="column numbers with a gap", data=sheet_of(HEAD, (1, 2, 3, 4, None, "6=4-5"), *ROWS)),
        Case(
            name="a header broken into lines",
            data=sheet_of(("No.", "Emp\nNo.", "Name", "Gross\npay\n(USD)", "Total deduc-\ntions (USD)", "Net\npay\n(US$)"), *ROWS),
        ),
        Case(
            name="riel and dollars under one net",
            data=sheet_of(
                ("Worker code", "Name", "Net pay", None),
                (None, None, "USD", "KHR"),
                *((row[1], row[2], row[5], row[5] * 4000) for row in ROWS),
                change=lambda page: page.merge_cells("C1:D1"),
            ),
        ),
        Case(name="plain column numbers", data=sheet_of(HEAD, (1, 2, 3, 4, 5, 6), *ROWS)),
        Case(name="blank row under the header", data=sheet_of(HEAD, (), *ROWS)),
        Case(name="blank rows between workers", data=sheet_of(HEAD, ROWS[0], (), ROWS[1], (), (), ROWS[2])),
    ]


def _totals() -> list[Case]:
    """Rows between and below the workers."""
    return [
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
        Case(name="total in spaced letters", data=sheet_of(HEAD, *ROWS, ("T O T A L", "3 workers", None, 741.75, 31.75, 710))),
        Case(
            name="totals as Khmer and Chinese clerks call them",
            data=sheet_of(
                HEAD,
                *ROWS[:2],
                (None, None, "បូកសរុបផ្នែកទី១", 481.5, 21.5, 460),
                ROWS[2],
                (None, None, "车缝 汇总", 260.25, 10.25, 250),
                ("合 计", None, None, 741.75, 31.75, 710),
                (None, None, "ចំនួនកម្មករ", None, None, 3),
            ),
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
    ]


def _sheets() -> list[Case]:
    """Which sheet is meant, what is hidden in it, and its month."""
    return [
        Case(name="sixth sheet of six", data=_sixth_sheet()),
        Case(name="two sheets alike", data=_two_sheets("A", "B"), paid=(), refused="ambiguous_sheet"),
        Case(name="two sheets, one chosen", data=_two_sheets("A", "B"), sheet="B"),
        Case(name="two months, one of the period", data=_two_sheets("October 2026", "November 2026")),
        Case(name="sheet that does not exist", data=_two_sheets("A", "B"), sheet="C", paid=(), refused="no_such_sheet"),
        Case(name="hidden sheet", data=_hidden_sheet(), problems=(("hidden_sheet", ""),)),
        Case(name="hidden row", data=sheet_of(HEAD, *ROWS, change=_hide_row), problems=(("hidden_data", "A3"),)),
        Case(name="hidden column", data=sheet_of(HEAD, *ROWS, change=_hide_column), problems=(("hidden_data", "D2"),)),
        Case(name="another month in the title", data=sheet_of(("Payroll October 2026",), HEAD, *ROWS), problems=(("period_differs", ""),)),
        Case(name="months as short as sheets are called", data=_two_sheets("Oct-26", "Nov-26")),
        Case(name="khmer month in the title", data=sheet_of(("ប្រចាំខែវិច្ឆិកា ឆ្នាំ២០២៦",), HEAD, *ROWS)),
    ]


def cases() -> list[Case]:
    """All of them."""
    return [*_headers(), *_totals(), *_sheets()]
