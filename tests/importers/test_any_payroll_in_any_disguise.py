"""One payroll, written in any of the ways that factories write it, reads back as the same rows."""

from __future__ import annotations

import csv
import io
import random
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from importers.contract import Meaning, PayrollRow
from importers.money import USD, Money
from importers.period import PayPeriod
from importers.read import read_sheet
from tests.sheets.old_formats import ods, xls

PERIOD = PayPeriod(2026, 11)
HEADERS: dict[str, dict[str, str]] = {
    "code": {"en": "Worker code", "km": "លេខកូដ", "zh": "工号"},
    "name": {"en": "Name", "km": "ឈ្មោះ", "zh": "姓名"},
    "joined": {"en": "Join date", "km": "ថ្ងៃចូលធ្វើការ", "zh": "入职日期"},
    "ot": {"en": "OT 150% hours", "km": "ថែមម៉ោង ១៥០% (ម៉ោង)", "zh": "加班时数 150%"},
    "gross": {"en": "Gross pay (USD)", "km": "ប្រាក់ឈ្នួលសរុប ($)", "zh": "应发工资 (USD)"},
    "deductions": {"en": "Total deductions (USD)", "km": "សរុបការកាត់ ($)", "zh": "扣款合计 (USD)"},
    "net": {"en": "Net pay (USD)", "km": "ប្រាក់សុទ្ធ ($)", "zh": "实发工资 (USD)"},
    "account": {"en": "Account no.", "km": "លេខគណនី", "zh": "银行账号"},
}
GROUP = {"en": ("Overtime", "150% hours"), "km": ("ថែមម៉ោង", "១៥០% (ម៉ោង)"), "zh": ("加班", "150% 小时")}
NAMES = ["សុខ សុភា", "Sok Sophea", "ចាន់ ដារា", "Chan Dara", "ស្រី មុំ", "Min Sok", "Nguyễn Thị Hoa", "王小明"]

WORKER = st.fixed_dictionaries(
    {
        "name": st.sampled_from(NAMES),
        "joined": st.dates(date(2010, 1, 1), date(2026, 11, 1)),
        "ot": st.integers(0, 208).map(lambda quarters: Decimal(quarters) / 4),
        "gross": st.integers(15_000, 60_000),
        "taken": st.integers(0, 14_000),
        "account": st.integers(0, 10**9 - 1).map(lambda number: f"{number:09}"),
    }
)
DISGUISE = st.fixed_dictionaries(
    {
        "language": st.sampled_from(["en", "km", "zh"]),
        "order": st.integers(0, 10**6),
        "titles": st.integers(0, 4),
        "money": st.sampled_from(["number", "text", "dollars", "khmer", "commas", "format"]),
        "dates": st.sampled_from(["iso", "day first", "serial", "real", "from 1904"]),
        "hours": st.sampled_from(["decimal", "clock", "letter"]),
        "group": st.booleans(),
        "numbers": st.sampled_from(["", "{}", "({})"]),
        "blocks": st.sampled_from([0, 2, 5]),
        "blank_rows": st.booleans(),
        "totals": st.booleans(),
        "signatures": st.booleans(),
        "zero_width": st.booleans(),
        "left": st.integers(0, 2),
        "as_file": st.sampled_from(["xlsx", "xlsx", "xls", "ods", "csv utf-8", "csv utf-8-sig", "csv utf-16", "csv semicolons"]),
    }
)


def money(cents: int, how: str) -> Any:
    amount = Decimal(cents).scaleb(-2)
    text = f"{amount:,.2f}"
    if how in {"number", "format"}:
        return cents / 100
    if how == "khmer":
        return text.translate({48 + n: 0x17E0 + n for n in range(10)})
    return {"text": f"{amount}", "dollars": f"$ {text}", "commas": text}[how]


