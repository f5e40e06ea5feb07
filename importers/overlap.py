"""Which workers of a sheet already stand in an earlier file of the same period and kind, shown worker by worker before anything happens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from importers.contract import PayrollRow
from importers.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlappingWorker:
    """A worker who stands in this sheet and in earlier files; `earlier` names each file with her net there."""

    worker_code: str
    row: int
    net: Money
    earlier: tuple[tuple[str, Money], ...]

    @property
    def is_same(self) -> bool:
        """Whether every earlier file says the same net."""
        return all(net == self.net for _, net in self.earlier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """A sheet against the earlier files of its period and kind. The three groups together are all of the sheet's rows."""

    same: tuple[OverlappingWorker, ...]
    different: tuple[OverlappingWorker, ...]
    new: tuple[str, ...]  # codes that no earlier file has
    missing: tuple[str, ...]  # codes of earlier files that this sheet does not have

    @property
    def is_empty(self) -> bool:
        """Whether no worker of the sheet was in an earlier file."""
        return not (self.same or self.different)


def find_overlap(rows: Iterable[PayrollRow], earlier: Mapping[str, Mapping[str, Money]]) -> Overlap:
    """Compare by worker code, as it stands. `earlier` is, for each file (by a name HR knows), every worker's code with her net.

    The caller gives only files of the same period and kind of run; in another period the same worker is no overlap.
    """
    same: list[OverlappingWorker] = []
    different: list[OverlappingWorker] = []
    new: list[str] = []
    seen: set[str] = set()
    for row in rows:
        seen.add(row.worker_code)
        known = tuple((name, nets[row.worker_code]) for name, nets in earlier.items() if row.worker_code in nets)
        if not known:
            new.append(row.worker_code)
            continue
        worker = OverlappingWorker(worker_code=row.worker_code, row=row.row, net=row.net, earlier=known)
        (same if worker.is_same else different).append(worker)
    missing = dict.fromkeys(code for nets in earlier.values() for code in nets if code not in seen)
    return Overlap(same=tuple(same), different=tuple(different), new=tuple(new), missing=tuple(missing))
