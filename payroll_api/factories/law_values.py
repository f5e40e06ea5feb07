"""What a factory adds to the law book without a release, and what it agreed beyond the law: dated, cited, signed off, audited.

A value belongs to one factory: nobody of one factory may change what the workers of another are owed. A value that may lower what
workers get waits for a second person. Nothing is deleted; `law_book` gives the book as it was at any moment, so that an old result can
be had again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.access.api_keys import persons_behind
from payroll_api.access.four_eyes import require_other, require_person
from payroll_api.audit import journal
from payroll_api.db.base import new_id
from payroll_api.errors import InvalidError, NotAllowedError, NotFoundError, ProblemError
from payroll_api.factories.models import LawValue
from payroll_api.services import Services
from reconciliation.contract import Citation
from reconciliation.law.book import LawBook
from reconciliation.law.enter import Given, second_person, value_of
from reconciliation.law.figures import refuse_less
from reconciliation.law.parameter import LawBookError, LawUnknownError
from reconciliation.policy import Agreement, PolicyError

LAW, AGREEMENT = "law", "agreement"
_SHORTEST_REASON = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class NewValue:
    """A value as a person writes it. `value` is a number as text, or the rows of a table."""

    kind: str
    name: str
    since: date
    value: Given
    title: str
    signed_off_by: str
    until: date | None = None
    article: str = ""
    published: str = ""
    note: str = ""


async def enter(session: AsyncSession, services: Services, actor: Actor, new: NewValue) -> LawValue:
    """Add a value. It holds at once, or waits as `proposed` for a second person where it may lower what workers get.

    Raises InvalidError that names the field, NotAllowedError for anybody but a person who administers.
    """
    actor.require(Permission.ADMINISTER)
    require_person(actor)
    why = await _checked(session, services, new)
    row_id, now = new_id(), services.clock()
    vault = await services.keys.vault(session)
    row = LawValue(
        factory_id=actor.factory_id,
        id=row_id,
        kind=new.kind,
        name=new.name,
        since=new.since,
        until=new.until,
        given={"value": new.value if isinstance(new.value, str) else [dict(line) for line in new.value]},
        title=new.title.strip(),
        article=new.article.strip(),
        published=new.published.strip(),
        note=new.note.strip(),
        signed_off_by=vault.seal(new.signed_off_by.strip(), "law_values", row_id, "signed_off_by"),
        state="proposed" if why else "in_force",
        second_person=why,
        entered_by=actor.name,
        entered_at=now,
        in_force_at=None if why else now,
    )
    session.add(row)
    await session.flush()
    await _tell(session, now, actor, row, "entered")
    return row


async def _checked(session: AsyncSession, services: Services, new: NewValue) -> str:
    """Why a second person is needed, or nothing. Raises InvalidError."""
    empty = [name for name in ("title", "signed_off_by") if not getattr(new, name).strip()]
    if empty:
        raise InvalidError(
            "A value needs the text it stands in and the person who signs it off.",
            code="law_value_invalid",
            fields=[{"field": name, "problem": "is empty"} for name in empty],
        )
    book = await law_book(session, services)
    parameter = book.parameters.get(new.name)
    if parameter is None:
        raise InvalidError(
            "The law book has no value of this name; see its list.",
            code="law_value_invalid",
            fields=[{"field": "name", "problem": "unknown"}],
        )
    try:
        if new.kind == AGREEMENT:
            return await _agreement_checked(session, book, new)
        value = value_of(parameter, new.value, new.since)
        _with(book, new, value, new.signed_off_by)
        return second_person(book, new.name, value, new.since)
    except (LawBookError, LawUnknownError, PolicyError) as error:
        raise InvalidError(
            f"{error}.".replace("..", "."), code="law_value_invalid", fields=[{"field": "value", "problem": str(error)}]
        ) from error


async def _agreement_checked(session: AsyncSession, book: LawBook, new: NewValue) -> str:
    """Whether an agreement lowers an earlier one. Raises PolicyError for one below the law."""
    value = value_of(book.parameters[new.name], new.value, new.since)
    if not isinstance(value, Decimal):
        raise LawBookError(f"{new.name} is a table, which an agreement cannot replace: agree on a number of the law book")
    agreed = Agreement(name=new.name, since=new.since, value=value, citation=Citation(title=new.title), until=new.until)
    refuse_less(book, agreed)
    for old in await agreements(session):
        if old.name == new.name and old.since <= new.since and (old.until is None or old.until >= new.since):
            lower = value < old.value if book.parameters[new.name].favour == "more" else value > old.value
            if lower or (new.until is not None and (old.until is None or new.until < old.until)):
                return "it is less than an agreement that holds now"
    return ""


def _with(book: LawBook, new: NewValue, value: Decimal | tuple[Mapping[str, Decimal | date | str], ...], signed: str) -> LawBook:
    citation = Citation(title=new.title.strip(), article=new.article.strip(), published=new.published.strip())
    return book.with_parameter(new.name, value=value, since=new.since, citation=citation, signed_off_by=signed, note=new.note.strip())


async def sign_off(session: AsyncSession, services: Services, actor: Actor, value_id: UUID) -> LawValue:
    """A second person agrees to a proposed value: it holds from now on. Raises NotAllowedError `four_eyes` for who entered it."""
    _require_either(actor)
    row = await _locked(session, actor, value_id, "proposed")
    require_other(actor, *await persons_behind(session, {row.entered_by}))
    now = services.clock()
    row.state, row.agreed_by, row.in_force_at = "in_force", actor.name, now
    await session.flush()
    await _tell(session, now, actor, row, "signed_off")
    return row


async def withdraw(session: AsyncSession, services: Services, actor: Actor, value_id: UUID, *, reason: str) -> LawValue:
    """Take a value back, with a reason; what was computed by it stays known. One in force takes another person than who entered it."""
    _require_either(actor)
    if len(reason.strip()) < _SHORTEST_REASON:
        raise InvalidError("Write why the value is taken back.", fields=[{"field": "reason", "problem": "too short"}])
    row = await _locked(session, actor, value_id, "proposed", "in_force")
    if row.state == "in_force":
        require_other(actor, *await persons_behind(session, {row.entered_by}))
    now = services.clock()
    row.state, row.withdrawn_by, row.withdrawn_at, row.withdrawn_reason = "withdrawn", actor.name, now, reason.strip()
    await session.flush()
    await _tell(session, now, actor, row, "withdrawn")
    return row


def _require_either(actor: Actor) -> None:
    require_person(actor)
    if not actor.permissions & {Permission.ADMINISTER, Permission.APPROVE}:
        raise NotAllowedError("Only people who administer or approve decide about values of the law. Ask one of them.")


async def _locked(session: AsyncSession, actor: Actor, value_id: UUID, *states: str) -> LawValue:
    row = await session.get(LawValue, (actor.factory_id, value_id), with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError("value")
    if row.state not in states:
        raise ProblemError(
            "law_value_state", f"The value is {row.state.replace('_', ' ')}: this can no longer be done. Load the page again."
        )
    return row


async def _tell(session: AsyncSession, at: datetime, actor: Actor, row: LawValue, what: str) -> None:
    data = {
        "kind": row.kind,
        "name": row.name,
        "since": str(row.since),
        "until": str(row.until or ""),
        "state": row.state,
        "text": row.title,
    }
    if what == "entered":
        data |= {"value": str(row.given["value"]), "second_person": row.second_person}
    await journal.record(session, at, journal.Event(actor=actor.name, action=f"law_value.{what}", subject=f"law_value:{row.id}", data=data))


async def list_values(session: AsyncSession) -> Sequence[LawValue]:
    """All values that people entered, the newest first, withdrawn ones too."""
    return (await session.scalars(select(LawValue).order_by(LawValue.id.desc()).limit(500))).all()


async def _in_force(session: AsyncSession, kind: str, as_of: datetime | None) -> Sequence[LawValue]:
    query = select(LawValue).where(LawValue.kind == kind, LawValue.in_force_at.is_not(None))
    if as_of is None:
        query = query.where(LawValue.state == "in_force")
    else:
        query = query.where(LawValue.in_force_at <= as_of, or_(LawValue.withdrawn_at.is_(None), LawValue.withdrawn_at > as_of))
    return (await session.scalars(query.order_by(LawValue.in_force_at, LawValue.id))).all()


async def law_book(session: AsyncSession, services: Services, *, as_of: datetime | None = None) -> LawBook:
    """The law book of this factory: the release's, and what was added and signed off; as it stands, or as it stood at a moment.

    Raises LawBookError where an added value no longer fits the release's book.
    """
    book = services.law
    for row in await _in_force(session, LAW, as_of):
        parameter = book.parameters.get(row.name)
        if parameter is None:
            raise LawBookError(f"{row.name} was added by hand and is no longer a value of the law book: withdraw it on the law's page")
        new = _new(row)
        # By the ids of who answers for it and not by a name: a version is told everywhere.
        book = _with(book, new, value_of(parameter, new.value, row.since), row.agreed_by or row.entered_by)
    return book


async def agreements(session: AsyncSession, *, as_of: datetime | None = None) -> tuple[Agreement, ...]:
    """What the factory agreed beyond the law."""
    return tuple(
        Agreement(
            name=row.name,
            since=row.since,
            until=row.until,
            value=Decimal(str(row.given["value"]).replace(",", "")),
            citation=Citation(title=row.title, article=row.article, published=row.published),
        )
        for row in await _in_force(session, AGREEMENT, as_of)
    )


def _new(row: LawValue) -> NewValue:
    given: Any = row.given["value"]  # a text, or rows of texts, as `enter` wrote them
    return NewValue(
        kind=row.kind,
        name=row.name,
        since=row.since,
        until=row.until,
        value=given,
        title=row.title,
        signed_off_by=row.agreed_by or row.entered_by,
        article=row.article,
        published=row.published,
        note=row.note,
    )
