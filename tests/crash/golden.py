"""The database to begin with: three factories, two with a released run and one that has nothing yet; a copy for each kind of provider."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import asyncpg
from sqlalchemy import select

from importers.period import PayPeriod, RunKind
from payroll_api.access.actor import Actor, Role
from payroll_api.access.models import User
from payroll_api.access.sessions import open_session
from payroll_api.clock import pay_day
from payroll_api.db.session import plain_url
from payroll_api.factories.models import ProviderAccount
from payroll_api.factories.provider_accounts import add_provider_account
from payroll_api.factories.settings import set_rate
from payroll_api.intake.layout import confirm_layout
from payroll_api.intake.models import PayrollFile
from payroll_api.intake.upload import upload
from payroll_api.jobs.names import Job
from payroll_api.pipeline import STEPS
from payroll_api.review.models import Discrepancy
from payroll_api.review.resolve import resolve
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import approve, release, submit
from payroll_api.services import Services
from tests.conftest import SampleFactory, make_factory
from tests.crash.profiles import KINDS, Kind

_HEADER = "Worker code,Name (Khmer),Name (Latin),Join date,Basic wage ($),Net pay ($),Pay method,Account no.,Phone"
_KHMER = "សុខ ដារ៉ា"
_LETTERS = "ABCDEFGHIKLMNOPRSTUVY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A factory of a golden database: who works there, how to sign in, and what its sheet says."""

    factory: SampleFactory
    tokens: Mapping[Role, str]
    sheet: bytes
    people: tuple[tuple[str, str, str], ...]  # worker code, account, holder
    provider_id: UUID
    webhook_key: str
    run_id: UUID | None = None


@dataclass(slots=True, kw_only=True)
class Golden:
    """A golden database: its factories and what the provider knows of account holders."""

    period: PayPeriod
    paying: list[Staged] = field(default_factory=list)
    blank: Staged | None = None
    holders: dict[str, str] = field(default_factory=dict)

    async def of_kind(self, services: Services, kind: str, base_url: str) -> Golden:
        """The same in a copy of the database, in which the provider becomes another kind's."""
        for staged in [*self.paying, *([self.blank] if self.blank else [])]:
            async with services.database.factory(staged.factory.id) as session:
                account = await session.get_one(ProviderAccount, (staged.factory.id, staged.provider_id))
                vault = await services.keys.vault(session)
                account.config = vault.seal(json.dumps(_config(KINDS[kind], base_url)), "provider_accounts", account.id, "config")
        return self


def phone_of(number: int, index: int) -> str:
    """The phone of a worker of a factory, in E.164."""
    return f"+855{12_000_000 + number * 20_000 + index}"


def phones_of(staged: Staged, *, changed: bool = False) -> dict[str, str]:
    """The phone of each worker of a factory by her code: as the sheet has it, or the one that she has changed to."""
    number = int(staged.people[0][1][3:6])
    return {code: phone_of(number, index + changed * 10_000) for index, (code, _, _) in enumerate(staged.people)}


