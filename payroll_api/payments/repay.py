"""Pay again what failed for sure: to the worker's account as it is now, by the rail of that account, or in cash. Never by itself.

The new attempt has the next number and a reference of its own; the failed one stays as it is.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
from payroll_api.access.actor import Actor
from payroll_api.audit.journal import Event, record_many
from payroll_api.db.base import new_id
from payroll_api.db.bulk import fetch, run
from payroll_api.encryption.vault import Vault
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue_many
from payroll_api.ledger.book import Account, Cause, Transfer, post
from payroll_api.payments.models import Proposal
from payroll_api.payments.proposals import Draft, changed, keep, may_propose
from payroll_api.people.destinations import provider_of
from payroll_api.people.keys import account_key
from payroll_api.people.register import CASH_ACCOUNT
from payroll_api.services import Services

MOST = 1000  # payments in one proposal

# The end of a payment's latest attempt, whether any attempt is contradicted, and where she is paid now or would be in cash.
_FAILED = """
select p.id, p.state, p.attempt, a.state,
  exists (select from attempts c join payments q on q.factory_id = c.factory_id and q.id = c.payment_id
    where c.factory_id = p.factory_id and c.contradicted_by is not null
      and q.worker_id = p.worker_id and q.period = p.period and q.kind = p.kind),
  p.currency, p.amount_minor, p.run_id, d.id, d.kind, d.state, d.account_key, p.worker_id
from payments p
join attempts a on a.factory_id = p.factory_id and a.payment_id = p.id and a.number = coalesce(p.paid_by, p.attempt)
left join destinations d on d.factory_id = p.factory_id and d.worker_id = p.worker_id
  and ($3::uuid[] is null and d.state <> 'retired' and not d.is_proposal or d.id = any($3))
where p.factory_id = $1 and p.id = any($2) order by p.id
"""
_LOCKED = " for update of p"
_CASH = """
insert into destinations (factory_id, id, worker_id, kind, bank, account, holder, account_key, state, detail, decided_by, created_by,
  created_at, is_proposal)
select $1, n.id, n.worker_id, 'cash', null, n.account, n.holder, n.account_key, 'retired', '', $7, $7, $8, false
from unnest($2::uuid[], $3::uuid[], $4::bytea[], $5::bytea[], $6::bytea[]) as n(id, worker_id, account, holder, account_key)
"""
_WORKERS = "select id, worker_code, name from workers where factory_id = $1 and id = any($2) order by id"
_AGAIN = """
update payments p set state = 'ready', state_since = $3, code = 'decided', detail = $4, decision_id = $5, paid_by = null,
  destination_id = n.destination, provider_account_id = n.rail, account_key = n.key
