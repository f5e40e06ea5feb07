"""The control totals that HR types when she uploads a file, against what the file holds: nothing was cut off, nothing crept in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from importers.contract import Counts
from importers.money import Money, currency


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlDifference:
    """One figure that HR typed and that the file does not hold. `currency` is None for the number of workers.

    `found` counts every worker's row of the file, `accepted` those that were taken: where `typed` equals `found`, the file is
    whole and only rows with problems are missing.
    """

    currency: str | None
    typed: int | Money
    found: int | Money
    accepted: int | Money
    message: str
    remedy: str
    remedy_km: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFigures:
    """What a read file holds: its rows, and their net by currency code, taken and not taken."""

    counts: Counts
    accepted: Mapping[str, Money]
    rejected: Mapping[str, Money]


def compare_control(
    held: FileFigures, *, workers: int | None = None, net: Mapping[str, Money] | None = None
) -> tuple[ControlDifference, ...]:
    """The typed figures that differ from the file's; empty when all agree or none was typed.

    `workers` is the number of workers, `net` the sum of net pay by currency code. A currency that the file holds and HR did not
    type is a difference too, once she typed any sum. Raises ValueError for a sum under another currency's code.
    """
    found: list[ControlDifference] = []
    if workers is not None and workers != held.counts.accepted:
        found.append(_difference(None, workers, held.counts.read, held.counts.accepted))
    if net:
        for code in sorted({*net, *held.accepted, *held.rejected}):
            zero = Money.zero(currency(code))
            typed, accepted = net.get(code, zero), held.accepted.get(code, zero)
            if typed.currency.code != code:
                raise ValueError(f"the sum typed for {code} is in {typed.currency}; give each sum under its own currency")
            if typed != accepted:
                found.append(_difference(code, typed, accepted + held.rejected.get(code, zero), accepted))
    return tuple(found)


def _difference(code: str | None, typed: int | Money, whole: int | Money, accepted: int | Money) -> ControlDifference:
    what = "The number of workers" if code is None else f"The sum of net pay in {code}"
    if typed == whole:
        message = f"{what} is {typed} in the file as you typed, but only {accepted} could be taken: the rest stands in rows with problems."
        remedy = "Correct the rows with problems in the file and upload it again."
        remedy_km = "សូមកែជួរដែលមានបញ្ហាក្នុងឯកសារ រួចបញ្ចូលឡើងវិញ។"
    else:
        message = f"{what} that you typed is {typed}; the file holds {whole}, of which {accepted} could be taken."
        remedy = "Check that this is the right file and sheet, that no row is missing or doubled, and that the figure was typed correctly."
        remedy_km = "សូមពិនិត្យថាឯកសារ និងសន្លឹកត្រឹមត្រូវ គ្មានជួរបាត់ ឬស្ទួន ហើយតួលេខដែលបានវាយត្រឹមត្រូវ។"
    return ControlDifference(
        currency=code, typed=typed, found=whole, accepted=accepted, message=message, remedy=remedy, remedy_km=remedy_km
    )
