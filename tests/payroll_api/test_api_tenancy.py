"""Another factory's things are not there: every address with an id answers 404, not 403."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from fastapi.routing import APIRoute
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from importers.period import PayPeriod, RunKind
from payroll_api.access import api_keys
from payroll_api.access.actor import Role
from payroll_api.alarms.models import AlarmRow
from payroll_api.alarms.sound import Alarm, sound
from payroll_api.api.mount import ROUTERS
from payroll_api.db.base import new_id
from payroll_api.factories import law_values
from payroll_api.factories.provider_accounts import add_provider_account
from payroll_api.intake.upload import upload
from payroll_api.outside.models import RestoreCheck
from payroll_api.payments.models import BankFile, Dispatch, Payment, ProviderMessage
from payroll_api.payments.stops import press, propose_lift
from payroll_api.people.models import Destination, SharedAccount, WorkerChange
from payroll_api.people.register import Person, add
from payroll_api.runs.models import PayRun
from payroll_api.services import Services
from payroll_api.settlement.models import SettlementBreak
from payroll_api.settlement.upload import upload_statement
from tests.payroll_api.callers import bearer

if TYPE_CHECKING:
    from tests.conftest import SampleFactory


LOWER_OVERTIME = law_values.NewValue(
    kind="law", name="overtime_rate", since=date(2027, 1, 1), value="1.4", title="A text", signed_off_by="Legal adviser"
)


async def furnish(services: Services, factory: SampleFactory) -> dict[str, UUID]:
    """A factory with one of each thing that has an address."""
    async with services.database.factory(factory.id) as session:
        cash = await add_provider_account(
            session, services, factory.administrator, name="Cash desk", kind="cash", connector="cash", config={}
        )
        file = await upload(
            session,
            services,
            factory.preparer,
            file_name="november.csv",
            content=b"code,name,net\nA-1,Sok,210.00\n",
            period=PayPeriod(2026, 11),
            kind=RunKind.BALANCE,
        )
        statement = await upload_statement(
            session, services, factory.finance, provider_account_id=cash.id, file_name="day.csv", content=b"no statement"
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
        worker_id, second = await _two_workers(session, services, factory)
        session.add(run)
        await session.flush()
        change_id, sharing_id = await _changes(session, factory, worker_id, second, services)
        check_id = await _locked(session, services, factory)
        await sound(session, services.clock(), Alarm(kind="payment_unknown", subject=f"worker:{worker_id}", due_at=services.clock()))
        alarm_id = await session.scalar(select(AlarmRow.id))
        decisions = await _decide(session, services, factory)
        user_id = factory.auditor.user_id
        assert user_id
        assert alarm_id
        return {
            "payroll-files": file.id,
            "pay-runs": run.id,
            "workers": worker_id,
            "statements": statement.id,
            "alarms": alarm_id,
            **decisions,
            **await _bank_file(session, services, factory, run, cash.id),
            **await _money(session, services, factory, run, cash.id, statement.id),
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
            found={},
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
    """A payment that is held, a break of a statement, a message that nobody understood, a system's key."""
    now, vault = services.clock(), await services.keys.vault(session)
    destination = (await session.scalars(select(Destination).order_by(Destination.id))).first()
    assert destination
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
    message_id = new_id()
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
    session.add_all([payment, found, message])
    await session.flush()
    key = await api_keys.create(session, services, factory.administrator, name="ERP")
    return {
        "payments": payment.id,
        "destinations": destination.id,
        "breaks": found.id,
        "provider-messages": message_id,
        "api-keys": key.key.id,
    }


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


