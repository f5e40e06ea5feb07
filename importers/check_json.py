"""An imported sheet as the JSON of `payroll check SHEET --json`: plain values, stable names."""

from __future__ import annotations

from typing import Any

from importers.contract import CellProblem, ImportedSheet, PayrollRow
from importers.layouts import layout_to_json
from importers.money import Money, currency

NOTHING_READ: dict[str, Any] = {
    "file": {},
    "sheet": None,
    "layout": [],
    "rows": [],
    "problems": [],
    "counts": {"read": 0, "accepted": 0, "rejected": 0},
    "totals": {},
}  # the keys that are always there, of a file that nobody could open


def sheet_to_json(sheet: ImportedSheet) -> dict[str, Any]:
    """`file`, `sheet`, `layout`, `rows`, `problems`, `counts`, `totals`. Amounts are decimal strings beside their currency."""
    layout = layout_to_json(sheet.layout) if sheet.layout is not None else None
    return {
        "file": {
            "name": sheet.file_name,
            "content_hash": sheet.content_hash,
            "canonical_hash": sheet.canonical_hash,
            "sheets": list(sheet.sheets),
        },
        "sheet": sheet.layout.sheet if sheet.layout is not None else None,
        "layout": layout["columns"] if layout is not None else [],
        "layout_fingerprint": layout["fingerprint"] if layout is not None else None,
        "layout_confirmed": layout["confirmed"] if layout is not None else False,
        "header_rows": layout["header_rows"] if layout is not None else [],
        "rows": [row_to_json(row) for row in sheet.rows],
        "problems": [problem_to_json(found) for found in sheet.problems],
        "counts": {"read": sheet.counts.read, "accepted": sheet.counts.accepted, "rejected": sheet.counts.rejected},
        "totals": _totals(sheet),
        "control_totals": [
            {
                "meaning": total.meaning.value,
                "sheet": total.sheet,
                "cell": total.cell,
                "currency": total.stated.currency.code,
                "stated": str(total.stated.amount),
                "added": str(total.added.amount),
            }
            for total in sheet.control_totals
        ],
        "choices": [
            {"name": choice.name, "rows": choice.rows, "kind": choice.kind, "names_period": choice.names_period} for choice in sheet.choices
        ],
        "refused": sheet.refused.code if sheet.refused is not None else None,
    }


def problem_to_json(found: CellProblem) -> dict[str, Any]:
    """One problem; `column` is the meaning of the column, `value` the cell as written."""
    return {
        "sheet": found.sheet,
        "cell": found.cell,
        "column": found.meaning.value if found.meaning is not None else None,
        "value": found.value,
        "code": found.code,
        "severity": found.severity.value,
        "message": found.message,
        "remedy": found.remedy,
        "remedy_km": found.remedy_km,
    }


def row_to_json(row: PayrollRow) -> dict[str, Any]:
    """One worker's row; what the sheet does not have is null or left out."""
    return {
        "sheet": row.sheet,
        "row": row.row,
        "worker_code": row.worker_code,
        "name": row.name,
        "name_latin": row.name_latin,
        "sex": row.sex,
        "national_id": row.national_id,
        "phone": row.phone,
        "position": row.position,
        "department": row.department,
        "joined_on": row.joined_on.isoformat() if row.joined_on else None,
        "left_on": row.left_on.isoformat() if row.left_on else None,
        "status": row.status.value if row.status else None,
        "spouse": row.spouse,
        "children": row.children,
        "pay_method": row.pay_method.value if row.pay_method else None,
        "bank": row.bank,
        "account": row.account,
        "account_name": row.account_name,
        "net": _money(row.net),
        "amounts": {meaning.value: _money(amount) for meaning, amount in row.amounts.items()},
        "alternates": {meaning.value: _money(amount) for meaning, amount in row.alternates.items()},
        "time": {meaning.value: str(value) for meaning, value in row.time.items()},
    }


def _money(amount: Money) -> dict[str, str]:
    return {"amount": str(amount.amount), "currency": amount.currency.code}


def _totals(sheet: ImportedSheet) -> dict[str, dict[str, str]]:
    """The net of each currency: read is accepted + rejected, to the cent."""
    totals = {}
    for code in sorted({*sheet.net_accepted, *sheet.net_rejected}):
        zero = Money.zero(currency(code))
        accepted, rejected = sheet.net_accepted.get(code, zero), sheet.net_rejected.get(code, zero)
        totals[code] = {
            name: str(sum_.amount) for name, sum_ in (("read", accepted + rejected), ("accepted", accepted), ("rejected", rejected))
        }
    return totals
