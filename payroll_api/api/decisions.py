"""Decisions about money by two people: what became of it, paying it again, correcting it; and the kill switch."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Cursor, Input, Limit, Output, Page, Reason, ShortText, after_id, page
from payroll_api.payments.confirm import confirm
from payroll_api.payments.correct import propose_correction
from payroll_api.payments.find import get_payment
from payroll_api.payments.findings import Evidence, Found, Result, propose_finding
from payroll_api.payments.models import Proposal, Stop
from payroll_api.payments.proposals import get_proposal, list_proposals, refuse
from payroll_api.payments.repay import MOST, Way, propose_repay
from payroll_api.payments.stops import list_stops, press, propose_lift
from payroll_api.typed_money import typed_money

router = APIRouter(prefix=API, tags=["decisions"], route_class=StepRoute)
NOT_FOUND, PERSON = (404, "not_found"), (403, "person_required")
DECIDED = [NOT_FOUND, PERSON, (403, "four_eyes"), (409, "decided"), (409, "proposal_changed")]


class ProposalOut(Output):
    """What one person proposes and another confirms. Whoever confirms sends back the `content_hash` that she saw."""

    id: UUID
    kind: str = Field(description="finding, repay, correction or lift", examples=["repay"])
    subject: str = Field(examples=["payment:0190f5fe-7c00-7a00-8000-000000000005"])
    content: dict[str, Any] = Field(description="Exactly what will be done: ids, codes and sums")
    content_hash: str
    reason: str
    state: str = Field(description="proposed, confirmed or refused", examples=["proposed"])
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decided_reason: str | None

    @classmethod
    def of(cls, row: Proposal) -> ProposalOut:
        """A proposal as it is sent."""
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


class StopOut(Output):
    """A pressed kill switch. While `lifted_at` is null nothing is sent for what it names; with neither id, for all of the factory."""

    id: UUID
    run_id: UUID | None
    provider_account_id: UUID | None
    reason: str
    pressed_by: str
    pressed_at: datetime
    handed_over: int = Field(description="Messages that were handed over before it was pressed: too late for them", examples=[2])
    lifted_by: str | None
    lifted_at: datetime | None

    @classmethod
    def of(cls, row: Stop) -> StopOut:
        """A stop as it is sent."""
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


class FindingIn(Input):
    """What became of it, and by what anybody can see that. There is no way to say "just try again"."""

    result: Result
    evidence: Evidence
    evidence_reference: ShortText = Field(examples=["ACLEDA letter 2026/4411"])
    reason: Reason = Field(examples=["The bank's letter of 3 December says that it never booked the order"])

    def found(self) -> Found:
        """As the step takes it."""
        return Found(result=self.result, evidence=self.evidence, reference=self.evidence_reference)


class RepayIn(Input):
    """Payments that failed for sure, or came back, and how they are to be paid again."""

    payment_ids: list[UUID] = Field(min_length=1, max_length=MOST)
    way: Way = Way.CURRENT
    reason: Reason = Field(examples=["Her wallet was closed; she gave HR an account at ACLEDA"])


class CorrectionIn(Input):
    """What an earlier payment was short of."""

    amount: str = Field(description="Major units of the payment's currency, as text", examples=["12.50"], max_length=20)
    reason: Reason = Field(examples=["Two hours of overtime on the 14th were not on the sheet"])


class ConfirmIn(Input):
    """The second person's yes, to exactly what she was shown."""

    content_hash: str = Field(pattern=r"^[0-9a-f]{64}$")


class WhyIn(Input):
    """The reason of a decision."""

    reason: Reason = Field(examples=["The bank confirmed that the file was sent twice"])


class StopIn(Input):
    """What is to be stopped: a run, a rail, or with neither id all of the factory."""

    run_id: UUID | None = None
    provider_account_id: UUID | None = None
    reason: Reason = Field(examples=["The bank called: somebody else has our password"])


FINDING = operation(
    Permission.SETTLE, creates=True, errors=[NOT_FOUND, PERSON, (409, "nothing_open")]
)  # fmt: skip


@router.post(
    "/payments/{payment_id}/findings", status_code=201, operation_id="proposeFinding", summary="Say what became of a payment", **FINDING
)
async def finding(payment_id: UUID, body: FindingIn, session: InSession, services: InServices, actor: InActor) -> ProposalOut:
    """Of one that nobody knows about. Another person confirms."""
    made = await propose_finding(session, services, actor, body.found(), payment_id=payment_id, reason=body.reason)
    return ProposalOut.of(made)


@router.post(
    "/dispatches/{dispatch_id}/findings",
    status_code=201,
    operation_id="proposeDispatchFinding",
    summary="Say what became of a whole message",
    **FINDING,
)
async def dispatch_finding(dispatch_id: UUID, body: FindingIn, session: InSession, services: InServices, actor: InActor) -> ProposalOut:
    """Of every payment in it that nobody knows about. Another person confirms."""
    made = await propose_finding(session, services, actor, body.found(), dispatch_id=dispatch_id, reason=body.reason)
    return ProposalOut.of(made)


