"""A long file shows how far it is while it is read, and never goes backwards."""

from __future__ import annotations

import io

import openpyxl

from importers.period import PayPeriod
from importers.read import read_sheet

WORKERS = 2_500


def test_progress_begins_before_the_first_row_is_read_and_only_grows() -> None:
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet("Pay")
    page.append(("Worker code", "Name", "Net pay (USD)"))
    for number in range(WORKERS):
        page.append((f"W{number:04}", "Sok Sophea", 240))
    out = io.BytesIO()
    book.save(out)
    seen: list[tuple[int, int]] = []
    sheet = read_sheet(
        out.getvalue(), file_name="p.xlsx", period=PayPeriod(2026, 11), progress=lambda done, rows: seen.append((done, rows))
    )
    assert sheet.counts.accepted == WORKERS
    assert seen[0] == (0, WORKERS + 1)  # told by the child that parses: the sheet's length, header and all
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len({done for done, _ in seen}) >= 5
    assert seen[-1] == (WORKERS, WORKERS)
