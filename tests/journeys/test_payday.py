"""From the spreadsheet to pay slips, through real processes, exactly as `make run` does it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.journeys.real_processes import build, free_port, payroll

pytestmark = pytest.mark.timeout(600)
WORKERS = 40


def _journal(folder: Path, simulator: str) -> list[dict[str, str]]:
    path = folder / "journals" / f"{simulator}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.long
async def test_a_payday_is_played_once_and_told_again_at_the_next_start(run_folder: Path, tmp_path: Path) -> None:
    folder = run_folder / "payday"
    sheet = build(tmp_path, WORKERS)
    demo = ("demo", "--once", "--sheet", str(sheet), "--data-dir", str(folder), "--port", str(free_port()), "--delay-ms", "50")
    status, told = await payroll(run_folder, *demo)
    assert status == 0, told
    assert "agree with the database to the cent" in told
    assert "intact" in told
    assert "to the cent" in told
    bank, wallet, phones = (_journal(folder, name) for name in ("bank", "wallet", "sms"))
    assert bank
    assert wallet
    paid = [int(count) for count in re.findall(r"paid (?:by bank|by wallet|in cash) *│ *(\d+)", told)]
    assert paid[:2] == [len(bank), len(wallet)]
    assert sum(paid) == len(phones) == len({entry["reference"] for entry in phones})
    assert re.search(r"failed *│ *\d+ │ .*account_closed", told), "blocked accounts fail and say why"

    # The next start goes on from here: nobody is paid again, nobody is told again, and the summary is the same.
    status, again = await payroll(run_folder, *demo)
    assert status == 0, again
    assert "Paying" not in again
    assert [line for line in again.splitlines() if "paid" in line] == [line for line in told.splitlines() if "paid" in line]
    assert [len(_journal(folder, name)) for name in ("bank", "wallet", "sms")] == [len(bank), len(wallet), len(phones)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--sheet", "/nowhere/payroll.xlsx"), "There is no file /nowhere/payroll.xlsx"),
        (("--period", "11/2026"), "is not written as YYYY-MM"),
        (("--data-dir", "/proc/demo"), "folder"),
    ],
)
async def test_what_keeps_a_demo_from_starting_is_told_in_a_sentence(run_folder: Path, arguments: tuple[str, ...], sentence: str) -> None:
    folder = () if "--data-dir" in arguments else ("--data-dir", str(run_folder / "not-started"))
    status, told = await payroll(run_folder, "demo", "--once", *arguments, *folder)
    assert status == 1
    assert sentence in told
    assert "Traceback" not in told
