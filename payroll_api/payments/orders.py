"""The orders of a dispatch as they were committed, rebuilt from the database."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import PayoutOrder
from payroll_api.db.bulk import fetch
from payroll_api.encryption.vault import Vault
from payroll_api.payments.intent import order_from
from payroll_api.payments.models import Dispatch
from payroll_api.payments.references import payload_hash

_ORDERS = """
select p.id, a.number, p.amount_minor, p.currency, p.account_key, d.id, d.kind, d.bank, d.account, d.holder, p.period, a.payload_hash,
  a.reference
from attempts a
join payments p on p.factory_id = a.factory_id and p.id = a.payment_id
join destinations d on d.factory_id = p.factory_id and d.id = p.destination_id
where a.factory_id = $1 and a.dispatch_id = $2 order by p.id
"""


async def orders_of(session: AsyncSession, vault: Vault, dispatch: Dispatch) -> tuple[list[PayoutOrder], list[str]]:
    """Every order of a dispatch, in the order of the first sending; and the references of those that would no longer be what was sent."""
    orders, changed = [], []
    for row in await fetch(session, _ORDERS, dispatch.factory_id, dispatch.id):
        order = order_from(vault, row, row[10])
        hashed = None if order is None else payload_hash(order.reference, row[4], order.amount.minor, order.amount.currency.code)
        if order is None or hashed != row[11]:
            changed.append(row[12])
        else:
            orders.append(order)
    return orders, changed
