"""What each worker of a run is paid, and who is held back and why: computed from the file's check and people's decisions."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import Profile
from connectors.payouts.formats import fits_one
from importers.money import Money, currency
from payroll_api.db.bulk import fetch
from payroll_api.encryption.vault import SealBrokenError, Vault
from payroll_api.errors import ProblemError
from payroll_api.people.adopt import adopt_due
from payroll_api.people.destinations import provider_of
from payroll_api.review.models import Discrepancy
from payroll_api.runs.models import PayRun
from payroll_api.services import Services
from reconciliation.contract import Resolution

PAYABLE = ("verified", "confirmed")

HELD_REASONS: Mapping[str, str] = {
    "held_by_decision": "A person decided to keep this worker back.",
    "no_destination": "It is not known where to pay her.",
    "destination_doubtful": "The name on the account is not clearly hers: a person must confirm it.",
    "destination_refused": "The provider says that the account does not exist, or a person refused it.",
    "shared_account": "Another worker has the same account, and no two people have agreed to that.",
    "no_provider": "The factory has no provider for this kind of account.",
    "currency_not_paid": "The provider does not pay this currency.",
    "amount_over_limit": "The amount is outside the provider's limits.",
    "account_format": "An account of this bank or wallet does not look like this. Compare it with her passbook or phone and correct it.",
    "already_paid": "She has a payment for this period and kind of run already.",
    "nothing_due": "Nothing is due to her.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One worker's line of a run."""

    worker_id: UUID
    worker_code: str
    destination_id: UUID | None
    provider_account_id: UUID | None
    account_key: bytes | None
    amount: Money
    held_reason: str | None


# Asked before the long question, whose answer is of no use while a check is under way: people and pages ask again and again until it is.
_UNCHECKED = """
select count(*) from file_entitlements e
join destinations d on d.factory_id = e.factory_id and d.worker_id = e.worker_id and d.state = 'proposed' and not d.is_proposal
where e.factory_id = $1 and e.file_id = $2
"""
_CANDIDATES = """
select e.worker_code, e.worker_id, e.currency, e.net_minor, e.stated_minor, d.id, d.kind, d.state, d.account_key,
  d.id is distinct from e.destination_id and d.changed_on is null,
  d.kind <> 'cash' and exists (
    select from destinations o join workers w on w.factory_id = o.factory_id and w.id = o.worker_id
    where o.factory_id = d.factory_id and o.account_key = d.account_key and o.kind = d.kind and o.worker_id <> d.worker_id
      and coalesce(o.bank_key, d.bank_key, '') = coalesce(d.bank_key, o.bank_key, '') and o.state <> 'retired' and not o.is_proposal
      and ((w.in_run_since is not null and w.left_on is null) or exists (
        select from file_entitlements t where t.factory_id = e.factory_id and t.file_id = e.file_id and t.worker_id = w.id))
      and not exists (
        select from shared_accounts s where s.factory_id = d.factory_id and s.account_key = d.account_key and s.approved_at is not null
          and s.revoked_at is null and s.worker_a = least(d.worker_id, o.worker_id) and s.worker_b = greatest(d.worker_id, o.worker_id))),
  exists (select from payments p where p.factory_id = e.factory_id and p.worker_id = e.worker_id and p.period = $3 and p.kind = $4
          and p.state <> 'cancelled'), d.bank, d.account
from file_entitlements e
left join destinations d on d.factory_id = e.factory_id and d.worker_id = e.worker_id and d.state <> 'retired' and not d.is_proposal
where e.factory_id = $1 and e.file_id = $2 order by e.worker_code
"""


async def compute(session: AsyncSession, services: Services, pay_run: PayRun) -> list[Item]:
    """The items of a run as things stand. Raises ProblemError `destinations_unchecked` while account checks are under way."""
    # First what may still be under way: who asks every second must not have everybody's figures read each time.
    _require_checked((await fetch(session, _UNCHECKED, pay_run.factory_id, pay_run.file_id))[0][0])
    await adopt_due(session, services, pay_on=pay_run.pay_on, workers=await _workers(session, pay_run))
    law, held = await _decisions(session, pay_run.file_id)
    rows = await fetch(session, _CANDIDATES, pay_run.factory_id, pay_run.file_id, pay_run.period, pay_run.kind)
    _require_checked(sum(1 for row in rows if row[7] == "proposed"))  # one may have come since
    providers: dict[str, tuple[UUID, Profile] | None] = {}
    for kind in sorted({row[6] for row in rows if row[6]}):
        found = await provider_of(session, services, kind)
        providers[kind] = None if found is None else (found[0], found[1].profile)
    misshapen = _misshapen(rows, providers, await services.keys.vault(session))
    return [_item(row[:12], law, held, providers, is_misshapen=row[5] in misshapen) for row in rows]