def day(value: date, how: str) -> Any:
    if how == "serial":
        return (value - date(1899, 12, 30)).days
    if how in {"real", "from 1904"}:
        return value
    return value.isoformat() if how == "iso" else f"{value.day}/{value.month}/{value.year}"


def hours(value: Decimal, how: str) -> str:
    whole, minutes = int(value), int(value % 1 * 60)
    return {"decimal": str(value), "clock": f"{whole}:{minutes:02}", "letter": f"{whole}h{minutes:02}"}[how]


def heads(order: list[str], disguise: dict[str, Any]) -> list[list[str]]:
    """The header's rows: one, or "Overtime" in a row of its own over its rate; and perhaps the columns' numbers below."""
    names = [HEADERS[column][disguise["language"]] for column in order]
    if disguise["money"] == "format":
        names = [name.replace(" (USD)", "").replace(" ($)", "") for name in names]
    if disguise["zero_width"]:
        names = ["\u200b".join(name) for name in names]
    rows = [names]
    if disguise["group"] and not disguise["as_file"].startswith("csv"):
        over, under = GROUP[disguise["language"]]
        place = order.index("ot")
        rows = [[over if n == place else name for n, name in enumerate(names)], ["" if n != place else under for n in range(len(order))]]
    if disguise["numbers"]:
        rows.append([disguise["numbers"].format(n) for n in range(1, len(order) + 1)])
    return rows


def written(workers: list[dict[str, Any]], disguise: dict[str, Any]) -> tuple[bytes, str]:
    order = list(HEADERS)
    random.Random(disguise["order"]).shuffle(order)  # noqa: S311  the disguise is drawn, not secret
    left = [""] * disguise["left"]
    rows: list[list[Any]] = [["Example Garment"] if n == 0 else [f"Note {n}"] for n in range(disguise["titles"])]
    top = len(rows)
    rows.extend([*left, *line] for line in heads(order, disguise))
    for number, worker in enumerate(workers):
        if disguise["blocks"] and number % disguise["blocks"] == 0:
            rows.append([*left, *(f"Line {number // disguise['blocks'] + 1}" if column == "name" else "" for column in order)])
        cells = {
            "code": f"W{number:04}",
            "name": worker["name"],
            "joined": day(worker["joined"], disguise["dates"]),
            "ot": hours(worker["ot"], disguise["hours"]),
            "gross": money(worker["gross"], disguise["money"]),
            "deductions": money(worker["taken"], disguise["money"]),
            "net": money(worker["gross"] - worker["taken"], disguise["money"]),
            "account": worker["account"],
        }
        rows.append([*left, *(cells[column] for column in order)])
        if disguise["blank_rows"] and number % 3 == 0:
            rows.append([])
        if disguise["blocks"] and (number + 1) % disguise["blocks"] == 0:
            rows.append([*left, *total(workers[number + 1 - disguise["blocks"] : number + 1], "Sub-total", order, disguise)])
    if disguise["totals"]:
        rows.append([*left, *total(workers, "សរុប / Total", order, disguise)])
    if disguise["signatures"]:
        rows.extend([[], ["", "Prepared by", "Approved by"], ["", "......", "......"]])
    in_dollars = [len(left) + order.index(column) for column in ("gross", "deductions", "net")]
    group = (top, len(left), order.index("ot"), len(order)) if disguise["group"] else None
    return _as_file(rows, disguise, in_dollars if disguise["money"] == "format" else [], group)


def total(workers: list[dict[str, Any]], label: str, order: list[str], disguise: dict[str, Any]) -> list[Any]:
    sums = {"gross": sum(w["gross"] for w in workers), "deductions": sum(w["taken"] for w in workers)}
    sums["net"] = sums["gross"] - sums["deductions"]
    return [label if c == "name" else money(sums[c], disguise["money"]) if c in sums else "" for c in order]


