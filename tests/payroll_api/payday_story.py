"""A factory with a simulated bank, wallet and SMS gateway on loopback, and its queue worked by hand: a payday in one process."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.faults import FaultPlan
from connectors.faulty_server import serving
from connectors.payouts.contract import WebhookRequest
from connectors.payouts.gsma_mobile_money import simulator as wallet_simulator
from connectors.payouts.gsma_mobile_money.simulated_wallet import read_wallets
from connectors.payouts.iso20022 import simulator as bank_simulator
from connectors.payouts.iso20022.simulated_bank import read_accounts
from connectors.sms.plasgate import simulator as sms_simulator
from importers.period import PayPeriod, RunKind
from payroll_api import wiring
from payroll_api.db.bulk import run
from payroll_api.db.session import plain_url
from payroll_api.errors import ProblemError
from payroll_api.factories.provider_accounts import add_provider_account
from payroll_api.factories.settings import set_rate
from payroll_api.intake.layout import confirm_layout
from payroll_api.intake.models import PayrollFile
from payroll_api.intake.questions import open_questions
from payroll_api.intake.upload import upload
from payroll_api.jobs.names import Job
from payroll_api.payments.receive import Incoming, receive_many
from payroll_api.payslips.receipt import receive_receipts
from payroll_api.pipeline import STEPS
from payroll_api.review.models import Discrepancy
from payroll_api.review.resolve import resolve
from payroll_api.runs.build import create_run
from payroll_api.runs.decide import approve, release, submit
from payroll_api.runs.give_way import OverlapAnswer, answer_overlap
from payroll_api.runs.models import PayRun
from payroll_api.services import Services
from tests.conftest import SampleFactory

SHEETS = Path(__file__).parent.parent / "sheets"
PERIOD = PayPeriod(2026, 11)
BANK_SECRET = "whsec_" + base64.b64encode(b"the factory signs with this one!").decode()
BANK_WEBHOOK = "whsec_" + base64.b64encode(b"the bank signs its reports so!!!").decode()
WALLET_KEY, WALLET_CALLBACK = "wallet-api-key", "the wallet signs its callbacks"
SMS_KEY, SMS_SECRET, SMS_RECEIPTS = "sms-private-key", "sms-secret", "receipts are ours alone"


@dataclass(kw_only=True)
class Story:
    """A factory, its providers, and what a test does with them."""

    services: Services
    factory: SampleFactory
    bank: Any
    wallet: Any
    sms_journal: Path
    bank_url: str

    async def work(self, *, only: Sequence[Job] | None = None, at_most: int = 500, times: int = 1) -> list[Job]:
        """Do the factory's waiting jobs, the oldest first, each so many times, until none is left; give what was done."""
        done: list[Job] = []
        connection = await asyncpg.connect(plain_url(self.services.database.url))
        try:
            while len(done) < at_most and (taken := await self._take(connection, only)) is not None:
                job, payload = taken
                done.append(job)
                for _ in range(times):
                    await STEPS[job](self.services, self.factory.id, payload)
        finally:
            await connection.close()
        return done

    async def _take(self, connection: Any, only: Sequence[Job] | None) -> tuple[Job, dict[str, str]] | None:
        names = [job.value for job in only or Job]
        row = await connection.fetchrow(
            "delete from pgqueuer where id = (select id from pgqueuer where status = 'queued' and execute_after <= now()"
            " and entrypoint = any($1)"
            " and convert_from(payload, 'UTF8')::jsonb ->> 'factory' = $2 order by id limit 1) returning entrypoint, payload",
            names,
            str(self.factory.id),
        )
        if row is None:
            return None
        payload = json.loads(row["payload"])
        payload.pop("factory")
        return Job(row["entrypoint"]), payload

    async def wait(self, seconds: int) -> None:
        """Jobs that wait for their moment are so much nearer to it: the queue's clock is PostgreSQL's, which no test can set."""
        async with self.services.database.factory(self.factory.id) as session:
            sql = "update pgqueuer set execute_after = execute_after - make_interval(secs => $1) where status = 'queued'"
            await run(session, sql + " and convert_from(payload, 'UTF8')::jsonb ->> 'factory' = $2", seconds, str(self.factory.id))

    async def upload(self, content: bytes, name: str = "payroll.xlsx") -> UUID:
        """Upload a file, have it read and its columns confirmed as proposed."""
        preparer = self.factory.preparer
        async with self.services.database.factory(self.factory.id) as session:
            file = await upload(session, self.services, preparer, file_name=name, content=content, period=PERIOD, kind=RunKind.BALANCE)
        await self.work()
        async with self.services.database.factory(self.factory.id) as session:
            found = await session.get_one(PayrollFile, (self.factory.id, file.id))
            if found.state == "read":
                await confirm_layout(session, self.services, preparer, file.id, {})
        await self.work()
        async with self.services.database.factory(self.factory.id) as session:
            if "overlap" in open_questions(await session.get_one(PayrollFile, (self.factory.id, file.id))):
                keep = OverlapAnswer.KEEP_BOTH
                await answer_overlap(session, self.services, preparer, file.id, answer=keep, reason="both files are meant")
        await self.work()
        return file.id

    async def decide(self, file_id: UUID) -> None:
        """Pay the law's figure where it differs; hold back whoever shares an account."""
        async with self.services.database.factory(self.factory.id) as session:
            found = await session.scalars(select(Discrepancy).where(Discrepancy.file_id == file_id, Discrepancy.severity == "blocks"))
            for item in list(found):
                choice = "pay_law" if "pay_law" in item.resolutions else "hold_worker"
                await resolve(
                    session,
                    self.services,
                    self.factory.preparer,
                    file_id,
                    discrepancy_ids=[item.id],
                    resolution=choice,
                    reason="as the law has it",
                )

    async def approved_run(self, file_id: UUID) -> UUID:
        """A run of the file, submitted by HR and approved and released by another."""
        async with self.services.database.factory(self.factory.id) as session:
            made = await create_run(session, self.services, self.factory.preparer, file_id, pay_on=None)
        await self.to_be_paid(made.id)
        return made.id

    async def to_be_paid(self, run_id: UUID) -> None:
        """A draft run, submitted by HR and approved and released by another."""
        async with self.services.database.factory(self.factory.id) as session:
            submitted = await submit(session, self.services, self.factory.preparer, run_id)
        assert submitted.content_hash is not None
        async with self.services.database.factory(self.factory.id) as session:
            await approve(session, self.services, self.factory.approver, run_id, content_hash=submitted.content_hash)
        async with self.services.database.factory(self.factory.id) as session:
            await release(session, self.services, self.factory.approver, run_id)

    async def run(self, run_id: UUID) -> PayRun:
        """The run as it is now."""
        async with self.services.database.factory(self.factory.id) as session:
            return await session.get_one(PayRun, (self.factory.id, run_id))

    async def executed(self) -> list[tuple[str, int]]:
        """`credits`, once the bank has done all it took: it answers first and executes then."""
        async with asyncio.timeout(20):
            while any(not message.done_at for message in self.bank.books.messages.values()):  # noqa: ASYNC110 a test may look until it is so
                await asyncio.sleep(0.02)
        return self.credits()

    def credits(self) -> list[tuple[str, int]]:
        """What bank and wallet executed: reference and minor units. The oracle of every money test."""
        lines = [*self.bank.books.journal, *self.wallet.books.journal]
        return sorted((line["reference"], line["amount_minor"]) for line in lines if line["kind"] == "credit")


