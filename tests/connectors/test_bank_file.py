"""The file for a bank's portal: nothing cut, nothing computed, and the result believed only where it fits."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from connectors.faults import FaultKind, FaultPlan
from connectors.payouts import conformance
from connectors.payouts.bank_file.config import BankFileConfig
from connectors.payouts.bank_file.connector import BankFileConnector
from connectors.payouts.bank_file.layout import Layout, shipped
from connectors.payouts.bank_file.simulator import Portal
from connectors.payouts.bank_file.under_test import SimulatedPortal, under_test
from connectors.payouts.contract import Destination, DestinationKind, PayoutBatch, PayoutOrder, PayoutStatus
from connectors.payouts.registry import ConnectorConfigError
from connectors.payouts.registry import build as registered
from importers.money import USD, Money
from importers.workbook import open_grids, text_of

LAYOUTS = ("generic", "acleda_like", "letter_with_table")


def connector(layout: object = "generic", **changes: Any) -> BankFileConnector:
    given = {"layout": layout, "factory_name": "Sample Garment Co., Ltd.", "debit_account": "000100200"} | changes
    return BankFileConnector(BankFileConfig.model_validate(given))


def order(number: int, *, account: str | None = None, holder: str | None = None, minor: int = 21_050) -> PayoutOrder:
    to = Destination(
        kind=DestinationKind.BANK_ACCOUNT,
        account=account or SimulatedPortal.account(number),
        holder=holder or SimulatedPortal.holder(number),
    )
    return PayoutOrder(reference=f"GW1ABCDEFGH{number:09d}", amount=Money(minor, USD), destination=to, purpose="Wages 2026-11")


def batch(*orders: PayoutOrder) -> PayoutBatch:
    return PayoutBatch(reference="GB1ABCDEFGH000000000", orders=orders, execute_on=date(2026, 11, 30))


def rows(content: bytes, name: str = "result.xlsx") -> list[list[str]]:
    with open_grids(content, name) as opened:
        return [[text_of(cell) for cell in row] for row in opened.grids[0].rows]


def csv_layout(**changes: Any) -> dict[str, Any]:
    return shipped("generic").model_dump() | {"format": "csv"} | changes


async def test_the_file_keeps_its_few_claims() -> None:
    async with under_test() as (checked, provider):
        findings = await conformance.check(checked, provider)
    assert conformance.report(conformance.failures(findings)) == ""
    assert len(findings) > 12


@pytest.mark.parametrize("name", LAYOUTS)
async def test_a_file_goes_to_the_portal_and_its_result_comes_back_for_each_payment(name: str) -> None:
    bank = connector(name)
    portal = Portal(shipped(name), {SimulatedPortal.account(number): SimulatedPortal.holder(number) for number in range(5)})
    orders = [order(1), order(2, minor=18_799), order(3, account="000999999")]
    assert {outcome.status for outcome in await bank.submit(batch(*orders))} == {PayoutStatus.ACCEPTED}
    file = bank.write_file(batch(*orders))
    assert portal.take(file.name, file.content)
    assert [(line["reference"], line["account"], line["amount_minor"]) for line in portal.journal] == [
        (orders[0].reference, "000100001", 21_050),
        (orders[1].reference, "000100002", 18_799),
    ]
    result = bank.read_result(rows(portal.results[file.name]), orders)
    assert [outcome.status for outcome in result.outcomes] == [PayoutStatus.PAID, PayoutStatus.PAID, PayoutStatus.REJECTED]
    assert result.problems == ()
    assert not portal.take(file.name, file.content)
    assert len(portal.journal) == 2


def test_accounts_keep_their_zeros_amounts_are_numbers_and_nothing_is_a_formula() -> None:
    file = connector().write_file(batch(order(1, holder="=HYPERLINK(1)")))
    sheet = load_workbook(io.BytesIO(file.content)).worksheets[0]
    cells = {str(header.value): cell for header, cell in zip(sheet[1], sheet[2], strict=True)}
    assert (cells["Beneficiary account"].value, cells["Beneficiary account"].data_type) == ("000100001", "s")
    assert (cells["Beneficiary name"].value, cells["Beneficiary name"].data_type) == ("=HYPERLINK(1)", "s")
    assert (cells["Amount"].value, cells["Amount"].number_format) == (210.5, "0.00")
    assert "000100001" not in repr(file)


@given(holder=st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Zl", "Zp")), min_size=1, max_size=140))
def test_no_name_becomes_a_formula_in_csv_and_none_is_changed_otherwise(holder: str) -> None:
    bank = connector(csv_layout(encoding="utf-8"))
    try:
        content = bank.write_file(batch(order(1, holder=holder))).content
    except ValueError:
        return  # what cannot be written whole is refused
    table = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    written = table[1][3]
    assert written.removeprefix("'") == holder.removeprefix("'")
    assert not written.lstrip().startswith(("=", "+", "-", "@", "|", "%"))


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (order(1, account="=1+1"), "begins like a formula"),
        (order(1, holder="S" * 141), "140 printable characters"),
        (order(1, account="1" * 35), "34 printable characters"),
        (order(1, holder="Sok\x00Dara"), "printable"),
    ],
)
async def test_what_the_layout_cannot_carry_is_refused_and_its_neighbour_is_not(bad: PayoutOrder, why: str) -> None:
    outcomes = await connector().submit(batch(bad, order(2)))
    assert [(outcome.status, outcome.code) for outcome in outcomes] == [
        (PayoutStatus.REJECTED, "invalid_order"),
        (PayoutStatus.ACCEPTED, None),
    ]
    assert why in outcomes[0].detail
    assert bad.destination.holder not in outcomes[0].detail
    with pytest.raises(ValueError, match=why):
        connector().write_file(batch(bad))


@pytest.mark.parametrize(
    ("fault", "code"), [(FaultKind.OTHER_AMOUNT_ECHOED, "amount_differs"), (FaultKind.OTHER_PAYEE_ECHOED, "payee_differs")]
)
def test_a_result_with_another_account_or_amount_is_no_word_about_the_payment(fault: FaultKind, code: str) -> None:
    bank, portal = connector(), Portal(shipped("generic"), {SimulatedPortal.account(1): "x"})
    portal.faults = FaultPlan.at("submit", fault)
    file = bank.write_file(batch(order(1)))
    portal.take(file.name, file.content)
    result = bank.read_result(rows(portal.results[file.name]), [order(1)])
    assert [(outcome.status, outcome.code) for outcome in result.outcomes] == [(PayoutStatus.UNKNOWN, code)]
    assert result.problems[0].startswith("row 3: another")


HEADERS = ["Reference", "Beneficiary account", "Amount", "Currency", "Status", "Reason"]
GOOD = ["GW1ABCDEFGH000000001", "000100001", "210.50", "USD", "Success", ""]


def told(*lines: list[str], headers: list[str] = HEADERS) -> Any:
    return connector().read_result([["Bank's title"], [], headers, *lines], [order(1), order(2)])


def test_each_strange_row_is_told_by_its_number_and_the_others_count() -> None:
    second = ["GW1ABCDEFGH000000002", "000100002", "$ 210.5", "usd", " FAILED ", "Account  closed"]
    result = told(GOOD, second, ["GW9ZZZZZZZZ000000009", "1", "1", "USD", "Success", ""], ["Total", "", "421.00", "", "", ""])
    assert [(outcome.status, outcome.code) for outcome in result.outcomes] == [
        (PayoutStatus.PAID, None),
        (PayoutStatus.REJECTED, "account_closed"),
    ]
    assert result.problems == ("row 6: names a payment that is not in this file",)


@pytest.mark.parametrize(
    ("changed", "status", "code", "problem"),
    [
        ({4: "Perhaps"}, PayoutStatus.UNKNOWN, "unreadable_answer", "row 4: the bank's word is not in the layout"),
        ({1: "100001"}, PayoutStatus.UNKNOWN, "payee_differs", "row 4: another account"),
        ({1: ""}, PayoutStatus.UNKNOWN, "payee_differs", "row 4: another account"),
        ({2: "210.51"}, PayoutStatus.UNKNOWN, "amount_differs", "row 4: another amount"),
        ({2: "much"}, PayoutStatus.UNKNOWN, "amount_differs", "row 4: another amount"),
        ({3: "KHR"}, PayoutStatus.UNKNOWN, "amount_differs", "row 4: another amount"),
        ({4: "Failed", 5: "a reason of its own"}, PayoutStatus.REJECTED, "other", "1 payments of this file are not"),
    ],
)
def test_a_word_counts_only_where_account_and_amount_fit(changed: dict[int, str], status: PayoutStatus, code: str, problem: str) -> None:
    result = told([changed.get(place, text) for place, text in enumerate(GOOD)])
    assert [(outcome.status, outcome.code) for outcome in result.outcomes] == [(status, code)]
    assert result.problems[0].startswith(problem)


def test_a_payment_that_stands_twice_with_two_words_is_asked_about_at_the_bank() -> None:
    result = told(GOOD, [*GOOD[:4], "Failed", "account not found"])
    assert [outcome.status for outcome in result.outcomes] == [PayoutStatus.UNKNOWN]
    assert "twice, with two different words" in result.problems[0]


def test_another_file_is_not_taken_for_a_result() -> None:
    result = told(GOOD, headers=["Reference", "Account", "Amount", "Currency", "Status", "Reason"])
    assert result.outcomes == ()
    assert "is this the result file of this bank?" in result.problems[0]


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_shipped_layout_says_that_no_bank_has_confirmed_it(name: str) -> None:
    assert "[UNVERIFIED]" in shipped(name).provenance


def test_a_layout_that_could_not_be_read_back_is_refused_with_what_is_missing() -> None:
    generic = shipped("generic").model_dump()
    nameless = generic | {"columns": [column for column in generic["columns"] if column["value"] != "reference"]}
    settings = {"factory_name": "F", "debit_account": "1"}
    with pytest.raises(ConnectorConfigError, match="reference is missing"):
        registered("bank_file", settings | {"layout": nameless})
    with pytest.raises(ConnectorConfigError, match="use one of acleda_like, generic, letter_with_table"):
        registered("bank_file", settings | {"layout": "wing"})
    doubled = generic | {"columns": [*generic["columns"], {"header": " no. ", "value": "text"}]}
    with pytest.raises(ValueError, match="two columns have the same header"):
        Layout.model_validate(doubled)
