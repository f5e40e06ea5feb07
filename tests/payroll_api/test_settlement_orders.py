"""A bank's word comes by answer, look-up, webhook and statement, in any order and more than once: the end is always the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from payroll_api.clock import pay_day
from payroll_api.jobs.names import Job
from payroll_api.ledger.models import LedgerTransfer
from payroll_api.payments.invariants import violations
from payroll_api.payments.models import Dispatch
from payroll_api.payments.submit import ask_look_up
from payroll_api.payments.verdict import OrderNow, Source, Word, decide
from payroll_api.services import Services
from payroll_api.settlement.upload import upload_statement
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import few, payments_of, released, states_of
from tests.payroll_api.paying_rules import BANK, moved, order
from tests.payroll_api.test_review_statements import _lines, _statement


def _word(status: PayoutStatus, source: Source) -> Word:
    return Word(outcome=PayoutOutcome(reference="GW1", status=status), source=source)


WORDS = (
    _word(PayoutStatus.ACCEPTED, Source.ANSWER),
    _word(PayoutStatus.UNKNOWN, Source.ANSWER),
    _word(PayoutStatus.PAID, Source.LOOK_UP),
    _word(PayoutStatus.PAID, Source.STATEMENT),
    _word(PayoutStatus.RETURNED, Source.LOOK_UP),
    _word(PayoutStatus.RETURNED, Source.STATEMENT),
)


def _oracle(said: tuple[Word, ...]) -> str:
    """What happened to the money, whoever told it first and however often."""
    statuses = {word.outcome.status for word in said}
    for status in (PayoutStatus.RETURNED, PayoutStatus.PAID, PayoutStatus.ACCEPTED):
        if status in statuses:
            return status.value
    return PayoutStatus.UNKNOWN.value


def _all_from(now: OrderNow, said: tuple[Word, ...]) -> int:
    """Walk every way on from here; give how many there are."""
    if said:
        assert now.payment_state == _oracle(said), [(word.outcome.status, word.source) for word in said]
    if len(said) == 5:
        return 1
    return 1 + sum(_all_from(moved(now, decide(now, word, BANK)), (*said, word)) for word in WORDS)


def test_every_order_of_up_to_five_words_with_duplicates_ends_where_the_money_is() -> None:
    assert _all_from(order(), ()) == sum(len(WORDS) ** length for length in range(6))


async def test_a_statement_a_look_up_and_the_banks_messages_at_once_pay_each_wage_once(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock, chunk=1) as told:
        await released(told)
        await told.work(only=[Job.PREPARE_RUN, Job.SUBMIT_CHUNK])
        bank, here = (await payments_of(told))[0].provider_account_id, told.services
        lines = await _lines(told)
        async with here.database.factory(factory.id) as session:
            for number, days in enumerate(({pay_day(clock()): lines[:3]}, {pay_day(clock()): lines[1:]})):
                content = _statement(f"RACE{number}", days)
                await upload_statement(
                    session, here, factory.finance, provider_account_id=bank, file_name=f"race{number}.xml", content=content
                )
            for dispatch in await session.scalars(select(Dispatch)):
                await ask_look_up(session, dispatch, clock() - clock())
        await asyncio.gather(
            told.work(only=[Job.MATCH_STATEMENT]),
            told.work(only=[Job.MATCH_STATEMENT]),
            told.work(only=[Job.LOOK_UP_DISPATCH]),
            told.work(),
        )
        assert await states_of(told) == Counter({"paid": 4})
        assert {one.settled_on for one in await payments_of(told)} == {pay_day(clock())}
        async with here.database.factory(factory.id) as session:
            confirmed = list(await session.scalars(select(LedgerTransfer.payment_id).where(LedgerTransfer.cause == "confirmed")))
            assert sorted(map(str, confirmed)) == sorted(str(one.id) for one in await payments_of(told))
            assert await violations(session) == []