def _callbacks(services: list[Services]) -> Starlette:
    """Where providers call back: the steps behind the service's own webhook routes."""

    async def take(request: Request) -> Response:
        key, body = request.path_params["key"], await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        try:
            connector = request.path_params["connector"]
            message = WebhookRequest(method=request.method, path=path, headers=headers, body=body, received_at=datetime.now(UTC))
            take_in = receive_receipts if connector == "plasgate" else receive_many
            (answer,) = await take_in(services[0], [Incoming(connector=connector, key=key, request=message)])
            if answer is not None:
                raise answer
        except ProblemError as error:
            return Response(status_code=error.status)
        return Response(status_code=204)

    routes = [
        Route("/webhooks/{connector}/{key}", take, methods=["POST", "PUT", "GET"]),
        Route("/webhooks/{connector}/{key}/{rest:path}", take, methods=["POST", "PUT", "GET"]),
    ]
    return Starlette(routes=routes)


@contextlib.asynccontextmanager
async def story(
    services: Services,
    factory: SampleFactory,
    folder: Path,
    *,
    accounts: Path | None = SHEETS / "payday_2026_11_accounts.json",
    bank_faults: FaultPlan | None = None,
    wallet_faults: FaultPlan | None = None,
    bank_quiet_seconds: int = 60,
    chunk_size: int = 100,
    bank_tells: bool = False,
) -> AsyncIterator[Story]:
    """The providers run while the block does; the factory has an account with each, and rates for the period."""
    holder: list[Services] = []
    bank_app = bank_simulator.create_app(
        bank_simulator.SimulatorConfig(
            secret=BANK_SECRET,
            webhook_secret=BANK_WEBHOOK,
            journal=folder / "bank.jsonl",
            accounts=read_accounts(accounts) if accounts else None,
            faults=bank_faults or FaultPlan(),
        )
    )
    wallet_app = wallet_simulator.create_app(
        api_key=WALLET_KEY,
        callback_secret=WALLET_CALLBACK,
        journal=folder / "wallet.jsonl",
        wallets=read_wallets(accounts) if accounts else None,
        faults=wallet_faults,
    )
    sms_app = sms_simulator.create_app(journal=folder / "sms.jsonl", private_key=SMS_KEY, secret=SMS_SECRET)
    async with (
        serving(bank_app) as bank_url,
        serving(wallet_app) as wallet_url,
        serving(sms_app) as sms_url,
        serving(_callbacks(holder)) as own_url,
    ):
        settings = services.settings.model_copy(update={"public_url": own_url, "chunk_size": chunk_size, "look_up_seconds": 1})
        pool = wiring.ConnectorPool(settings, services.keys)
        here = dataclasses.replace(services, settings=settings, connectors=pool)
        holder.append(here)
        await _agree(here, factory, bank_url, wallet_url, sms_url, bank_quiet_seconds, bank_tells=bank_tells)
        try:
            yield Story(
                services=here,
                factory=factory,
                bank=bank_app.state.bank,
                wallet=wallet_app.state.provider,
                sms_journal=folder / "sms.jsonl",
                bank_url=bank_url,
            )
        finally:
            await pool.close()


