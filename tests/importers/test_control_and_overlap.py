"""What HR typed against what the file holds, and this file against the one of last week."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.contract import ImportedSheet, PayrollRow
from importers.control import ControlDifference, FileFigures, compare_control
from importers.money import KHR, USD, Money
from importers.overlap import find_overlap
from importers.period import PayPeriod
from importers.read import read_sheet

PERIOD = PayPeriod(2026, 11)


def sheet(*lines: str) -> ImportedSheet:
    return read_sheet(("Worker code,Name,Net pay (USD)\n" + "\n".join(lines) + "\n").encode(), file_name="p.csv", period=PERIOD)


def compare(read: ImportedSheet, *, workers: int | None = None, net: dict[str, Money] | None = None) -> tuple[ControlDifference, ...]:
    return compare_control(
        FileFigures(counts=read.counts, accepted=read.net_accepted, rejected=read.net_rejected), workers=workers, net=net
    )


def usd(cents: int) -> Money:
    return Money(cents, USD)


def row(code: str, cents: int) -> PayrollRow:
    return PayrollRow(sheet="Pay", row=2, worker_code=code, name="Sok", net=usd(cents))


WHOLE = sheet("W1,Sok A,240.00", "W2,Chan B,220.50")
WITH_A_PROBLEM = sheet("W1,Sok A,240.00", ",Chan B,220.50")


def test_figures_that_agree_are_no_difference() -> None:
    assert compare(WHOLE) == ()
    assert compare(WHOLE, workers=2, net={"USD": usd(46050)}) == ()


def test_a_missing_worker_and_a_wrong_sum_are_told() -> None:
    workers, net = compare(WHOLE, workers=3, net={"USD": usd(46051)})
    assert (workers.typed, workers.found, workers.accepted) == (3, 2, 2)
    assert (net.currency, net.typed, net.found) == ("USD", usd(46051), usd(46050))
    assert "460.51 USD" in net.message
    assert net.remedy
    assert net.remedy_km


def test_the_file_is_whole_and_a_row_has_a_problem() -> None:
    workers, net = compare(WITH_A_PROBLEM, workers=2, net={"USD": usd(46050)})
    assert (workers.found, workers.accepted) == (2, 1)
    assert (net.found, net.accepted) == (usd(46050), usd(24000))
    assert "rows with problems" in net.message


def test_a_currency_that_was_not_typed_is_told() -> None:
    (net,) = compare(WHOLE, net={"KHR": Money(0, KHR), "USD": usd(1)})
    assert net.currency == "USD"
    assert [found.currency for found in compare(WHOLE, net={"KHR": Money(4000, KHR)})] == ["KHR", "USD"]
    with pytest.raises(ValueError, match="own currency"):
        compare(WHOLE, net={"USD": Money(1, KHR)})


def test_workers_of_an_earlier_file_are_shown_one_by_one() -> None:
    found = find_overlap(
        [row("W1", 100), row("W2", 200), row("W3", 300)],
        {"monday.xlsx": {"W1": usd(100), "W2": usd(201)}, "tuesday.xlsx": {"W2": usd(200), "W9": usd(1)}},
    )
    assert [worker.worker_code for worker in found.same] == ["W1"]
    assert [(worker.worker_code, worker.earlier) for worker in found.different] == [
        ("W2", (("monday.xlsx", usd(201)), ("tuesday.xlsx", usd(200))))
    ]
    assert found.new == ("W3",)
    assert found.missing == ("W9",)
    assert not found.is_empty
    assert find_overlap([row("W1", 1)], {}).is_empty


CODES = st.dictionaries(st.sampled_from([f"W{n}" for n in range(8)]), st.integers(0, 3))


@given(CODES, CODES, CODES)
def test_every_worker_is_in_exactly_one_group(now: dict[str, int], before: dict[str, int], earlier: dict[str, int]) -> None:
    files = {"a": {code: usd(cents) for code, cents in before.items()}, "b": {code: usd(cents) for code, cents in earlier.items()}}
    found = find_overlap([row(code, cents) for code, cents in now.items()], files)
    groups = [[w.worker_code for w in found.same], [w.worker_code for w in found.different], list(found.new)]
    assert sorted(code for group in groups for code in group) == sorted(now)
    assert set(groups[2]) == set(now) - set(before) - set(earlier)
    assert set(found.missing) == (set(before) | set(earlier)) - set(now)
    assert set(groups[1]) == {c for c, net in now.items() if any(c in nets and nets[c] != net for nets in (before, earlier))}
