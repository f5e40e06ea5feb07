"""Awkward workbooks: cells that say who is paid, and to where."""

from __future__ import annotations

from openpyxl.styles import Font

from tests.sheets.awkward_case import HEAD, PAID, ROWS, Case, sheet_of, with_column

_TWO = (PAID[0], PAID[2])  # paid: all but the worker in the middle


def _phones() -> list[Case]:
    """Phones."""
    return [
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
    ]


def _accounts() -> list[Case]:
    """Accounts."""
    return [
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
            paid=_TWO,
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
            paid=_TWO,
            rejected=1,
            problems=(("formula_in_identity", "G3"), ("formulas_read", "")),
        ),
        Case(
            name="account with a hidden character",
            data=with_column("Account no.", ("000123456", "000\u200b123", "000123457")),
            paid=_TWO,
            rejected=1,
            problems=(("hidden_characters", "G3"),),
        ),
        Case(name="apostrophe before the account", data=with_column("Account no.", ("'000123456", "0001-234 56", "000123457"))),
    ]


def _names() -> list[Case]:
    """Names."""
    return [
        Case(
            name="name that turns its direction",
            data=sheet_of(HEAD, ROWS[0], (2, "W002", "Chan \u202eDara", 231.5, 11.5, 220), ROWS[2]),
            paid=_TWO,
            rejected=1,
            problems=(("hidden_characters", "C3"),),
        ),
        Case(
            name="name in a legacy font",
            data=sheet_of(HEAD, ROWS[0], (2, "W002", "R)ak;ebovtS", 231.5, 11.5, 220), ROWS[2]),
            paid=_TWO,
            rejected=1,
            problems=(("legacy_font", "C3"),),
        ),
        Case(
            name="legacy font by its style",
            data=sheet_of(HEAD, *ROWS, change=lambda page: setattr(page["C3"], "font", Font(name="Limon S1"))),
            paid=_TWO,
            rejected=1,
            problems=(("legacy_font", "C3"),),
        ),
    ]


def _workers() -> list[Case]:
    """Workers' codes, and rows without a worker."""
    return [
        Case(
            name="one worker twice",
            data=sheet_of(HEAD, *ROWS, (4, "W002", "Chan Dara", 231.5, 11.5, 220)),
            paid=_TWO,
            rejected=2,
            problems=(("worker_twice", "B3"), ("worker_twice", "B5")),
        ),
        Case(
            name="code missing",
            data=sheet_of(HEAD, ROWS[0], (2, None, "Chan Dara", 231.5, 11.5, 220), ROWS[2]),
            paid=_TWO,
            rejected=1,
            problems=(("code_missing", "B3"),),
        ),
        Case(
            name="name missing",
            data=sheet_of(HEAD, ROWS[0], (2, "W002", None, 231.5, 11.5, 220), ROWS[2]),
            paid=_TWO,
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
    ]


def _ways() -> list[Case]:
    """Ways of paying."""
    return [
        Case(
            name="wallet without a phone",
            data=with_column("Pay method", ("cash", "wallet", "សាច់ប្រាក់")),
            paid=_TWO,
            rejected=1,
            problems=(("phone_missing", "G3"),),
        ),
        Case(
            name="bank without an account",
            data=with_column("Pay method", ("cash", "ធនាគារ", "cash")),
            paid=_TWO,
            rejected=1,
            problems=(("account_missing", "G3"),),
        ),
        Case(
            name="unknown way of paying",
            data=with_column("Pay method", ("cash", "gold", "cash")),
            paid=_TWO,
            rejected=1,
            problems=(("pay_method_not_read", "G3"),),
        ),
    ]


def cases() -> list[Case]:
    """All of them."""
    return [*_phones(), *_accounts(), *_names(), *_workers(), *_ways()]
