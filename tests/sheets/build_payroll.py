"""Builds the payroll of a synthetic Cambodian garment factory, as a workbook that looks like those that factories send.

No person, account or phone in it is real. `python tests/sheets/build_payroll.py --workers 300 --seed 2026 --out FILE.xlsx`.
"""

from __future__ import annotations

import argparse
import calendar
import json
import random
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run as a script, from anywhere

from tests.sheets.clerk import Worker, compute, total, worker

COMPANY = "ក្រុមហ៊ុន គំរូកាត់ដេរ / Example Garment (Cambodia) Co., Ltd. - SYNTHETIC DATA, NO REAL PERSON"
LARGE = 2000  # from this size on rows are written without keeping them
KHMER_MONTHS = ("មករា", "កុម្ភៈ", "មីនា", "មេសា", "ឧសភា", "មិថុនា", "កក្កដា", "សីហា", "កញ្ញា", "តុលា", "វិច្ឆិកា", "ធ្នូ")
DOLLARS, RIEL, HOURS, DAY = '"$"#,##0.00', '#,##0"៛"', "0.0", "dd/mm/yyyy"

Value = Callable[[Worker], Any]
# (group, header, format, width, value); a group's caption stands over its columns
COLUMNS: list[tuple[str, str, str, int, Value]] = [
    ("", "ល.រ\nNo.", "0", 5, lambda w: w.number),
    ("", "លេខកូដ\nWorker code", "@", 11, lambda w: w.code),
    ("", "ឈ្មោះ\nName (Khmer)", "@", 18, lambda w: w.name),
    ("", "ឈ្មោះជាអក្សរឡាតាំង\nName (Latin)", "@", 18, lambda w: w.name_latin),
    ("", "ភេទ\nSex", "@", 6, lambda w: w.sex),
    ("", "មុខងារ\nPosition", "@", 18, lambda w: w.position),
    ("", "ផ្នែក\nSection", "@", 22, lambda w: w.section),
    ("", "ថ្ងៃចូលធ្វើការ\nJoin date", DAY, 11, lambda w: w.joined),
    ("វត្តមាន / Attendance", "ថ្ងៃធ្វើការ\nDays worked", "0", 8, lambda w: w.days_worked),
    ("វត្តមាន / Attendance", "អវត្តមាន\nAbsent days", "0", 8, lambda w: w.absent),
    ("ថែមម៉ោង / Overtime", "១៥០% (ម៉ោង)\n150 % (hours)", HOURS, 9, lambda w: w.ot_hours),
    ("ថែមម៉ោង / Overtime", "យប់ ២០០% (ម៉ោង)\nNight 200 % (hours)", HOURS, 9, lambda w: w.night_hours),
    ("ថែមម៉ោង / Overtime", "ថ្ងៃអាទិត្យ ២០០% (ម៉ោង)\nSunday 200 % (hours)", HOURS, 9, lambda w: w.rest_hours),
    ("ថែមម៉ោង / Overtime", "ចំនួនថ្ងៃថែមម៉ោង\nOT days", "0", 8, lambda w: w.ot_days),
    ("ប្រាក់ចំណូល / Earnings (USD)", "ប្រាក់ឈ្នួលគោល\nBasic wage", DOLLARS, 10, lambda w: w.money["basic_wage"]),
    ("ប្រាក់ចំណូល / Earnings (USD)", "ប្រាក់ឈ្នួលតាមថ្ងៃធ្វើការ\nBasic pay", DOLLARS, 10, lambda w: w.money["basic_pay"]),
    ("ប្រាក់ចំណូល / Earnings (USD)", "ប្រាក់ថែមម៉ោង ១៥០%\nOT pay 150 %", DOLLARS, 10, lambda w: w.money["ot_pay"]),
    ("ប្រាក់ចំណូល / Earnings (USD)", "ប្រាក់ថែមម៉ោងយប់ ២០០%\nNight OT pay 200 %", DOLLARS, 10, lambda w: w.money["night_pay"]),
    ("ប្រាក់ចំណូល / Earnings (USD)", "ប្រាក់ថ្ងៃអាទិត្យ ២០០%\nSunday pay 200 %", DOLLARS, 10, lambda w: w.money["rest_pay"]),
    ("ប្រាក់ចំណូល / Earnings (USD)", "រង្វាន់ធ្វើការទៀងទាត់\nAttendance bonus", DOLLARS, 10, lambda w: w.money["attendance"]),
    ("ប្រាក់ចំណូល / Earnings (USD)", "ប្រាក់ធ្វើដំណើរ និងស្នាក់នៅ\nTransport", DOLLARS, 10, lambda w: w.money["transport"]),
    ("ប្រាក់ចំណូល / Earnings (USD)", "ប្រាក់អតីតភាព\nSeniority bonus", DOLLARS, 10, lambda w: w.money["seniority"]),
    ("ប្រាក់ចំណូល / Earnings (USD)", "ប្រាក់បាយថែមម៉ោង\nOT meal", DOLLARS, 10, lambda w: w.money["meal"]),
    ("ប្រាក់ចំណូល / Earnings (USD)", "ប្រាក់ឈ្នួលសរុប\nGross pay", DOLLARS, 11, lambda w: w.money["gross"]),
    ("ការកាត់កង / Deductions (USD)", "ភាគទានសោធន ២%\nNSSF pension 2 %", DOLLARS, 10, lambda w: w.money["pension"]),
    ("ការកាត់កង / Deductions (USD)", "ពន្ធលើប្រាក់ខែ\nSalary tax", DOLLARS, 10, lambda w: w.money["tax"]),
    ("ការកាត់កង / Deductions (USD)", "បានបើកលើកទី១\nFirst half paid", DOLLARS, 10, lambda w: w.money["first_half"]),
    ("ការកាត់កង / Deductions (USD)", "សរុបការកាត់\nTotal deductions", DOLLARS, 10, lambda w: w.money["deductions"]),
    ("ប្រាក់ត្រូវបើក / Net pay", "ប្រាក់សុទ្ធ ($)\nNet pay (USD)", DOLLARS, 11, lambda w: w.money["net"]),
    ("ប្រាក់ត្រូវបើក / Net pay", "ប្រាក់សុទ្ធ (៛)\nNet pay (KHR)", RIEL, 12, lambda w: w.money["net_riel"]),
    ("", "របៀបបើកប្រាក់\nPay method", "@", 10, lambda w: w.method),
    ("", "ធនាគារ\nBank", "@", 10, lambda w: w.bank),
    ("", "លេខគណនី\nAccount no.", "@", 14, lambda w: w.account),
    ("", "លេខទូរស័ព្ទ\nPhone", "@", 14, lambda w: w.phone),
]
HEADERS = [header for _, header, *_ in COLUMNS]
TITLE_ROWS, HEADER_ROW = 4, 5  # group captions in row 5, columns in row 6


