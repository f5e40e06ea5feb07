"""More awkward payrolls, synthetic: tables that pretend to be one, rows that pretend to be workers, text files of every origin.

Built with the plain rows of `awkward.py`; each case says what must come of it, to the row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

Rows = Sequence[Sequence[Any]]
HEAD = ("No.", "Worker code", "Name", "Gross pay (USD)", "Total deductions (USD)", "Net pay (USD)")
ROWS: tuple[tuple[Any, ...], ...] = (
    (1, "W001", "Sok Sophea", 250, 10, 240),
    (2, "W002", "Chan Dara", 231.5, 11.5, 220),
    (3, "W003", "ស្រី មុំ", 260.25, 10.25, 250),
)
ALL = "W001=240.00 W002=220.00 W003=250.00"
TOTAL = (None, None, "Total", 741.75, 31.75, 710)
SHORT = ("Worker code", "Name", "Net pay (USD)")


def book(*sheets: tuple[str, Rows], change: Callable[[Workbook], object] | None = None) -> bytes:
    """A workbook of these sheets."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets:
        page: Worksheet = made.create_sheet(name)
        for row in rows:
            page.append(list(row))
    if change is not None:
        change(made)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def text(*rows: Sequence[Any], separator: str = ",", encoding: str = "utf-8") -> bytes:
    """The rows as delimited text."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(rows)
    return out.getvalue().encode(encoding)


def _merged(*places: str) -> Callable[[Workbook], None]:
    def change(made: Workbook) -> None:
        for place in places:
            made.worksheets[0].merge_cells(place)

    return change


def _stray(made: Workbook) -> None:
    page = made.worksheets[0]
    for row in range(1, 9):
        for column in range(8, 68, 2):
            page.merge_cells(start_row=row, end_row=row, start_column=column, end_column=column + 1)


# name, file, file name, who is paid what, rejected rows, refusal, problems ("code@cell"; questions about columns left out)
Rough = tuple[str, bytes, str, str, int, str | None, str]


def _lines_above() -> list[Rough]:
    """Lines above and under the header, and months that stand together."""
    x = "p.xlsx"
    october, november = ("Payroll October 2026",), ("Payroll November 2026",)
    constants = ("Rate", 4000, "Min wage", 210, "NSSF", 0.02)
    units = (None, None, None, "USD", "USD", "USD")
    no_units = ("No", "Worker code", "Name", "Gross pay", "Total deductions", "Net pay")
    months = [(*HEAD, "Month"), *((*row, "2026-10") for row in ROWS), *((*row, "2026-11") for row in ROWS)]
    one_month = [(*HEAD, "Month"), *((*row, "2026-11") for row in ROWS)]
    others = [(1, "W004", "Kim Ly", 34, 1, 33)]
    return [
        ("constants above the header", book(("P", [constants, (None, None, None, 1, 0.02), HEAD, *ROWS])), x, ALL, 0, None, ""),
        ("percentages under the header", book(("P", [HEAD, (None,) * 3 + ("100%", "2%", "98%"), *ROWS])), x, ALL, 0, None, ""),
        ("units under the header", book(("P", [no_units, units, *ROWS])), x, ALL, 0, None, ""),
        ("two months by a column", book(("P", months)), x, "", 6, "several_months", ""),
        ("one month by a column", book(("P", one_month)), x, ALL, 0, None, ""),
        (
            "two months below each other",
            book(("P", [november, HEAD, *ROWS, TOTAL, (), october, HEAD, *others])),
            x,
            "",
            4,
            "several_months",
            "",
        ),
    ]


def _several() -> list[Rough]:
    """Several sheets and several tables."""
    x = "p.xlsx"
    other_head = ("Worker code", "Name", "Bonus (USD)", "Net pay (USD)")
    swapped = ("No.", "Worker code", "Name", "Net pay (USD)", "Total deductions (USD)", "Gross pay (USD)")
    beside = [(*SHORT, None, *SHORT), ("W1", "Sok A", 240, None, "W2", "Chan B", 220), ("W3", "Kim C", 250, None, "W4", "Tep D", 230)]
    summary = [("Department", "Workers", "Net pay (USD)"), ("Sewing", 2, 460), ("Cutting", 1, 250)]
    cutting = [("Name", "Card no", "Net salary (USD)"), ("ស្រី មុំ", "W003", 250)]
    weak = [("Worker code", "Name", "Netto"), ("W009", "Late Worker", 99)]
    others = [(1, "W004", "Kim Ly", 34, 1, 33)]
    return [
        ("a sheet for each department", book(("A", [HEAD, *ROWS[:2]]), ("B", [HEAD, ROWS[2]])), x, "", 0, "department_sheets", ""),
        ("departments with other columns", book(("A", [HEAD, *ROWS[:2]]), ("B", cutting)), x, "", 0, "department_sheets", ""),
        ("a department whose net is not sure", book(("A", [HEAD, *ROWS]), ("B", weak)), x, ALL, 0, None, "sheets_not_read@"),
        ("a summary beside the payroll", book(("S", summary), ("P", [HEAD, *ROWS])), x, ALL, 0, None, ""),
        ("two tables side by side", book(("P", beside)), x, "", 0, "side_by_side", ""),
        (
            "a second table with other columns",
            book(("P", [HEAD, *ROWS, (), other_head, ("W4", "Kim Ly", 5, 33)])),
            x,
            "",
            3,
            "second_table",
            "",
        ),
        ("the header again with two columns swapped", book(("P", [HEAD, *ROWS, swapped, *others])), x, "", 4, "second_table", ""),
    ]


def _columns() -> list[Rough]:
    """Merged columns, other languages and the employer's costs."""
    x = "p.xlsx"
    korean = ("사번", "성명", "기본급", "공제합계", "실수령액")
    chinese = ("工號", "姓名", "部門", "應發工資(美元)", "扣款合計(美元)", "實發工資(美元)")
    costs = [(*HEAD, "Employer NSSF (USD)", "Total cost (USD)"), *((*row, 5, 255) for row in ROWS)]
    names = [("Worker code", "Name", None, "Net pay (USD)"), ("W1", "Sok A", None, 200), ("W2", "Chan B", None, 220)]
    pieces = [("Worker code", "Name", "Item", "Net pay (USD)"), ("W1", "Sok A", "Basic", 200), (None, None, "OT", 40), ("W2", "B C", "", 9)]
    return [
        ("a column merged over two", book(("P", names), change=_merged("B1:C1", "B2:C2", "B3:C3")), x, "W1=200.00 W2=220.00", 0, None, ""),
        (
            "one worker merged over two rows",
            book(("P", pieces), change=_merged("A2:A3", "B2:B3")),
            x,
            "W2=9.00",
            2,
            None,
            "merged_rows@A2 merged_rows@B2 row_without_worker@A3",
        ),
        ("stray merges to the right", book(("P", [HEAD, *ROWS]), change=_stray), x, ALL, 0, None, ""),
        ("korean", text(korean, *((f"A{n}", "김", 240, 10, 230) for n in range(2))), "p.csv", "A0=230.00 A1=230.00", 0, None, ""),
        ("traditional chinese", text(chinese, ("A1", "王小明", "車縫", 240, 10, 230)), "p.csv", "A1=230.00", 0, None, ""),
        ("employer's costs right of the net", book(("P", costs)), x, ALL, 0, None, ""),
    ]


