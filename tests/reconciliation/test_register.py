"""The people of a factory and one sheet about them: who is new, gone, doubled, or paid to somebody else's account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from importers.contract import PayrollRow
from importers.money import USD, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import Discrepancy, KnownWorker
from reconciliation.policy import FactoryPolicy
from reconciliation.register import Register

NOVEMBER = PayPeriod(2026, 11)


def row(number: int, cents: int = 24_000, **changes: object) -> PayrollRow:
    plain = PayrollRow(
        sheet="Payroll", row=6 + number, worker_code=f"GW-{number}", name=f"W{number}", net=Money(cents, USD), account=f"A{number}"
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # each test names real fields


def own(one: PayrollRow) -> KnownWorker:
    account = None if one.account is None else one.account.encode()
    card = None if one.national_id is None else one.national_id.encode()
    return KnownWorker(worker_code=one.worker_code, name_key=one.name.encode(), account_key=account, national_id_key=card)


def known(number: int, **changes: object) -> KnownWorker:
    plain = KnownWorker(
        worker_code=f"GW-{number}", account_key=f"A{number}".encode(), joined_on=date(2020, 1, 1), last_nets=(Money(24_000, USD),)
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # each test names real fields


def told(rows: list[PayrollRow], people: list[KnownWorker], kind: RunKind = RunKind.BALANCE) -> list[tuple[str, str]]:
    return [(one.code, one.worker_code) for one in findings(rows, people, kind)]


def findings(rows: list[PayrollRow], people: list[KnownWorker], kind: RunKind = RunKind.BALANCE) -> Iterator[Discrepancy]:
    register = Register({one.worker_code: one for one in people}, NOVEMBER, kind, FactoryPolicy(), rows, own=[own(one) for one in rows])
    return register.differences()


def test_the_same_people_as_last_month_bring_nothing() -> None:
    assert told([row(1), row(2)], [known(1), known(2)]) == []


def test_a_new_and_a_forgotten_worker() -> None:
    assert told([row(1), row(3)], [known(1), known(2)]) == [("new_worker", "GW-3"), ("missing_worker", "GW-2")]


def test_a_factory_s_first_file_is_told_once() -> None:
    assert told([row(n) for n in range(50)], []) == [("first_file", "")]


def test_who_left_is_not_missing_and_is_not_paid() -> None:
    gone = known(2, left_on=date(2026, 10, 20))
    assert told([row(1)], [known(1), gone]) == []
    assert told([row(1), row(2)], [known(1), gone]) == [("paid_after_leaving", "GW-2")]
    assert told([row(2)], [gone], RunKind.FINAL_PAY) == []


def test_who_left_within_the_month_is_paid_for_it() -> None:
    assert told([row(1)], [known(1, left_on=date(2026, 11, 12))]) == []


def test_who_came_back_is_welcome() -> None:
    assert told([row(1, joined_on=date(2026, 11, 2))], [known(1, left_on=date(2026, 3, 1))]) == [("returning_worker", "GW-1")]


def test_one_worker_on_two_rows() -> None:
    assert told([row(1), row(1, row=40)], [known(1)]) == [("doubled_worker", "GW-1"), ("doubled_worker", "GW-1")]


def test_one_identity_card_under_two_codes() -> None:
    rows = [row(1, national_id="010101010"), row(2, national_id="010101010")]
    assert told(rows, [known(1), known(2)]) == [("doubled_identity", "GW-1"), ("doubled_identity", "GW-2")]


def test_same_name_and_joining_date_is_worth_a_look_and_the_same_name_alone_is_not() -> None:
    day = date(2024, 2, 1)
    twins = [row(1, name="Sok Dara", joined_on=day), row(2, name="Sok Dara", joined_on=day)]
    assert told(twins, [known(1), known(2)]) == [("doubled_name", "GW-1"), ("doubled_name", "GW-2")]
    assert told([twins[0], replace(twins[1], joined_on=date(2025, 2, 1))], [known(1), known(2)]) == []


def test_an_account_under_two_workers_names_the_other() -> None:
    found = list(findings([row(1), row(2, account="A1")], [known(1), known(2, account_key=b"A1")]))
    assert [(one.code, one.worker_code, one.basis) for one in found] == [
        ("shared_account", "GW-1", "GW-2"),
        ("shared_account", "GW-2", "GW-1"),
    ]


def test_the_account_of_a_colleague_who_is_not_in_the_sheet() -> None:
    assert ("shared_account", "GW-1") in told([row(1, account="A2")], [known(1), known(2)])


def test_an_account_that_differs_from_the_register_waits() -> None:
    assert told([row(1, account="B1")], [known(1)]) == [("changed_account", "GW-1")]


def test_an_account_changed_shortly_before_payday_is_shown() -> None:
    assert told([row(1)], [known(1, account_changed_on=date(2026, 11, 26))]) == [("recent_account_change", "GW-1")]
    assert told([row(1)], [known(1, account_changed_on=date(2026, 11, 2))]) == []


def test_pay_far_from_her_own_history() -> None:
    assert told([row(1, 36_001)], [known(1)]) == [("far_from_history", "GW-1")]
    assert told([row(1, 15_999)], [known(1)]) == [("far_from_history", "GW-1")]
    assert told([row(1, 36_000)], [known(1)]) == []


def test_jumps_of_headcount_and_total() -> None:
    people = [known(n) for n in range(40)]
    more = told([row(n) for n in range(43)], people)
    assert ("headcount_jump", "") in more
    assert told([row(n, 27_000) for n in range(40)], people) == [("total_jump", "")]
    assert told([row(n, 26_000) for n in range(40)], people) == []
