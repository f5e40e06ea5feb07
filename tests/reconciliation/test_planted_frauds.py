"""Ten thousand workers over six months with planted frauds: what must stop is stopped, what should be seen is seen, the honest are paid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import pytest

from importers.money import USD, Money
from importers.period import RunKind
from reconciliation.contract import Discrepancy, DiscrepancySeverity
from reconciliation.policy import FactoryPolicy
from reconciliation.register import Register
from tests.reconciliation.planted_frauds import FORGER, HONEST, MONTHS, Sheet, Town, keys, planted

HARD = {
    "shared_account",
    "changed_account",
    "doubled_worker",
    "doubled_identity",
    "not_yet_joined",
    "paid_after_leaving",
    "ghost_pattern",
}
SOFT = {"far_from_history", "far_from_line", "no_attendance"}


def told(sheet: Sheet, maker: str = HONEST) -> list[Discrepancy]:
    own = [keys(row) for row in sheet.rows]
    register = Register(sheet.known, sheet.period, RunKind.BALANCE, FactoryPolicy(), sheet.rows, own=own, maker=maker)
    return list(register.differences())


def by_code(found: list[Discrepancy]) -> Mapping[str, set[str]]:
    codes: dict[str, set[str]] = defaultdict(set)
    for one in found:
        codes[one.code].add(one.worker_code)
    return codes


def held(found: list[Discrepancy]) -> set[str]:
    return {one.worker_code for one in found if one.severity is DiscrepancySeverity.BLOCKS}


# 11 was looked at while the rules were written; the other was kept away until they stood.
@pytest.mark.parametrize(("seed", "size", "each"), [(11, 2_000, 20), (20_261_125, 10_000, 80)])
def test_frauds_are_stopped_and_the_honest_are_paid(seed: int, size: int, each: int) -> None:
    town = Town(seed, size)
    payments = wrongly_held = 0
    for period in MONTHS[:-1]:
        sheet = town.month(period)
        if sheet.known:
            payments += len(sheet.rows)
            wrongly_held += len(held(told(sheet)))
    honest = town.month(MONTHS[-1])
    clean = held(told(honest))
    payments += len(honest.rows)
    wrongly_held += len(clean)

    sheet, due = planted(honest, seed, each)
    found = told(sheet, FORGER)
    codes, stopped = by_code(found), held(found)
    for code in HARD:
        assert due[code] <= codes[code] & stopped, f"{code}: {sorted(due[code] - codes[code])} were not stopped"
    wanted = sum(len(due[code]) for code in SOFT)
    seen = sum(len(due[code] & codes[code]) for code in SOFT)
    assert seen >= wanted * 0.95, f"{wanted - seen} of {wanted} were not seen"
    guilty = {code for codes in due.values() for code in codes}
    wrongly_held += len(stopped - guilty - clean)
    assert wrongly_held <= payments * 0.005, f"{wrongly_held} honest payments of {payments} were held"


def test_a_month_that_jumps_is_seen_and_a_quiet_one_is_not() -> None:
    town = Town(5, 400)
    sheets = [town.month(period) for period in MONTHS]
    jumps = {"headcount_jump", "total_jump", "many_new_payees", "copied_month"}
    assert not jumps & set(by_code(told(sheets[-1])))
    more = replace(sheets[-1], rows=[replace(row, net=Money(row.net.minor * 6 // 5, USD)) for row in sheets[-1].rows])
    assert "total_jump" in by_code(told(more))
    strangers = [replace(row, worker_code=f"N{n}", name=f"N{n}", account=f"n{n}") for n, row in enumerate(sheets[-1].rows[:60])]
    assert {"many_new_payees", "headcount_jump"} <= set(by_code(told(replace(sheets[-1], rows=[*sheets[-1].rows, *strangers]))))


@pytest.mark.parametrize("disguise", ["as it was", "sorted anew", "renamed sheet", "other row numbers", "a few left out", "a few added"])
def test_last_month_s_file_under_any_disguise_is_seen(disguise: str) -> None:
    town = Town(6, 300)
    for period in MONTHS[:-1]:
        last = town.month(period)
    rows = last.rows
    disguised = {
        "as it was": rows,
        "sorted anew": sorted(rows, key=lambda row: row.account or ""),
        "renamed sheet": [replace(row, sheet="Sheet9") for row in rows],
        "other row numbers": [replace(row, row=row.row + 7) for row in rows],
        "a few left out": rows[: int(len(rows) * 0.97)],
        "a few added": [*rows, *(replace(row, worker_code=f"N{n}", account=f"n{n}") for n, row in enumerate(rows[:5]))],
    }[disguise]
    found = by_code(told(Sheet(period=MONTHS[-1], rows=disguised, known=town.known(MONTHS[-1]))))
    assert "copied_month" in found
