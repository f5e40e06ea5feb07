"""The blank template to download and fill in, and the dictionary of every column that is understood."""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import chain
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from importers.contract import Meaning
from importers.headers import words_of
from importers.kinds import DAYS, HOURS, IDENTITIES, MONEY, NAME_PARTS
from importers.period import PayPeriod

_LAST_ROW = 5_000
_HEADER_ROW = 4
_TEXT, _MONEY, _NUMBER, _DAY = "@", '"$"#,##0.00', "0.00", "dd/mm/yyyy"

LABELS: dict[Meaning, tuple[str, str]] = {
    Meaning.LINE_NUMBER: ("ល.រ", "No."),
    Meaning.WORKER_CODE: ("លេខកូដ", "Worker code"),
    Meaning.NAME: ("ឈ្មោះ", "Name (Khmer)"),
    Meaning.NAME_LATIN: ("ឈ្មោះជាអក្សរឡាតាំង", "Name (Latin)"),
    Meaning.SEX: ("ភេទ", "Sex"),
    Meaning.NATIONAL_ID: ("លេខអត្តសញ្ញាណប័ណ្ណ", "National ID"),
    Meaning.PHONE: ("លេខទូរស័ព្ទ", "Phone"),
    Meaning.POSITION: ("មុខងារ", "Position"),
    Meaning.DEPARTMENT: ("ផ្នែក", "Section"),
    Meaning.JOINED_ON: ("ថ្ងៃចូលធ្វើការ", "Join date"),
    Meaning.LEFT_ON: ("ថ្ងៃឈប់ធ្វើការ", "Leaving date"),
    Meaning.STATUS: ("ស្ថានភាពការងារ", "Worker status"),
    Meaning.SPOUSE: ("សហព័ទ្ធ", "Dependent spouse"),
    Meaning.CHILDREN: ("កូនក្នុងបន្ទុក", "Dependent children"),
    Meaning.PAY_METHOD: ("របៀបបើកប្រាក់", "Pay method"),
    Meaning.BANK: ("ធនាគារ", "Bank"),
    Meaning.ACCOUNT: ("លេខគណនី", "Account no."),
    Meaning.ACCOUNT_NAME: ("ឈ្មោះគណនី", "Account name"),
    Meaning.DAYS_WORKED: ("ថ្ងៃធ្វើការ", "Days worked"),
    Meaning.DAYS_ABSENT: ("អវត្តមាន", "Absent days"),
    Meaning.DAYS_LEAVE: ("ឈប់សម្រាកប្រចាំឆ្នាំ", "Annual leave days"),
    Meaning.DAYS_SICK: ("ថ្ងៃឈឺ", "Sick days"),
    Meaning.DAYS_HOLIDAY: ("ថ្ងៃបុណ្យមិនធ្វើការ", "Public holidays not worked"),
    Meaning.OVERTIME_DAYS: ("ចំនួនថ្ងៃថែមម៉ោង", "OT days"),
    Meaning.OVERTIME_HOURS: ("ថែមម៉ោង ១៥០% (ម៉ោង)", "OT 150 % (hours)"),
    Meaning.NIGHT_OVERTIME_HOURS: ("ថែមម៉ោងយប់ ២០០% (ម៉ោង)", "Night OT 200 % (hours)"),
    Meaning.REST_DAY_HOURS: ("ថ្ងៃអាទិត្យ (ម៉ោង)", "Sunday (hours)"),
    Meaning.HOLIDAY_HOURS: ("ថ្ងៃបុណ្យ (ម៉ោង)", "Public holiday (hours)"),
    Meaning.NIGHT_HOURS: ("ធ្វើការយប់ ១៣០% (ម៉ោង)", "Night work 130 % (hours)"),
    Meaning.BASIC_WAGE: ("ប្រាក់ឈ្នួលគោល", "Basic wage"),
    Meaning.BASIC_PAY: ("ប្រាក់ឈ្នួលតាមថ្ងៃធ្វើការ", "Basic pay"),
    Meaning.PIECE_PAY: ("ប្រាក់ស៊ីដុំ", "Piece rate pay"),
    Meaning.OVERTIME_PAY: ("ប្រាក់ថែមម៉ោង ១៥០%", "OT pay 150 %"),
    Meaning.NIGHT_OVERTIME_PAY: ("ប្រាក់ថែមម៉ោងយប់ ២០០%", "Night OT pay 200 %"),
    Meaning.REST_DAY_PAY: ("ប្រាក់ថ្ងៃអាទិត្យ ២០០%", "Sunday pay 200 %"),
    Meaning.HOLIDAY_PAY: ("ប្រាក់ថ្ងៃបុណ្យ", "Public holiday pay"),
    Meaning.HOLIDAY_WAGE: ("ប្រាក់ឈ្នួលថ្ងៃបុណ្យមិនធ្វើការ", "Pay for holidays not worked"),
    Meaning.NIGHT_PAY: ("ប្រាក់ធ្វើការយប់ ១៣០%", "Night work pay 130 %"),
    Meaning.ATTENDANCE_BONUS: ("រង្វាន់ធ្វើការទៀងទាត់", "Attendance bonus"),
    Meaning.TRANSPORT_ALLOWANCE: ("ប្រាក់ធ្វើដំណើរ និងស្នាក់នៅ", "Transport"),
    Meaning.SENIORITY_BONUS: ("ប្រាក់អតីតភាព", "Seniority bonus"),
    Meaning.MEAL_ALLOWANCE: ("ប្រាក់បាយថែមម៉ោង", "OT meal"),
    Meaning.SENIORITY_INDEMNITY: ("ប្រាក់បំណាច់អតីតភាពការងារ", "Seniority indemnity"),
    Meaning.BACK_PAY: ("ប្រាក់រំលឹកអតីតភាពការងារ", "Back pay"),
    Meaning.LEAVE_PAY: ("ប្រាក់ច្បាប់ប្រចាំឆ្នាំ", "Annual leave pay"),
    Meaning.OTHER_ALLOWANCE: ("ប្រាក់ឧបត្ថម្ភផ្សេងៗ", "Other allowance"),
    Meaning.GROSS: ("ប្រាក់ឈ្នួលសរុប", "Gross pay"),
    Meaning.PENSION: ("ភាគទានសោធន", "NSSF pension"),
    Meaning.SALARY_TAX: ("ពន្ធលើប្រាក់ខែ", "Salary tax"),
    Meaning.FIRST_HALF_PAID: ("បានបើកលើកទី១", "First half paid"),
    Meaning.ADVANCE: ("ប្រាក់កក់", "Advance"),
    Meaning.LOAN: ("ប្រាក់កម្ចី", "Loan"),
    Meaning.UNION_DUES: ("ភាគទានសហជីព", "Union dues"),
    Meaning.OTHER_DEDUCTION: ("កាត់ផ្សេងៗ", "Other deductions"),
    Meaning.TOTAL_DEDUCTIONS: ("សរុបការកាត់", "Total deductions"),
    Meaning.NET: ("ប្រាក់សុទ្ធ", "Net pay"),
    Meaning.EXCHANGE_RATE: ("អត្រាប្តូរប្រាក់", "Exchange rate"),
    Meaning.SIGNATURE: ("ហត្ថលេខា", "Signature"),
    Meaning.NOTE: ("សម្គាល់", "Note"),
    Meaning.FAMILY_NAME: ("នាមត្រកូល", "Family name"),
    Meaning.GIVEN_NAME: ("នាមខ្លួន", "Given name"),
    Meaning.FAMILY_NAME_LATIN: ("នាមត្រកូលជាអក្សរឡាតាំង", "Family name (Latin)"),
    Meaning.GIVEN_NAME_LATIN: ("នាមខ្លួនជាអក្សរឡាតាំង", "Given name (Latin)"),
    Meaning.NOT_PAID: ("មិនមែនជាប្រាក់បើក", "Not paid to the worker"),
}
_LEFT_OUT = {Meaning.EXCHANGE_RATE, Meaning.SIGNATURE, Meaning.BASIC_PAY, Meaning.NIGHT_HOURS, Meaning.NIGHT_PAY, Meaning.BACK_PAY} | {
    Meaning.NOT_PAID,
    *chain.from_iterable(NAME_PARTS.values()),
}
TEMPLATE = tuple(meaning for meaning in LABELS if meaning not in _LEFT_OUT)
_EXAMPLE: dict[Meaning, Any] = {
    Meaning.WORKER_CODE: "EXAMPLE / ឧទាហរណ៍",
    Meaning.NAME: "សុខ សុភា",
    Meaning.NAME_LATIN: "Sok Sophea",
    Meaning.SEX: "F",
    Meaning.PHONE: "012 345 678",
    Meaning.PAY_METHOD: "bank",
    Meaning.BANK: "ABA",
    Meaning.ACCOUNT: "000123456",
    Meaning.DAYS_WORKED: 26,
    Meaning.OVERTIME_HOURS: 10.5,
    Meaning.BASIC_WAGE: 210,
}
_LISTS = {Meaning.SEX: "F,M", Meaning.PAY_METHOD: "bank,wallet,cash", Meaning.STATUS: "regular,probation,piece rate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnWords:
    """A column we understand: its meaning, how the template calls it, its unit, and the words by which it is recognised."""

    meaning: Meaning
    label: str
    label_km: str
    unit: str
    required: bool
    words: tuple[str, ...]


def column_dictionary() -> list[ColumnWords]:
    """Every column that is understood, in the template's order."""
    return [
        ColumnWords(
            meaning=meaning,
            label=english,
            label_km=khmer,
            unit=_unit(meaning),
            required=meaning in {Meaning.WORKER_CODE, Meaning.NAME, Meaning.NET},
            words=words_of(meaning),
        )
        for meaning, (khmer, english) in LABELS.items()
    ]


def _unit(meaning: Meaning) -> str:
    if meaning in MONEY:
        return "money, USD or KHR"
    if meaning in HOURS:
        return "hours, 10.5 or 10:30"
    if meaning in DAYS:
        return "days"
    if meaning in {Meaning.JOINED_ON, Meaning.LEFT_ON}:
        return "date, day/month/year"
    return "text"


def blank_template(period: PayPeriod) -> bytes:
    """An empty payroll of `period` as an xlsx: protected header, lists to choose from, one example row that is never paid."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = f"Payroll {period}"
    page["A1"] = "បញ្ជីបើកប្រាក់ឈ្នួល / Payroll"
    page["A2"] = f"Period / ខែ: {period}"
    page["A3"] = "Amounts in US dollars. One row for each worker. / ចំនួនប្រាក់គិតជាដុល្លារ។ កម្មករម្នាក់មួយជួរ។"
    page["A1"].font = Font(bold=True, size=14)
    bold, fill = Font(bold=True), PatternFill("solid", fgColor="DDEBF7")
    for column, meaning in enumerate(TEMPLATE, 1):
        khmer, english = LABELS[meaning]
        head = page.cell(row=_HEADER_ROW, column=column, value=f"{khmer}\n{english}{' (USD)' if meaning in MONEY else ''}")
        head.font, head.fill = bold, fill
        head.alignment = Alignment(wrap_text=True, horizontal="center", vertical="center")
        _open_column(page, column, meaning)
        example = page.cell(row=_HEADER_ROW + 1, column=column, value=_EXAMPLE.get(meaning))
        example.font = Font(italic=True, color="808080")
        example.number_format = _format(meaning)
    page.freeze_panes = f"E{_HEADER_ROW + 1}"
    page.protection.sheet = True
    page.protection.formatColumns = False
    page.protection.insertRows = False
    page.protection.deleteRows = False
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _format(meaning: Meaning) -> str:
    if meaning in MONEY:
        return _MONEY
    if meaning in HOURS | DAYS:
        return _NUMBER
    if meaning in {Meaning.JOINED_ON, Meaning.LEFT_ON}:
        return _DAY
    return _TEXT if meaning in IDENTITIES else "General"


def _open_column(page: Worksheet, column: int, meaning: Meaning) -> None:
    """Below the header the column is open to typing, in its own format; accounts and phones are text from the start."""
    letter = get_column_letter(column)
    shape = page.column_dimensions[letter]
    shape.width = 16
    shape.number_format = _format(meaning)
    shape.protection = Protection(locked=False)
    if meaning in _LISTS:
        choice = DataValidation(type="list", formula1=f'"{_LISTS[meaning]}"', allow_blank=True, showErrorMessage=True)
        choice.error = f"Choose one of: {_LISTS[meaning]}"
        page.add_data_validation(choice)
        choice.add(f"{letter}{_HEADER_ROW + 1}:{letter}{_LAST_ROW}")
