"""Every header word that was collected from published sheets: the right meaning is found, and nothing wrong is taken without asking."""

from __future__ import annotations

import pytest

from importers.contract import Meaning
from importers.headers import TAKEN_FROM, Guess, currency_of, guess

M = Meaning
OVERTIME = {M.OVERTIME_HOURS, M.OVERTIME_PAY}
REST_DAY = {M.REST_DAY_HOURS, M.REST_DAY_PAY}
HOLIDAY = {M.HOLIDAY_HOURS, M.HOLIDAY_PAY}

# Cambodian human resources, tax, social-security and bank sheets. A set: the word alone does not say which, so a person is asked.
KHMER: dict[str, Meaning | set[Meaning]] = {
    "ល.រ": M.LINE_NUMBER, "ប័ណ្ណ ការងារ": M.WORKER_CODE, "លេខកូដ": M.WORKER_CODE, "អត្តលេខ": M.WORKER_CODE,
    "នាម និង គោត្តនាម": M.NAME, "គោត្តនាម និងនាម": M.NAME, "ឈ្មោះ (ខ្មែរ)": M.NAME, "ឈ្មោះ": M.NAME,
    "នាមត្រកូល": M.FAMILY_NAME, "នាមខ្លួន": M.GIVEN_NAME, "ភេទ": M.SEX,
    "មុខងារ": M.POSITION, "តួនាទី": M.POSITION, "មុខតំណែង": M.POSITION,
    "នាយកដ្ឋាន": M.DEPARTMENT, "ក្រុម": M.DEPARTMENT, "ទីតាំងការងារ": M.DEPARTMENT,
    "ថ្ងៃចូលធ្វើការ": M.JOINED_ON, "លេខអត្តសញ្ញាណប័ណ្ណ": M.NATIONAL_ID, "លេខទូរស័ព្ទ": M.PHONE,
    "លេខគណនី": M.ACCOUNT, "គណនីធនាគារ": M.ACCOUNT, "ឈ្មោះគណនី": M.ACCOUNT_NAME,
    "បៀវត្សគោល": M.BASIC_WAGE, "ប្រាក់ខែគោល": M.BASIC_WAGE, "ប្រាក់ឈ្នួលអប្បបរមា": M.BASIC_WAGE,
    "ប្រាក់បៀវត្ស": {M.BASIC_WAGE}, "ប្រាក់ខែ": {M.BASIC_WAGE}, "ប្រាក់ឈ្នួលមធ្យម": M.NOT_PAID,
    "ថែមម៉ោង": OVERTIME, "ការថែមម៉ោង": OVERTIME, "ថែមម៉ោងធម្មតា": OVERTIME, "ម៉ោងបន្ថែម": OVERTIME,
    "ថែមម៉ោងថ្ងៃឈប់សម្រាក": REST_DAY, "ធ្វើការថ្ងៃអាទិត្យ": REST_DAY, "បុណ្យ": HOLIDAY,
    "ថ្ងៃធ្វើការ": M.DAYS_WORKED, "វត្តមាន": M.DAYS_WORKED, "អវត្តមាន": M.DAYS_ABSENT,
    "មានច្បាប់": M.DAYS_LEAVE, "សុំច្បាប់": M.DAYS_LEAVE, "យឺត": M.NOT_PAID, "មកយឺត": M.NOT_PAID, "ចេញមុន": M.NOT_PAID,
    "ប្រាក់រង្វាន់លើកទឹកចិត្ត": M.OTHER_ALLOWANCE, "ប្រាក់ឧបត្ថម្ភ": M.OTHER_ALLOWANCE,
    "ប្រាក់រង្វាន់ធ្វើការទៀងទាត់": M.ATTENDANCE_BONUS, "ប្រាក់ធ្វើដំណើរ និងស្នាក់នៅ": M.TRANSPORT_ALLOWANCE,
    "ប្រាក់អតីតភាព": M.SENIORITY_BONUS, "ប្រាក់បាយ": M.MEAL_ALLOWANCE, "ថ្លៃអាហារ": M.MEAL_ALLOWANCE,
    "ប្រាក់បំណាច់អតីតភាពការងារ": M.SENIORITY_INDEMNITY, "ប្រាក់រំលឹកអតីតភាពការងារ": M.BACK_PAY,
    "ប្រាក់បំណាច់កិច្ចសន្យា": {M.OTHER_ALLOWANCE},
    "ហានិ.ការងារ": M.NOT_PAID, "ថែទាំសុខភាព": M.NOT_PAID, "ភាគទានសោធន 2%": M.PENSION, "ភាគទានសោធន...2%": M.PENSION,
    "ប្តី/ប្រពន្ធ": M.SPOUSE, "សហព័ទ្ធ": M.SPOUSE, "កូនក្នុងបន្ទុក": M.CHILDREN,
    "មូលដ្ឋានគិតពន្ធរៀល": M.NOT_PAID, "អត្រា ពន្ធ(%)": M.NOT_PAID, "ប្រាក់ខែលើកលែងពន្ធ": M.NOT_PAID,
    "ពន្ធលើប្រាក់បៀវត្ស": M.SALARY_TAX, "ពន្ធលើប្រាក់ខែ": M.SALARY_TAX, "ចំនួនប្រាក់កម្ចី": M.LOAN,
    "ប្រាក់កក់": M.ADVANCE, "បុរេប្រទាន": M.ADVANCE, "កាត់ប្រាក់": {M.TOTAL_DEDUCTIONS},
    "បៀវត្សត្រូវទទួល បានបន្ទាប់ពីដកពន្ធ($)": M.NET, "ប្រាក់ត្រូវបើក": M.NET, "ប្រាក់សុទ្ធ": M.NET,
    "សរុប": {M.GROSS, M.TOTAL_DEDUCTIONS},
    # two columns of one sheet, apart by a space: the base that was earned, and everything that was earned
    "បៀវត្សគោល ទទួលបាន($)": {M.BASIC_PAY, M.GROSS}, "បៀវត្សគោលទទួលបាន($)": {M.BASIC_PAY, M.GROSS},
}  # fmt: skip
# Bank letters, attendance sheets, Bangladesh's wage register (Form 38), systems from Vietnam.
LATIN: dict[str, Meaning | set[Meaning]] = {
    "No.": M.LINE_NUMBER, "Name in Khmer": M.NAME, "Name in English": M.NAME_LATIN, "Bank Account Number": M.ACCOUNT,
    "Fee": {M.NOT_PAID}, "Amounts": {M.NET}, "Other": {M.NOTE, M.OTHER_ALLOWANCE, M.OTHER_DEDUCTION},
    "Empcode": M.WORKER_CODE, "Date": {M.NOT_PAID}, "Working Day": M.DAYS_WORKED, "Present": M.DAYS_WORKED,
    "Permission": M.DAYS_LEAVE, "Absent": M.DAYS_ABSENT, "Weekend OT": REST_DAY, "Normal OT": OVERTIME, "Holiday OT": HOLIDAY,
    "Time Late": M.NOT_PAID, "Leave Early": M.NOT_PAID,
    "serial": M.LINE_NUMBER, "register no.": M.WORKER_CODE, "name": M.NAME, "basic": {M.BASIC_WAGE, M.BASIC_PAY},
    "house rent": M.OTHER_ALLOWANCE, "transport": M.TRANSPORT_ALLOWANCE, "medical": M.OTHER_ALLOWANCE, "food": M.MEAL_ALLOWANCE,
    "attendance bonus": M.ATTENDANCE_BONUS, "OT hours": M.OVERTIME_HOURS, "OT rate": M.NOT_PAID, "OT pay": M.OVERTIME_PAY,
    "total": {M.GROSS, M.TOTAL_DEDUCTIONS}, "deduction": {M.TOTAL_DEDUCTIONS}, "net": {M.NET}, "signature": M.SIGNATURE,
    "STT": M.LINE_NUMBER, "Ho_va_ten": M.NAME, "So_tai_khoan": M.ACCOUNT, "Tong_luong": M.GROSS, "Ung_luong_lan1": M.ADVANCE,
    "netto": {M.NET}, "basic salary": M.BASIC_WAGE, "Family name": M.FAMILY_NAME, "First name": M.GIVEN_NAME,
}  # fmt: skip
CHINESE: dict[str, Meaning | set[Meaning]] = {
    "序号": M.LINE_NUMBER, "工号": M.WORKER_CODE, "员工编号": M.WORKER_CODE, "姓名": M.NAME, "中文姓名": M.NAME, "柬文名": M.NAME,
    "英文名": M.NAME_LATIN, "性别": M.SEX, "身份证号码": M.NATIONAL_ID, "联系电话": M.PHONE, "部门": M.DEPARTMENT, "车间": M.DEPARTMENT,
    "班组": M.DEPARTMENT, "职务": M.POSITION, "岗位": M.POSITION, "进厂日期": M.JOINED_ON, "离职日期": M.LEFT_ON, "银行账号": M.ACCOUNT,
    "开户银行": M.BANK, "开户名": M.ACCOUNT_NAME, "付款方式": M.PAY_METHOD, "应出勤天数": M.NOT_PAID, "实际出勤天数": M.DAYS_WORKED,
    "旷工": M.DAYS_ABSENT, "病假": M.DAYS_SICK, "年假": M.DAYS_LEAVE, "底薪": M.BASIC_WAGE, "计件工资": M.PIECE_PAY,
    "平时加班小时": M.OVERTIME_HOURS, "平时加班费": M.OVERTIME_PAY, "周日加班小时": M.REST_DAY_HOURS, "节假日加班费": M.HOLIDAY_PAY,
    "夜班加班费": M.NIGHT_OVERTIME_PAY, "夜班津贴": {M.NIGHT_PAY}, "全勤奖": M.ATTENDANCE_BONUS, "交通补贴": M.TRANSPORT_ALLOWANCE,
    "餐补": M.MEAL_ALLOWANCE, "工龄奖": M.SENIORITY_BONUS, "年资补偿": M.SENIORITY_INDEMNITY, "补发工资": M.BACK_PAY,
    "其他补贴": M.OTHER_ALLOWANCE, "奖金": {M.OTHER_ALLOWANCE}, "应发工资": M.GROSS, "个人所得税": M.SALARY_TAX, "养老保险": M.PENSION,
    "工会费": M.UNION_DUES, "借支": M.ADVANCE, "罚款": M.OTHER_DEDUCTION, "其他扣款": M.OTHER_DEDUCTION, "扣款合计": M.TOTAL_DEDUCTIONS,
    "上半月工资": M.FIRST_HALF_PAID, "实发工资": M.NET, "实领工资": M.NET, "汇率": M.EXCHANGE_RATE, "签名": M.SIGNATURE, "备注": M.NOTE,
    "迟到": M.NOT_PAID, "公司社保": M.NOT_PAID, "合计": {M.GROSS, M.TOTAL_DEDUCTIONS},
    "其他": {M.NOTE, M.OTHER_ALLOWANCE, M.OTHER_DEDUCTION},
}  # fmt: skip
ALL = {"Khmer": KHMER, "English and Vietnamese": LATIN, "Chinese": CHINESE}