def _index(word: str) -> int:
    return next(index for index, header in enumerate(HEADERS) if word in header)


def plant(workers: list[Worker], random_: random.Random) -> list[dict[str, Any]]:
    """Make a known few of the lines wrong, as clerks and spreadsheets do; returns what was done to whom."""
    order = list(workers)
    random_.shuffle(order)
    told: list[dict[str, Any]] = []

    def take(kind: str, fits: Callable[[Worker], bool], **more: Any) -> Worker:
        found = next(w for w in order if fits(w))
        order.remove(found)
        told.append({"kind": kind, "worker_code": found.code, **more})
        return found

    short = take("overtime_underpaid", lambda w: w.ot_hours >= 10)
    short.money["ot_pay"] = (short.money["ot_pay"] * 2 / 3).quantize(Decimal("0.01"))  # paid at 100 % instead of 150 %
    total(short.money)
    old = take("seniority_bonus_missing", lambda w: w.money["seniority"] >= 3)
    old.money["seniority"] = Decimal(0)
    total(old.money)
    regular = take("attendance_bonus_missing", lambda w: not w.absent)
    regular.money["attendance"] = Decimal(0)
    total(regular.money)
    hungry = take("meal_missing", lambda w: w.ot_days >= 8)
    hungry.money["meal"] = Decimal(0)
    total(hungry.money)
    off = take("net_off_by_a_cent", lambda w: w.method == "bank")
    off.money["net"] -= Decimal("0.01")
    off.money["net_riel"] = int(off.money["net"] * 4000)
    first = take("shared_account", lambda w: w.method == "bank")
    second = take("shared_account", lambda w: w.method == "bank", shared_with=first.code)
    second.account, second.bank = first.account, first.bank
    damaged = take("account_damaged", lambda w: w.method == "bank", row_rejected=True)
    damaged.account = "1.23457E+13"
    two = take("two_phones", lambda w: w.method == "wallet", row_rejected=True)
    two.phone = f"0{two.phone[4:]} / 012 345 678"
    lost = take("phone_lost_zero", lambda w: w.method == "wallet")
    lost.phone = lost.phone[4:]
    return told


