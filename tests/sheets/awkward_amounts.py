"""Awkward workbooks: cells with amounts, hours and dates."""

from __future__ import annotations

from datetime import date, time

from openpyxl.worksheet.worksheet import Worksheet

from tests.sheets.awkward_case import HEAD, PAID, ROWS, Case, all_of, formats, put, sheet_of, with_column, with_net

_YES = True
_TWO = (PAID[0], PAID[2])  # paid: all but the worker in the middle


def _error_cell(page: Worksheet) -> None:
    page["F3"] = "#REF!"
    page["F3"].data_type = "e"


def _amounts() -> list[Case]:
    """Amounts in every spelling."""
    three = (("W001", "240.00 USD"), ("W002", "1,220.50 USD"), ("W003", "250.00 USD"))
    return [
        Case(name="money as text", data=with_net("$ 240", "1,220.50", "USD 250.00"), paid=three),
        Case(name="khmer digits", data=with_net("២៤០", "១,២២០.៥០", "២៥០$"), paid=three),
        Case(name="continental decimals", data=with_net("240,00", "USD 1.220,50", "'250,00"), paid=three),
        Case(name="binary noise", data=with_net(240.00000000000003, 1220.4999999999998, 250), paid=three),
        Case(
            name="parts of a cent in the net",
            data=with_net(240, 220.123, 250),
            paid=_TWO,
            rejected=1,
            problems=(("too_many_decimals", "C3"),),
        ),
        Case(
            name="ambiguous thousands",
            data=with_net("240.00", "1.220", "250.00"),
            paid=_TWO,
            rejected=1,
            problems=(("amount_ambiguous", "C3"),),
        ),
        Case(name="no number", data=with_net(240, "later", 250), paid=_TWO, rejected=1, problems=(("amount_not_read", "C3"),)),
        Case(
            name="date for an amount",
            data=with_net(240, date(2026, 11, 1), 250),
            paid=_TWO,
            rejected=1,
            problems=(("amount_is_a_date", "C3"),),
        ),
        Case(
            name="other currency in a cell",
            data=with_net(240, "880000 KHR", 250),
            paid=_TWO,
            rejected=1,
            problems=(("currency_differs", "C3"),),
        ),
        Case(
            name="other currency in a format",
            data=with_net(240, 220, 250, change=all_of(formats("C", '"$"0.00', (2, 4)), formats("C", '0"៛"', (3,)))),
            paid=_TWO,
            rejected=1,
            problems=(("currency_differs", "C3"),),
            extra={"sample": 3},
        ),
    ]


def _spellings() -> list[Case]:
    """Amounts in the digits and marks of other countries."""
    three = (("W001", "240.00 USD"), ("W002", "1,220.50 USD"), ("W003", "250.00 USD"))
    return [
        Case(name="apostrophes between thousands", data=with_net("240", "1'220.50", "250"), paid=three),
        Case(name="full-width digits", data=with_net("２４０．００", "１，２２０．５０", "２５０"), paid=three),
        Case(
            name="riel with dots between thousands",
            data=with_net("960.000", "880.000 ៛", "1.000.000", header="Net pay (KHR)"),
            paid=(("W001", "960,000 KHR"), ("W002", "880,000 KHR"), ("W003", "1,000,000 KHR")),
        ),
        Case(
            name="riel with a dot that is no thousands mark",
            data=with_net("960.000", "880000.5", "1000000", header="Net pay (KHR)"),
            paid=(("W003", "1,000,000 KHR"),),
            rejected=2,
            problems=(("amount_ambiguous", "C2"), ("too_many_decimals", "C3")),
        ),
    ]


def _no_amounts() -> list[Case]:
    """Amounts that are missing, broken or do not add up."""
    return [
        Case(
            name="net missing",
            data=with_net(240, None, 250),
            paid=_TWO,
            rejected=1,
            problems=(("net_missing", "C3"),),
            extra={"coded": True},
        ),
        Case(name="net below zero", data=with_net(240, "(5.00)", 250), paid=_TWO, rejected=1, problems=(("net_negative", "C3"),)),
        Case(name="net zero", data=with_net(240, "-", 250), paid=(PAID[0], ("W002", "0.00 USD"), PAID[2]), problems=(("net_zero", "C3"),)),
        Case(name="error cell", data=sheet_of(HEAD, *ROWS, change=_error_cell), paid=_TWO, rejected=1, problems=(("error_cell", "F3"),)),
        Case(name="hashes saved", data=with_net(240, "#####", 250), paid=_TWO, rejected=1, problems=(("hashes_saved", "C3"),)),
        Case(
            name="formula without a saved value",
            data=sheet_of(HEAD, *ROWS, change=put("F3", "=D3-E3")),
            paid=_TWO,
            rejected=1,
            problems=(("formula_not_saved", "F3"), ("formulas_read", "")),
        ),
        Case(name="true for an amount", data=with_net(240, _YES, 250), paid=_TWO, rejected=1, problems=(("not_a_value", "C3"),)),
        Case(
            name="net off by a cent",
            data=sheet_of(HEAD, ROWS[0], (2, "W002", "Chan Dara", 231.5, 11.5, 219.99), ROWS[2]),
            paid=(PAID[0], ("W002", "219.99 USD"), PAID[2]),
            problems=(("net_does_not_add_up", "F3"),),
        ),
        Case(name="unrounded overtime", data=with_column("OT pay (USD)", (10.09615, 0, 5)), problems=(("amount_unrounded", "G2"),)),
    ]


def _hours() -> list[Case]:
    """Hours."""
    return [
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
            data=with_column("OT hours", (8, 10, 8), change=put("G3", 10, "h:mm")),
            paid=_TWO,
            rejected=1,
            problems=(("hours_as_date", "G3"),),
        ),
        Case(name="hours or minutes", data=with_column("OT hours", (4.3, 2.15, 3.45)), problems=(("hours_maybe_minutes", "G2"),)),
        Case(
            name="too many hours",
            data=with_column("OT hours", (8, 4000, 8)),
            paid=_TWO,
            rejected=1,
            problems=(("hours_out_of_range", "G3"),),
        ),
    ]


def _dates() -> list[Case]:
    """Dates."""
    return [
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
    ]


def cases() -> list[Case]:
    """All of them."""
    return [*_amounts(), *_spellings(), *_no_amounts(), *_hours(), *_dates()]
