"""Read the audit trail."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.audit.journal import read
from payroll_api.db.bulk import fetch
from payroll_api.db.session import factory_of
from payroll_api.errors import InvalidError

_EVENTS = """
select e.xid, e.id, e.body, e.leaf,
  (select b.number from audit_blocks b where b.factory_id = e.factory_id and e.xid >= b.from_xid and e.xid < b.to_xid
    and e.id > b.after_id and not exists (
      select from audit_blocks c where c.factory_id = b.factory_id and c.after_id > b.after_id and e.id > c.after_id))
from audit_events e where e.factory_id = $1 and ($2::text is null or e.subject = $2) and e.id < $3
order by e.id desc limit $4
"""
_LARGEST = 2**62


async def events(session: AsyncSession, *, subject: str | None, before: str | None, limit: int) -> list[dict[str, object]]:
    """Events, the newest first, of one subject where asked, from before a cursor. Raises InvalidError for a cursor that is none."""
    number = _LARGEST
    if before is not None:
        try:
            _, number = (int(part) for part in before.split("-"))
        except ValueError:
            raise InvalidError("This cursor is not one that a page of events gave.") from None
    rows = await fetch(session, _EVENTS, factory_of(session), subject, number, limit)
    return [{"cursor": f"{row[0]}-{row[1]}", **read(row[2]), "leaf": row[3].hex(), "block": row[4]} for row in rows]
