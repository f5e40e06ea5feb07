"""Awkward workbooks: what a column means."""

from __future__ import annotations

from tests.sheets.awkward_case import HEAD, PAID, ROWS, Case, formats, put, sheet_of, with_column, with_net


def _columns() -> list[Case]:
    """Which column is the net, the code and the name."""
    return [
        Case(name="no net column", data=sheet_of(HEAD[:5], *(row[:5] for row in ROWS)), paid=(), refused="no_net_column"),
        Case(
            name="net by one word, nothing proves it",
            data=sheet_of(("Code no", "Worker code", "Name", "Netto"), *((n, *row[1:3], row[5]) for n, row in enumerate(ROWS))),
            paid=(),
            refused="no_net_column",
        ),
        Case(name="net by one word, the figures prove it", data=sheet_of((*HEAD[:5], "Net (USD)"), *ROWS)),
        Case(
            name="two columns named net pay",
            data=sheet_of((*HEAD, "Net pay (USD)"), *((*row, row[5]) for row in ROWS)),
            paid=(),
            refused="no_net_column",
        ),
        Case(
            name="captions that differ by one space",
            data=sheet_of((*HEAD, "Transport", "Trans port"), *((*row, 7, 9) for row in ROWS)),
            problems=(("column_not_understood", "G1"), ("column_not_understood", "H1")),
        ),
        Case(
            name="employer's pension is not hers",
            data=with_column("Employer pension (USD)", (4, 4, 4)),
            problems=(("column_not_understood", "G1"),),
        ),
        Case(name="last month's net", data=with_column("Net pay last month", (1, 2, 3)), problems=(("column_not_understood", "G1"),)),
        Case(name="unknown word", data=with_column("Zorblax", (1, 2, 3)), problems=(("column_not_understood", "G1"),)),
        Case(name="column without a header", data=with_column("", (5, 5, 5)), problems=(("column_not_understood", "G1"),)),
        Case(
            name="no code column",
            data=sheet_of(("Name", "Position", "Net pay (USD)"), *((row[2], "Sewer", row[5]) for row in ROWS)),
            paid=(),
            refused="no_code_column",
        ),
        Case(
            name="no name column",
            data=sheet_of(("Worker code", "Position", "Net pay (USD)"), *((row[1], "Sewer", row[5]) for row in ROWS)),
            paid=(),
            refused="no_name_column",
        ),
        Case(
            name="header says a name, cells are numbers",
            data=sheet_of(("Worker code", "Name", "Net pay (USD)"), *((row[1], 5, row[5]) for row in ROWS)),
            paid=(),
            refused="no_name_column",
        ),
    ]


def _other_figures() -> list[Case]:
    """Words that are known, over figures that are not what they say."""
    return [
        Case(name="money under a word for days", data=with_column("Sick ($)", (4, 0, 2)), problems=(("column_not_understood", "G1"),)),
        Case(
            name="money in its format under a word for days",
            data=with_column("Sick", (4, 5, 2), change=formats("G", '"$"0.00', range(2, 5))),
            problems=(("column_not_understood", "G1"),),
        ),
        Case(
            name="years under a word for money",
            data=with_column("Seniority (years)", (4, 1, 2)),
            problems=(("column_not_understood", "G1"),),
        ),
        Case(name="an amount under the bank", data=with_column("Bank", (40, 10, 20)), problems=(("column_not_understood", "G1"),)),
        Case(
            name="the account's name is no account",
            data=with_column("Bank account name", ("SOK SOPHEA", "CHAN DARA", "SREY MOM")),
        ),
        Case(
            name="overtime at three times the wage",
            data=with_column("OT 3.0 hours", (4, 1, 2)),
            problems=(("column_not_understood", "G1"),),
        ),
        Case(
            name="the khmer name beside another name",
            data=sheet_of(("Worker code", "Name", "Name (Khmer)", "Net pay (USD)"), *((row[1], "王丽", row[2], row[5]) for row in ROWS)),
            problems=(("column_not_understood", "B1"),),
        ),
    ]


def _currencies() -> list[Case]:
    """In which currency a column is."""
    return [
        Case(
            name="currency by number format",
            data=sheet_of(
                ("Worker code", "Name", "Net pay"), *((*row[1:3], row[5]) for row in ROWS), change=formats("C", '"$"#,##0.00', range(2, 5))
            ),
        ),
        Case(
            name="currency beside the table",
            data=sheet_of(
                ("Currency:", "USD"),
                ("Worker code", "Name", "Net pay"),
                *((*row[1:3], row[5]) for row in ROWS),
                change=put("A1", "Currency: USD"),
            ),
        ),
        Case(
            name="currency by size only",
            data=sheet_of(("Worker code", "Name", "Net pay"), *((*row[1:3], row[5]) for row in ROWS)),
            problems=(("currency_assumed", "C1"),),
        ),
        Case(
            name="riel only",
            data=with_net(960000, 880000, 1000000, header="Net pay (KHR)"),
            paid=(("W001", "960,000 KHR"), ("W002", "880,000 KHR"), ("W003", "1,000,000 KHR")),
        ),
        Case(
            name="header and format name two currencies",
            data=with_net(240, 220, 250, change=formats("C", '#,##0"៛"', range(2, 5))),
            paid=(),
            refused="no_net_column",
        ),
        Case(name="riel beside dollars", data=with_column("Net pay (KHR)", (960000, 880000, 1000000))),
        Case(
            name="riel beside dollars, one wrong",
            data=with_column("Net pay (KHR)", (960000, 808000, 1000000)),
            paid=(PAID[0], PAID[2]),
            rejected=1,
            problems=(("currencies_disagree", "G3"),),
        ),
        Case(
            name="two parts of the pay, not one amount",
            data=with_column("Net pay (KHR)", (1000, 300, 2700)),
            paid=(),
            refused="two_currency_columns_differ",
            rejected=3,
            extra={"any_problems": True},
        ),
    ]


def _shared_words() -> list[Case]:
    """Words that mean something only beside others."""
    return [
        Case(
            name="family and given name apart",
            data=sheet_of(
                ("Worker code", "នាមត្រកូល", "នាមខ្លួន", "Net pay (USD)"),
                ("W001", "Sok", "Sophea", 240),
                ("W002", "Chan", None, 220),
                ("W003", None, "មុំ", 250),
                (None, "សរុប", None, 710),
            ),
        ),
        Case(
            name="a given name that is a number",
            data=sheet_of(
                ("Worker code", "Family name", "First name", "Net pay (USD)"), ("W001", "Sok", 7, 240), ("W002", "Chan", "Dara", 220)
            ),
            paid=(("W002", "220.00 USD"),),
            rejected=1,
            problems=(("name_is_number", "B2"),),
        ),
        Case(
            name="other under deductions is no allowance",
            data=sheet_of(
                ("", "", "Earnings (USD)", "", "Deductions (USD)", "", ""),
                ("Worker code", "Name", "Basic pay", "Other", "Advance", "Other", "Net pay (USD)"),
                ("W001", "Sok Sophea", 230, 20, 5, 5, 240),
                ("W002", "Chan Dara", 220, 10, 5, 5, 220),
                ("W003", "ស្រី មុំ", 250, 10, 5, 5, 250),
                change=lambda page: [page.merge_cells(area) for area in ("C1:D1", "E1:F1")],
            ),
        ),
    ]


def cases() -> list[Case]:
    """All of them."""
    return [*_columns(), *_other_figures(), *_currencies(), *_shared_words()]
