"""What HR typed against what the file holds."""

from __future__ import annotations

import pytest

from importers.contract import ImportedSheet
from importers.control import ControlDifference, FileFigures, compare_control
from importers.money import KHR, USD, Money
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
