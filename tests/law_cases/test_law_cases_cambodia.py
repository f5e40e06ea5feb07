"""Every worked case under `cambodia/` comes out as a clerk worked it out by hand: to the cent and to the riel."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from importers.money import Money
from reconciliation.contract import Entitlement, EntitlementLine
from reconciliation.entitlements import entitlement
from reconciliation.facts_json import FactsError, facts_of
from reconciliation.law.book import load_cambodia
from reconciliation.law.parameter import LawUnknownError

_FOLDER = Path(__file__).parent / "cambodia"
_OUTSIDE = {"name", "source", "expect", "lines", "riel", "refused"}


def _cases() -> list[Any]:
    found = []
    for path in sorted(_FOLDER.glob("*.toml")):
        table = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        shared = table.get("all", {})
        found += [pytest.param({**shared, **case}, id=f"{path.stem}: {case['name']}") for case in table["case"]]
    return found


_ALL = _cases()


def _facts(case: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in case.items() if name not in _OUTSIDE}


@pytest.mark.parametrize("case", _ALL)
def test_the_law_owes_what_the_clerk_worked_out(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises((FactsError, LawUnknownError), match=case["refused"]):
            _owed(case)
        return
    owed = _owed(case)
    by_name = {line.line.value: line for line in owed.lines}
    for name, amount in case.get("lines", {}).items():
        assert _amount(by_name.get(name)) == Decimal(str(amount)), f"{name}: {by_name.get(name)}"
    for name, riel in case.get("riel", {}).items():
        assert _riel(by_name.get(name)) == riel, f"{name}: {by_name.get(name)}"
    for name, amount in case.get("expect", {}).items():
        total: Money = getattr(owed, name)
        assert total.amount == Decimal(str(amount)), f"{name} is {total}"


def _owed(case: dict[str, Any]) -> Entitlement:
    facts = facts_of(_facts(case))
    return entitlement(facts.work_month(), book=load_cambodia(), rates=facts.rates(), policy=facts.policy)


def _amount(line: EntitlementLine | None) -> Decimal:
    return Decimal(0) if line is None else line.amount.amount


def _riel(line: EntitlementLine | None) -> int:
    assert line is not None
    assert line.riel is not None
    return line.riel.minor


def test_there_are_at_least_a_hundred_and_twenty_cases_and_each_expects_something() -> None:
    cases = [parameter.values[0] for parameter in _ALL]
    assert len(cases) >= 120
    assert all(case.keys() & {"expect", "lines", "riel", "refused"} for case in cases)