def make_workers(count: int, seed: int, period: str) -> tuple[list[Worker], date, random.Random]:
    """The factory's workers with their lawful month."""
    year, month = int(period[:4]), int(period[5:])
    first_day, last_day = date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
    random_ = random.Random(seed)  # noqa: S311  the same seed builds the same factory
    workers = [worker(random_, number, first_day, last_day) for number in range(1, count + 1)]
    for entry in workers:
        compute(entry, last_day)
    return workers, last_day, random_


def build_payroll(workers: int, seed: int, path: str | Path, *, faults: bool = True, period: str = "2026-11") -> dict[str, Any]:
    """Write the workbook and return what is in it: sums, planted faults, workers."""
    entries, _, random_ = make_workers(workers, seed, period)
    planted = plant(entries, random_) if faults else []
    year, month = int(period[:4]), int(period[5:])
    titles = [
        COMPANY,
        "បញ្ជីបើកប្រាក់ឈ្នួល / Payroll",
        f"ប្រចាំខែ{KHMER_MONTHS[month - 1]} ឆ្នាំ{year} / {calendar.month_name[month]} {year}",
        "អត្រាប្តូរប្រាក់ / Exchange rate: 4,000 KHR",
    ]
    _write(entries, Path(path), titles, large=workers >= LARGE)
    return {"period": period, "workers": entries, "planted": planted, "net": sum((w.money["net"] for w in entries), Decimal(0))}


def _groups() -> list[tuple[str, int, int]]:
    spans: list[tuple[str, int, int]] = []
    for index, (group, *_) in enumerate(COLUMNS, 1):
        if spans and group and spans[-1][0] == group:
            spans[-1] = (group, spans[-1][1], index)
        else:
            spans.append((group, index, index))
    return spans


Make = Callable[..., Cell]


def _maker(sheet: Worksheet) -> Make:
    """Makes a cell with a value and a format; `head=True` for captions."""
    bold, fill = Font(bold=True), PatternFill("solid", fgColor="DDEBF7")
    wrapped = Alignment(wrap_text=True, horizontal="center", vertical="center")

    def cell(value: Any, form: str = "General", *, head: bool = False) -> Cell:
        made: Cell = WriteOnlyCell(sheet, value=value)
        made.number_format = form
        if head:
            made.font, made.fill, made.alignment = bold, fill, wrapped
        return made

    return cell