from unnest($2::uuid[], $6::uuid[], $7::uuid[], $8::bytea[], $9::bigint[]) as n(id, destination, rail, key, attempt)
where p.factory_id = $1 and p.id = n.id and p.attempt = n.attempt and p.state in ('rejected', 'returned')
"""


class Way(enum.StrEnum):
    """How it is paid again."""

    CURRENT = "current"  # her destination as it is now, corrected or not, by its own rail
    CASH = "cash"  # an envelope, this once


async def propose_repay(
    session: AsyncSession, services: Services, actor: Actor, payment_ids: Sequence[UUID], *, way: Way, reason: str
) -> Proposal:
    """Propose to pay failed payments again. Raises NotFoundError, InvalidError, ProblemError `not_failed`, `contradicted`,
    `destination_unchecked`, `no_provider`.
    """  # fmt: skip
    may_propose(actor, "repay")
    wanted = sorted(set(payment_ids))
    if not 0 < len(wanted) <= MOST:
        raise InvalidError(f"Choose 1 to {MOST} payments.", fields=[{"field": "payments", "problem": "none or too many"}])
    rows = await fetch(session, _FAILED, actor.factory_id, wanted, None)
    if len(rows) != len(wanted):
        raise NotFoundError("payment")
    if way is Way.CASH:
        made = await _envelopes(session, services, actor, sorted({row[12] for row in rows}))
        rows = await fetch(session, _FAILED, actor.factory_id, wanted, made)
    draft = await _draft(session, services, rows, way)
    return await keep(session, services, actor, draft, reason=reason)


async def apply_repay(session: AsyncSession, services: Services, actor: Actor, proposal: Proposal) -> Draft:
    """Carry a confirmed proposal out: the payments are ready again, under the new approval."""
    content: Any = proposal.content
    ids = [UUID(item["payment"]) for item in content["items"]]
    fixed = [UUID(item["destination"]) for item in content["items"]] if content["way"] == Way.CASH else None
    rows = await fetch(session, _FAILED + _LOCKED, actor.factory_id, ids, fixed)
    draft = await _draft(session, services, rows, Way(content["way"]))
    if draft.content != content:
        raise changed()
    now = services.clock()
    items: Any = draft.content["items"]
    rails = [UUID(item["rail"]) for item in items]
    columns = ([row[8] for row in rows], rails, [row[11] for row in rows], [row[2] for row in rows])
    moved = await run(session, _AGAIN, actor.factory_id, ids, now, proposal.reason, proposal.id, *columns)
    if moved != len(rows):
        raise changed()
    await post(
        session,
        now,
        (
            Transfer(
                run_id=row[7],
                payment_id=row[0],
                attempt=row[2],
                cause=Cause.REPAID,
                debit=Account.RETURNS,
                credit=Account.WAGES_PAYABLE,
                currency=row[5],
                amount_minor=row[6],
            )
            for row in rows
            if row[1] == "returned"
        ),
    )
    data = {"proposal": str(proposal.id), "content": proposal.content_hash}
    events = (
        Event(actor=actor.name, action="payment.ready", subject=f"payment:{row[0]}", data={**data, "was": row[1], "attempt": row[2]})
        for row in rows
    )
    await record_many(session, now, events)
    groups = sorted({(str(row[7]), str(rail), str(row[5])) for row, rail in zip(rows, rails, strict=True)})
    await enqueue_many(session, Job.SUBMIT_CHUNK, [{"run": one, "provider": rail, "currency": unit} for one, rail, unit in groups])
    return draft


async def _draft(session: AsyncSession, services: Services, rows: Sequence[tuple[Any, ...]], way: Way) -> Draft:
    items, keys = [], []
    providers: dict[str, Any] = {}
    for payment, state, attempt, ended, contradicted, unit, minor, run_id, destination, kind, checked, key, _ in rows:
        if state not in ("rejected", "returned") or ended not in ("rejected", "returned"):
            raise ProblemError(
                "not_failed",
                f"A payment is {state}: only what failed for sure, or came back, is paid again. Ask the provider, or find out.",
                extra={"payment": str(payment), "state": state},
            )
        if contradicted:
            raise ProblemError(
                "contradicted",
                "The provider has since said that money moved. Find out what became of it before anybody is paid again.",
                extra={"payment": str(payment)},
            )
        if checked not in ("verified", "confirmed") and way is not Way.CASH:
            detail = "Her account is not verified. Correct it and have it checked first, or pay in cash."
            raise ProblemError("destination_unchecked", detail, extra={"payment": str(payment)})
        if kind not in providers:
            providers[kind] = await provider_of(session, services, kind)
        rail = _rail(providers[kind], kind, Money(minor, currency(unit)), payment)
        keys.append(key.hex())
        items.append(
            {
                "payment": str(payment),
                "run": str(run_id),
                "state": state,
                "attempt": attempt,
                "destination": str(destination),
                "kind": kind,
                "rail": str(rail),
                "currency": unit,
                "minor": minor,
            }
        )
    subject = f"payment:{items[0]['payment']}" if len(items) == 1 else f"run:{items[0]['run']}"
    return Draft(kind="repay", subject=subject, content={"way": way.value, "items": items}, sealed="|".join(keys))


def _rail(found: Any, kind: str, amount: Money, payment: UUID) -> UUID:  # noqa: ANN401 an account's id and its connector, or None
    limit = found[1].profile.limits.get(amount.currency.code) if found is not None else None
    if found is None or limit is None or not limit.smallest <= amount <= limit.largest:
        detail = f"The factory has no enabled account that pays this amount to a {kind.replace('_', ' ')}."
        raise ProblemError("no_provider", detail, extra={"payment": str(payment)})
    return UUID(str(found[0]))


async def _envelopes(session: AsyncSession, services: Services, actor: Actor, workers: Sequence[UUID]) -> list[UUID]:
    """A destination for one envelope of each worker. It is retired from the start: her own one stays where she is usually paid."""
    vault: Vault = await services.keys.vault(session)
    rows = await fetch(session, _WORKERS, actor.factory_id, list(workers))
    ids = [new_id() for _ in rows]
    await run(
        session,
        _CASH,
        actor.factory_id,
        ids,
        [row[0] for row in rows],
        [vault.seal(row[1], "destinations", one, "account") for one, row in zip(ids, rows, strict=True)],
        [
            vault.seal(vault.open(row[2], "workers", row[0], "name"), "destinations", one, "holder")
            for one, row in zip(ids, rows, strict=True)
        ],
        [account_key(vault, f"{CASH_ACCOUNT}|{row[0]}") for row in rows],
        actor.name,
        services.clock(),
    )
    return ids
