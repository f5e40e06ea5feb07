"""What a check says to somebody who may not read personal data: every figure, and nothing of a union or of anybody's health.

Whoever reads masked (an auditor, finance, a program) sees that a worker was owed an amount, not that she was sick, expecting, or a member.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from payroll_api.access.actor import Actor, Permission
from payroll_api.review.models import Discrepancy
from reconciliation.contract import Line
from reconciliation.formula_km import in_khmer

# A line that tells too much stands inside one that does not.
INSIDE: Mapping[Line, Line] = {
    Line.UNION_DUES: Line.OTHER_DEDUCTION,
    Line.SICK_PAY: Line.BASIC_PAY,
    Line.MATERNITY_PAY: Line.BASIC_PAY,
}
_INSIDE: Mapping[str, str] = {line.value: host.value for line, host in INSIDE.items()}
# Whose answer to "what if" counts the sick and the expecting: one of them, in a factory that has one, is a person.
ASKED_BY_FEW = frozenset({"sick_pay", "attendance_lost_by", "maternity_pay", "maternity_service_years"})
# Differences whose typed reason speaks of days away or of deductions; reasons about hours, rates, accounts and totals are for the audit.
_PERSONAL = frozenset(
    {"basic_pay", "attendance_bonus", "leave_pay", "sick_pay", "maternity_pay", "other_deduction", "union_dues", "total_deductions", "days"}
)
_AWAY = frozenset({"missing_worker", "returning_worker", "no_attendance"})
_COUNTED = re.compile(r"កម្មករ [0-9]+ នាក់")
_UNTOLD = "as the factory states"  # a phrase of the formulas, so that it has its Khmer


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The words of one difference as its reader may have them."""

    reason: str | None  # as somebody typed it; masked, kept back where it is likely to say why days were missed or who is a member
    basis: str
    message: str
    message_km: str
    citations: Sequence[Any]


def may_read(actor: Actor) -> bool:
    """Whether this one sees why days were not worked, and who pays dues."""
    return Permission.READ_PERSONAL in actor.permissions


def lines_for(actor: Actor, lines: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The lines of an entitlement; masked, the sums stay as they are."""
    if may_read(actor):
        return lines
    shown: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        name = _INSIDE.get(line["line"], line["line"])
        key = (name, line["currency"])
        if key not in shown:
            formula = _UNTOLD if name != line["line"] or _tells(name, line["formula"]) else line["formula"]
            shown[key] = {**line, "line": name, "formula": formula}
            continue
        shown[key] = {**shown[key], "minor": shown[key]["minor"] + line["minor"], "formula": _UNTOLD}
        shown[key].pop("riel", None)
    return list(shown.values())


def articles_for(actor: Actor, articles: Mapping[str, Sequence[Mapping[str, str]]]) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """The articles by line; masked, a line that others stand inside has an article although its own kind is nowhere in the file."""
    if may_read(actor):
        return articles
    own = {name: cites for name, cites in articles.items() if name not in _INSIDE}
    return {**{_INSIDE[name]: cites for name, cites in articles.items() if name == Line.UNION_DUES.value}, **own}


def told(actor: Actor, item: Discrepancy) -> Told:
    """The words of a difference; masked, those that give a reason for days not worked give none, and the article is the wage's own."""
    whole = Told(reason=item.reason, basis=item.basis, message=item.message, message_km=item.message_km, citations=item.citations)
    if may_read(actor):
        return whole
    if item.worker_code and (item.subject in _PERSONAL or item.code in _AWAY):
        whole = replace(whole, reason=None)
    if item.code == "dues_need_consent":  # with how many, and each worker's deductions, it would be told who
        basis, message = "some workers", item.message.replace(item.basis, "some workers")
        return replace(whole, basis=basis, message=message, message_km=_COUNTED.sub("កម្មករខ្លះ", item.message_km))
    if not _tells(item.subject, item.basis):
        return whole
    cites: list[Any] = list(item.citations)[:1]
    message = item.message.replace(item.basis, _UNTOLD)
    for other in item.citations[1:]:
        place = _written(other)
        message = message.replace(f"; {place}", "")
    khmer = item.message_km.replace(in_khmer(item.basis), in_khmer(_UNTOLD))
    return replace(whole, basis=_UNTOLD, message=message, message_km=khmer, citations=cites)


def _tells(line: str, formula: str) -> bool:
    """Whether the sum behind a line says that days were missed, and so perhaps why."""
    if line == Line.ATTENDANCE_BONUS.value:
        return formula.startswith("lost:")
    return (line == Line.BASIC_PAY.value and " days" in formula) or line == Line.HOLIDAY_WAGE.value


def _written(citation: object) -> str:
    one: Any = citation
    place = f"{one['title']}, {one['article']}" if one["article"] else str(one["title"])
    return place if one["verified"] else f"{place} (not verified)"
