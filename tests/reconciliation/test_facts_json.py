"""Facts as JSON: exact numbers in, every field described, every mistake named."""

from __future__ import annotations

import json
from decimal import Decimal

import jsonschema
import pytest

from importers.contract import Meaning
from importers.money import KHR, USD, Money
from reconciliation.contract import Line
from reconciliation.entitlements import entitlement
from reconciliation.facts_json import FactsError, facts_of, facts_schema, read_facts
from reconciliation.law.book import load_cambodia
from reconciliation.policy import FactoryPolicy
from reconciliation.to_json import entitlement_json

LEAST = {"period": "2026-11", "exchange_rates": {"tax": "4000"}}


def test_the_least_that_must_be_said_is_the_month_and_its_rate() -> None:
    facts = read_facts(json.dumps(LEAST))
    assert facts.rates().nssf == 4000
    assert facts.policy == FactoryPolicy()
    assert facts.work_month().basic_wage is None


def test_numbers_stay_exact() -> None:
    facts = read_facts('{"period":"2026-11","exchange_rates":{"tax":4012.5},"overtime_hours":10.1,"basic_wage":215.10}')
    month = facts.work_month()
    assert facts.rates().tax == Decimal("4012.5")
    assert month.hours == {Meaning.OVERTIME_HOURS: Decimal("10.1")}
    assert month.basic_wage == Money(21_510, USD)
    with pytest.raises(FactsError, match="binary float"):
        facts_of({**LEAST, "overtime_hours": 10.1})


def test_amounts_in_riel_say_so() -> None:
    facts = facts_of({**LEAST, "given": {"advance": {"amount": "80000", "currency": "KHR"}}})
    assert facts.work_month().given == {Line.ADVANCE: Money(80_000, KHR)}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "not JSON: .* line 1"),
        ("[]", "facts"),
        ("{}", "period: is missing: add it; exchange_rates"),
        ('{"period":"2026-13","exchange_rates":{"tax":4000}}', "period"),
        ('{"period":"2026-11","exchange_rates":{"tax":0}}', "exchange_rates.tax"),
        ('{"period":"2026-11","exchange_rates":{"tax":4000},"days_absent":-1}', "days_absent"),
        ('{"period":"2026-11","exchange_rates":{"tax":4000},"overtime_hours":"NaN"}', "overtime_hours"),
        ('{"period":"2026-11","exchange_rates":{"tax":4000},"basic_wage":"1.234"}', "basic_wage"),
        ('{"period":"2026-11","exchange_rates":{"tax":4000},"basic_wage":"-1"}', "basic_wage"),
        ('{"period":"2026-11","exchange_rates":{"tax":4000},"given":{"basic_pay":"1"}}', "given"),
        ('{"period":"2026-11","exchange_rates":{"tax":4000},"policy":{"monthly_days":5}}', "monthly_days"),
        ('{"period":"2026-11","exchange_rates":{"tax":4000},"wage":"210"}', "wage"),
    ],
)
def test_a_mistake_names_its_field_and_the_way_out(text: str, named: str) -> None:
    with pytest.raises(FactsError, match=named) as refused:
        read_facts(text)
    assert "schema" in str(refused.value) or "JSON" in str(refused.value)


def test_the_schema_describes_every_field_with_an_example_that_it_accepts() -> None:
    schema = facts_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for name, field in schema["properties"].items():
        assert field["description"], name
        example = {**LEAST, name: field["examples"][0]}
        assert not list(validator.iter_errors(example)), name
        assert facts_of(example).work_month().period.year == 2026
    for name, field in schema["$defs"]["FactoryPolicy"]["properties"].items():
        assert "Default:" in field["description"], name


def test_an_entitlement_as_json_names_every_source() -> None:
    facts = facts_of({**LEAST, "overtime_hours": "10.5", "joined_on": "2020-01-01", "overtime_days": "6"})
    owed = entitlement(facts.work_month(), book=load_cambodia(), rates=facts.rates(), policy=facts.policy)
    told = entitlement_json(owed)
    assert told["net"] == {"amount": "247.85", "currency": "USD"}
    overtime = next(line for line in told["lines"] if line["line"] == "overtime_pay")
    assert (overtime["amount"], overtime["formula"]) == ("15.90", "10.5 h x 1.0096 USD x 150 %")
    assert all(line["citations"] for line in told["lines"])
    assert json.loads(json.dumps(told)) == told