def best(header: str, groups: str = "") -> Guess | None:
    return next(iter(guess(header, groups)), None)


@pytest.mark.parametrize("language", ALL)
def test_nineteen_words_of_twenty_find_their_meaning_and_none_is_taken_wrongly(language: str) -> None:
    words = ALL[language]
    wrong, missed, asked = [], [], []
    for word, meant in words.items():
        found = best(word)
        right = meant if isinstance(meant, set) else {meant}
        if found is None or found.meaning not in right:
            missed.append(word)
            if found is not None and found.score >= TAKEN_FROM:
                wrong.append(word)
        elif found.score < TAKEN_FROM and not isinstance(meant, set):
            asked.append(word)
        if isinstance(meant, set) and found is not None and found.score >= TAKEN_FROM:
            wrong.append(word)  # the word alone does not say it
    assert wrong == []
    assert len(missed) <= len(words) * 0.05, missed
    assert len(asked) <= len(words) * 0.05, asked


def test_a_currency_alone_is_no_meaning_but_a_currency() -> None:
    assert (currency_of("រៀល ៛"), currency_of("ដុល្លារ $")) == ("KHR", "USD")
    assert best("រៀល ៛") is best("ដុល្លារ $") is None


@pytest.mark.parametrize(
    ("group", "header", "meaning"),
    [
        ("Deductions", "Other", M.OTHER_DEDUCTION),
        ("ការកាត់កង", "ផ្សេងៗ", M.OTHER_DEDUCTION),
        ("扣款", "其他", M.OTHER_DEDUCTION),
        ("Earnings", "Other", M.OTHER_ALLOWANCE),
        ("Deductions", "Total", M.TOTAL_DEDUCTIONS),
        ("Earnings", "Total", M.GROSS),
        ("Name in Latin", "Family name", M.FAMILY_NAME_LATIN),
        ("ឈ្មោះជាអក្សរឡាតាំង", "នាមខ្លួន", M.GIVEN_NAME_LATIN),
    ],
)
def test_the_group_caption_says_which_of_several_meanings(group: str, header: str, meaning: Meaning) -> None:
    found = best(header, group)
    assert found is not None
    assert (found.meaning, found.score >= TAKEN_FROM) == (meaning, True)
    alone = best(header)
    assert alone is None or alone.score < TAKEN_FROM or alone.meaning in {M.FAMILY_NAME, M.GIVEN_NAME}


