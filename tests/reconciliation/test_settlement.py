"""The bank's statement beside what was ordered: every cent of every line is explained, every payment has a verdict."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, timedelta
from hashlib import blake2b
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.money import KHR, USD, Money, total
from importers.statements.contract import Direction, StatementLine
from reconciliation.contract import ExpectedPayment, SettlementMatch, SettlementVerdict
from reconciliation.settlement import SettlementError, settle

PAYDAY = date(2026, 11, 27)


def key(account: str) -> bytes:
    return blake2b(account.encode(), key=b"test").digest()


def payment(number: int, cents: int = 24_000, **changes: object) -> ExpectedPayment:
    plain = ExpectedPayment(
        payment_id=f"p{number}", reference=f"REF{number}", amount=Money(cents, USD), executed_on=PAYDAY, account_key=key(f"000-{number}")
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # each test names real fields


def line(number: int, cents: int = 24_000, **changes: object) -> StatementLine:
    plain = StatementLine(
        entry=f"E{number}",
        direction=Direction.OUT,
        amount=Money(cents, USD),
        booked_on=PAYDAY,
        references=(f"REF{number}",),
        account=f"000-{number}",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # each test names real fields


def kinds(payments: list[ExpectedPayment], lines: list[StatementLine], as_of: date = PAYDAY) -> list[tuple[int | None, str | None, str]]:
    return [(match.line_index, match.payment_id, match.kind) for match in settle(payments, lines, account_key=key, as_of=as_of)]


def only(payments: list[ExpectedPayment], lines: list[StatementLine]) -> SettlementMatch:
    (match,) = settle(payments, lines, account_key=key, as_of=PAYDAY)
    return match


def test_a_clean_statement_in_another_order_has_no_break() -> None:
    assert kinds([payment(1), payment(2)], [line(2), line(1)]) == [(0, "p2", "matched"), (1, "p1", "matched")]


def test_a_foreign_line_never_stops_the_others() -> None:
    fee = line(9, 150, references=(), account=None)
    top_up = line(8, 5_000_000, references=("SALARY NOV",), direction=Direction.IN)
    found = kinds([payment(1), payment(2)], [fee, line(1), top_up, line(2)])
    assert found == [(0, None, "foreign"), (1, "p1", "matched"), (2, None, "foreign"), (3, "p2", "matched")]


def test_a_payment_that_the_bank_does_not_show_is_missing_once_it_is_due() -> None:
    assert kinds([payment(1)], []) == [(None, "p1", "missing")]
    assert kinds([payment(1)], [], PAYDAY - timedelta(days=1)) == []
    assert kinds([payment(1, already_settled=True)], []) == []


def test_a_cent_less_is_a_break_with_its_difference() -> None:
    match = only([payment(1)], [line(1, 23_999)])
    assert (match.kind, match.difference, match.verdict, match.money_arrived) == ("amount", Money(-1, USD), SettlementVerdict.BREAK, False)


def test_riel_instead_of_dollars_is_a_break() -> None:
    assert only([payment(1)], [line(1, amount=Money(24_000, KHR))]).kind == "currency"


def test_money_in_another_account_is_a_break_though_all_else_agrees() -> None:
    match = only([payment(1)], [line(1, account="000-2")])
    assert match.kind == "account"
    assert "000" not in match.reason


def test_a_bank_that_names_no_account_is_not_held_to_be_wrong() -> None:
    assert only([payment(1)], [line(1, account=None)]).kind == "matched"


@pytest.mark.parametrize(("days", "kind"), [(-1, "early"), (0, "matched"), (3, "matched"), (4, "late")])
def test_the_day_of_booking_is_compared(days: int, kind: str) -> None:
    assert only([payment(1)], [line(1, booked_on=PAYDAY + timedelta(days=days))]).kind == kind


def test_a_second_booking_of_one_payment_is_twice() -> None:
    assert kinds([payment(1)], [line(1), line(1, entry="E7")]) == [(0, "p1", "matched"), (1, "p1", "twice")]


def test_of_two_bookings_the_right_one_is_the_payment() -> None:
    assert kinds([payment(1)], [line(1, 10_000), line(1)]) == [(0, "p1", "twice"), (1, "p1", "matched")]


def test_the_same_booking_in_tomorrows_statement_is_not_a_second_payment() -> None:
    settled = payment(1, already_settled=True, settled_entry="E1")
    assert kinds([settled], [line(1)]) == [(0, "p1", "seen")]
    assert kinds([settled], [line(1, entry="E2")]) == [(0, "p1", "twice")]
    assert kinds([settled], [line(1), line(1)]) == [(0, "p1", "seen"), (1, "p1", "twice")]


def test_a_wage_that_came_back_is_returned_after_it_was_matched() -> None:
    back = line(1, direction=Direction.IN, is_return=True)
    assert kinds([payment(1)], [line(1), back]) == [(0, "p1", "matched"), (1, "p1", "returned")]
    assert kinds([payment(1, already_settled=True)], [back]) == [(0, "p1", "returned")]


def test_a_part_that_came_back_and_then_the_rest() -> None:
    lines = [line(1, cents, direction=Direction.IN) for cents in (10_000, 14_000, 1)]
    assert kinds([payment(1, already_settled=True)], lines) == [(0, "p1", "partial_return"), (1, "p1", "returned"), (2, "p1", "amount")]


def test_a_fee_on_top_is_told_from_a_fee_out_of_the_wage() -> None:
    on_top = only([payment(1)], [line(1, 24_050, fee=Money(50, USD))])
    out_of_it = only([payment(1)], [line(1, 23_950, fee=Money(50, USD))])
    assert (on_top.kind, on_top.money_arrived) == ("fee", True)
    assert (out_of_it.kind, out_of_it.money_arrived) == ("fee", False)
    assert only([payment(1)], [line(1, fee=Money(50, USD))]).kind == "matched"


def test_a_fee_on_a_line_of_its_own_is_a_fee_and_settles_nobody() -> None:
    charge = line(1, 50, entry="E2", is_charge=True)
    assert kinds([payment(1)], [charge, line(1)]) == [(0, None, "fee"), (1, "p1", "matched")]
    assert kinds([payment(1)], [charge]) == [(0, None, "fee"), (None, "p1", "missing")]
    assert kinds([payment(1, already_settled=True)], [charge]) == [(0, None, "fee")]
    assert kinds([], [line(9, 300, references=(), account=None, text="Monthly account fee")]) == [(0, None, "fee")]
    assert kinds([payment(1)], [line(1, text="Wages and fees of November")]) == [(0, "p1", "matched")]


def test_what_was_booked_twice_comes_back_first_and_the_worker_keeps_her_wage() -> None:
    back = line(1, entry="E3", direction=Direction.IN, is_return=True)
    assert kinds([payment(1)], [line(1), line(1, entry="E2"), back]) == [(0, "p1", "matched"), (1, "p1", "twice"), (2, "p1", "given_back")]
    twice = payment(1, already_settled=True, settled_entry="E1", extra=24_000)
    assert kinds([twice], [back, replace(back, entry="E4")]) == [(0, "p1", "given_back"), (1, "p1", "returned")]


def test_parts_that_come_or_go_in_two_statements_add_up() -> None:
    assert kinds([payment(1, booked=4_000)], [line(1, 20_000)]) == [(0, "p1", "split")]
    assert kinds([payment(1, booked=4_000)], [line(1, 19_999)]) == [(0, "p1", "amount")]
    part = payment(1, already_settled=True, returned=10_000)
    assert kinds([part], [line(1, 14_000, direction=Direction.IN)]) == [(0, "p1", "returned")]
    assert kinds([part], [line(1, 24_000, direction=Direction.IN)]) == [(0, "p1", "amount")]


def test_a_return_that_the_bank_takes_back_is_no_second_payment() -> None:
    assert kinds([payment(1, already_settled=True, returned=24_000)], [line(1, is_return=True)]) == [(0, "p1", "reversed")]


def test_a_booking_without_an_id_is_known_again_by_its_day_and_amount() -> None:
    settled = payment(1, already_settled=True, settled_entry="#4", settled_on=PAYDAY)
    assert kinds([settled], [line(1, entry="#9")]) == [(0, "p1", "seen")]
    assert kinds([settled], [line(1, entry="#9", booked_on=PAYDAY + timedelta(days=1))]) == [(0, "p1", "twice")]


def test_what_a_notice_told_first_is_known_again_in_the_statement_whatever_id_the_bank_gives_it_there() -> None:
    told = payment(1, already_settled=True, settled_entry="~N1", settled_on=PAYDAY)
    for entry in ("N1", "E9"):
        assert kinds([told], [line(1, entry=entry)]) == [(0, "p1", "seen")]
    assert kinds([told], [line(1, entry="E9"), line(1, entry="E10")]) == [(0, "p1", "seen"), (1, "p1", "twice")]
    assert kinds([told], [line(1, entry="E9", booked_on=PAYDAY + timedelta(days=1))]) == [(0, "p1", "twice")]
    both = line(1, 48_000, references=("REF1", "REF2"), entry="E9")
    other = payment(2, already_settled=True, settled_entry="~N2", settled_on=PAYDAY)
    assert [kind for _, _, kind in kinds([told, other], [both])] == ["seen", "seen"]


def test_a_booking_at_the_same_place_of_another_file_is_not_the_same_booking() -> None:
    settled = payment(1, already_settled=True, settled_entry="#4", settled_on=PAYDAY)
    assert kinds([settled], [line(1, entry="#4", booked_on=PAYDAY + timedelta(days=1))]) == [(0, "p1", "twice")]


def test_the_factorys_own_transfer_to_the_account_is_funding() -> None:
    top_up = line(8, 5_000_000, references=("SALARY NOV",), direction=Direction.IN, account="000-FACTORY")
    (match,) = settle([], [top_up], account_key=key, as_of=PAYDAY, is_funding=lambda one: one.account == "000-FACTORY")
    assert (match.kind, match.verdict) == ("funding", SettlementVerdict.MATCHED)


def test_a_wage_booked_in_two_parts_is_a_split() -> None:
    assert kinds([payment(1)], [line(1, 4_000), line(1, 20_000)]) == [(0, "p1", "split"), (1, "p1", "split")]


def test_one_booking_for_a_whole_batch_settles_each_payment() -> None:
    three = [payment(n, 20_000 + n) for n in (1, 2, 3)]
    batch = line(1, 60_006, references=("REF1", "REF2", "REF3"), account=None)
    assert kinds(three, [batch]) == [(0, f"p{n}", "matched") for n in (1, 2, 3)]


def test_a_batch_known_only_by_its_own_reference_is_opened() -> None:
    two = [payment(n, batch_reference="BATCH") for n in (1, 2)]
    assert kinds(two, [line(1, 48_000, references=("BATCH",), account=None)]) == [(0, "p1", "matched"), (0, "p2", "matched")]


def test_a_batch_that_does_not_add_up_settles_nobody() -> None:
    two = [payment(1), payment(2)]
    found = kinds(two, [line(1, 47_999, references=("REF1", "REF2"), account=None)])
    assert found == [(0, None, "batch"), (0, "p1", "batch"), (0, "p2", "batch")]


def test_a_batch_booked_and_one_wage_returned() -> None:
    two = [payment(1), payment(2)]
    lines = [line(1, 48_000, references=("REF1", "REF2"), account=None), line(2, direction=Direction.IN)]
    assert kinds(two, lines) == [(0, "p1", "matched"), (0, "p2", "matched"), (1, "p2", "returned")]


def test_a_payment_booked_alone_and_again_in_a_batch_is_twice() -> None:
    lines = [line(1), line(1, 48_000, references=("REF1", "REF2"), account=None)]
    assert kinds([payment(1), payment(2)], lines) == [(0, "p1", "matched"), (1, "p1", "twice"), (1, "p2", "matched")]


def test_a_batch_booked_twice_is_twice_and_one_that_came_back_first_is_not() -> None:
    two = [payment(1), payment(2)]
    batch = line(1, 48_000, references=("REF1", "REF2"), account=None)
    again = kinds(two, [batch, replace(batch, entry="E2")])
    assert again == [(0, "p1", "matched"), (0, "p2", "matched"), (1, "p1", "twice"), (1, "p2", "twice")]
    # banks list the newest booking first: what came back stands above what left
    back = kinds(two, [replace(batch, entry="E2", direction=Direction.IN), batch])
    assert back == [(0, "p1", "returned"), (0, "p2", "returned"), (1, "p1", "matched"), (1, "p2", "matched")]


def test_a_reversal_that_stands_alone_or_after_a_part_settles_nobody() -> None:
    assert kinds([payment(1)], [line(1, is_return=True)]) == [(0, "p1", "reversed")]
    assert kinds([payment(1, booked=4_000)], [line(1, is_return=True)]) == [(0, "p1", "reversed")]


def test_parts_of_two_currencies_are_no_split_though_their_figures_add_up() -> None:
    parts = [line(1, 20_000), line(1, entry="E2", amount=Money(4_000, KHR))]
    assert "split" not in {kind for _, _, kind in kinds([payment(1)], parts)}
    nothing = [line(1), line(1, 0, entry="E2")]
    assert kinds([payment(1)], nothing)[0] == (0, "p1", "matched")


def test_a_lost_reference_is_found_by_payee_amount_and_date_but_never_settled_by_itself() -> None:
    (match,) = settle([payment(1)], [line(1, references=("GARBLED",))], account_key=key, as_of=PAYDAY)
    assert (match.payment_id, match.kind, match.money_arrived) == ("p1", "unreferenced", False)


def test_two_payments_with_one_reference_are_refused() -> None:
    with pytest.raises(SettlementError, match="bear a reference"):
        settle([payment(1), payment(2, reference="REF1")], [], account_key=key, as_of=PAYDAY)


numbers = st.integers(1, 6)
some_lines = st.builds(
    line,
    numbers,
    st.sampled_from([12_000, 24_000, 24_050, 48_000]),
    entry=st.sampled_from(["E1", "E2"]),
    direction=st.sampled_from(Direction),
    references=st.lists(st.sampled_from(["REF1", "REF2", "REF3", "REF4", "BATCH", "OTHER"]), max_size=3).map(tuple),
    account=st.none() | numbers.map(lambda n: f"000-{n}"),
    fee=st.none() | st.just(Money(50, USD)),
)
some_payments = st.lists(numbers, unique=True).flatmap(
    lambda chosen: st.tuples(
        *(
            st.builds(
                payment,
                st.just(n),
                already_settled=st.booleans(),
                batch_reference=st.sampled_from([None, "BATCH"]),
                settled_entry=st.sampled_from([None, "E1"]),
            )
            for n in chosen
        )
    )
)


@given(some_payments.map(list), st.lists(some_lines, max_size=8))
def test_every_cent_of_every_line_is_explained_and_every_payment_has_a_verdict(
    payments: list[ExpectedPayment], lines: list[StatementLine]
) -> None:
    matches = settle(payments, lines, account_key=key, as_of=PAYDAY)
    for index, booked in enumerate(lines):
        parts = [match.amount for match in matches if match.line_index == index and match.amount is not None]
        assert total(parts, USD) == booked.amount
    told = {match.payment_id for match in matches}
    assert all(expected.payment_id in told for expected in payments if not expected.already_settled)


@given(some_payments.map(list), st.lists(some_lines, max_size=8))
def test_no_payment_is_settled_twice_or_by_another_amount(payments: list[ExpectedPayment], lines: list[StatementLine]) -> None:
    by_id = {expected.payment_id: expected for expected in payments}
    settled = [match for match in settle(payments, lines, account_key=key, as_of=PAYDAY) if match.kind == "matched"]
    assert len({match.payment_id for match in settled}) == len(settled)
    for match in settled:
        assert match.payment_id is not None
        assert match.amount == by_id[match.payment_id].amount
        assert not by_id[match.payment_id].already_settled


# a batch's own reference names payments that another line names too: of two bookings of one payment the first is the payment
lines_of_one_reference = some_lines.map(lambda one: replace(one, references=tuple(name for name in one.references if name != "BATCH")[:1]))


@given(some_payments.map(list), st.lists(lines_of_one_reference, max_size=6, unique_by=lambda one: one.references), st.randoms())
def test_the_order_of_distinct_lines_changes_no_verdict(
    payments: list[ExpectedPayment], lines: list[StatementLine], chance: Random
) -> None:
    shuffled = lines.copy()
    chance.shuffle(shuffled)
    first, second = (settle(payments, one, account_key=key, as_of=PAYDAY) for one in (lines, shuffled))
    assert sorted((m.payment_id or "", m.kind) for m in first) == sorted((m.payment_id or "", m.kind) for m in second)


def test_a_long_statement_takes_time_in_proportion() -> None:
    payments = [payment(n) for n in range(8_000)]
    lines = [line(n) for n in range(7_999, -1, -1)]
    start = time.perf_counter()
    matches = settle(payments, lines, account_key=key, as_of=PAYDAY)
    assert time.perf_counter() - start < 10  # a tenth of a second where nothing else runs; a search per line would take far longer
    assert {match.kind for match in matches} == {"matched"}