async def _agree(services: Services, factory: SampleFactory, bank: str, wallet: str, sms: str, quiet: int, *, bank_tells: bool) -> None:
    """The factory's accounts with its providers, and the month's exchange rates."""
    accounts: list[tuple[str, str, str, dict[str, object]]] = [
        (
            "Bank",
            "bank_account",
            "iso20022",
            {
                "base_url": bank,
                "credential": BANK_SECRET,
                "signing_secret": BANK_SECRET,
                "webhook_secrets": [BANK_WEBHOOK],
                "debtor_name": "Angkor Sample Garments",
                "debtor_account": "000100200",
                "bank_bic": "ABAAKHPP",
                "currency": "USD",
                "checks_at_once": 500,
                "tells_balance": bank_tells,
                "not_found_is_final_after_seconds": quiet,
            },
        ),
        (
            "Wallet",
            "wallet",
            "gsma_mobile_money",
            {
                "base_url": wallet,
                "client_id": "angkor",
                "api_key": WALLET_KEY,
                "callback_secret": WALLET_CALLBACK,
                "debit_party_value": "angkor-wages",
                "repeat": "same_result",
                "not_found_is_final_seconds": quiet,
            },
        ),
        ("Cash", "cash", "cash", {}),
        (
            "SMS",
            "sms",
            "plasgate",
            {
                "private_key": SMS_KEY,
                "secret": SMS_SECRET,
                "sender": "ANGKOR",
                "base_url": sms,
                "receipt_url": wiring.CALLBACK,
                "receipt_secret": SMS_RECEIPTS,
            },
        ),
    ]
    async with services.database.factory(factory.id) as session:
        for name, kind, connector, config in accounts:
            await add_provider_account(session, services, factory.administrator, name=name, kind=kind, connector=connector, config=config)
        for purpose in ("tax", "nssf"):
            await set_rate(session, services, factory.administrator, PERIOD, purpose, Decimal(4000), "a test's rate")