def _misshapen(rows: Sequence[tuple[Any, ...]], providers: Mapping[str, tuple[UUID, Profile] | None], vault: Vault) -> set[UUID]:
    """The destinations whose account cannot be one of its bank or wallet, as the provider's profile says how they look."""
    found = set()
    for row in rows:
        destination, kind, bank, sealed = row[5], row[6], row[12], row[13]
        provider = providers.get(kind) if kind else None
        if destination is None or provider is None or not provider[1].formats:
            continue
        # One that does not open is held for that where it is claimed.
        with contextlib.suppress(SealBrokenError):
            if not fits_one(provider[1].formats, bank, vault.open(sealed, "destinations", destination, "account")):
                found.add(destination)
    return found


def _require_checked(waiting: int) -> None:
    if waiting:
        raise ProblemError(
            "destinations_unchecked",
            f"{waiting} accounts are still being checked with the banks and wallets. Send the run for approval when that is done.",
            extra={"waiting": waiting},
        )


async def _workers(session: AsyncSession, pay_run: PayRun) -> list[UUID]:
    query = "select worker_id from file_entitlements where factory_id = $1 and file_id = $2"
    return [row[0] for row in await fetch(session, query, pay_run.factory_id, pay_run.file_id)]


async def _decisions(session: AsyncSession, file_id: UUID) -> tuple[set[str], set[str]]:
    """Codes of workers who are paid the law's figure, and of those held back by a decision."""
    rows = await session.execute(
        select(Discrepancy.worker_code, Discrepancy.resolution).where(Discrepancy.file_id == file_id, Discrepancy.resolution.is_not(None))
    )
    law: set[str] = set()
    held: set[str] = set()
    for code, resolution in rows:
        if resolution == Resolution.PAY_LAW.value:
            law.add(code)
        elif resolution == Resolution.HOLD_WORKER.value:
            held.add(code)
    return law, held


def _item(
    row: tuple[object, ...],
    law: set[str],
    held: set[str],
    providers: Mapping[str, tuple[UUID, Profile] | None],
    *,
    is_misshapen: bool,
) -> Item:
    code, worker_id, unit, lawful, stated, destination_id, kind, state, account_key, is_another, is_shared, paid = row
    amount = Money(int(str(lawful if code in law else stated)), currency(str(unit)))
    provider = providers.get(str(kind)) if kind else None
    reason = _held_reason(
        code=str(code),
        held=held,
        amount=amount,
        state=str(state) if state else None,
        is_shared=bool(is_shared),
        is_another=bool(is_another),
        is_paid=bool(paid),
        provider=provider,
        is_misshapen=is_misshapen,
    )
    return Item(
        worker_id=UUID(str(worker_id)),
        worker_code=str(code),
        destination_id=UUID(str(destination_id)) if destination_id else None,
        provider_account_id=provider[0] if provider else None,
        account_key=account_key if isinstance(account_key, bytes) else None,
        amount=amount,
        held_reason=reason,
    )


def _held_reason(
    *,
    code: str,
    held: set[str],
    amount: Money,
    state: str | None,
    is_shared: bool,
    is_another: bool,
    is_paid: bool,
    provider: tuple[UUID, Profile] | None,
    is_misshapen: bool,
) -> str | None:
    first_true = (
        (code in held, "held_by_decision"),
        (is_paid, "already_paid"),
        (amount.minor <= 0, "nothing_due"),
        (state is None, "no_destination"),
        # Another file or decision changed her account after this file was checked: what HR looked at is not what would be paid.
        (is_another, "destination_doubtful"),
        (state == "refused", "destination_refused"),
        (is_shared, "shared_account"),
        (state not in PAYABLE, "destination_doubtful"),
        (provider is None, "no_provider"),
        (is_misshapen, "account_format"),
    )
    for is_so, reason in first_true:
        if is_so:
            return reason
    return _limit_reason(amount, provider[1]) if provider else None


def _limit_reason(amount: Money, profile: Profile) -> str | None:
    limit = profile.limits.get(amount.currency.code)
    if limit is None:
        return "currency_not_paid"
    return None if limit.smallest <= amount <= limit.largest else "amount_over_limit"
