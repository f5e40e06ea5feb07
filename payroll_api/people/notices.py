"""Tell a worker by SMS that her account or phone is about to change: to the number she had, and to the new one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.sms.contract import SmsMessage
from connectors.sms.segments import clusters, segments
from payroll_api.alarms.sound import clear
from payroll_api.audit.journal import Event, record_many
from payroll_api.clock import PHNOM_PENH
from payroll_api.db.base import new_id
from payroll_api.db.bulk import fetch, run
from payroll_api.db.session import factory_of
from payroll_api.factories.models import Factory
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.people.models import ChangeNotice, Worker, WorkerChange
from payroll_api.services import Services

MOST_SEGMENTS = 2
_CLAIM = """
update change_notices s set state = 'sending', sent_at = $3 from (
  select id from change_notices where factory_id = $1 and state = 'waiting' order by id limit $2 for update skip locked) n
where s.factory_id = $1 and s.id = n.id returning s.id, s.phone, s.body
"""
_RECORD = """
update change_notices s set state = n.state, code = n.code from unnest($2::uuid[], $3::text[], $4::text[]) as n(id, state, code)
where s.factory_id = $1 and s.id = n.id and s.state = 'sending' returning s.id, s.change_id, s.goes_to, s.state
"""
_INTERRUPTED = (
    "update change_notices set state = 'unknown', code = 'interrupted' where factory_id = $1 and state = 'sending' and sent_at < $2"
)
_LONGEST_SENDING = timedelta(minutes=5)
_STATES = {"sent": "sent", "delivered": "sent", "failed": "failed", "unknown": "unknown"}


def text_of(factory: str, hotline: str, what: str, from_day: datetime) -> str:
    """The SMS, in Khmer: what changes, from when, and whom to call if it was not her. No number of an account, no name, no link.

    Fits two segments: a long factory name is cut between syllables.
    """
    thing = "គណនីទទួលប្រាក់ខែ" if what == "account" else "លេខទូរស័ព្ទ"
    body = f"៖ {thing}របស់អ្នកនឹងប្តូរពី {from_day.astimezone(PHNOM_PENH):%d/%m}។ បើមិនមែនអ្នកស្នើ សូមហៅ {hotline} ភ្លាម។"
    name = list(clusters(factory))
    while name and segments("".join(name).rstrip() + body).count > MOST_SEGMENTS:
        name.pop()
    return ("".join(name).rstrip() + body).strip()


async def compose_notices(
    session: AsyncSession, services: Services, factory: Factory, change: WorkerChange, worker: Worker, new_phone: str | None
) -> None:
    """Write the notices of a change and have them sent. A worker without a phone has one that says so: a person tells her."""
    vault, at = await services.keys.vault(session), services.clock()
    old_phone = vault.open_or_none(worker.phone, "workers", worker.id, "phone")
    numbers = {"old": old_phone}
    if new_phone is not None and new_phone != old_phone:
        numbers["new"] = new_phone
    body = text_of(factory.name_km, factory.hotline, change.what, change.effective_at)
    for goes_to, phone in numbers.items():
        notice_id = new_id()
        session.add(
            ChangeNotice(
                factory_id=change.factory_id,
                id=notice_id,
                change_id=change.id,
                goes_to=goes_to,
                phone=None if phone is None else vault.seal(phone, "change_notices", notice_id, "phone"),
                body=vault.seal(body, "change_notices", notice_id, "body"),
                state="no_phone" if phone is None else "waiting",
                composed_at=at,
            )
        )
    await session.flush()
    await enqueue(session, Job.SEND_NOTICES, {}, once="all")


async def send_notices(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:  # noqa: ARG001 every job has a payload
    """The job SEND_NOTICES: chunk after chunk until none waits. Claimed and committed first; never sent again by guess."""
    while await _chunk(services, factory_id):
        pass


async def _chunk(services: Services, factory_id: UUID) -> bool:
    async with services.database.factory(factory_id) as session:
        gateway = await services.connectors.gateway(session)
        if gateway is None:
            return False
        rows = await fetch(session, _CLAIM, factory_id, min(gateway.profile.batch_size, services.settings.chunk_size), services.clock())
        vault = await services.keys.vault(session)
    if not rows:
        return False
    messages = [
        SmsMessage(
            reference=f"GN{notice.hex}",
            to=vault.open(phone, "change_notices", notice, "phone"),
            text=vault.open(body, "change_notices", notice, "body"),
        )
        for notice, phone, body in rows
    ]
    outcomes = await gateway.send(messages)
    states = [_STATES[outcome.status.value] for outcome in outcomes]
    async with services.database.factory(factory_id) as session:
        told = await fetch(session, _RECORD, factory_id, [notice for notice, _, _ in rows], states, [outcome.code for outcome in outcomes])
        await record_many(
            session,
            services.clock(),
            (
                Event(
                    actor=f"provider:{gateway.profile.name}",
                    action="change.told",
                    subject=f"change:{change}",
                    data={"notice": str(notice), "to": goes_to, "state": state},
                )
                for notice, change, goes_to, state in told
            ),
        )
    return True


async def give_up_interrupted(session: AsyncSession, at: datetime) -> int:
    """A notice whose sender died may or may not have gone out: it is marked so, and not sent a second time."""
    return await run(session, _INTERRUPTED, factory_of(session), at - _LONGEST_SENDING)


async def drop_alarm(session: AsyncSession, change_id: UUID, at: datetime) -> None:
    """A change that is over waits for nobody."""
    await clear(session, at, kind="change_unconfirmed", subject=f"change:{change_id}")
