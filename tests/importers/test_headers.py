"""The words of real headers find their meaning, and what is not certain is asked instead of taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.contract import Meaning
from importers.headers import TAKEN_FROM, currency_of, guess

M = Meaning

# Words seen in published Cambodian payroll, tax and bank sheets, and those usual in garment factories.
SEEN = {
    "ល.រ": M.LINE_NUMBER,
    "ប័ណ្ណ ការងារ": M.WORKER_CODE,
    "នាម និង គោត្តនាម": M.NAME,
    "គោត្តនាម និងនាម": M.NAME,
    "ឈ្មោះ (ខ្មែរ)": M.NAME,
    "ភេទ": M.SEX,
    "មុខងារ": M.POSITION,
    "តួនាទី": M.POSITION,
    "មុខតំណែង": M.POSITION,
    "នាយកដ្ឋាន": M.DEPARTMENT,
    "ក្រុម": M.DEPARTMENT,
    "ទីតាំងការងារ": M.DEPARTMENT,
    "ថ្ងៃចូលធ្វើការ": M.JOINED_ON,
    "លេខអត្តសញ្ញាណប័ណ្ណ": M.NATIONAL_ID,
    "លេខទូរស័ព្ទ": M.PHONE,
    "លេខគណនី": M.ACCOUNT,
    "ឈ្មោះគណនី": M.ACCOUNT_NAME,
    "គណនីធនាគារ": M.ACCOUNT,
    "បៀវត្សគោល": M.BASIC_WAGE,
    "ប្រាក់ខែគោល": M.BASIC_WAGE,
    "ថែមម៉ោងធម្មតា ($)": M.OVERTIME_PAY,
    "ថែមម៉ោងថ្ងៃឈប់សម្រាក ($)": M.REST_DAY_PAY,
    "ថ្ងៃធ្វើការ": M.DAYS_WORKED,
    "វត្តមាន": M.DAYS_WORKED,
    "អវត្តមាន": M.DAYS_ABSENT,
    "មានច្បាប់": M.DAYS_LEAVE,
    "សុំច្បាប់": M.DAYS_LEAVE,
    "ប្រាក់រង្វាន់លើកទឹកចិត្ត": M.OTHER_ALLOWANCE,
    "ប្រាក់ឧបត្ថម្ភ": M.OTHER_ALLOWANCE,
    "ប្រាក់បំណាច់អតីតភាពការងារ": M.SENIORITY_INDEMNITY,
    "ប្រាក់រំលឹកអតីតភាពការងារ": M.BACK_PAY,
    "ភាគទានសោធន 2%": M.PENSION,
    "ប្តី/ប្រពន្ធ": M.SPOUSE,
    "សហព័ទ្ធ": M.SPOUSE,
    "កូនក្នុងបន្ទុក": M.CHILDREN,
    "ពន្ធលើប្រាក់បៀវត្ស": M.SALARY_TAX,
    "ពន្ធលើប្រាក់ខែ": M.SALARY_TAX,
    "ចំនួនប្រាក់កម្ចី": M.LOAN,
    "បៀវត្សត្រូវទទួល បានបន្ទាប់ពីដកពន្ធ($)": M.NET,
    "លេខកូដ": M.WORKER_CODE,
    "អត្តលេខ": M.WORKER_CODE,
    "ឈ្មោះ": M.NAME,
    "ប្រាក់ឈ្នួលអប្បបរមា": M.BASIC_WAGE,
    "ប្រាក់រង្វាន់ធ្វើការទៀងទាត់": M.ATTENDANCE_BONUS,
    "ប្រាក់ធ្វើដំណើរ និងស្នាក់នៅ": M.TRANSPORT_ALLOWANCE,
    "ប្រាក់អតីតភាព": M.SENIORITY_BONUS,
    "ប្រាក់បាយ": M.MEAL_ALLOWANCE,
    "ថ្លៃអាហារ": M.MEAL_ALLOWANCE,
    "ធ្វើការថ្ងៃអាទិត្យ (ម៉ោង)": M.REST_DAY_HOURS,
    "បុណ្យ (ម៉ោង)": M.HOLIDAY_HOURS,
    "ប្រាក់កក់": M.ADVANCE,
    "បុរេប្រទាន": M.ADVANCE,
    "ប្រាក់ត្រូវបើក": M.NET,
    "ប្រាក់សុទ្ធ": M.NET,
    "Empcode": M.WORKER_CODE,
    "Working Day": M.DAYS_WORKED,
    "Normal OT hours": M.OVERTIME_HOURS,
    "Weekend OT hrs": M.REST_DAY_HOURS,
    "Holiday OT (hours)": M.HOLIDAY_HOURS,
    "Absent": M.DAYS_ABSENT,
    "Bank Account Number": M.ACCOUNT,
    "Name in Khmer": M.NAME,
    "Name in English": M.NAME_LATIN,
    "Attendance bonus": M.ATTENDANCE_BONUS,
    "House/Transport allowance": M.TRANSPORT_ALLOWANCE,
    "Seniority Bonus ($)": M.SENIORITY_BONUS,
    "工号": M.WORKER_CODE,
    "姓名": M.NAME,
    "部门": M.DEPARTMENT,
    "入职日期": M.JOINED_ON,
    "基本工资": M.BASIC_WAGE,
    "加班时数 150%": M.OVERTIME_HOURS,
    "加班费 150%": M.OVERTIME_PAY,
    "全勤奖": M.ATTENDANCE_BONUS,
    "应发工资": M.GROSS,
    "实发工资": M.NET,
}
ASKED = [
    "netto",
    "Net",
    "basic",
    "Salary",
    "Total",
    "សរុប",
    "ប្រាក់ខែ",
    "ប្រាក់បៀវត្ស",
    "OT",
    "ថែមម៉ោង",
    "Overtime 200 %",
    "Bonus",
    "Amount",
    "ID",
    "Rate",
    "200%",
]


def taken(header: str, groups: str = "") -> M | None:
    guesses = guess(header, groups)
    return guesses[0].meaning if guesses and guesses[0].score >= TAKEN_FROM else None


def test_nineteen_of_twenty_known_headers_are_read_and_none_wrongly() -> None:
    found = {header: taken(header) for header in SEEN}
    wrong = {header: meaning for header, meaning in found.items() if meaning not in (None, SEEN[header])}
    assert wrong == {}
    asked = [header for header, meaning in found.items() if meaning is None]
    assert len(asked) <= len(SEEN) * 0.05, asked


@pytest.mark.parametrize("header", ASKED)
def test_a_word_that_can_mean_several_things_is_asked_about(header: str) -> None:
    assert taken(header) is None


@pytest.mark.parametrize(
    ("groups", "header", "meaning"),
    [
        ("Overtime", "150 % (hours)", M.OVERTIME_HOURS),
        ("Overtime (USD)", "150%", M.OVERTIME_PAY),
        ("Overtime / Hours", "Night 200%", M.NIGHT_OVERTIME_HOURS),
        ("Overtime", "Meal", M.MEAL_ALLOWANCE),
        ("Deductions", "Advance", M.ADVANCE),
        ("Employer contribution", "Pension", None),
        ("Last month", "Net pay", None),
        ("Earned", "Basic wage", None),
        ("Overtime", "200 %", None),
    ],
)
def test_group_captions_complete_or_darken_a_header(groups: str, header: str, meaning: M | None) -> None:
    assert taken(header, groups) is meaning


@pytest.mark.parametrize("word", ["Net pay / Basic wage", "Pension (employer)", "Gross or net pay", "Previous net salary"])
def test_a_header_that_names_two_things_is_asked_about(word: str) -> None:
    assert taken(word) is None


@given(st.sampled_from(sorted(SEEN)), st.data())
def test_zero_width_spaces_and_case_change_nothing(header: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(header)))
    disguised = header[:place] + "\u200b" + header[place:]
    assert taken(disguised.swapcase() if header.isascii() else disguised) == taken(header)


@given(st.text(max_size=40))
def test_any_text_may_stand_in_a_header(text: str) -> None:
    for found in guess(text):
        assert 0 <= found.score <= 1
        assert found.reason


@pytest.mark.parametrize(("text", "code"), [("Net ($)", "USD"), ("ប្រាក់សុទ្ធ (៛)", "KHR"), ("Net", None), ("$ / ៛", None), ("Musd", None)])
def test_currency_in_a_header(text: str, code: str | None) -> None:
    assert currency_of(text) == code
