"""How far a sheet is read, as a number of rows that only grows: opening, then column by column, then row by row."""

from __future__ import annotations

from collections.abc import Callable

_COLUMNS_FROM, _ROWS_FROM = 40, 80  # hundredths of the time, as measured on 20,000 rows


class Progress:
    """Tells `tell(done, rows)`. The rows of the open sheets are an upper bound until the workers are counted."""

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell = tell
        self._before = self._last = 0  # rows of the sheets that are read already, and what was told last

    def opened(self, rows: int) -> None:
        """A sheet of so many rows was found; its values are still being read."""
        self._tell(0, rows)

    def column(self, number: int, columns: int, rows: int) -> None:
        """So many columns of all are read."""
        share = _COLUMNS_FROM * columns + (_ROWS_FROM - _COLUMNS_FROM) * number
        self._say(rows * share // (100 * columns), rows)

    def row(self, number: int, rows: int) -> None:
        """So many rows are built; all of them at the end."""
        self._say(rows * _ROWS_FROM // 100 + number * (100 - _ROWS_FROM) // 100 if number < rows else rows, rows)

    def sheet_done(self) -> None:
        """What comes next is another sheet of the same payroll."""
        self._before = self._last

    def _say(self, done: int, rows: int) -> None:
        self._last = self._before + done
        self._tell(self._last, self._before + rows)
