"""The accounts that the simulated bank and wallet know for a workbook of one's own: those that stand in it."""

from __future__ import annotations

import json
from pathlib import Path

from importers.period import PayPeriod
from importers.read import read_sheet
from payroll_api.commands.demo_folder import Folder
from payroll_api.review.person import person_of

_OPEN = "open"


def accounts_of(sheet: Path, period: PayPeriod, folder: Folder) -> Path:
    """Write the accounts of a sheet's workers as the simulators read them, each open and in its worker's name.

    With `{"bank": [], "wallet": []}` for a sheet that cannot be read: the service says what is wrong with it.
    """
    rows = read_sheet(sheet.read_bytes(), file_name=sheet.name, period=period).rows
    people = [person_of(row) for row in rows]
    known = {
        simulator: [
            {"account": person.account, "holder": person.holder, "status": _OPEN} for person in people if person.destination_kind == kind
        ]
        for simulator, kind in (("bank", "bank_account"), ("wallet", "wallet"))
    }
    path = folder.path / "accounts.json"
    path.write_text(json.dumps(known, ensure_ascii=False))
    return path