ASKED = (
    "Bank account name of husband", "Emergency contact no", "Emergency phone", "Father name", "Supervisor name", "Line leader ID", "Old ID",
    "Phone allowance", "Housing deduction", "Meal deduction", "Transport (days)", "Seniority (years)", "Seniority (months)", "工龄(年)",
    "អតីតភាព (ឆ្នាំ)", "Years of service", "Annual leave (hours)", "年假(小时)", "Annual leave ($)", "AL ($)", "Annual leave balance",
    "Sick ($)", "Sick leave pay", "Absent ($)", "Absent (hrs)", "Days worked ($)", "Worked hours", "Basic wage / day", "Basic (day)",
    "Basic wage / hour", "Old basic salary", "Wage increase", "Net pay last month", "Net pay difference", "Net before tax ($)",
    "Net pay before advance ($)", "Net days", "Net hours", "Gross weight", "Tax ID", "NSSF No", "NSSF base", "NSSF employer",
    "Pension number",
    "Loan balance", "Advance remaining", "Contract end date", "Children ($)", "Spouse ($)", "Pay method ($)", "Bank ($)", "Amount to bank",
    "OT 2.0", "OT 3.0 hours", "OT 300% hours", "OT 200% hours", "OT 250% pay", "OT hours x2", "加班2.0", "加班3倍工时", "ថែមម៉ោង ៣០០% (ម៉ោង)",
    "OT hours last month", "Incentive %", "Attendance %", "No attendance bonus", "Deduct attendance bonus", "上月实发工资", "社保基数",
    "实发差额",
    "ប្រាក់ត្រូវបើកខែមុន", "ប្រាក់ឈ្នួលគោលចាស់", "ឈ្មោះឪពុក", "លេខទូរស័ព្ទបន្ទាន់", "ភាគទានសោធននិយោជក",
)  # fmt: skip


@pytest.mark.parametrize("header", ASKED)
def test_a_header_that_shares_its_words_with_a_meaning_and_is_another_figure_is_asked_about(header: str) -> None:
    found = best(header)
    assert found is None or found.score < TAKEN_FROM, found