@router.post(
    "/repayments",
    status_code=201,
    operation_id="proposeRepayment",
    summary="Propose to pay again what failed",
    **operation(
        Permission.PREPARE,
        creates=True,
        errors=[NOT_FOUND, PERSON, *((409, code) for code in ("not_failed", "contradicted", "destination_unchecked", "no_provider"))],
    ),
)
async def repayment(body: RepayIn, session: InSession, services: InServices, actor: InActor) -> ProposalOut:
    """To her account as it is now, or in cash. Another person approves; then it goes under a new number and reference."""
    return ProposalOut.of(await propose_repay(session, services, actor, body.payment_ids, way=body.way, reason=body.reason))


@router.post(
    "/payments/{payment_id}/corrections",
    status_code=201,
    operation_id="proposeCorrection",
    summary="Propose to pay what an earlier payment was short of",
    **operation(
        Permission.PREPARE,
        creates=True,
        errors=[NOT_FOUND, PERSON, *((409, code) for code in ("not_paid", "already_corrected", "destination_unchecked", "no_provider"))],
    ),
)
async def correction(payment_id: UUID, body: CorrectionIn, session: InSession, services: InServices, actor: InActor) -> ProposalOut:
    """A new payment with its own approval; the earlier one stays as it is."""
    earlier, _ = await get_payment(session, payment_id)
    minor = typed_money(body.amount, earlier.currency).minor
    return ProposalOut.of(await propose_correction(session, services, actor, payment_id, minor=minor, reason=body.reason))


OnlyOpen = Annotated[bool, Query(alias="open", description="Only what waits for a second person")]


@router.get("/proposals", operation_id="listProposals", summary="What waits for a second person", **operation(Permission.READ))
async def proposals(session: InSession, only_open: OnlyOpen = True, cursor: Cursor = None, limit: Limit = 50) -> Page[ProposalOut]:
    """The newest first, and with `open=false` also what was decided."""
    found = await list_proposals(session, only_open=only_open, before=after_id(cursor), limit=limit + 1)
    return page(found, limit, ProposalOut.of, lambda row: row.id)


@router.get(
    "/proposals/{proposal_id}", operation_id="getProposal", summary="One proposal", **operation(Permission.READ, errors=[NOT_FOUND])
)
async def proposal(proposal_id: UUID, session: InSession) -> ProposalOut:
    """With exactly what will be done."""
    return ProposalOut.of(await get_proposal(session, proposal_id))


@router.post(
    "/proposals/{proposal_id}/confirm",
    operation_id="confirmProposal",
    summary="Confirm what another person proposed",
    **operation(Permission.APPROVE, Permission.RELEASE, errors=DECIDED),
)
async def confirmation(proposal_id: UUID, body: ConfirmIn, session: InSession, services: InServices, actor: InActor) -> ProposalOut:
    """It is carried out at once, if the facts are still those that were shown."""
    return ProposalOut.of(await confirm(session, services, actor, proposal_id, shown=body.content_hash))


@router.post(
    "/proposals/{proposal_id}/refuse",
    operation_id="refuseProposal",
    summary="Refuse a proposal, or take one's own back",
    **operation(Permission.APPROVE, Permission.RELEASE, Permission.PREPARE, Permission.SETTLE, errors=DECIDED[:-1]),
)
async def refusal(proposal_id: UUID, body: WhyIn, session: InSession, services: InServices, actor: InActor) -> ProposalOut:
    """Nothing is done."""
    return ProposalOut.of(await refuse(session, services, actor, proposal_id, reason=body.reason))


@router.get("/stops", operation_id="listStops", summary="What is stopped", **operation(Permission.READ))
async def stops(session: InSession) -> list[StopOut]:
    """Pressed kill switches that nobody has lifted, the newest first."""
    return [StopOut.of(row) for row in await list_stops(session)]


@router.post(
    "/stops",
    status_code=201,
    operation_id="pressStop",
    summary="Stop sending at once",
    **operation(Permission.RELEASE, creates=True, errors=[NOT_FOUND, PERSON]),
)
async def stop(body: StopIn, session: InSession, services: InServices, actor: InActor) -> StopOut:
    """One person is enough. What was handed over before is counted in the answer; it cannot be called back from here."""
    made = await press(session, services, actor, run_id=body.run_id, provider_account_id=body.provider_account_id, reason=body.reason)
    return StopOut.of(made)


@router.post(
    "/stops/{stop_id}/lifts",
    status_code=201,
    operation_id="proposeLift",
    summary="Propose to send again",
    **operation(Permission.RELEASE, creates=True, errors=[NOT_FOUND, PERSON, (409, "stop_lifted")]),
)
async def lifting(stop_id: UUID, body: WhyIn, session: InSession, services: InServices, actor: InActor) -> ProposalOut:
    """Another person confirms."""
    return ProposalOut.of(await propose_lift(session, services, actor, stop_id, reason=body.reason))
