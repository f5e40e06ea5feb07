"""Workers who may not exist or do not work: hours without a contract, pay without attendance, pay unlike her line's, and invented people.

One sign alone is common among honest workers and only warns; two or more signs on a new worker keep her back. Sources: ACFE on ghost
workers in payrolls, SWIFT CSCF 2.9 on payments outside the usual.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from importers.contract import Meaning, PayrollRow
from importers.money import Money
from importers.period import PayPeriod
from reconciliation.contract import Discrepancy, KnownWorker
from reconciliation.discrepancies import tell
from reconciliation.policy import FactoryPolicy

_ATTENDANCE = (
    Meaning.DAYS_WORKED,
    Meaning.OVERTIME_HOURS,
    Meaning.NIGHT_OVERTIME_HOURS,
    Meaning.REST_DAY_HOURS,
    Meaning.HOLIDAY_HOURS,
    Meaning.NIGHT_HOURS,
)
_EXCUSED = (Meaning.DAYS_LEAVE, Meaning.DAYS_SICK)
_LINE = 10  # fewer on a line have no usual pay
_IN_A_ROW = 3  # so many neighbouring numbers of identity cards are no accident
_SIGNS = 2
_ROUND = {"USD": 1_000, "KHR": 100_000}  # ten dollars
_MOST = Decimal("0.5")

_SIGN_WORDS: Mapping[str, tuple[str, str]] = {
    "sequence": ("identity cards in a row", "លេខអត្តសញ្ញាណប័ណ្ណតគ្នា"),
    "nothing_known": ("no phone and no identity card", "គ្មានទូរស័ព្ទ និងអត្តសញ្ញាណប័ណ្ណ"),
    "no_attendance": ("no attendance", "គ្មានវត្តមាន"),
    "round": ("a round amount", "ចំនួនមូល"),
    "far": ("pay far above the line's", "ប្រាក់ខ្ពស់ជាងក្រុមឆ្ងាយ"),
}


class Ghosts:
    """One sheet's rows beside each other. `maker` is who sent the sheet."""

    def __init__(
        self, known: Mapping[str, KnownWorker], period: PayPeriod, policy: FactoryPolicy, rows: Sequence[PayrollRow], *, maker: str
    ) -> None:
        self._known, self._period, self._policy, self._rows, self._maker = known, period, policy, rows, maker
        shown = {meaning for row in rows for meaning in row.time}
        self._shows_days = Meaning.DAYS_WORKED in shown
        self._most_joined = sum(row.joined_on is not None for row in rows) > len(rows) * _MOST
        self._most_have_papers = sum(_has_papers(row) for row in rows) > len(rows) * _MOST
        self._rare_round = sum(map(_is_round, rows)) < len(rows) * (1 - _MOST) / 5
        self._usual = _usual_of_lines(rows)
        self._in_a_row = self._neighbours()

    def differences(self) -> Iterator[Discrepancy]:
        """What each row shows."""
        for row in self._rows:
            yield from self._contract(row)
            absent = self._without_attendance(row)
            if absent:
                yield tell("no_attendance", row, "days", stated=row.net)
            usual = self._far_above(row)
            if usual is not None:
                yield tell("far_from_line", row, "net", stated=row.net, lawful=usual, difference=row.net - usual)
            if self._is_new(row):
                yield from self._invented(row, absent=absent, far=usual is not None)

    def _contract(self, row: PayrollRow) -> Iterator[Discrepancy]:
        """Paid hours or days that no contract covers."""
        known = self._known.get(row.worker_code)
        if not any(row.time.get(meaning) for meaning in _ATTENDANCE):
            return
        joined = row.joined_on or (None if known is None else known.joined_on)
        if joined is not None and joined > self._period.last_day:
            yield tell("not_yet_joined", row, "joined_on", basis=str(joined))
        elif joined is None and self._most_joined:
            yield tell("hours_without_contract", row, "joined_on")

    def _without_attendance(self, row: PayrollRow) -> bool:
        worked = any(row.time.get(meaning) for meaning in _ATTENDANCE)
        excused = any(row.time.get(meaning) for meaning in _EXCUSED)
        piece = row.amounts.get(Meaning.PIECE_PAY)
        return self._shows_days and not worked and not excused and not piece and row.net.minor > 0

    def _far_above(self, row: PayrollRow) -> Money | None:
        """Her line's usual net, where hers is far above it."""
        usual = self._usual.get((row.department, row.net.currency.code))
        return usual if usual is not None and row.net.minor > usual.minor * self._policy.far_from_line else None

    def _is_new(self, row: PayrollRow) -> bool:
        """Never paid before, or brought in lately by the very person who sent this sheet."""
        known = self._known.get(row.worker_code)
        if known is None:
            return bool(self._known)
        if known.added_on is None or not self._maker or known.added_by != self._maker:
            return False
        return known.added_on > self._period.last_day - timedelta(days=self._policy.new_worker_days)

    def _invented(self, row: PayrollRow, *, absent: bool, far: bool) -> Iterator[Discrepancy]:
        signs = {
            "sequence": row.worker_code in self._in_a_row,
            "nothing_known": self._most_have_papers and not _has_papers(row),
            "no_attendance": absent,
            "round": self._rare_round and _is_round(row),
            "far": far,
        }
        found = [_SIGN_WORDS[name] for name, seen in signs.items() if seen]
        if len(found) >= _SIGNS:
            english, khmer = zip(*found, strict=True)
            yield tell("ghost_pattern", row, "register", basis=", ".join(english), basis_km=", ".join(khmer))

    def _neighbours(self) -> frozenset[str]:
        """Codes of new workers whose identity cards bear numbers in a row."""
        numbers = sorted(
            (int(row.national_id), row.worker_code)
            for row in self._rows
            if row.national_id is not None and row.national_id.isascii() and row.national_id.isdigit() and self._is_new(row)
        )
        found: set[str] = set()
        together: list[tuple[int, str]] = []
        for one, other in pairwise([*numbers, (-1, "")]):
            together.append(one)
            if other[0] - one[0] != 1:
                found.update(code for _, code in together if len(together) >= _IN_A_ROW)
                together = []
        return frozenset(found)


def _has_papers(row: PayrollRow) -> bool:
    return row.phone is not None or row.national_id is not None


def _is_round(row: PayrollRow) -> bool:
    return row.net.minor % _ROUND[row.net.currency.code] == 0


def _usual_of_lines(rows: Sequence[PayrollRow]) -> Mapping[tuple[str | None, str], Money]:
    """The median net of each line, by its name and currency."""
    nets: dict[tuple[str | None, str], list[Money]] = defaultdict(list)
    for row in rows:
        nets[row.department, row.net.currency.code].append(row.net)
    return {line: sorted(found)[(len(found) - 1) // 2] for line, found in nets.items() if len(found) >= _LINE}
