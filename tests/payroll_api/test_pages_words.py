"""The words of the pages: both languages complete, and every code that people can meet has words."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.payouts.contract import OUTCOME_CODES as PAYOUT_CODES
from connectors.sms.contract import OUTCOME_CODES as SMS_CODES
from importers.contract import Meaning
from importers.period import RunKind
from payroll_api.intake.models import FILE_STATES
from payroll_api.payments.states import STATES
from payroll_api.people.models import DESTINATION_STATES
from payroll_api.runs.items import HELD_REASONS
from payroll_api.runs.models import RUN_STATES
from payroll_api.web import formats
from payroll_api.web.words import ALL_WORDS
from reconciliation.contract import Line, Resolution

SLIP_STATES = ("composed", "sending", "sent", "delivered", "failed", "unknown", "no_phone")
SERVICE = Path(__file__).parents[2] / "payroll_api"
TEMPLATES = SERVICE / "web" / "templates"
KHMER = re.compile("[\u1780-\u17ff]")


def _places(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts_with_the_same_places() -> None:
    english, khmer = ALL_WORDS["en"].texts, ALL_WORDS["km"].texts
    assert english.keys() == khmer.keys()
    assert [key for key in english if _places(english[key]) != _places(khmer[key])] == []


def test_khmer_texts_are_khmer() -> None:
    untranslated = [key for key, text in ALL_WORDS["km"].texts.items() if not KHMER.search(text)]
    assert untranslated == ["service", "page_of", "differences.decided_by"]  # names, and punctuation alone


def _known_things() -> Iterator[str]:
    for family, values in {
        "payment_state": STATES,
        "run_state": RUN_STATES,
        "destination_state": DESTINATION_STATES,
        "file_state": FILE_STATES,
        "held": HELD_REASONS,
        "kind": RunKind,
        "line": Line,
        "meaning": Meaning,
        "resolution": Resolution,
        "code": {**PAYOUT_CODES, **SMS_CODES},
        "event.payment": STATES,
        "event.slip": SLIP_STATES,
        "slip_state": SLIP_STATES,
    }.items():
        yield from (f"{family}.{value}" for value in values)


@pytest.mark.parametrize("language", ALL_WORDS)
def test_every_state_reason_and_line_has_a_word(language: str) -> None:
    assert [key for key in _known_things() if key not in ALL_WORDS[language].texts] == []


def test_every_text_that_a_template_names_exists() -> None:
    named = set()
    for template in TEMPLATES.glob("*.html"):
        named |= set(re.findall(r"""\bt\(\s*["']([a-z_.]+)["']\s*[,)]""", template.read_text(encoding="utf-8")))
    assert len(named) > 100
    assert sorted(named - ALL_WORDS["en"].texts.keys()) == []


def _actions() -> set[str]:
    """The actions of audit events as the code writes them, where they are written in full."""
    found = set()
    for file in SERVICE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Event":
                found |= {key.value.value for key in node.keywords if key.arg == "action" and isinstance(key.value, ast.Constant)}
    return {str(action) for action in found}


def test_every_audit_event_is_told_in_plain_words() -> None:
    actions = _actions()
    assert len(actions) > 20
    assert sorted(action for action in actions if f"event.{action}" not in ALL_WORDS["km"].texts) == []


def test_amounts_are_written_as_a_clerk_writes_them() -> None:
    assert formats.money(123_456, "USD") == "$1,234.56"
    assert formats.money(1_025_000, "KHR") == "៛1,025,000"
    assert formats.money(-50, "USD") == "−$0.50"
    assert formats.money(None, "USD") == "–"
    assert formats.sums({"USD": "630.00", "KHR": "40000"}) == "$630.00 + ៛40,000"
    assert formats.sum_of([(100, "USD"), (250, "USD")]) == "$3.50"
    assert formats.period("2026-11", ALL_WORDS["km"]) == "វិច្ឆិកា 2026"
