"""A source that was not seen says so wherever it is shown."""

from __future__ import annotations

from decimal import Decimal
from itertools import chain

import pytest

from importers.contract import Meaning
from importers.period import PayPeriod, RunKind
from reconciliation.contract import Citation, ExchangeRates, Line, WorkMonth
from reconciliation.entitlements import entitlement
from reconciliation.law.book import load_cambodia
from reconciliation.law.parameter import DatedValue
from reconciliation.policy import FactoryPolicy
from reconciliation.to_json import entitlement_json

# Articles whose number stands in a text that was read; any other number came from general knowledge.
SEEN = {
    "art. 24",
    "art. 68",
    "art. 73",
    "art. 113",
    "art. 114",
    "art. 115",
    "art. 116",
    "art. 118",
    "art. 119",
    "art. 182",
    "art. 183",
    "art. 120",
    "art. 137",
    "art. 139",
    "art. 144",
    "art. 161",
    "art. 162",
    "art. 163",
    "art. 164",
    "art. 166",
    "arts. 113 to 116",
    "arts. 126 to 129",
}
BOOK = load_cambodia()
VALUES = [(name, value) for name, parameter in BOOK.parameters.items() for value in parameter.values]


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_an_article_that_nobody_read_is_not_called_verified(name: str, value: DatedValue) -> None:
    article = value.citation.article
    assert not value.citation.verified or not article or article in SEEN, f"{name}: {article} was not read: verified = false"
    assert value.citation.verified or value.note or value.citation.published, f"{name}: say what was not seen"


def test_the_mark_is_kept_on_the_slip_s_json() -> None:
    month = WorkMonth(
        worker_code="GW-1",
        period=PayPeriod(2025, 3),
        kind=RunKind.BALANCE,
        hours={Meaning.REST_DAY_HOURS: Decimal(2), Meaning.NIGHT_HOURS: Decimal(2)},
    )
    slip = entitlement(month, book=BOOK, rates=ExchangeRates(tax=Decimal(4000), nssf=Decimal(4000)), policy=FactoryPolicy())
    told = {line["line"]: line["citations"] for line in entitlement_json(slip)["lines"]}
    assert [(one["article"], one["verified"]) for one in told["rest_day_pay"]] == [("art. 139", False)]
    assert all(one["verified"] for one in told["basic_pay"])
    assert {line.line for line in slip.lines} >= {Line.REST_DAY_PAY, Line.NIGHT_PAY}
    assert not [one for one in chain.from_iterable(told.values()) if not one["title"]]


def test_a_source_reads_with_its_mark() -> None:
    assert str(Citation(title="Prakas 442", article="")) == "Prakas 442"
    assert str(Citation(title="Labour Law", article="art. 139", verified=False)) == "Labour Law, art. 139 (not verified)"
