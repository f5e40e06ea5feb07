"""What banks and wallets told us by webhook: kept as it came, worked through after the answer, and again when a person asks."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, UploadFile
from pydantic import Field

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Amount, Cursor, Input, Limit, Output, Page, Reason, after_id, page
from payroll_api.payments.messages import MESSAGE_STATES, explain, get_message, list_messages, replay, what_it_says
from payroll_api.payments.models import ProviderMessage
from payroll_api.payments.report_files import take_report

router = APIRouter(prefix=f"{API}/provider-messages", tags=["settlement"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")

MessageState = StrEnum("MessageState", {state.upper(): state for state in MESSAGE_STATES})  # type: ignore[misc]  # the states stand in one place


class MessageOut(Output):
    """A message: stored, then handled; unmatched when it is about nothing that we sent; quarantined when a person must
    look at it, explained when she has.
    """

    id: UUID
    provider_account_id: UUID
    event_id: str = Field(description="As the provider names it, or a hash of the content", examples=["msg_p5jXN8AQM9LWM0D4loKWxJek"])
    state: MessageState
    detail: str
    received_at: datetime
    handled_at: datetime | None


class Saying(Output):
    """What a message says of one order. It moves money's state only once the provider's look-up or statement agrees."""

    reference: str = Field(examples=["GW7K3M9QX2ABCDEFGH01"])
    status: str = Field(examples=["paid"])
    provider_reference: str | None
    code: str | None
    amount: Amount | None


class MessageWithSayings(MessageOut):
    """A message with what it says."""

    kind: str | None = Field(description="The provider's word for it; null where its connector cannot read it", examples=["batch"])
    batch_reference: str | None = Field(description="Set when it is about a whole message of ours")
    says: list[Saying]


InState = Annotated[MessageState | None, Query(alias="state", description="Only messages in this state")]


def _own(row: ProviderMessage) -> dict[str, object]:
    return {name: getattr(row, name) for name in MessageOut.model_fields}


@router.get("", operation_id="listProviderMessages", summary="Messages of providers, the newest first", **operation(Permission.READ))
async def messages(session: InSession, state: InState = None, cursor: Cursor = None, limit: Limit = 50) -> Page[MessageOut]:
    """Everything that came and proved its origin, also what is about no payment of ours."""
    found = await list_messages(session, state=None if state is None else state.value, before=after_id(cursor), limit=limit + 1)
    return page(found, limit, lambda row: MessageOut.model_validate(_own(row)), lambda row: row.id)


@router.get("/{message_id}", operation_id="getProviderMessage", summary="One message", **operation(Permission.READ, errors=[NOT_FOUND]))
async def message(message_id: UUID, session: InSession, services: InServices) -> MessageWithSayings:
    """With what it says of each order, without names and accounts."""
    row = await get_message(session, message_id)
    event = await what_it_says(session, services, row)
    says = [
        {
            "reference": outcome.reference,
            "status": outcome.status.value,
            "provider_reference": outcome.provider_reference,
            "code": outcome.code,
            "amount": None if outcome.amount is None else Amount.of(outcome.amount),
        }
        for outcome in (event.outcomes if event else ())
    ]
    told = {"kind": event and event.kind, "batch_reference": event and event.batch_reference, "says": says}
    return MessageWithSayings.model_validate(_own(row) | told)


@router.post(
    "/{message_id}/replay",
    operation_id="replayProviderMessage",
    summary="Work through a message again",
    **operation(
        Permission.SETTLE,
        errors=[NOT_FOUND, (409, "message_contradicts"), (409, "message_unreadable")],
    ),
)
async def again(message_id: UUID, session: InSession, services: InServices, actor: InActor) -> MessageOut:
    """Nothing happens twice: what it says is confirmed with the provider, and counts once."""
    return MessageOut.model_validate(_own(await replay(session, services, actor, message_id)))


class Explanation(Input):
    """What the provider said of it."""

    reason: Reason = Field(examples=["The wallet: a test message of theirs, see their letter of 2 December"])


@router.post(
    "/{message_id}/explanation",
    operation_id="explainProviderMessage",
    summary="Close a message that was put aside",
    **operation(Permission.SETTLE, errors=[NOT_FOUND, (409, "message_not_aside"), (403, "person_required")]),
)
async def explanation(message_id: UUID, body: Explanation, session: InSession, services: InServices, actor: InActor) -> MessageOut:
    """Nothing is done because of it; its alarm is over."""
    return MessageOut.model_validate(_own(await explain(session, services, actor, message_id, reason=body.reason)))


@router.post(
    "",
    operation_id="takeStatusReport",
    status_code=201,
    summary="Bring a status report as a file",
    **operation(
        Permission.SETTLE,
        creates=True,
        errors=[
            NOT_FOUND,
            (409, "report_already_taken"),
            (422, "report_unreadable"),
            (413, "file_too_large"),
            (413, "body_too_large"),
        ],
    ),
)
async def bring(
    session: InSession,
    services: InServices,
    actor: InActor,
    file: Annotated[UploadFile, File(description="pain.002 as the bank gave it, at most 16 MiB")],
    provider_account: Annotated[UUID, Form(examples=["0190f5fe-7c00-7a00-8000-000000000004"])],
) -> MessageOut:
    """It is worked through like a message that came by itself: what it says of money is confirmed with the bank where it can be asked."""
    content = await file.read()
    return MessageOut.model_validate(
        _own(await take_report(session, services, actor, provider_account_id=provider_account, content=content))
    )
