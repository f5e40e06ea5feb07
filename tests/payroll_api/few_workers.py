"""A small payday for stories about one thing: a few workers paid by the bank, and the clock in the test's hand."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.faults import FaultPlan
from connectors.payouts.contract import PayoutOutcome
from payroll_api.payments.look_up import due
from payroll_api.payments.models import Dispatch, Payment
from payroll_api.payments.outcomes import record_words
from payroll_api.payments.submit import ask_look_up
from payroll_api.payments.verdict import Source, Word
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.payday_story import Story, story

HEADER = "Worker code,Name (Khmer),Name (Latin),Join date,Basic wage ($),Net pay ($),Pay method,Account no."
PEOPLE = (
    ("R-01", "សុខ ដារ៉ា", "SOK DARA", "000111001"),
    ("R-02", "ចាន់ ធីតា", "CHAN THIDA", "000111002"),
    ("R-03", "លី សុភា", "LY SOPHEA", "000111003"),
    ("R-04", "ហេង ចន្ថា", "HENG CHANTHA", "000111004"),
)
NEW_ACCOUNT = "000999001"  # the bank knows it as R-01's own


def payroll(people: Sequence[tuple[str, str, str, str]] = PEOPLE, *, net: str = "205.10") -> bytes:
    """The sheet of these people."""
    lines = [f"{code},{khmer},{latin},2020-01-06,210.00,{net},bank,{account}" for code, khmer, latin, account in people]
    return "\n".join([HEADER, *lines]).encode()


@asynccontextmanager
async def few(
    services: Services,
    factory: SampleFactory,
    folder: Path,
    clock: SettableClock,
    *,
    faults: FaultPlan | None = None,
    quiet: int = 5,
    chunk: int = 2,
    bank_tells: bool = False,
) -> AsyncIterator[Story]:
    """The providers, and nothing uploaded yet."""
    clock.now = datetime.now(UTC)
    known = [{"account": account, "holder": latin, "status": "open"} for _, _, latin, account in PEOPLE]
    known.append({"account": NEW_ACCOUNT, "holder": PEOPLE[0][2], "status": "open"})
    accounts = folder / "few_accounts.json"
    accounts.write_text(json.dumps({"bank": known, "wallet": []}))
    async with story(
        services, factory, folder, accounts=accounts, bank_faults=faults, bank_quiet_seconds=quiet, chunk_size=chunk, bank_tells=bank_tells
    ) as told:
        yield told


async def released(told: Story, content: bytes | None = None) -> UUID:
    """Upload, decide, submit, approve and release; give the run's id."""
    file_id = await told.upload(content or payroll(), "payroll.csv")
    await told.decide(file_id)
    return await told.approved_run(file_id)


async def settle_down(told: Story, clock: SettableClock, *, rounds: int = 60) -> Counter[str]:
    """Work, wait and look up, as a worker does, until nothing moves; give the payments' states."""
    for _ in range(rounds):
        await told.work()
        states = await states_of(told)
        if not {"ready", "submitting", "unknown", "accepted"} & set(states):
            return states
        clock.now += timedelta(seconds=3)
        await told.wait(3)
        async with told.services.database.factory(told.factory.id) as session:
            for dispatch in await due(session, clock()):
                await ask_look_up(session, dispatch, timedelta(0))
        await asyncio.sleep(0.01)
    return await states_of(told)


async def hear(told: Story, session: AsyncSession, dispatch: Dispatch, outcomes: Sequence[PayoutOutcome]) -> int:
    """The provider says this when it is asked about a dispatch, whose lock the session holds. Gives how many orders are still open."""
    connector = await told.services.connectors.payout(session, dispatch.provider_account_id)
    words = [Word(outcome=outcome, source=Source.LOOK_UP) for outcome in outcomes]
    return await record_words(session, dispatch, words, connector.profile, actor="provider:bank", at=told.services.clock())


async def states_of(told: Story) -> Counter[str]:
    """How many payments are in each state."""
    async with told.services.database.factory(told.factory.id) as session:
        return Counter(await session.scalars(select(Payment.state)))


async def payments_of(told: Story) -> list[Payment]:
    """All payments in the order of their workers."""
    async with told.services.database.factory(told.factory.id) as session:
        return list(await session.scalars(select(Payment).order_by(Payment.worker_code, Payment.period)))
