"""Two people for what one should not decide alone: above a limit somebody asks to keep the sheet's figure, and another agrees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import KHR, USD, Money
from importers.period import PayPeriod
from payroll_api.access.actor import Actor, Permission
from payroll_api.access.api_keys import persons_behind
from payroll_api.access.four_eyes import require_other, require_person
from payroll_api.audit.journal import Event, record_many
from payroll_api.errors import InvalidError, NotAllowedError, NotFoundError, ProblemError
from payroll_api.factories.policies import policy
from payroll_api.factories.settings import exchange_rates
from payroll_api.intake.models import PayrollFile
from payroll_api.review.models import Discrepancy
from payroll_api.services import Services

# An account for two, a leaver, an invented person: the whole wage is at stake, whatever the figures say.
_TWO_PEOPLE = {"shared_account", "paid_after_leaving", "paid_before_joining", "ghost_pattern"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """From which amount on one person alone does not keep the sheet's figure, in each currency's minor units."""

    minor: Mapping[str, int]

    @classmethod
    async def of(cls, session: AsyncSession, file: PayrollFile) -> Limit:
        """The limit that the factory chose for the file's month."""
        period = PayPeriod.parse(file.period)
        cents = (await policy(session, period)).second_person_cents
        rates = await exchange_rates(session, period)
        return cls(minor={"USD": cents, "KHR": Money(cents, USD).convert(KHR, rates.tax).minor})

    def needs_two(self, item: Discrepancy) -> bool:
        """Whether so much is at stake for one worker, or somebody else may get her wage."""
        if item.code in _TWO_PEOPLE:
            return True
        if item.severity != "blocks" or item.currency is None or item.stated_minor is None:
            return False
        return abs(item.stated_minor - (item.lawful_minor or 0)) >= self.minor.get(item.currency, 0)


async def agree(session: AsyncSession, services: Services, actor: Actor, file_id: UUID, *, discrepancy_ids: Sequence[UUID]) -> int:
    """The second person agrees that the sheet's figure is kept: from now on it is decided. Gives how many were.

    Raises NotAllowedError `four_eyes` for whoever asked (or whose key did), InvalidError where nothing waits, ProblemError as `resolve`.
    """
    if not actor.permissions & {Permission.PREPARE, Permission.APPROVE}:
        raise NotAllowedError("Only people who prepare or approve decide about differences. Ask one of them.")
    require_person(actor)
    file = await session.get(PayrollFile, (actor.factory_id, file_id), with_for_update=True, populate_existing=True)
    if file is None:
        raise NotFoundError("payroll file")
    refuse_frozen(frozen=file.review_frozen)
    query = select(Discrepancy).where(Discrepancy.file_id == file_id, Discrepancy.id.in_(discrepancy_ids), Discrepancy.asked.is_not(None))
    found = list(await session.scalars(query.with_for_update()))
    if not found or len(found) != len(set(discrepancy_ids)):
        raise InvalidError("One of these differences waits for no second person. Load the list again.")
    require_other(actor, *await persons_behind(session, {item.asked_by or "" for item in found}))
    now = services.clock()
    for item in found:
        item.resolution, item.resolved_by, item.resolved_at, item.agreed_by = item.asked, item.asked_by, now, actor.name
        item.asked = None
    await session.flush()
    events = (
        Event(
            actor=actor.name,
            action="discrepancy.agreed",
            subject=f"discrepancy:{item.id}",
            data={"file": str(file_id), "code": item.code, "resolution": item.resolution, "asked_by": item.asked_by},
        )
        for item in found
    )
    await record_many(session, now, events)
    return len(found)


def refuse_frozen(*, frozen: bool) -> None:
    """Raises ProblemError `review_frozen` once a run of the file has been sent for approval."""
    if frozen:
        raise ProblemError(
            "review_frozen", "The run of this file has been sent for approval: its figures are frozen. Reject the run to change them."
        )
