"""A factory with one of each thing that has an address, for stories about strangers."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from importers.period import PayPeriod, RunKind
from payroll_api.access import api_keys
from payroll_api.alarms.models import AlarmRow
from payroll_api.alarms.sound import Alarm, sound
from payroll_api.db.base import new_id
from payroll_api.factories import law_values
from payroll_api.factories.provider_accounts import add_provider_account
from payroll_api.intake.upload import upload
from payroll_api.outside.models import RestoreCheck
from payroll_api.payments.models import BankFile, Dispatch, Payment, ProviderMessage
from payroll_api.payments.stops import press, propose_lift
from payroll_api.people.models import Destination, SharedAccount, Worker, WorkerChange
from payroll_api.people.register import Person, add
from payroll_api.runs.models import PayRun
from payroll_api.services import Services
from payroll_api.settlement.models import SettlementBreak
from payroll_api.settlement.upload import upload_statement

if TYPE_CHECKING:
    from tests.conftest import SampleFactory


LOWER_OVERTIME = law_values.NewValue(
    kind="law", name="overtime_rate", since=date(2027, 1, 1), value="1.4", title="A text", signed_off_by="Legal adviser"
)


async def draft_run(session: AsyncSession, services: Services, factory: SampleFactory) -> PayRun:
    """A run of November's file that nobody has sent for approval yet."""
    file = await upload(
        session,
        services,
        factory.preparer,
        file_name="november.csv",
        content=b"code,name,net\nA-1,Sok,210.00\n",
        period=PayPeriod(2026, 11),
        kind=RunKind.BALANCE,
    )
    run = PayRun(
        factory_id=factory.id,
        id=new_id(),
        file_id=file.id,
        period="2026-11",
        kind="balance",
        pay_on=date(2026, 12, 10),
        state="draft",
        totals={},
        created_by=factory.preparer.name,
        created_at=services.clock(),
    )
    session.add(run)
    await session.flush()
    return run


async def furnish(services: Services, factory: SampleFactory) -> dict[str, UUID]:
    """A factory with one of each thing that has an address."""
    async with services.database.factory(factory.id) as session:
        cash = await add_provider_account(
            session, services, factory.administrator, name="Cash desk", kind="cash", connector="cash", config={}
        )
        run = await draft_run(session, services, factory)
        statement = await upload_statement(
            session, services, factory.finance, provider_account_id=cash.id, file_name="day.csv", content=b"no statement"
        )
        worker_id, second = await _two_workers(session, services, factory)
        change_id, sharing_id = await _changes(session, factory, worker_id, second, services)
        check_id = await _locked(session, services, factory)
        await sound(session, services.clock(), Alarm(kind="payment_unknown", subject=f"worker:{worker_id}", due_at=services.clock()))
        alarm_id = await session.scalar(select(AlarmRow.id))
        decisions = await _decide(session, services, factory)
        user_id = factory.auditor.user_id
        assert user_id
        assert alarm_id
        return {
            "payroll-files": run.file_id,
            "pay-runs": run.id,
            "workers": worker_id,
            "statements": statement.id,
            "alarms": alarm_id,
            **decisions,
            **await _bank_file(session, services, factory, run, cash.id),
            **await _money(session, services, factory, run, cash.id, statement.id),
            **await _message(session, services, factory, cash.id),
            "restore-checks": check_id,
            "worker-changes": change_id,
            "shared-accounts": sharing_id,
            "users": user_id,
            "provider-accounts": cash.id,
        }


async def _two_workers(session: AsyncSession, services: Services, factory: SampleFactory) -> tuple[UUID, UUID]:
    people = [
        Person(worker_code=code, name="Sok", destination_kind="bank_account", account="000123456", holder="SOK") for code in ("A-1", "A-2")
    ]
    by, vault = factory.preparer.name, await services.keys.vault(session)
    ids = await add(session, vault, people, created_by=by, at=services.clock())
    return ids["A-1"][0], ids["A-2"][0]


async def _locked(session: AsyncSession, services: Services, factory: SampleFactory) -> UUID:
    """Sending is locked after a restore, and the providers were asked."""
    check_id, at = new_id(), services.clock()
    session.add(
        RestoreCheck(
            factory_id=factory.id,
            id=check_id,
            reason="database_older",
            epoch_inside=1,
            epoch_outside=2,
            opened_at=at,
            asked_at=at,
            found={"orders": {"paid": 1}, "adopted": 1, "strangers": 0, "unasked": []},
        )
    )
    await session.flush()
    return check_id


async def _decide(session: AsyncSession, services: Services, factory: SampleFactory) -> dict[str, UUID]:
    """A pressed stop and the proposal to lift it; a value of the law that waits for its second person."""
    stop = await press(session, services, factory.finance, run_id=None, provider_account_id=None, reason="a test's reason")
    lift = await propose_lift(session, services, factory.finance, stop.id, reason="a test's reason")
    law_value = await law_values.enter(session, services, factory.administrator, LOWER_OVERTIME)
    return {"stops": stop.id, "proposals": lift.id, "law-values": law_value.id}