FINDING = {"result": "no_money_moved", "evidence": "provider_letter", "evidence_reference": "1", "reason": "not ours at all"}
UPLOAD: dict[str, Any] = {"file": b"reference,state\n"}  # sent as a form with a file
ADDRESSES: list[tuple[str, str, Role, dict[str, Any] | None]] = [
    ("GET", "/payroll-files/{payroll-files}", Role.PREPARER, None),
    ("GET", "/payroll-files/{payroll-files}/problems", Role.PREPARER, None),
    ("GET", "/payroll-files/{payroll-files}/annotated.xlsx", Role.PREPARER, None),
    ("POST", "/payroll-files/{payroll-files}/layout", Role.PREPARER, {}),
    ("POST", "/payroll-files/{payroll-files}/sheets", Role.PREPARER, {"sheets": ["November"]}),
    ("POST", "/payroll-files/{payroll-files}/control", Role.PREPARER, {"workers": 1}),
    ("GET", "/payroll-files/{payroll-files}/overlap", Role.PREPARER, None),
    ("POST", "/payroll-files/{payroll-files}/overlap", Role.PREPARER, {"answer": "keep_both", "reason": "both are meant"}),
    ("GET", "/pay-runs/{pay-runs}", Role.PREPARER, None),
    ("GET", "/pay-runs/{pay-runs}/discrepancies", Role.PREPARER, None),
    ("GET", "/pay-runs/{pay-runs}/entitlements", Role.PREPARER, None),
    ("POST", "/pay-runs/{pay-runs}/discrepancies/resolve", Role.PREPARER, {"discrepancy_ids": None, "resolution": "pay_law"}),
    ("GET", "/pay-runs/{pay-runs}/items", Role.PREPARER, None),
    ("GET", "/pay-runs/{pay-runs}/payments", Role.PREPARER, None),
    ("GET", "/pay-runs/{pay-runs}/progress", Role.PREPARER, None),
    ("GET", "/pay-runs/{pay-runs}/bank-files", Role.PREPARER, None),
    ("GET", "/bank-files/{bank-files}/content", Role.APPROVER, None),
    ("POST", "/bank-files/{bank-files}/release", Role.APPROVER, {}),
    ("POST", "/bank-files/{bank-files}/results", Role.FINANCE, UPLOAD),
    ("POST", "/pay-runs/{pay-runs}/submit", Role.PREPARER, {}),
    ("POST", "/pay-runs/{pay-runs}/approve", Role.APPROVER, {"content_hash": "0" * 64}),
    ("POST", "/pay-runs/{pay-runs}/reject", Role.APPROVER, {"reason": "not ours at all"}),
    ("POST", "/pay-runs/{pay-runs}/release", Role.APPROVER, {}),
    ("POST", "/pay-runs/{pay-runs}/cash-confirmations", Role.FINANCE, {"worker_codes": None}),
    ("POST", "/pay-runs", Role.PREPARER, {"file_id": "{payroll-files}"}),
    ("GET", "/workers/{workers}", Role.PREPARER, None),
    ("POST", "/workers/{workers}/account-changes", Role.PREPARER, {"kind": "cash", "account": "-"}),
    ("POST", "/workers/{workers}/phone-changes", Role.PREPARER, {"phone": "012 345 679"}),
    ("POST", "/workers/{workers}/name-aliases", Role.APPROVER, {"alias": "SOK", "reason": "seen her card"}),
    ("GET", "/pay-runs/{pay-runs}/worker-changes", Role.APPROVER, None),
    ("POST", "/worker-changes/{worker-changes}/confirmation", Role.APPROVER, {"reason": "called her myself"}),
    ("POST", "/worker-changes/{worker-changes}/early-approval", Role.FINANCE, {"reason": "called her myself"}),
    ("POST", "/worker-changes/{worker-changes}/old-account-wrong", Role.PREPARER, {"reason": "she lost the card"}),
    ("POST", "/worker-changes/{worker-changes}/refusal", Role.APPROVER, {"reason": "it was not she"}),
    ("POST", "/shared-accounts/{shared-accounts}/agreement", Role.APPROVER, {}),
    ("POST", "/shared-accounts/{shared-accounts}/revocation", Role.APPROVER, {}),
    ("GET", "/statements/{statements}", Role.FINANCE, None),
    ("GET", "/proposals/{proposals}", Role.AUDITOR, None),
    ("POST", "/proposals/{proposals}/confirm", Role.APPROVER, {"content_hash": "0" * 64}),
    ("POST", "/proposals/{proposals}/refuse", Role.APPROVER, {"reason": "not ours at all"}),
    ("POST", "/stops", Role.FINANCE, {"run_id": "{pay-runs}", "reason": "not ours at all"}),
    ("POST", "/stops", Role.FINANCE, {"provider_account_id": "{provider-accounts}", "reason": "not ours at all"}),
    ("POST", "/stops/{stops}/lifts", Role.FINANCE, {"reason": "not ours at all"}),
    ("POST", "/alarms/{alarms}/acknowledgement", Role.FINANCE, {"note": "not ours at all"}),
    ("POST", "/pay-runs/{pay-runs}/discrepancies/agree", Role.APPROVER, {"discrepancy_ids": ["00000000-0000-7000-8000-000000000001"]}),
    ("POST", "/factories/current/law/values/{law-values}/sign-off", Role.APPROVER, {}),
    ("POST", "/factories/current/law/values/{law-values}/withdraw", Role.APPROVER, {"reason": "not ours at all"}),
    ("POST", "/restore-checks/{restore-checks}/opening", Role.ADMINISTRATOR, {"note": "asked everybody"}),
    ("POST", "/restore-checks/{restore-checks}/release", Role.FINANCE, {}),
    ("POST", "/users/{users}/disable", Role.ADMINISTRATOR, {}),
    ("PUT", "/users/{users}/roles", Role.ADMINISTRATOR, {"roles": ["auditor"]}),
    ("GET", "/pay-runs/{pay-runs}/funds", Role.FINANCE, None),
    ("POST", "/pay-runs/{pay-runs}/funds/ask", Role.FINANCE, {}),
    ("GET", "/pay-runs/{pay-runs}/summary", Role.FINANCE, None),
    ("GET", "/pay-runs/{pay-runs}/payslips", Role.PREPARER, None),
    (
        "POST",
        "/provider-accounts/{provider-accounts}/balances",
        Role.FINANCE,
        {"amount": "1.00", "currency": "USD", "holds_on": "2026-12-10", "reason": "seen at the bank"},
    ),
    ("GET", "/payments/{payments}", Role.PREPARER, None),
    ("GET", "/payments/{payments}/payslip", Role.PREPARER, None),
    ("POST", "/payments/{payments}/hold", Role.PREPARER, {"reason": "not ours at all"}),
    ("POST", "/payments/{payments}/unhold", Role.APPROVER, {"reason": "not ours at all"}),
    ("POST", "/payments/{payments}/cancel", Role.APPROVER, {"reason": "not ours at all"}),
    ("POST", "/payments/{payments}/findings", Role.FINANCE, FINDING),
    ("POST", "/dispatches/{dispatches}/findings", Role.FINANCE, FINDING),
    ("POST", "/payments/{payments}/corrections", Role.PREPARER, {"amount": "1.00", "reason": "not ours at all"}),
    ("POST", "/destinations/{destinations}/decision", Role.PREPARER, {"confirmed": True, "reason": "seen her bank book"}),
    ("GET", "/provider-messages/{provider-messages}", Role.FINANCE, None),
    ("POST", "/provider-messages/{provider-messages}/replay", Role.FINANCE, {}),
    ("POST", "/provider-messages/{provider-messages}/explanation", Role.FINANCE, {"reason": "not ours at all"}),
    ("GET", "/settlement/breaks/{breaks}", Role.AUDITOR, None),
    ("POST", "/settlement/breaks/{breaks}/wait", Role.FINANCE, {"days": 2, "reason": "not ours at all"}),
    ("POST", "/settlement/breaks/{breaks}/take-on", Role.FINANCE, {"note": "not ours at all"}),
    ("POST", "/settlement/breaks/{breaks}/letter", Role.FINANCE, {}),
    ("POST", "/settlement/breaks/{breaks}/letter.pdf", Role.FINANCE, {}),
    ("POST", "/settlement/breaks/{breaks}/turn-down", Role.FINANCE, {"reason": "not ours at all"}),
    ("POST", "/settlement/breaks/{breaks}/close", Role.FINANCE, {"reason": "not ours at all", "way": "foreign"}),
    ("PUT", "/settlement/folders/{provider-accounts}", Role.ADMINISTRATOR, {"folder": None}),
    ("PUT", "/settlement/layouts/{provider-accounts}", Role.ADMINISTRATOR, {"layout": None}),
    ("GET", "/settlement/rails/{provider-accounts}/day-end?currency=USD", Role.AUDITOR, None),
    ("PUT", "/users/{users}/password", Role.ADMINISTRATOR, {"password": "four words that rhyme not"}),
    ("DELETE", "/api-keys/{api-keys}", Role.ADMINISTRATOR, None),
    ("POST", "/factories/current/provider-accounts/{provider-accounts}/disable", Role.ADMINISTRATOR, {}),
]
# What stands in these places is no id: a month, or the name of a report.
NO_IDS = {"pay_period", "name", "report"}