def sheet(number: int, count: int) -> tuple[bytes, tuple[tuple[str, str, str], ...]]:
    """The payroll of `count` workers of factory `number`: codes, accounts and names are nobody else's."""
    people, lines = [], [_HEADER]
    for index in range(count):
        code, account = f"F{number}-{index:05}", f"000{number:03}{index:05}"
        letters = "".join(_LETTERS[index // 21**place % 21] for place in range(3))
        latin = f"SOK {letters}RA{_LETTERS[number % 21]}"
        wage = f"2{index % 10}{number % 10}.{10 + index % 90}"
        lines.append(f"{code},{_KHMER},{latin},2020-01-06,{wage},{wage},bank,{account},0{phone_of(number, index)[4:]}")
        people.append((code, account, latin))
    return "\n".join(lines).encode(), tuple(people)


async def work(services: Services, factory_id: UUID) -> None:
    """Do a factory's waiting jobs in this process."""
    connection = await asyncpg.connect(plain_url(services.database.url))
    try:
        while True:
            row = await connection.fetchrow(
                "delete from pgqueuer where id = (select id from pgqueuer where status = 'queued' and execute_after <= now()"
                " and convert_from(payload, 'UTF8')::jsonb ->> 'factory' = $1 order by id limit 1) returning entrypoint, payload",
                str(factory_id),
            )
            if row is None:
                return
            payload = json.loads(row["payload"])
            payload.pop("factory")
            await STEPS[Job(row["entrypoint"])](services, factory_id, payload)
    finally:
        await connection.close()


def _config(kind: Kind, base_url: str) -> dict[str, object]:
    window, quiet = kind.window, kind.not_found_is_final_after
    return {
        "base_url": base_url,
        "repeat": kind.repeat.value,
        "window": window and int(window.total_seconds()),
        "quiet": quiet and int(quiet.total_seconds()),
        "looks_up": kind.looks_up,
        "batch_size": kind.batch_size,
    }


async def stage(services: Services, kind: Kind, base_url: str, number: int, count: int, period: PayPeriod) -> Staged:
    """A factory with its provider and gateway; nothing is uploaded."""
    factory = await make_factory(services)
    content, people = sheet(number, count)
    config, tokens = _config(kind, base_url), {}
    async with services.database.factory(factory.id) as session:
        admin = factory.administrator
        account = await add_provider_account(session, services, admin, name="Bank", kind="bank_account", connector="crash", config=config)
        sms = {"base_url": base_url}
        await add_provider_account(session, services, admin, name="SMS", kind="sms", connector="crash_sms", config=sms)
        for purpose in ("tax", "nssf"):
            await set_rate(session, services, admin, period, purpose, Decimal(4000), "a matrix's rate")
        for role, actor in factory.people.items():
            user = await session.get_one(User, (factory.id, actor.user_id))
            tokens[role] = (await open_session(session, user, services.clock()))[0]
    return Staged(factory=factory, tokens=tokens, sheet=content, people=people, provider_id=account.id, webhook_key=account.webhook_key)


async def release_all(services: Services, staged: Staged, period: PayPeriod) -> UUID:
    """Upload, confirm, submit, approve and release; the job that prepares the payments waits in the queue."""
    factory_id, preparer, approver = staged.factory.id, staged.factory.preparer, staged.factory.approver
    database = services.database
    async with database.factory(factory_id) as session:
        file = await upload(session, services, preparer, file_name="pay.csv", content=staged.sheet, period=period, kind=RunKind.BALANCE)
    await work(services, factory_id)
    async with database.factory(factory_id) as session:
        if (await session.get_one(PayrollFile, (factory_id, file.id))).state == "read":
            await confirm_layout(session, services, preparer, file.id, {})
    await work(services, factory_id)
    async with database.factory(factory_id) as session:
        query = select(Discrepancy).where(Discrepancy.file_id == file.id, Discrepancy.severity == "blocks")
        for item in list(await session.scalars(query)):
            choice = "pay_law" if "pay_law" in item.resolutions else "hold_worker"
            ids = [item.id]
            await resolve(session, services, preparer, file.id, discrepancy_ids=ids, resolution=choice, reason="as the law has it")
    async with database.factory(factory_id) as session:
        made = await create_run(session, services, preparer, file.id, pay_on=None)
    return await _decide(services, preparer, approver, made.id)


async def _decide(services: Services, preparer: Actor, approver: Actor, run_id: UUID) -> UUID:
    async with services.database.factory(preparer.factory_id) as session:
        frozen = await submit(session, services, preparer, run_id)
    assert frozen.content_hash is not None
    async with services.database.factory(preparer.factory_id) as session:
        await approve(session, services, approver, run_id, content_hash=frozen.content_hash)
    async with services.database.factory(preparer.factory_id) as session:
        await release(session, services, approver, run_id)
    return run_id


def this_period(services: Services) -> PayPeriod:
    """The month of the services' clock, if the law is known for it; the law book ends in 2026."""
    day = pay_day(services.clock())
    return PayPeriod(day.year, day.month) if day.year <= 2026 else PayPeriod(2026, 12)
