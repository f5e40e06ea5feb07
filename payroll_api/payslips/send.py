"""Send composed slips: claimed and committed first, sent once, never again by guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.sms.contract import SmsMessage, SmsOutcome
from payroll_api.audit.journal import Event, record_many
from payroll_api.db.bulk import fetch, run
from payroll_api.db.session import factory_of
from payroll_api.encryption.vault import Vault
from payroll_api.failpoints import failpoint
from payroll_api.services import Services

_CLAIM = """
update slips s set state = 'sending', sent_at = $4 from (
  select id from slips where factory_id = $1 and run_id = $2 and state = 'composed' order by id limit $3 for update skip locked) n
where s.factory_id = $1 and s.id = n.id returning s.id, s.reference, s.phone, s.body
"""
# What a slip may become: a receipt never takes a delivered slip back, and an early receipt is not undone by the gateway's answer.
_RECORD = """
update slips s set state = n.state, code = n.code, gateway_reference = coalesce(n.gateway_reference, s.gateway_reference),
  delivered_at = case when n.state = 'delivered' then $2 else s.delivered_at end
from unnest($3::text[], $4::text[], $5::text[], $6::text[]) as n(reference, state, code, gateway_reference)
where s.factory_id = $1 and s.reference = n.reference and (
  (s.state = 'sending') or (s.state in ('sent', 'unknown') and n.state in ('delivered', 'failed')))
returning s.id, s.state
"""
_FORGOTTEN = "update slips set state = 'unknown', code = 'interrupted' where factory_id = $1 and state = 'sending' and sent_at < $2"
_LONGEST_SENDING = timedelta(minutes=5)


async def send_slips(services: Services, factory_id: UUID, payload: Mapping[str, str]) -> None:
    """The job SEND_SLIPS: chunk after chunk until no slip of the run waits."""
    while await _chunk(services, factory_id, UUID(payload["run"])):
        pass


async def _chunk(services: Services, factory_id: UUID, run_id: UUID) -> bool:
    async with services.database.factory(factory_id) as session:
        gateway = await services.connectors.gateway(session)
        if gateway is None:
            return False
        size = min(gateway.profile.batch_size, services.settings.chunk_size)
        rows = await fetch(session, _CLAIM, factory_id, run_id, size, services.clock())
        vault = await services.keys.vault(session)
    if not rows:
        return False
    await failpoint("F2")
    outcomes = await gateway.send([_message(vault, *row) for row in rows])
    await failpoint("F1")
    async with services.database.factory(factory_id) as session:
        await record_deliveries(session, outcomes, actor=f"provider:{gateway.profile.name}", at=services.clock())
    return True


def _message(vault: Vault, slip_id: UUID, reference: str, phone: bytes, body: bytes) -> SmsMessage:
    return SmsMessage(reference=reference, to=vault.open(phone, "slips", slip_id, "phone"), text=vault.open(body, "slips", slip_id, "body"))


async def record_deliveries(session: AsyncSession, outcomes: Sequence[SmsOutcome], *, actor: str, at: datetime) -> None:
    """Record what the gateway says of slips, whichever order it says it in."""
    rows = await fetch(
        session,
        _RECORD,
        factory_of(session),
        at,
        [outcome.reference for outcome in outcomes],
        [outcome.status.value for outcome in outcomes],
        [outcome.code for outcome in outcomes],
        [outcome.gateway_reference for outcome in outcomes],
    )
    await record_many(session, at, (Event(actor=actor, action=f"slip.{state}", subject=f"slip:{slip}") for slip, state in rows))


async def give_up_interrupted(session: AsyncSession, at: datetime) -> int:
    """A slip whose sender died may or may not have gone out: it is marked so, and not sent a second time."""
    return await run(session, _FORGOTTEN, factory_of(session), at - _LONGEST_SENDING)