def _as_file(
    rows: list[list[Any]], disguise: dict[str, Any], in_dollars: list[int], group: tuple[int, int, int, int] | None
) -> tuple[bytes, str]:
    kind, _, how = disguise["as_file"].partition(" ")
    if kind == "csv":
        text = io.StringIO()
        csv.writer(text, delimiter=";" if how == "semicolons" else ",").writerows(rows)
        return text.getvalue().encode("utf-8" if how == "semicolons" else how), "p.csv"
    merged = []
    if group is not None:
        top, left, place, width = group
        merged = [(top, top + 1, left + column) for column in range(width) if column != place]
    if kind == "xls":
        return xls(
            rows, formats=dict.fromkeys(in_dollars, '"$"#,##0.00'), change=lambda page: [page.merge(a, b, c, c) for a, b, c in merged]
        ), "p.xls"
    if kind == "ods":
        return ods(rows, dollars=in_dollars, tall=[(first, column) for first, _, column in merged]), "p.ods"
    book = Workbook()
    page = book.worksheets[0]
    if disguise["dates"] == "from 1904":
        book.epoch = CALENDAR_MAC_1904
    for row in rows:
        page.append([cell if cell != "" else None for cell in row])
    for row_cells in page.iter_rows(min_row=2) if in_dollars else ():
        for column in in_dollars:
            row_cells[column].number_format = '"$"#,##0.00'
    for first, last, column in merged:
        page.merge_cells(start_row=first + 1, end_row=last + 1, start_column=column + 1, end_column=column + 1)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue(), "p.xlsx"


def said(row: PayrollRow) -> tuple[Any, ...]:
    amounts = (row.amounts[Meaning.GROSS].minor, row.amounts[Meaning.TOTAL_DEDUCTIONS].minor)
    return (row.worker_code, row.name, row.joined_on, row.time[Meaning.OVERTIME_HOURS], *amounts, row.net, row.account)


# each example opens a file in a child process: few, and not made smaller for minutes when one fails
@settings(
    max_examples=18, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
@given(st.lists(WORKER, min_size=1, max_size=12), DISGUISE)
def test_any_payroll_in_any_disguise_reads_back_the_same(workers: list[dict[str, Any]], disguise: dict[str, Any]) -> None:
    data, file_name = written(workers, disguise)
    sheet = read_sheet(data, file_name=file_name, period=PERIOD)
    assert sheet.refused is None
    assert [said(row) for row in sheet.rows] == [
        (f"W{n:04}", w["name"], w["joined"], w["ot"], w["gross"], w["taken"], Money(w["gross"] - w["taken"], USD), w["account"])
        for n, w in enumerate(workers)
    ]
    assert sheet.counts.rejected == 0
    assert not {problem.code for problem in sheet.problems} - {"currency_assumed"}


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.explicit, Phase.generate])
@given(st.lists(WORKER, min_size=1, max_size=6), DISGUISE, DISGUISE)
def test_two_disguises_of_one_payroll_have_one_canonical_hash(
    workers: list[dict[str, Any]], first: dict[str, Any], second: dict[str, Any]
) -> None:
    one, other = (read_sheet(data, file_name=name, period=PERIOD) for data, name in (written(workers, first), written(workers, second)))
    assert one.canonical_hash == other.canonical_hash
    changed = [{**workers[0], "gross": workers[0]["gross"] + 1}, *workers[1:]]
    data, name = written(changed, second)
    assert read_sheet(data, file_name=name, period=PERIOD).canonical_hash != one.canonical_hash


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(
            st.one_of(st.sampled_from(["Worker code", "Name", "Net pay (USD)", "Total", "សរុប", "W1", "240", "-"]), st.text(max_size=6)),
            max_size=6,
        ),
        max_size=8,
    )
)
def test_any_table_at_all_ends_in_rows_or_located_problems(table: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(table)
    sheet = read_sheet(text.getvalue().encode(), file_name="p.csv", period=PERIOD)
    assert sheet.counts.read == sheet.counts.accepted + sheet.counts.rejected
    assert sheet.rows or sheet.problems
