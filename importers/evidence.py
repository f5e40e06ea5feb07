"""What the cells below a header say about it: a currency, whether they fit its meaning, whether the figures prove the net."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median

from importers.contract import ColumnReading, Meaning
from importers.headers import currency_of
from importers.khmer import visible
from importers.kinds import DAYS, DEDUCTIONS, HOURS, MONEY, NAMES, UNREAD
from importers.numbers import DASHES, exact
from importers.sheet_xml import column_index
from importers.table import Table
from importers.workbook import Cell, Grid

_WORDS = frozenset({Meaning.BANK, Meaning.PAY_METHOD, Meaning.SEX, Meaning.POSITION})
_SAMPLE = 300
_FEWEST_FILLED = 3
_MOST_DOLLARS = 5_000  # a month's wage in dollars is below, in riel far above; between the two a person is asked
_FEWEST_RIEL = 50_000
_MOST_MISFITS = Decimal("0.5")
_PROOF_ROWS = 3
_PROOF_SHARE = Decimal("0.9")
_CENT = Decimal("0.011")


@dataclass(slots=True, kw_only=True)
class Evidence:
    """What one column's cells show."""

    filled: int = 0
    numbers: int = 0
    texts: int = 0
    dates: int = 0
    currency: str | None = None  # by number formats or signs in most cells, when they agree
    hinted: str | None = None  # the same, in some cells only
    beside: str | None = None  # stands once beside or above the table
    by_size: str | None = None

    def misfit(self, meaning: Meaning) -> str:
        """Why the cells cannot be what the header says, or nothing."""
        most = int(self.filled * _MOST_MISFITS)
        if not self.filled:
            return ""
        if meaning in NAMES and self.numbers + self.dates > most:
            return "the header says a name, the cells are numbers"
        if meaning in MONEY | HOURS | DAYS and self.texts > most:
            return "the header says figures, the cells are words"
        if meaning not in MONEY | UNREAD and self.currency is not None:
            return "the header says no amount, the cells are money"
        if meaning in _WORDS and self.numbers > most:
            return "the header says words, the cells are numbers"
        return ""


def gather(grid: Grid, table: Table) -> list[Evidence]:
    """The evidence for each column, from the first rows below the header."""
    rows = grid.rows[table.first_row : table.first_row + _SAMPLE]
    beside = _beside(grid, table)
    shown: dict[int, Counter[str]] = {}
    for column, first, last, code in grid.currencies:
        covered = last - max(first, table.first_row) + 1
        if covered > 0:
            shown.setdefault(column, Counter())[code] += covered
    inside = [row for row in rows if _in_table(row, table)]
    return [_of_column(inside, index, shown.get(index, Counter()), beside) for index in range(len(table.captions))]


def _in_table(row: Sequence[Cell], table: Table) -> bool:
    """Whether a row fills enough columns to be of the table: a signature block or a note below says nothing of a column."""
    captioned = sum(1 for caption in table.captions if caption.header)
    filled = sum(1 for cell, caption in zip(row, table.captions, strict=False) if caption.header and cell != "")
    return filled >= min(captioned, max(_FEWEST_FILLED, captioned // 4))


def _of_column(rows: Sequence[Sequence[Cell]], index: int, shown: Counter[str], beside: str | None) -> Evidence:
    evidence = Evidence(beside=beside)
    sizes: list[Decimal] = []
    signs = Counter(shown)
    for row in rows:
        cell = row[index] if index < len(row) else ""
        if isinstance(cell, str):
            text = visible(cell)
            if not text:
                continue
            evidence.filled += 1
            if (code := currency_of(text)) is not None:
                signs[code] += 1
            number = _plain(text)
            if text in DASHES:
                evidence.numbers += 1  # zero, as accounting formats show it
            elif number is None:
                evidence.texts += 1
            else:
                sizes.append(number)
        else:
            evidence.filled += 1
            if isinstance(cell, float):
                evidence.numbers += 1
                sizes.append(abs(exact(cell) or Decimal(0)))
            elif isinstance(cell, date):
                evidence.dates += 1
    _settle_currency(evidence, signs, [size for size in sizes if size])
    return evidence


def _settle_currency(evidence: Evidence, signs: Counter[str], sizes: list[Decimal]) -> None:
    if signs:
        code, times = signs.most_common(1)[0]
        if times > 9 * (sum(signs.values()) - times):
            evidence.hinted = code
            evidence.currency = code if 2 * min(times, evidence.filled) >= evidence.filled else None
    if sizes:
        middle = median(sizes)
        cents = any(size != size.to_integral_value() for size in sizes)
        evidence.by_size = "USD" if middle < _MOST_DOLLARS or cents else "KHR" if middle > _FEWEST_RIEL else None


def _plain(text: str) -> Decimal | None:
    """The rough size of a number in text, for telling dollars from riel; None for words."""
    figures = "".join(c for c in text if c.isdecimal() or c == ".")
    if not figures.strip(".") or sum(c.isalpha() for c in text) > 3:  # noqa: PLR2004  "USD", "KHR"
        return None
    return Decimal(int(figures)) if "." not in figures else Decimal(f"{int(figures.partition('.')[0] or 0)}.5")


def _beside(grid: Grid, table: Table) -> str | None:
    """A currency that stands alone above the table: "Currency: USD", "Unit: riel"."""
    found = Counter[str]()
    for row in grid.rows[: table.header_rows[0]]:
        for index, cell in enumerate(row):
            if not isinstance(cell, str) or not cell or len(cell) > 40:  # noqa: PLR2004  a caption, not a sentence
                continue
            code = currency_of(cell)
            label = visible(cell).casefold()
            following = row[index + 1] if index + 1 < len(row) else ""
            if code and isinstance(following, str) and ("currency" in label or "unit" in label or "រូបិយ" in label or len(label) <= 6):  # noqa: PLR2004  "USD", "(KHR)"
                found[code] += 1
    return next(iter(found)) if len(found) == 1 else None


def _decimals(grid: Grid, table: Table, letters: str) -> list[Decimal | None]:
    index = column_index(letters)
    rows = grid.rows[table.first_row : table.first_row + _SAMPLE]
    return [exact(cell) if isinstance(cell := (row[index] if index < len(row) else ""), float) else None for row in rows]


def settles_net(grid: Grid, table: Table, columns: Sequence[ColumnReading], candidate: int) -> bool:
    """Whether gross less deductions is the candidate column in nine rows of ten (and at least three)."""
    net = columns[candidate]
    same = [column for column in columns if column.currency == net.currency and column.meaning is not None]
    gross = next((column for column in same if column.meaning is Meaning.GROSS), None)
    totals = [column for column in same if column.meaning is Meaning.TOTAL_DEDUCTIONS]
    deducted = totals or [column for column in same if column.meaning in DEDUCTIONS]
    if gross is None or not deducted:
        return False
    nets, grosses = _decimals(grid, table, net.column), _decimals(grid, table, gross.column)
    less = [_decimals(grid, table, column.column) for column in deducted]
    checked = right = moved = 0
    for index, (paid, earned) in enumerate(zip(nets, grosses, strict=True)):
        if paid is None or earned is None:
            continue
        taken = sum((abs(values[index] or Decimal(0)) for values in less), Decimal(0))
        checked += 1
        moved += taken != 0
        right += abs(earned - taken - paid) <= _CENT
    return checked >= _PROOF_ROWS and moved >= _PROOF_ROWS and right >= _PROOF_SHARE * checked
