"""Facts that cannot be meant are refused with a sentence, never with a trace and never with a figure."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from reconciliation.contract import Side
from reconciliation.entitlements import entitlement
from reconciliation.facts_json import FactsError, facts_of, read_facts
from reconciliation.law.book import load_cambodia
from reconciliation.policy import PolicyError

LEAST: dict[str, Any] = {"period": "2026-11", "exchange_rates": {"tax": "4000"}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "one JSON object"),
        ("7", "one JSON object"),
        ('{"period": "2026-11", "period": "2025-11"}', "period stands twice"),
        ("[" * 100_000, "nested beyond"),
        ('{"children": ' + "9" * 5_000 + "}", "too long"),
        (b"{\x80}", "UTF-8"),
    ],
)
def test_what_is_not_one_clear_object_is_refused(text: str | bytes, told: str) -> None:
    with pytest.raises(FactsError, match=told):
        read_facts(text)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"exchange_rates": {"tax": "0.00025"}}, "exchange_rates.tax.*500"),  # a rate turned upside down
        ({"exchange_rates": {"tax": "4000", "nssf": "4000000"}}, "exchange_rates.nssf.*50000"),
        ({"basic_wage": "1e400"}, "basic_wage"),
        ({"basic_wage": "-5"}, "basic_wage.amount: must be at least 0"),
        ({"basic_wage": "210.005"}, "more decimals than USD"),
        ({"joined_on": "2026-12-01", "left_on": "2026-01-01"}, "lies before joined_on"),
        ({"joined_on": "2026-12-01"}, "joined_on 2026-12-01 lies after the month 2026-11"),
        ({"left_on": "2026-10-31"}, "left_on 2026-10-31 lies before the month 2026-11.*final_pay"),
        ({"joined_on": "0026-11-01"}, "lies before 1950"),
        ({"basic_wage": "100000000.01"}, "basic_wage: must be at most 100000000 USD"),
        ({"days_absent": "20", "days_sick": "11"}, "are 31 days together in a month of 30"),
        ({"worker_code": ""}, "worker_code"),
        ({"worker_code": "GW\n1"}, "worker_code: write it on one line"),
        ({"policy": {"monthly_days": 5}}, "days of a month lie between 20 and 31"),
    ],
)
def test_a_figure_that_cannot_be_meant_is_named(more: dict[str, Any], told: str) -> None:
    with pytest.raises(FactsError, match=told) as refused:
        facts_of({**LEAST, **more})
    assert len(str(refused.value)) < 400
    assert "Value error" not in str(refused.value)


def test_a_leaver_s_final_pay_may_come_in_the_month_after_and_a_month_s_edges_are_hers() -> None:
    edges = [{"left_on": "2026-11-01"}, {"joined_on": "2026-11-30"}, {"left_on": "2026-10-31", "kind": "final_pay"}]
    for more in (*edges, {"left_on": "2026-10-31", "kind": "correction"}, {"days_absent": "15", "days_maternity": "15"}):
        facts_of({**LEAST, **more})


def test_the_largest_amounts_that_are_taken_are_computed() -> None:
    """No amount that the schema lets in is too large to be added up."""
    largest = "100000000"
    more = dict.fromkeys(("overtime_hours", "night_overtime_hours", "rest_day_hours", "holiday_hours", "night_hours"), "744")
    given = dict.fromkeys(("other_allowance", "back_pay", "advance"), largest)
    wages = {"basic_wage": largest, "average_wage": largest, "contract_wages": largest, "given": given, "unused_leave_days": "366"}
    for contract in ("fixed", "undetermined"):
        facts = facts_of({**LEAST, **more, **wages, "kind": "final_pay", "contract": contract, "exchange_rates": {"tax": "50000"}})
        owed = entitlement(facts.work_month(), book=load_cambodia(), rates=facts.rates(), policy=facts.policy)
        assert owed.gross.minor == sum(line.amount.minor for line in owed.lines if line.side is Side.EARNING)


@pytest.mark.parametrize("value", ["0", "10.005", "1000001", "1e99"])
def test_an_agreed_value_that_nobody_can_mean_is_refused(value: str) -> None:
    """Fractions of a cent would be cut off, and so favour nobody; hours of nothing would divide a wage by nothing."""
    for name in ("daily_hours", "overtime_hours_a_day") if value == "0" else ("attendance_bonus",):
        agreed = {"name": name, "since": "2025-01-01", "value": value, "citation": {"title": "collective agreement of 2025"}}
        facts = facts_of({**LEAST, "policy": {"agreements": [agreed]}})
        with pytest.raises(PolicyError, match="an agreed value is a number"):
            entitlement(facts.work_month(), book=load_cambodia(), rates=facts.rates(), policy=facts.policy)


@pytest.mark.parametrize(
    ("name", "told"), [("tax_brackets", "fixed by law"), ("seniority_bonus", "is a table"), ("attendance_bonus", "at least as much")]
)
def test_an_agreement_that_cannot_hold_is_refused(name: str, told: str) -> None:
    agreed = {"name": name, "since": "2025-01-01", "value": "5", "citation": {"title": "collective agreement of 2025"}}
    facts = facts_of({**LEAST, "policy": {"agreements": [agreed]}})
    with pytest.raises(PolicyError, match=told):
        entitlement(facts.work_month(), book=load_cambodia(), rates=facts.rates(), policy=facts.policy)


def test_leave_on_a_line_of_its_own_can_be_said() -> None:
    facts = read_facts(json.dumps({**LEAST, "days_leave": "2", "leave_apart": True}))
    owed = entitlement(facts.work_month(), book=load_cambodia(), rates=facts.rates(), policy=facts.policy)
    # 210 x 24 / 26 = 193.85 and 210 x 2 / 26 = 16.15: together the wage
    assert [(line.line.value, line.amount.amount) for line in owed.lines if line.line.value in ("basic_pay", "leave_pay")] == [
        ("basic_pay", Decimal("193.85")),
        ("leave_pay", Decimal("16.15")),
    ]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"period": "2025-13"}, 'period: write the month as YYYY-MM in quotation marks, such as "2026-11"'),
        ({"period": 202511}, "period: write the month as YYYY-MM"),
        ({"joined_on": 0}, "joined_on: write a day of the calendar"),  # not 1 January 1970
        ({"left_on": "2026-02-30"}, "left_on: write a day of the calendar"),
        ({"days_absent": 99}, "days_absent: must be at most 31"),
        ({"overtime_hours": "10:30"}, "overtime_hours: write a number"),
        ({"overtime_hours": "1.123456"}, "overtime_hours: may have at most 4 decimals"),
        ({"exchange_rates": 4000}, "exchange_rates: write an object"),
        ({"basic_wage": []}, "basic_wage: write an amount"),
        ({"children": True}, "children: write a whole number"),
        ({"worker_code": "\ud800"}, "worker_code: holds half a character"),
        ({"days_holiday": "NaN"}, "days_holiday: write a number"),
        ({"policy": {"tolerance_cents": 10**9}}, "policy: what may be rounded or left untold has an end"),
        ({"policy": {"pension_rounding_riel": 10**6}}, "policy: what may be rounded or left untold has an end"),
        ({"policy": {"new_worker_days": 10**6}}, "policy: account_change_days and new_worker_days are at most 366 days"),
        ({"resident": "maybe"}, "resident: write true or false"),
        ({"provided": "car"}, "provided: write a list"),
        ({"given": {"bribe": "10"}}, "given.bribe: must be 'other_allowance'"),
        ({"policy": {"foo": 1}}, "policy.foo: is not known: remove it"),
        ({"a\nline": 1}, r"a\?line: is not known"),
        ({"x" * 5000: 1}, "x…: is not known"),
    ],
)
def test_a_mistake_is_told_in_plain_words_on_one_line(more: dict[str, Any], told: str) -> None:
    with pytest.raises(FactsError, match=told) as refused:
        facts_of({**LEAST, **more})
    said = str(refused.value)
    assert not any(word in said for word in ("Input", "Decimal", "frozenset", "pattern", "instance", "dictionary", "\n"))
    assert len(said) < 300


def test_a_hundred_mistakes_are_counted_and_not_listed() -> None:
    with pytest.raises(FactsError, match="and 92 more") as refused:
        facts_of({**LEAST, **{f"field_{number}": 1 for number in range(100)}})
    assert len(str(refused.value)) < 700
