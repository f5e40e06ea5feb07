"""People decide about differences: pay the law's figure, justify the sheet's, hold the worker back, or send a corrected sheet."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record_many
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.intake.contents import record_to_row
from payroll_api.intake.models import FileRow, PayrollFile
from payroll_api.people.propose import Origin, current_destination, propose_account
from payroll_api.review.models import Discrepancy, FileEntitlement
from payroll_api.review.person import person_of
from payroll_api.review.second_person import Limit, refuse_frozen
from payroll_api.services import Services
from reconciliation.contract import Resolution

# Decisions that keep the sheet's figure must say why: an inspector will ask.
_NEEDS_REASON = {Resolution.PAY_SHEET, Resolution.HOLD_WORKER}
_SHORTEST_REASON = 5
_PROPOSES = {"changed_account"}  # the law of the register calls it so: see reconciliation/discrepancies.toml


async def resolve(
    session: AsyncSession,
    services: Services,
    actor: Actor,
    file_id: UUID,
    *,
    discrepancy_ids: Sequence[UUID] | None,
    resolution: str,
    reason: str,
) -> int:
    """Decide about differences of a file; None means every open one that only warns. Gives how many were decided.

    Keeping the sheet's figure over the factory's limit is only asked for here: `agree` is the second person's.

    Raises InvalidError for an unknown or inapplicable decision or a missing reason, ProblemError `review_frozen` once a run of the
    file has been sent for approval.
    """
    actor.require(Permission.PREPARE)
    decision = _decision(resolution, reason)
    file = await session.get(PayrollFile, (actor.factory_id, file_id), with_for_update=True, populate_existing=True)
    if file is None:
        raise NotFoundError("payroll file")
    if file.state != "reconciled":
        raise ProblemError("file_not_ready", "The file is still being checked. Open it again in a moment.")
    refuse_frozen(frozen=file.review_frozen)
    query = select(Discrepancy).where(Discrepancy.file_id == file_id).with_for_update()
    if discrepancy_ids is None:
        query = query.where(Discrepancy.severity == "warns", Discrepancy.resolution.is_(None))
    else:
        query = query.where(Discrepancy.id.in_(discrepancy_ids))
    found = list(await session.scalars(query))
    if discrepancy_ids is not None and len(found) != len(set(discrepancy_ids)):
        raise InvalidError("One of these differences is not of this file. Load the list again.")
    await _decide(session, services, actor, file, found, decision, reason)
    return len(found)


async def _decide(
    session: AsyncSession,
    services: Services,
    actor: Actor,
    file: PayrollFile,
    found: Sequence[Discrepancy],
    decision: Resolution,
    reason: str,
) -> None:
    now = services.clock()
    limit = await Limit.of(session, file) if decision is Resolution.PAY_SHEET else None
    for item in found:
        if item.resolutions and decision.value not in item.resolutions:
            raise InvalidError(
                f"Row {item.row}: this difference cannot be decided as {decision.value};"
                f" choose one of {', '.join(map(str, item.resolutions))}."
            )
        item.reason, item.agreed_by = reason.strip(), None
        if limit is not None and limit.needs_two(item):
            item.resolution = item.resolved_by = item.resolved_at = None
            item.asked, item.asked_by, item.asked_at = decision.value, actor.name, now
            continue
        item.asked = item.asked_by = item.asked_at = None
        item.resolution, item.resolved_by, item.resolved_at = decision.value, actor.name, now
        if decision is Resolution.PAY_SHEET and item.code in _PROPOSES:
            await _propose(session, services, actor, file, item)
    await session.flush()
    await record_many(
        session,
        now,
        (
            Event(
                actor=actor.name,
                action="discrepancy.resolved" if item.asked is None else "discrepancy.asked",
                subject=f"discrepancy:{item.id}",
                data={"file": str(file.id), "code": item.code, "resolution": decision.value},
            )
            for item in found
        ),
    )


def _decision(resolution: str, reason: str) -> Resolution:
    try:
        decision = Resolution(resolution)
    except ValueError:
        raise InvalidError(f"Decide with one of {', '.join(value.value for value in Resolution)}.") from None
    if decision is Resolution.CORRECT_SHEET:
        raise InvalidError("To correct the sheet, upload the corrected file; nothing needs to be decided here.")
    if decision in _NEEDS_REASON and len(reason.strip()) < _SHORTEST_REASON:
        raise InvalidError(
            "Write a reason that an inspector would understand: why is the sheet's figure right, or the worker held back?",
            fields=[{"field": "reason", "problem": "too short"}],
        )
    return decision


async def _propose(session: AsyncSession, services: Services, actor: Actor, file: PayrollFile, item: Discrepancy) -> None:
    """Propose the account of the sheet: she is told, another person confirms it, and until it is adopted the one she has is paid."""
    stored = await session.scalar(
        select(FileRow).where(FileRow.file_id == item.file_id, FileRow.worker_code == item.worker_code).order_by(FileRow.position).limit(1)
    )
    if stored is None or item.worker_id is None:
        return
    vault = await services.keys.vault(session)
    columns = {
        name: getattr(stored, name) for name in ("position", "sheet", "row", "worker_code", "net_minor", "currency", "person", "figures")
    }
    person = person_of(record_to_row(vault, item.file_id, columns))
    before = await current_destination(session, item.worker_id)
    origin = Origin(source="sheet", by=actor.name, makers=(file.uploaded_by,))
    destination = await propose_account(session, services, item.worker_id, person, origin)
    if await current_destination(session, item.worker_id) != before:
        # Her first account, corrected before anything was paid: the file is about this one.
        entitlement = await session.get_one(FileEntitlement, (actor.factory_id, item.file_id, item.worker_code))
        entitlement.destination_id = destination