def pay(*rows: Sequence[Any]) -> bytes:
    """A workbook of the usual columns with these rows."""
    return book(("P", [HEAD, *rows]))


def net(name: str | None, amount: float, code: Any = None) -> tuple[Any, ...]:
    """A row with nothing but a name, a net and perhaps a code."""
    return (None, code, name, None, None, amount)


def _empty_rows() -> list[Rough]:
    """Rows in which nobody stands."""
    x = "p.xlsx"
    zero = (0, 0, 0)
    return [
        ("rows of zeros filled down", pay(*ROWS, *((n, None, None, 0, 0, 0) for n in range(4, 30))), x, ALL, 0, None, ""),
        ("a row of look-ups that found nobody", pay(*ROWS, (4, 0, 0, *zero)), x, ALL, 0, None, ""),
        ("numbered rows without anybody", pay(*ROWS, *((n,) for n in range(4, 30))), x, ALL, 0, None, ""),
        ("dashes where nothing is paid", pay(*ROWS, *((n, None, None, "-", "-", "-") for n in range(4, 9))), x, ALL, 0, None, ""),
    ]


def _sums() -> list[Rough]:
    """Sums and figures about the workers."""
    x = "p.xlsx"
    carried = [*ROWS[:2], net("Carried forward", 460), net("Brought forward", 460), ROWS[2], TOTAL]
    pages = [*ROWS[:2], net("Page 1 total", 460), HEAD, ROWS[2], net("Page 2 total", 250), TOTAL]
    spread = [(None, None, "Minimum", 231.5, 10, 220), (None, None, "Maximum", 260.25, 11.5, 250)]
    headings = [("Sewing", None, None, 481.5, 21.5, 460), *ROWS[:2], ("Cutting", None, None, 260.25, 10.25, 250), ROWS[2]]
    return [
        ("minimum and maximum rows", pay(*ROWS, *spread), x, ALL, 0, None, ""),
        ("carried forward", pay(*carried), x, ALL, 0, None, ""),
        ("page totals", pay(*pages), x, ALL, 0, None, ""),
        ("a section's own total", pay(*ROWS[:2], net("Sewing total", 460), ROWS[2], TOTAL), x, ALL, 0, None, ""),
        ("total with the headcount for a code", pay(*ROWS, (None, 3, "Grand Total", 741.75, 31.75, 710)), x, ALL, 0, None, ""),
        ("total in the first row", pay(TOTAL, *ROWS), x, ALL, 0, None, ""),
        ("departments' sums beside their names", pay(*headings), x, ALL, 0, None, ""),
    ]


