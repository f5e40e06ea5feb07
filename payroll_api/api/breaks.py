"""Breaks: what does not fit, whose they are and by when, and their ways out; and what the factory has agreed about them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Amount, Cursor, Input, Limit, Output, Page, Reason, after_id, amount_or_none, page
from payroll_api.reports.letter import bank_letter
from payroll_api.settlement import close as step
from payroll_api.settlement.find import breaks, get_break
from payroll_api.settlement.folder import folders, set_folder
from payroll_api.settlement.letter import draft
from payroll_api.settlement.models import SettlementBreak
from payroll_api.settlement.rules import Rules, rules_of, set_rules
from payroll_api.settlement.ways import WayOut, ways_out

router = APIRouter(prefix=f"{API}/settlement", tags=["settlement"], route_class=StepRoute)
_CHANGES = [(404, "not_found"), (409, "break_closed"), (403, "person_required")]


class BreakState(StrEnum):
    """Whether somebody must still look at it."""

    OPEN = "open"
    PROPOSED = "proposed"
    CLOSED = "closed"


class BreakOut(Output):
    """Something in a statement that does not fit a payment, or a payment that a statement should show and does not."""

    id: UUID
    statement_id: UUID
    provider_account_id: UUID
    position: int | None = Field(description="The line of the statement; null for what the statement does not show")
    payment_id: UUID | None
    kind: str = Field(examples=["twice"])
    reason: str
    amount: Amount | None = Field(description="The money that is not explained")
    difference: Amount | None = Field(description="Statement less order")
    state: BreakState
    opened_at: datetime
    due_on: date = Field(description="The day by which it should be dealt with")
    owner: str | None = Field(description="Who has taken it on")
    ways: list[WayOut] = Field(description="The ways out of a break of this kind")
    way_out: str | None
    proposed_by: str | None
    proposed_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    closed_reason: str | None

    @classmethod
    def of(cls, row: SettlementBreak) -> BreakOut:
        """A break as it is sent."""
        own: dict[str, Any] = {
            "amount": amount_or_none(row.amount_minor, row.currency),
            "difference": amount_or_none(row.difference_minor, row.currency),
            "ways": list(ways_out(row.kind)),
        }
        return cls.model_validate(own | {name: getattr(row, name) for name in cls.model_fields if name not in own})


class Closing(Input):
    """What explains a break."""

    reason: Reason = Field(examples=["Bank's fee, see its letter of 12 December"])
    way: WayOut = Field(WayOut.EXPLAINED, description="One of the break's `ways`")


class Refusing(Input):
    """Why a proposal is turned down."""

    reason: Reason = Field(examples=["The bank's letter speaks of another booking"])


class Waiting(Input):
    """How long, and for what."""

    days: int = Field(ge=1, le=10, description="Working days from now", examples=[2])
    reason: Reason = Field(examples=["The bank was asked and answers by Thursday"])


class TakingOn(Input):
    """What this person is going to do."""

    note: Reason = Field(examples=["I call the bank this afternoon"])


class LetterOut(Output):
    """The draft of a letter to the bank, from facts and without a worker's name."""

    english: str
    khmer: str


class RulesOut(Output):
    """What the factory has agreed about breaks. Amounts are minor units by currency."""

    deadlines: dict[str, int] = Field(description="Working days by kind, where the factory chose other than the default")
    two_people_over: dict[str, int]
    working_days: list[int]
    days_off: list[date]
    funding_words: list[str]
    late_after_days: int
    missing_after_days: int

    @classmethod
    def of(cls, rules: Rules) -> RulesOut:
        """Rules as they are sent."""
        return cls.model_validate({name: getattr(rules, name) for name in cls.model_fields})


class FolderOut(Output):
    """An account and the name of its folder."""

    provider_account_id: UUID
    folder: str = Field(examples=["bank-usd"])


class Folders(Output):
    """All watched folders."""

    items: list[FolderOut]


class NewFolder(Input):
    """A folder's name, or null for none."""

    folder: str | None = Field(max_length=61, examples=["bank-usd"])


class NewRules(Input):
    """All choices; what is not named takes its default."""

    rules: dict[str, Any] = Field(examples=[{"two_people_over": {"USD": 20000}, "deadlines": {"fee": 10}}])


@router.get("/breaks", operation_id="listBreaks", summary="Breaks, whatever is due first", **operation(Permission.READ))
async def list_breaks(
    session: InSession,
    cursor: Cursor = None,
    limit: Limit = 50,
    state: Annotated[BreakState, Query(description="Open, proposed or closed ones")] = BreakState.OPEN,
    kind: Annotated[str | None, Query(pattern="^[a-z_]{1,40}$", description="Of one kind")] = None,
) -> Page[BreakOut]:
    """What does not fit, with the reason."""
    found = await breaks(session, state=state.value, after=after_id(cursor), limit=limit + 1, kind=kind)
    return page(found, limit, BreakOut.of, lambda row: row.id)


