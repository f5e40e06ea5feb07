"""Keep the result of a check: entitlements, discrepancies, and the articles behind each kind of line, once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.contract import PayrollRow
from payroll_api.db.base import new_id
from payroll_api.db.bulk import copy_in, run
from payroll_api.db.session import factory_of
from payroll_api.review.models import FileReview
from reconciliation.contract import Citation, Discrepancy, Entitlement, Reconciliation

_ENTITLEMENT_COLUMNS = (
    "factory_id", "file_id", "worker_code", "worker_id", "destination_id", "currency", "gross_minor", "deductions_minor", "net_minor",
    "stated_minor", "lines",
)  # fmt: skip
_DISCREPANCY_COLUMNS = (
    "factory_id", "id", "file_id", "position", "worker_id", "worker_code", "sheet", "row", "code", "severity", "subject", "currency",
    "stated_minor", "lawful_minor", "basis", "message", "message_km", "resolutions", "citations",
)  # fmt: skip

Ids = Mapping[str, tuple[UUID, UUID]]


async def keep(session: AsyncSession, file_id: UUID, rows: Sequence[PayrollRow], result: Reconciliation, ids: Ids, at: datetime) -> None:
    """Write the check of one file, in place of an earlier one."""
    factory_id = factory_of(session)
    for table in ("file_entitlements", "discrepancies", "file_reviews"):
        await run(session, f"delete from {table} where factory_id = $1 and file_id = $2", factory_id, file_id)  # noqa: S608 a fixed name
    stated = {row.worker_code: row for row in reversed(rows)}
    await copy_in(
        session,
        "file_entitlements",
        _ENTITLEMENT_COLUMNS,
        (_entitlement(factory_id, file_id, code, owed, stated[code], ids[code]) for code, owed in result.entitlements.items()),
    )
    await copy_in(
        session,
        "discrepancies",
        _DISCREPANCY_COLUMNS,
        (_discrepancy(factory_id, file_id, position, item, ids) for position, item in enumerate(result.discrepancies)),
    )
    session.add(FileReview(factory_id=factory_id, file_id=file_id, law_version=result.law_version, citations=_articles(result), made_at=at))
    await session.flush()


def citation_json(citation: Citation) -> dict[str, object]:
    """A citation for storing and showing."""
    return {"title": citation.title, "article": citation.article, "verified": citation.verified}


def _articles(result: Reconciliation) -> dict[str, object]:
    articles: dict[str, object] = {}
    for owed in result.entitlements.values():
        for line in owed.lines:
            if line.line.value not in articles:
                articles[line.line.value] = [citation_json(citation) for citation in line.citations]
    return articles


def _entitlement(
    factory_id: UUID, file_id: UUID, code: str, owed: Entitlement, row: PayrollRow, ids: tuple[UUID, UUID]
) -> tuple[object, ...]:
    lines = [
        {
            "line": line.line.value,
            "side": line.side.value,
            "minor": line.amount.minor,
            "currency": line.amount.currency.code,
            "formula": line.formula,
            **({"riel": line.riel.minor} if line.riel is not None else {}),
        }
        for line in owed.lines
    ]
    return (
        factory_id, file_id, code, *ids, owed.net.currency.code, owed.gross.minor, owed.deductions.minor, owed.net.minor, row.net.minor,
        json.dumps(lines, ensure_ascii=False),
    )  # fmt: skip


def _discrepancy(factory_id: UUID, file_id: UUID, position: int, item: Discrepancy, ids: Ids) -> tuple[object, ...]:
    money = item.stated or item.lawful
    worker = ids.get(item.worker_code)
    return (
        factory_id,
        new_id(),
        file_id,
        position,
        worker[0] if worker else None,
        item.worker_code,
        item.sheet,
        item.row,
        item.code,
        item.severity.value,
        item.subject,
        money.currency.code if money else None,
        item.stated.minor if item.stated else None,
        item.lawful.minor if item.lawful else None,
        item.basis,
        item.message,
        item.message_km,
        json.dumps([resolution.value for resolution in item.resolutions]),
        json.dumps([citation_json(citation) for citation in item.citations], ensure_ascii=False),
    )