def _names() -> list[Rough]:
    """Workers whose names look like something else, and examples."""
    x = "p.xlsx"
    return [
        ("a worker called Totala", pay(*ROWS, (4, "W004", "Totala Kim", 10, 0, 10)), x, ALL + " W004=10.00", 0, None, ""),
        ("a worker called Mean", pay(*ROWS, (4, "W004", "Mean", 10, 0, 10)), x, ALL, 1, None, "name_is_label@C5"),
        ("an example by its name", pay((0, "0001", "Example worker", 250, 10, 240), *ROWS), x, ALL, 1, None, "example_row@C2"),
        ("an example by its number", pay(("Example", "W000", "Sok Sophea", 250, 10, 240), *ROWS), x, ALL, 1, None, "example_row@C2"),
        ("workers of the sample room", pay((0, "SAMPLE01", "Sok A", 9, 0, 9), *ROWS), x, "SAMPLE01=9.00 " + ALL, 0, None, ""),
    ]


def _beside() -> list[Rough]:
    """Workers and amounts below and between the others."""
    x = "p.xlsx"
    riel = [TOTAL, net("Exchange rate", 4000)]
    late = (4, "W004", "Late Worker", 10, 0, 10)
    gone = (2, "W002", "Chan Dara", "resigned", None, None)
    signed = [TOTAL, (None, "Prepared by", "HR"), (None, "........", "........")]
    return [
        ("a worker below the total", pay(*ROWS, TOTAL, late), x, ALL + " W004=10.00", 0, None, ""),
        ("a worker without amounts below the total", pay(*ROWS, TOTAL, late[:3]), x, ALL, 1, None, "net_missing@F6"),
        ("a worker who left", pay(ROWS[0], gone, ROWS[2]), x, "W001=240.00 W003=250.00", 1, None, "amount_not_read@D3 net_missing@F3"),
        ("an amount beside a note", pay(*ROWS, net("Workers who left", 33)), x, ALL, 1, None, "code_missing@B5"),
        ("an exchange rate below the total", pay(*ROWS, *riel), x, ALL, 1, None, "code_missing@B6"),
        ("an instruction between workers", pay(ROWS[0], ("Please check before you sign",), *ROWS[1:]), x, ALL, 0, None, ""),
        ("a signature block with dots", pay(*ROWS, *signed), x, ALL, 0, None, ""),
        ("a department's name in the code column", pay(*ROWS[:2], (None, "Line 2"), ROWS[2]), x, ALL, 0, None, ""),
    ]