@router.get("/breaks/{break_id}", operation_id="getBreak", summary="One break", **operation(Permission.READ, errors=[(404, "not_found")]))
async def one(break_id: UUID, session: InSession) -> BreakOut:
    """With its ways out."""
    return BreakOut.of(await get_break(session, break_id))


@router.post(
    "/breaks/{break_id}/close",
    operation_id="closeBreak",
    summary="Close a break, or propose how",
    **operation(
        Permission.SETTLE,
        errors=[*_CHANGES, (409, "break_proposed"), (403, "four_eyes"), (409, "not_failed"), (409, "already_corrected")],
    ),
)
async def close(break_id: UUID, body: Closing, session: InSession, services: InServices, actor: InActor) -> BreakOut:
    """Over the factory's limit the first person proposes and another closes. `repaid` and `repaid_cash` open a proposal to pay again,
    which an approver confirms at `/proposals`.
    """
    return BreakOut.of(await step.close_break(session, services, actor, break_id, reason=body.reason, way=body.way))


@router.post(
    "/breaks/{break_id}/turn-down",
    operation_id="turnDownBreak",
    summary="Turn a proposal down",
    **operation(Permission.SETTLE, errors=[*_CHANGES, (409, "break_not_proposed")]),
)
async def turn_down(break_id: UUID, body: Refusing, session: InSession, services: InServices, actor: InActor) -> BreakOut:
    """The break is open again."""
    return BreakOut.of(await step.turn_down(session, services, actor, break_id, reason=body.reason))


@router.post(
    "/breaks/{break_id}/wait", operation_id="waitForBreak", summary="Move the deadline", **operation(Permission.SETTLE, errors=_CHANGES)
)
async def wait(break_id: UUID, body: Waiting, session: InSession, services: InServices, actor: InActor) -> BreakOut:
    """The bank was asked, or the next statement will tell."""
    return BreakOut.of(await step.wait_for(session, services, actor, break_id, days=body.days, reason=body.reason))


@router.post(
    "/breaks/{break_id}/take-on", operation_id="takeOnBreak", summary="Make it one's own", **operation(Permission.SETTLE, errors=_CHANGES)
)
async def take_on(break_id: UUID, body: TakingOn, session: InSession, services: InServices, actor: InActor) -> BreakOut:
    """From now on others see who looks after it."""
    return BreakOut.of(await step.take_on(session, services, actor, break_id, note=body.note))


@router.post(
    "/breaks/{break_id}/letter",
    operation_id="draftBreakLetter",
    summary="Draft a letter to the bank",
    **operation(Permission.SETTLE, errors=[(404, "not_found")]),
)
async def letter(break_id: UUID, session: InSession, services: InServices, actor: InActor) -> LetterOut:
    """In English and Khmer."""
    drafted = await draft(session, services, actor, break_id)
    return LetterOut(english=drafted.english, khmer=drafted.khmer)


@router.post(
    "/breaks/{break_id}/letter.pdf",
    operation_id="printBreakLetter",
    summary="The letter to the bank on paper",
    response_class=Response,
    **operation(Permission.SETTLE, errors=[(404, "not_found")]),
)
async def letter_pdf(break_id: UUID, session: InSession, services: InServices, actor: InActor) -> Response:
    """A page in Khmer and a page in English, as PDF."""
    made = await bank_letter(session, services, actor, break_id)
    return Response(made.content, media_type=made.media_type, headers=made.headers)


@router.get("/folders", operation_id="listStatementFolders", summary="Watched folders", **operation(Permission.READ))
async def list_folders(session: InSession) -> Folders:
    """In which folder of the factory's drop each account's statements are looked for."""
    return Folders(items=[FolderOut(provider_account_id=account, folder=name) for account, name in (await folders(session)).items()])


@router.put(
    "/folders/{provider_account_id}",
    operation_id="setStatementFolder",
    summary="Watch a folder for an account's statements",
    status_code=204,
    **operation(Permission.ADMINISTER, errors=[(404, "not_found"), (409, "folder_taken"), (409, "no_folders")]),
)
async def watch_folder(provider_account_id: UUID, body: NewFolder, session: InSession, services: InServices, actor: InActor) -> None:
    """Or none, with null."""
    await set_folder(session, services, actor, provider_account_id, body.folder)


@router.get("/rules", operation_id="getSettlementRules", summary="What is agreed about breaks", **operation(Permission.READ))
async def rules(session: InSession) -> RulesOut:
    """Deadlines, when two people close a break, and how the factory names its own transfers."""
    return RulesOut.of(await rules_of(session))


@router.put(
    "/rules",
    operation_id="setSettlementRules",
    summary="Agree on deadlines and limits",
    **operation(Permission.ADMINISTER, errors=[(422, "rules_invalid")]),
)
async def set_(body: NewRules, session: InSession, services: InServices, actor: InActor) -> RulesOut:
    """They hold for what is found and closed from now on."""
    return RulesOut.of(await set_rules(session, services, actor, body.rules))
