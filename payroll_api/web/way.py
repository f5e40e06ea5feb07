"""The eight steps of a payday as one line: which are done, which one is under way, which one stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from payroll_api.intake.models import PayrollFile
from payroll_api.intake.questions import open_questions
from payroll_api.runs.models import PayRun

STEPS = ("read", "reconcile", "decide", "approve", "pay", "confirm", "settle", "slips")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: `state` is done, now, todo or stopped; `detail` says how far it is."""

    name: str
    state: str
    detail: str = ""


def stages_of(progress: Mapping[str, object] | None) -> dict[str, tuple[int, int]]:
    """How much is done of how much, by stage, of what `run_progress` tells."""
    stages: Any = (progress or {}).get("stages", ())
    return {stage["name"]: (int(stage["done"]), int(stage["total"])) for stage in stages}


def is_confirmed(file: PayrollFile) -> bool:
    """Whether a person, or an earlier file, said what the columns mean."""
    return bool(file.layout and file.layout.get("confirmed"))


def way(
    file: PayrollFile, run: PayRun | None, open_counts: Mapping[str, int], progress: Mapping[str, object] | None = None
) -> Sequence[Step]:
    """The steps of a payday. After the first that is not done the rest is to come, but what can run side by side shows its own state."""
    states = {"read": _read(file), "reconcile": "done" if file.state == "reconciled" else "todo", **_decisions(file, run, open_counts)}
    details = {}
    stages = stages_of(progress)
    for name in ("pay", "confirm", "settle", "slips"):
        done, total = stages.get(name, (0, 0))
        if run is None or run.state not in {"released", "completed"} or not total:
            states[name] = "todo"
        else:
            states[name] = "done" if done >= total else "now"
            details[name] = f"{done:,} / {total:,}"
    if "stopped" not in states.values() and "now" not in states.values():
        first = next((name for name in STEPS if states[name] == "todo"), None)
        if first is not None:
            states[first] = "now"
    return [Step(name=name, state=states[name], detail=details.get(name, "")) for name in STEPS]


def _read(file: PayrollFile) -> str:
    if file.state == "refused":
        return "now" if open_questions(file) else "stopped"
    if file.state == "reconciled" or (file.state == "read" and is_confirmed(file)):
        return "done"
    return "now"


def _decisions(file: PayrollFile, run: PayRun | None, open_counts: Mapping[str, int]) -> dict[str, str]:
    if run is None or run.state == "draft":
        is_decided = file.state == "reconciled" and not open_counts.get("blocks")
        return {"decide": "done" if is_decided else "todo", "approve": "todo"}
    if run.state == "rejected":
        return {"decide": "done", "approve": "stopped"}
    return {"decide": "done", "approve": "now" if run.state == "submitted" else "done"}