def _codes() -> list[Rough]:
    """Codes and amounts that a sheet program changed."""
    x = "p.xlsx"
    short = [(1, "0001", "A B", 5, 0, 5), (2, 2, "C D", 5, 0, 5), (3, "0003", "E F", 5, 0, 5)]
    return [
        ("a code that lost its zeros", pay(*short), x, "0001=5.00 0003=5.00", 1, None, "code_lost_zero@B3"),
        ("a net that became a date", pay((1, "W1", "A B", 250, 10, datetime(1900, 8, 27)), *ROWS), x, ALL, 1, None, "amount_is_a_date@F2"),  # noqa: DTZ001  a cell has no zone
        (
            "two codes that differ by zeros",
            text(SHORT, ("007", "A B", 1), ("7", "C D", 2)),
            "p.csv",
            "007=1.00 7=2.00",
            0,
            None,
            "codes_alike@A2 codes_alike@A3",
        ),
        (
            "a code in khmer digits, twice",
            text(SHORT, ("០០១", "A B", 1), ("001", "C D", 2)),
            "p.csv",
            "",
            2,
            None,
            "worker_twice@A2 worker_twice@A3",
        ),
    ]


def _texts() -> list[Rough]:
    """Delimited text as systems and people save it."""
    plain = text(HEAD, *ROWS)
    commas = [tuple(str(cell).replace(".", ",") for cell in row) for row in ROWS]
    chinese = [("工号", "姓名", "实发工资(美元)"), ("A1", "王小明", 230)]
    quoted = "\n".join('"' + ",".join(map(str, row)) + '"' for row in (HEAD, *ROWS)).encode()
    mangled = text(SHORT, ("W1", "សុខ", 240)).decode("cp1252", "replace").encode()
    kept = b'Worker code,Name,Account no.,Net pay (USD)\n="0001",Sok,="000123456",240\n'
    split = b"Worker code,Name,Net pay (USD),Note\nW1,Sok,1,240,ok\nW2,Chan,220,ok\nW3,Kim,230,\n"
    titles = b"Factory; a, b; c, d; e\n" * 3 + text(SHORT, ("W1", "Sok", 240))
    thousands = text(SHORT, ("W1", "Sok", "1.240,50"), ("W2", "Chan", "'579,68 USD"), separator=";")
    inside = b'Worker code,Name,Net pay (USD)\nW1,Sok "Lala" A,240\n'
    open_quote = b'Worker code,Name,Net pay (USD)\nW1,"Sok,240\nW2,Chan,220\n'
    ragged = b"Worker code,Name,Net pay (USD)\nW1,Sok,240,,,\nW2,Chan\n"
    return [
        ("utf-16 with tabs", text(HEAD, *ROWS, separator="\t", encoding="utf-16"), "p.csv", ALL, 0, None, ""),
        ("utf-16 without its mark", text(HEAD, *ROWS, separator="\t", encoding="utf-16-le"), "p.txt", ALL, 0, None, ""),
        ("semicolons and decimal commas", text(HEAD, *commas, separator=";"), "p.csv", ALL, 0, None, ""),
        ("bars", text(HEAD, *ROWS, separator="|"), "p.csv", ALL, 0, None, ""),
        ("old line ends", plain.replace(b"\r\n", b"\r"), "P.CSV", ALL, 0, None, ""),
        ("continental thousands", thousands, "p.csv", "W1=1240.50 W2=579.68", 0, None, ""),
        ("chinese windows", text(*chinese, encoding="gb18030"), "p.csv", "A1=230.00", 0, None, ""),
        (
            "taiwanese windows",
            text(("工號", "姓名", "實發工資(美元)"), ("A1", "王", 230), encoding="big5"),
            "p.csv",
            "A1=230.00",
            0,
            None,
            "",
        ),
        ("khmer mangled by a conversion", mangled, "p.csv", "", 1, None, "garbled_text@B2"),
        ("every line in quotes", quoted, "p.csv", ALL, 0, None, ""),
        ("zeros kept by a formula of text", kept, "p.csv", "0001=240.00", 0, None, ""),
        ("a thousands comma that splits its cell", split, "p.csv", "W2=220.00 W3=230.00", 1, None, "fields_shifted@E2"),
        ("titles with other separators", titles, "p.csv", "W1=240.00", 0, None, ""),
        ("a quote inside a name", inside, "p.csv", "W1=240.00", 0, None, ""),
        ("a quote that never closes", open_quote, "p.csv", "", 0, "damaged_file", ""),
        ("ragged lines", ragged, "p.csv", "W1=240.00", 1, None, "net_missing@C3"),
    ]


def cases() -> list[Rough]:
    """The whole collection."""
    return [
        *_lines_above(),
        *_several(),
        *_columns(),
        *_empty_rows(),
        *_sums(),
        *_names(),
        *_beside(),
        *_codes(),
        *_texts(),
    ]
