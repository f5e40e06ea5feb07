"""Learn what accounts hold: providers are asked with no transaction open, people state what they see at the bank."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money
from payroll_api.access.actor import Actor, Permission
from payroll_api.access.four_eyes import require_person
from payroll_api.audit.journal import Event, record, record_many
from payroll_api.clock import pay_day
from payroll_api.db.base import new_id
from payroll_api.errors import InvalidError, NotAllowedError
from payroll_api.factories.provider_accounts import get_account
from payroll_api.runs.find import get_run
from payroll_api.runs.funds import RailFunds, without_word
from payroll_api.runs.models import PayRun, RailBalance, RunItem
from payroll_api.services import Services
from payroll_api.typed_money import typed_money

LONGEST_REASON = 500
_MAY = (Permission.RELEASE, Permission.SETTLE)
_FURTHEST = timedelta(days=62)


async def ask_balances(services: Services, factory_id: UUID, run_id: UUID) -> None:
    """Ask every provider of a run that tells balances, and keep the answers. Whoever does not answer is left out. Raises NotFoundError."""
    async with services.database.factory(factory_id) as session:
        await get_run(session, run_id)
        query = select(RunItem.provider_account_id).where(RunItem.run_id == run_id, RunItem.held_reason.is_(None)).distinct()
        ids = sorted(account for account in await session.scalars(query) if account is not None)
        connectors = [(account, await services.connectors.payout(session, account)) for account in ids]
    asked = [(account, connector) for account, connector in connectors if connector.profile.tells_balance]
    told = await asyncio.gather(*(connector.balance() for _, connector in asked))
    now = services.clock()
    rows = [
        _row(factory_id, account, money, source="told", holds_on=pay_day(now), author=f"provider:{connector.profile.name}", at=now)
        for (account, connector), money in zip(asked, told, strict=True)
        if money is not None
    ]
    if rows:
        async with services.database.factory(factory_id) as session:
            session.add_all(rows)
            await session.flush()
            await record_many(session, now, (_event(row) for row in rows))


async def state_balance(
    session: AsyncSession, services: Services, actor: Actor, account_id: UUID, *, amount: str, unit: str, holds_on: date, reason: str = ""
) -> RailBalance:
    """What a person sees that an account holds for a pay day. It holds on that day and the day before.

    Raises InvalidError, NotFoundError, NotAllowedError for a key.
    """
    if not set(_MAY) & actor.permissions:
        raise NotAllowedError("Stating a balance takes the role of finance or approver. Ask your administrator for it.")
    require_person(actor)
    await get_account(session, account_id)
    now = services.clock()
    if not pay_day(now) <= holds_on <= pay_day(now) + _FURTHEST:
        raise InvalidError(
            "A balance is stated for a pay day from today on.", fields=[{"field": "holds_on", "problem": "in the past, or far"}]
        )
    money = typed_money(amount, unit)
    if money.minor < 0:
        raise InvalidError("A balance that can pay is not below zero.", fields=[{"field": "amount", "problem": "below zero"}])
    row = _row(actor.factory_id, account_id, money, source="stated", holds_on=holds_on, author=actor.name, at=now)
    row.reason = reason.strip()[:LONGEST_REASON]
    session.add(row)
    await session.flush()
    await record(session, now, _event(row))
    return row


async def keep_assumed(
    session: AsyncSession, actor: Actor, pay_run: PayRun, rails: Sequence[RailFunds], *, reason: str, at: datetime
) -> None:
    """Keep that somebody released without anybody's figure: her word stands for it."""
    for rail in without_word(rails):
        row = _row(
            actor.factory_id, rail.provider_account_id, rail.needed, source="assumed", holds_on=pay_run.pay_on, author=actor.name, at=at
        )
        row.amount_minor, row.reason = None, reason.strip()[:LONGEST_REASON]
        session.add(row)
    await session.flush()


def _row(factory_id: UUID, account: UUID, money: Money, *, source: str, holds_on: date, author: str, at: datetime) -> RailBalance:
    return RailBalance(
        factory_id=factory_id,
        id=new_id(),
        provider_account_id=account,
        currency=money.currency.code,
        source=source,
        amount_minor=money.minor,
        holds_on=holds_on,
        reason="",
        author=author,
        at=at,
    )


def _event(row: RailBalance) -> Event:
    data = {"currency": row.currency, "minor": row.amount_minor, "holds_on": row.holds_on.isoformat()}
    return Event(actor=row.author, action=f"funds.{row.source}", subject=f"provider_account:{row.provider_account_id}", data=data)
