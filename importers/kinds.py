"""The families of columns: which meanings are money, hours, days, identities, and which may stand twice."""

from __future__ import annotations

from importers.contract import Meaning

EARNINGS = frozenset(
    {
        Meaning.BASIC_PAY,
        Meaning.PIECE_PAY,
        Meaning.OVERTIME_PAY,
        Meaning.NIGHT_OVERTIME_PAY,
        Meaning.REST_DAY_PAY,
        Meaning.HOLIDAY_PAY,
        Meaning.HOLIDAY_WAGE,
        Meaning.NIGHT_PAY,
        Meaning.ATTENDANCE_BONUS,
        Meaning.TRANSPORT_ALLOWANCE,
        Meaning.SENIORITY_BONUS,
        Meaning.MEAL_ALLOWANCE,
        Meaning.SENIORITY_INDEMNITY,
        Meaning.BACK_PAY,
        Meaning.LEAVE_PAY,
        Meaning.OTHER_ALLOWANCE,
    }
)
DEDUCTIONS = frozenset(
    {
        Meaning.PENSION,
        Meaning.SALARY_TAX,
        Meaning.FIRST_HALF_PAID,
        Meaning.ADVANCE,
        Meaning.LOAN,
        Meaning.UNION_DUES,
        Meaning.OTHER_DEDUCTION,
    }
)
MONEY = EARNINGS | DEDUCTIONS | {Meaning.BASIC_WAGE, Meaning.GROSS, Meaning.TOTAL_DEDUCTIONS, Meaning.NET}
HOURS = frozenset(
    {Meaning.OVERTIME_HOURS, Meaning.NIGHT_OVERTIME_HOURS, Meaning.REST_DAY_HOURS, Meaning.HOLIDAY_HOURS, Meaning.NIGHT_HOURS}
)
DAYS = frozenset(
    {Meaning.DAYS_WORKED, Meaning.DAYS_ABSENT, Meaning.DAYS_LEAVE, Meaning.DAYS_SICK, Meaning.DAYS_HOLIDAY, Meaning.OVERTIME_DAYS}
)
IDENTITIES = frozenset({Meaning.WORKER_CODE, Meaning.ACCOUNT, Meaning.PHONE, Meaning.NATIONAL_ID})
WHO = frozenset({Meaning.WORKER_CODE, Meaning.NAME, Meaning.NAME_LATIN, Meaning.FAMILY_NAME, Meaning.FAMILY_NAME_LATIN})
NAMES = frozenset({Meaning.NAME, Meaning.NAME_LATIN, Meaning.ACCOUNT_NAME})
ADDED_UP = frozenset({Meaning.OTHER_ALLOWANCE, Meaning.OTHER_DEDUCTION})  # several columns of it make one amount
NAME_PARTS = {
    Meaning.NAME: (Meaning.FAMILY_NAME, Meaning.GIVEN_NAME),
    Meaning.NAME_LATIN: (Meaning.FAMILY_NAME_LATIN, Meaning.GIVEN_NAME_LATIN),
}
UNREAD = frozenset(
    {Meaning.LINE_NUMBER, Meaning.SIGNATURE, Meaning.NOTE, Meaning.NOT_PAID, Meaning.IGNORED, Meaning.EXCHANGE_RATE}
    | {part for parts in NAME_PARTS.values() for part in parts}
)