def test_every_address_with_an_id_is_tried() -> None:
    tried = {(method, re.sub(r"{[^}]+}", "{}", path.partition("?")[0])) for method, path, _, _ in ADDRESSES}
    for route in (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)):
        path = route.path.removeprefix("/api/v1")
        if set(re.findall(r"{([^}]+)}", path)) - NO_IDS:
            assert {(method, re.sub(r"{[^}]+}", "{}", path)) for method in route.methods} <= tried, path


async def test_ids_of_another_factory_are_not_found(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    theirs = {name: str(id_) for name, id_ in (await furnish(services, other_factory)).items()}
    headers = {role: await bearer(services, factory.people[role]) for role in Role}
    own = {role: await bearer(services, other_factory.people[role]) for role in Role}
    for number, (method, path, role, body) in enumerate(ADDRESSES):
        files, form = (body, None) if body is UPLOAD else (None, body)
        url = "/api/v1" + path.replace("{", "%(").replace("}", ")s") % theirs
        sent = None if form is None else {name: value % theirs if isinstance(value, str) else value for name, value in _named(form).items()}
        key = {"Idempotency-Key": f"tenancy-{number:04d}"}
        response = await client.request(method, url, headers=headers[role] | key, json=sent, files=files)
        assert (response.status_code, response.json()["code"]) == (404, "not_found"), f"{method} {path}: {response.text}"
        # The same address is there for its own people: the 404 above is not a misspelt address.
        answer = await client.request(method, url, headers=own[role] | key, json=sent, files=files)
        assert answer.status_code != 404 or answer.json()["code"] != "not_found", f"{method} {path}"
        assert answer.status_code not in (401, 403) or answer.json()["code"] == "four_eyes", f"{method} {path}: {answer.text}"


def _named(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value.replace("{", "%(").replace("}", ")s") if isinstance(value, str) else value for name, value in body.items()}


async def test_lists_hold_ones_own_only(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    theirs = await furnish(services, other_factory)
    headers = await bearer(services, factory.administrator)
    for name in (
        "payroll-files",
        "pay-runs",
        "payments",
        "workers",
        "statements",
        "settlement/breaks",
        "slips",
        "alarms",
        "proposals",
        "worker-changes",
        "shared-accounts",
        "restore-checks",
    ):
        assert (await client.get(f"/api/v1/{name}", headers=headers)).json() == {"items": [], "next": None}
    told = (await client.get("/api/v1/audit/events?limit=200", headers=headers)).text
    assert not any(str(id_) in told for id_ in theirs.values())
    assert len((await client.get("/api/v1/users", headers=headers)).json()["items"]) == len(Role)