def _write(entries: list[Worker], path: Path, titles: list[str], *, large: bool) -> None:
    book = Workbook(write_only=large)
    sheet = book.create_sheet("Payroll")
    if not large:
        book.remove(book.worksheets[0])
    for index, (_, _, _, width, _) in enumerate(COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    cell = _maker(sheet)
    for row in _heading(titles, cell):
        sheet.append(row)
    for entry in entries:
        sheet.append([cell(read(entry), form) for _, _, form, _, read in COLUMNS])
    sheet.append(_totals(entries, cell))
    sheet.append([])
    signs = ("រៀបចំដោយ / Prepared by", "ត្រួតពិនិត្យដោយ / Checked by", "អនុម័តដោយ / Approved by")
    for line in (signs, ("........................",) * 3):
        sheet.append([None, cell(line[0]), *[None] * 8, cell(line[1]), *[None] * 8, cell(line[2])])
    for area in _merged(HEADER_ROW + 2 + len(entries)):
        if large:
            sheet.merged_cells.ranges.add(area)
        else:
            sheet.merge_cells(area)
    if not large:
        sheet.freeze_panes = f"E{HEADER_ROW + 2}"
    book.save(path)


def _heading(titles: list[str], cell: Make) -> list[list[Any]]:
    starts = {first: group for group, first, _ in _groups() if group}
    upper = [cell(starts.get(i) or (None if group else header), head=True) for i, (group, header, *_) in enumerate(COLUMNS, 1)]
    lower = [cell(header if group else None, head=True) for group, header, *_ in COLUMNS]
    return [*[[cell(title)] for title in titles], upper, lower]


def _merged(totals_row: int) -> list[str]:
    areas = [f"A{row}:{get_column_letter(len(COLUMNS))}{row}" for row in range(1, TITLE_ROWS + 1)]
    for group, first, last in _groups():
        lower = HEADER_ROW if group else HEADER_ROW + 1
        areas.append(f"{get_column_letter(first)}{HEADER_ROW}:{get_column_letter(last)}{lower}")
    return [*areas, f"A{totals_row}:G{totals_row}"]


def _totals(entries: list[Worker], cell: Make) -> list[Any]:
    row: list[Any] = [cell("សរុប / Total")]
    for _, _, form, _, read in COLUMNS[1:]:
        if form in {DOLLARS, RIEL, HOURS}:
            row.append(cell(sum((read(entry) for entry in entries), Decimal(0)), form))
        else:
            row.append(None)
    return row


def accounts_of(entries: list[Worker]) -> dict[str, list[dict[str, str]]]:
    """What the simulated bank and wallet know: every account but for a few faults.

    In each, two are closed and two are blocked between the account check and payday; one at the bank belongs to somebody else.
    """
    bank: dict[str, dict[str, str]] = {}
    wallet: dict[str, dict[str, str]] = {}
    for entry in entries:
        if entry.method == "bank" and entry.account.isdigit():
            bank.setdefault(entry.account, {"account": entry.account, "holder": entry.name_latin, "status": "open"})
        if entry.method == "wallet" and "/" not in entry.phone:
            phone = entry.phone if entry.phone.startswith("+") else f"+855{entry.phone}"
            wallet.setdefault(phone, {"account": phone, "holder": entry.name_latin, "status": "open"})
    for known in (bank, wallet):
        for entry_ in list(known.values())[5:40:20]:
            entry_["status"] = "closed"
        for entry_ in list(known.values())[9:40:20]:
            entry_["status"] = "blocked"
    if len(bank) > 12:
        list(bank.values())[12]["holder"] = "Somebody Else"
    return {"bank": list(bank.values()), "wallet": list(wallet.values())}


def main() -> None:
    """Build one payroll from the command line."""
    parser = argparse.ArgumentParser(description="Build a synthetic garment payroll.")
    parser.add_argument("--workers", type=int, default=300)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--period", default="2026-11", help="YYYY-MM")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--accounts", type=Path, help="write what the simulated bank and wallet know, as JSON")
    parser.add_argument("--manifest", type=Path, help="write the planted faults, as JSON")
    parser.add_argument("--no-faults", action="store_true")
    options = parser.parse_args()
    built = build_payroll(options.workers, options.seed, options.out, faults=not options.no_faults, period=options.period)
    if options.accounts:
        options.accounts.write_text(json.dumps(accounts_of(built["workers"]), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if options.manifest:
        told = {"period": built["period"], "workers": len(built["workers"]), "net": str(built["net"]), "planted": built["planted"]}
        options.manifest.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
