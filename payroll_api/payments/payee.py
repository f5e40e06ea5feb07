"""Whether the account that a provider names is the one that was ordered: a word about another account is no word about this payment."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from connectors.payouts.names import same_account
from payroll_api.payments.models import Dispatch
from payroll_api.payments.orders import orders_of
from payroll_api.services import Services


async def with_payee(session: AsyncSession, services: Services, dispatch: Dispatch, said: Sequence[PayoutOutcome]) -> list[PayoutOutcome]:
    """The outcomes, with UNKNOWN `payee_differs` where another account is named than the order was for.

    An answer to a sending is compared in `ObservedConnector.submit`, which has the order in its hand; whatever comes later is compared
    here. An order whose account was corrected since, for another attempt, is no longer known and not compared.
    """
    if not any(outcome.account for outcome in said):
        return list(said)
    orders, _ = await orders_of(session, await services.keys.vault(session), dispatch)
    accounts = {order.reference: order.destination.account for order in orders}
    return [_compared(outcome, accounts.get(outcome.reference)) for outcome in said]


def _compared(outcome: PayoutOutcome, ordered: str | None) -> PayoutOutcome:
    if ordered is None or outcome.account is None or outcome.status is PayoutStatus.NOT_FOUND or same_account(ordered, outcome.account):
        return outcome
    detail = "the provider states another account than was ordered; ask the provider"
    return dataclasses.replace(outcome, status=PayoutStatus.UNKNOWN, code="payee_differs", detail=detail)