async def _money(
    session: AsyncSession, services: Services, factory: SampleFactory, run: PayRun, account: UUID, statement: UUID
) -> dict[str, UUID]:
    """A payment that is held, and a break of a statement."""
    now = services.clock()
    hers = select(Worker.id).where(Worker.worker_code == "A-1")
    destination = (await session.scalars(select(Destination).where(Destination.worker_id.in_(hers)))).one()
    payment = Payment(
        factory_id=factory.id,
        id=new_id(),
        run_id=run.id,
        worker_id=destination.worker_id,
        worker_code="A-1",
        destination_id=destination.id,
        provider_account_id=account,
        account_key=b"account",
        period="2026-11",
        kind="balance",
        currency="USD",
        amount_minor=100,
        state="held",
        state_since=now,
        attempt=0,
        detail="",
    )
    found = SettlementBreak(
        factory_id=factory.id,
        id=new_id(),
        statement_id=statement,
        provider_account_id=account,
        kind="foreign",
        reason="bears no reference",
        currency="USD",
        amount_minor=100,
        state="open",
        opened_at=now,
        due_on=date(2026, 12, 14),
    )
    session.add_all([payment, found])
    await session.flush()
    return {"payments": payment.id, "destinations": destination.id, "breaks": found.id}


async def _message(session: AsyncSession, services: Services, factory: SampleFactory, account: UUID) -> dict[str, UUID]:
    """A message that nobody understood, and a system's key."""
    now, vault, message_id = services.clock(), await services.keys.vault(session), new_id()
    content = {"method": "POST", "path": "", "headers": {}, "body": "", "received_at": now.isoformat()}
    message = ProviderMessage(
        factory_id=factory.id,
        id=message_id,
        provider_account_id=account,
        event_id="one",
        body_hash=b"hash",
        state="unmatched",
        detail="",
        content=vault.seal(json.dumps(content), "provider_messages", message_id, "content"),
        received_at=now,
    )
    session.add(message)
    await session.flush()
    key = await api_keys.create(session, services, factory.administrator, name="ERP")
    return {"provider-messages": message_id, "api-keys": key.key.id}


async def _bank_file(session: AsyncSession, services: Services, factory: SampleFactory, run: PayRun, account: UUID) -> dict[str, UUID]:
    """A message to a bank's portal, and its file as one person made it."""
    file_id, now, vault = new_id(), services.clock(), await services.keys.vault(session)
    dispatch = Dispatch(
        factory_id=factory.id,
        id=new_id(),
        run_id=run.id,
        provider_account_id=account,
        reference=f"GB-{file_id.hex[-20:]}",
        state="open",
        fence=1,
        count=1,
        created_at=now,
        look_up_after=now,
        looked_up=0,
    )
    session.add(dispatch)
    await session.flush()
    session.add(
        BankFile(
            factory_id=factory.id,
            id=file_id,
            run_id=run.id,
            provider_account_id=account,
            dispatch_id=dispatch.id,
            name="GB000000000000000001.csv",
            media_type="text/csv",
            content=vault.seal(b"a,b\n", "bank_files", file_id, "content"),
            content_hash="0" * 64,
            count=1,
            amount_minor=100,
            currency="USD",
            state="made",
            made_by=factory.administrator.name,
            made_at=now,
            downloads=0,
        )
    )
    await session.flush()
    return {"bank-files": file_id, "dispatches": dispatch.id}


async def _changes(session: AsyncSession, factory: SampleFactory, worker_id: UUID, second: UUID, services: Services) -> tuple[UUID, UUID]:
    """A phone that is proposed for the worker, and an account that two workers are to share."""
    vault, at = await services.keys.vault(session), services.clock()
    change_id, sharing_id = new_id(), new_id()
    change = WorkerChange(
        factory_id=factory.id,
        id=change_id,
        worker_id=worker_id,
        what="phone",
        phone=vault.seal("+85512345678", "worker_changes", change_id, "phone"),
        phone_key=b"phone",
        state="proposed",
        source="page",
        makers=[],
        proposed_by=factory.preparer.name,
        proposed_at=at,
        effective_at=at,
        reason="",
    )
    pair = sorted((worker_id, second))
    sharing = SharedAccount(
        factory_id=factory.id,
        id=sharing_id,
        worker_a=pair[0],
        worker_b=pair[1],
        account_key=b"account",
        reason="husband and wife",
        proposed_by=factory.preparer.name,
        proposed_at=at,
    )
    session.add_all([change, sharing])
    await session.flush()
    return change_id, sharing_id
