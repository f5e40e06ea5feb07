"""Check a read file against the law and the register, and bring its new workers into the register."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.contract import PayrollRow
from importers.money import Money, currency
from importers.period import PayPeriod, RunKind
from payroll_api.audit.journal import SYSTEM, Event, record
from payroll_api.db.bulk import fetch
from payroll_api.encryption.vault import Vault
from payroll_api.errors import ProblemError
from payroll_api.factories.law_values import law_book
from payroll_api.factories.policies import policy
from payroll_api.factories.settings import exchange_rates
from payroll_api.intake.models import PayrollFile
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue_many
from payroll_api.people import keys, register
from payroll_api.people.banks import same_bank
from payroll_api.people.propose import Origin, propose_phones
from payroll_api.review import records, unfinished
from payroll_api.review.person import person_of
from payroll_api.review.rows import known_worker, rows_of
from payroll_api.services import Services
from reconciliation.contract import KnownWorker, Reconciliation
from reconciliation.law.parameter import LawBookError, LawUnknownError
from reconciliation.policy import PolicyError
from reconciliation.reconcile import reconcile

# What the worker's sheets said in the latest earlier months of the same kind of run, the newest month first; of a month the newest file.
_HISTORY = """
select worker_code, array_agg(stated_minor order by period desc), array_agg(currency order by period desc) from (
  select *, row_number() over (partition by worker_code order by period desc) as place from (
    select distinct on (e.worker_code, f.period) e.worker_code, f.period, e.stated_minor, e.currency
    from file_entitlements e join payroll_files f on f.factory_id = e.factory_id and f.id = e.file_id
    where e.factory_id = $1 and f.kind = $2 and f.period < $3 and f.period = any($4) and f.state = 'reconciled'
    order by e.worker_code, f.period, f.uploaded_at desc
  ) months
) ranked where place <= 3 group by worker_code
"""
_MONTHS = (
    "select distinct period from payroll_files where factory_id = $1 and kind = $2 and period < $3 and state = 'reconciled'"
    " order by period desc limit 6"
)


async def reconcile_file(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job RECONCILE_FILE. Runs again safely: what it writes replaces what it wrote."""
    file_id = UUID(payload["file"])
    async with services.database.factory(factory_id) as session:
        file = await session.get_one(PayrollFile, (factory_id, file_id), with_for_update=True)
        if file.state != "read":
            return
        vault = await services.keys.vault(session)
        rows = await rows_of(session, vault, file_id)
        known = await register.registered(session)
        period, kind = PayPeriod.parse(file.period), RunKind(file.kind)
        settled = {code: worker for code, worker in known.items() if worker.was_in_run}
        last = await _history(session, factory_id, period, kind)
        maker = file.uploaded_by
        try:
            rates, chosen = await exchange_rates(session, period), await policy(session, period)
            book = await law_book(session, services)
            result = await asyncio.to_thread(
                lambda: reconcile(
                    rows,
                    period=period,
                    kind=kind,
                    known={code: known_worker(code, worker, last.get(code, ())) for code, worker in settled.items()},
                    keys=lambda row: _keys(vault, row, settled.get(row.worker_code)),
                    book=book,
                    rates=rates,
                    policy=chosen,
                    maker=maker,
                )
            )
        except ProblemError as problem:
            await unfinished.wait_for(session, services, file, problem)
            return
        except (LawUnknownError, LawBookError, PolicyError) as unlawful:
            await unfinished.refuse(session, services, file, unlawful)
            return
        now = services.clock()
        ids = await _register(session, vault, rows, known, file.uploaded_by, now)
        await records.keep(session, file_id, rows, result, ids, now)
        await propose_phones(session, services, _phones(vault, rows, settled), Origin(source="sheet", by=file.uploaded_by))
        file.state, file.law_version = "reconciled", result.law_version
        file.summary = {**(file.summary or {}), "waiting": None}
        await session.flush()
        await _tell(session, services, file_id, result, ids, now)
    await services.database.analyze("workers", "destinations", "file_entitlements", "discrepancies")


async def _history(session: AsyncSession, factory_id: UUID, period: PayPeriod, kind: RunKind) -> dict[str, tuple[Money, ...]]:
    months = [month for (month,) in await fetch(session, _MONTHS, factory_id, kind.value, str(period))]
    rows = await fetch(session, _HISTORY, factory_id, kind.value, str(period), months)
    return {code: tuple(Money(minor, currency(unit)) for minor, unit in zip(minors, units, strict=True)) for code, minors, units in rows}


def _keys(vault: Vault, row: PayrollRow, known: register.Registered | None) -> KnownWorker:
    person = person_of(row)
    place = register.place_key(person)
    if known is not None and same_bank(place, known.bank_key):
        place = known.bank_key  # a bank that one side does not name is no other bank
    return KnownWorker(
        worker_code=row.worker_code,
        name_key=keys.name_key(vault, row.name),
        phone_key=keys.phone_key(vault, row.phone) if row.phone else None,
        account_key=None if person.destination_kind == "cash" else keys.at_bank(keys.account_key(vault, person.account), place),
        national_id_key=keys.national_id_key(vault, row.national_id) if row.national_id else None,
        joined_on=row.joined_on,
        left_on=row.left_on,
    )


def _phones(vault: Vault, rows: Sequence[PayrollRow], settled: Mapping[str, register.Registered]) -> dict[UUID, str]:
    """What the sheet says of phones of workers who were in a run, where it is another number than the register's."""
    return {
        known.worker_id: row.phone
        for row in reversed(rows)
        if row.phone and (known := settled.get(row.worker_code)) is not None and keys.phone_key(vault, row.phone) != known.phone_key
    }


async def _register(
    session: AsyncSession,
    vault: Vault,
    rows: Sequence[PayrollRow],
    known: Mapping[str, register.Registered],
    created_by: str,
    at: datetime,
) -> dict[str, tuple[UUID, UUID]]:
    """Worker and destination ids by code. Who was never in a run becomes what this file says; nobody else is changed."""
    first_of_code = {row.worker_code: row for row in reversed(rows)}
    ids = {code: (known[code].worker_id, known[code].destination_id) for code in first_of_code if code in known}
    unpaid = {known[code].worker_id: person_of(row) for code, row in first_of_code.items() if code in known and not known[code].was_in_run}
    if unpaid:
        ids.update(await register.take_anew(session, vault, unpaid, created_by=created_by, at=at))
    new = [person_of(row) for code, row in first_of_code.items() if code not in known]
    ids.update(await register.add(session, vault, new, created_by=created_by, at=at))
    return ids


async def _tell(
    session: AsyncSession, services: Services, file_id: UUID, result: Reconciliation, ids: Mapping[str, tuple[UUID, UUID]], at: datetime
) -> None:
    severities: dict[str, int] = {}
    for discrepancy in result.discrepancies:
        severities[discrepancy.severity.value] = severities.get(discrepancy.severity.value, 0) + 1
    data = {"workers": len(result.entitlements), "discrepancies": severities, "law": result.law_version}
    await record(session, at, Event(actor=SYSTEM, action="file.reconciled", subject=f"file:{file_id}", data=data))
    destinations = [str(destination) for _, destination in ids.values()]
    size = services.settings.chunk_size
    chunks = [destinations[start : start + size] for start in range(0, len(destinations), size)]
    await enqueue_many(session, Job.CHECK_DESTINATIONS, [{"destinations": json.dumps(chunk)} for chunk in chunks])
