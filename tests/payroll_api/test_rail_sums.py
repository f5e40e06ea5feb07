"""What a rail holds and moved on a day is kept, not summed from years of transfers: it is the transfers' sum all the same, to the cent."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from payroll_api.db.base import new_id
from payroll_api.ledger.book import Account, Cause, Transfer, post
from payroll_api.ledger.rail import held, moved
from payroll_api.payments.invariants import violations
from payroll_api.services import Services
from tests.conftest import SampleFactory

AT = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
NAMES = {Account.FUNDING: "funded", Account.FEES: "fees", Account.RETURNS: "returned", Account.OTHER: "other"}


async def _broken(services: Services, factory: SampleFactory) -> set[str]:
    async with services.database.factory(factory.id) as session:
        return {one.invariant for one in await violations(session)}


@pytest.mark.parametrize("seed", range(4))
async def test_each_day_of_a_rail_is_the_sum_of_its_transfers(services: Services, factory: SampleFactory, seed: int) -> None:
    lot = random.Random(seed)  # noqa: S311 a lot to repeat, no secret
    rails = [f"{Account.BANK}:{uuid4()}" for _ in range(2)]
    others = [*NAMES, Account.SUSPENSE, *(f"{Account.IN_TRANSIT}:{rail}" for rail in rails)]
    days = [date(2026, 11, 1) + timedelta(days=n) for n in range(6)]
    oracle: Counter[tuple[str, str, date, str]] = Counter()
    for _ in range(lot.randint(2, 5)):  # as many postings, each of its own transaction
        transfers = []
        for _ in range(lot.randint(1, 30)):
            rail, other, code, day, minor = (
                lot.choice(rails), lot.choice(others), lot.choice(("USD", "KHR")), lot.choice(days), lot.randint(1, 90_000)
            )  # fmt: skip
            is_in = lot.random() < 0.5
            debit, credit = (rail, other) if is_in else (other, rail)
            transfers.append(Transfer(cause=Cause.EXPLAINED, debit=debit, credit=credit, currency=code, amount_minor=minor, booked_on=day))
            oracle[rail, code, day, NAMES.get(Account(other), "paid") if other in NAMES else "paid"] += minor if is_in else -minor
        # What moves between others leaves a rail alone.
        transfers.append(
            Transfer(cause=Cause.REPAID, debit=Account.RETURNS, credit=Account.WAGES_PAYABLE, currency="USD", amount_minor=700)
        )
        async with services.database.factory(factory.id) as session:
            await post(session, AT, transfers)
    async with services.database.factory(factory.id) as session:
        for rail in rails:
            for code in ("USD", "KHR"):
                for day in days:
                    before = sum(minor for (r, c, d, _), minor in oracle.items() if (r, c) == (rail, code) and d < day)
                    assert await held(session, rail, code, day) == before
                    of_day = {name: minor for (r, c, d, name), minor in oracle.items() if (r, c, d) == (rail, code, day)}
                    assert dict(await moved(session, rail, code, day, day)) == of_day
    assert await _broken(services, factory) == set()


async def test_a_sum_that_is_not_the_ledgers_is_found(services: Services, factory: SampleFactory) -> None:
    wrong = (
        "insert into rail_sums (factory_id, id, account, other, currency, booked_on, amount_minor, transfers)"
        " values (:factory, :id, :account, 'wages', 'USD', '2026-11-30', -1, 1)"
    )
    async with services.database.factory(factory.id) as session:
        own = {"factory": factory.id, "id": new_id(), "account": f"{Account.BANK}:{uuid4()}"}
        await session.execute(text(wrong), own)
    assert await _broken(services, factory) == {"rail_sums_disagree"}


async def test_a_posting_that_is_taken_back_leaves_no_sum(services: Services, factory: SampleFactory) -> None:
    rail = f"{Account.BANK}:{uuid4()}"
    transfer = Transfer(cause=Cause.FUNDED, debit=rail, credit=Account.FUNDING, currency="USD", amount_minor=5)
    async with services.database.factory(factory.id) as session:
        await post(session, AT, [transfer], booked_on=AT.date())
        assert await held(session, rail, "USD", date(2027, 1, 1)) == 5
        await session.rollback()
    async with services.database.factory(factory.id) as session:
        assert await held(session, rail, "USD", date(2027, 1, 1)) == 0
