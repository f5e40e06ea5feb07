"""Changed accounts and phones, from the proposal to the day they count; and accounts that two workers may share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import AnyText, Cursor, Input, Limit, Output, Page, Reason, ShortText, after_id, page
from payroll_api.people import changes, share
from payroll_api.people.alias import confirm_alias
from payroll_api.people.find_changes import list_changes
from payroll_api.people.models import SharedAccount, WorkerChange
from payroll_api.people.propose import by_person, propose_account, propose_phone
from payroll_api.people.typed import person_with, typed_phone
from payroll_api.runs.find import workers_of

router = APIRouter(prefix=API, tags=["workers"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")
STATE = (409, "change_state")
FOUR_EYES = (403, "four_eyes")


class ChangeOut(Output):
    """A change with what she has (`was`) and what is proposed (`new`), masked unless you may see it."""

    id: UUID
    worker_id: UUID
    worker_code: str = Field(examples=["A-0173"])
    what: str = Field(examples=["account"])
    state: str = Field(description="proposed, adopted, refused or withdrawn", examples=["proposed"])
    source: str = Field(description="sheet, page or api", examples=["sheet"])
    was: dict[str, Any] | None
    new: dict[str, Any] | None
    told: list[dict[str, Any]] = Field(description="The SMS to her old and new number, and what became of each")
    waits_for: list[str] = Field(
        description="check, confirmation, time, second (the approval of its own shortly before payday)", examples=[["confirmation", "time"]]
    )
    proposed_by: str
    proposed_at: datetime
    effective_at: datetime = Field(description="Not before this moment")
    confirmed_by: str | None
    confirmed_at: datetime | None
    second_by: str | None
    reason: str
    ended_at: datetime | None


class NewAccount(Input):
    """Another account for a worker."""

    kind: Literal["bank_account", "wallet", "cash"]
    bank: ShortText | None = Field(default=None, examples=["ABA"])
    account: AnyText = Field(examples=["000123456"])


class NewPhone(Input):
    """Another phone for a worker."""

    phone: ShortText = Field(examples=["012 345 678"])


class Why(Input):
    """How it was made sure, or why not."""

    reason: Reason = Field(examples=["Called her on the old number"])


class ChangeState(Output):
    """What became of a change."""

    id: UUID
    worker_id: UUID
    state: str

    @classmethod
    def of(cls, change: WorkerChange) -> ChangeState:
        """A change after a decision."""
        return cls(id=change.id, worker_id=change.worker_id, state=change.state)


class Proposed(Output):
    """What was proposed: the destination or the change."""

    id: UUID


class NewAlias(Input):
    """A spelling of a worker's name."""

    alias: ShortText = Field(examples=["SREY MOM"])
    reason: Reason = Field(examples=["Seen her identity card"])


class NewSharing(Input):
    """Two workers who have one account."""

    first: UUID
    second: UUID
    reason: Reason = Field(examples=["Husband and wife, family book seen"])


class SharingOut(Output):
    """Two workers who may use one account, once two people have agreed."""

    id: UUID
    worker_a: UUID
    worker_b: UUID
    reason: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: SharedAccount) -> SharingOut:
        """An agreement as it is sent."""
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


OnlyOpen = Annotated[bool, Query(alias="open", description="Only changes that wait")]


@router.get("/worker-changes", operation_id="listWorkerChanges", summary="Changed accounts and phones", **operation(Permission.READ))
async def listed(
    session: InSession, services: InServices, actor: InActor, only_open: OnlyOpen = True, cursor: Cursor = None, limit: Limit = 50
) -> Page[ChangeOut]:
    """The newest first. With `open=false` also what was adopted, refused or withdrawn."""
    found = await list_changes(session, services, actor, only_open=only_open, before=after_id(cursor), limit=limit + 1)
    return page(found, limit, ChangeOut.model_validate, lambda row: row["id"])


@router.get(
    "/pay-runs/{run_id}/worker-changes",
    operation_id="listChangesOfPayRun",
    summary="Changed accounts and phones of a run's workers: what an approver should look at",
    **operation(Permission.READ, errors=[NOT_FOUND]),
)
async def of_run(run_id: UUID, session: InSession, services: InServices, actor: InActor, limit: Limit = 200) -> Page[ChangeOut]:
    """Waiting and adopted ones, with what each worker had before."""
    workers = await workers_of(session, run_id)
    found = await list_changes(session, services, actor, only_open=False, workers=workers, limit=limit)
    return page(found, limit, ChangeOut.model_validate, lambda row: row["id"])


@router.post(
    "/workers/{worker_id}/account-changes",
    operation_id="proposeAccount",
    summary="Propose another account for a worker",
    **operation(Permission.PREPARE, errors=[NOT_FOUND, (409, "account_unchanged")]),
)
async def account(worker_id: UUID, body: NewAccount, session: InSession, services: InServices, actor: InActor) -> Proposed:
    """She is told by SMS; another person confirms; it counts after the factory's cooling-off time."""
    person = await person_with(session, services, actor, worker_id, kind=body.kind, bank=body.bank, account=body.account)
    return Proposed(id=await propose_account(session, services, worker_id, person, by_person(actor, "api")))


@router.post(
    "/workers/{worker_id}/phone-changes",
    operation_id="proposePhone",
    summary="Propose another phone for a worker",
    **operation(Permission.PREPARE, errors=[NOT_FOUND, (409, "phone_unchanged")]),
)
async def phone(worker_id: UUID, body: NewPhone, session: InSession, services: InServices, actor: InActor) -> Proposed:
    """Told to the old and the new number; the same care as for an account."""
    return Proposed(id=await propose_phone(session, services, worker_id, typed_phone(body.phone), by_person(actor, "api")))


@router.post(
    "/workers/{worker_id}/name-aliases",
    operation_id="confirmNameAlias",
    summary="Confirm another spelling of a worker's name",
    **operation(Permission.APPROVE, errors=[NOT_FOUND, (409, "alias_known"), FOUR_EYES]),
)
async def name_alias(worker_id: UUID, body: NewAlias, session: InSession, services: InServices, actor: InActor) -> Proposed:
    """Her Khmer name in Latin letters, as her bank writes it; her doubtful account is then checked again. Not by who brought it."""
    return Proposed(id=(await confirm_alias(session, services, actor, worker_id, alias=body.alias, reason=body.reason)).id)


@router.post(
    "/worker-changes/{change_id}/confirmation",
    operation_id="confirmWorkerChange",
    summary="Confirm a change that somebody else proposed",
    **operation(Permission.APPROVE, errors=[NOT_FOUND, STATE, FOUR_EYES, (409, "destination_unchecked"), (409, "destination_refused")]),
)
async def confirmation(change_id: UUID, body: Why, session: InSession, services: InServices, actor: InActor) -> ChangeState:
    """Not by whoever proposed it or uploaded its sheet. The waiting time still runs."""
    return ChangeState.of(await changes.confirm(session, services, actor, change_id, reason=body.reason))


@router.post(
    "/worker-changes/{change_id}/early-approval",
    operation_id="approveWorkerChangeEarly",
    summary="Let a confirmed change count for a payday that is days away",
    **operation(Permission.APPROVE, Permission.RELEASE, errors=[NOT_FOUND, STATE, FOUR_EYES]),
)
async def early(change_id: UUID, body: Why, session: InSession, services: InServices, actor: InActor) -> ChangeState:
    """By a third person. It does not shorten the cooling-off time."""
    return ChangeState.of(await changes.approve_early(session, services, actor, change_id, reason=body.reason))


@router.post(
    "/worker-changes/{change_id}/refusal",
    operation_id="refuseWorkerChange",
    summary="Refuse a change",
    **operation(Permission.PREPARE, Permission.APPROVE, Permission.RELEASE, errors=[NOT_FOUND, STATE]),
)
async def refusal(change_id: UUID, body: Why, session: InSession, services: InServices, actor: InActor) -> ChangeState:
    """It was not she, or it is not hers: she keeps what she has."""
    return ChangeState.of(await changes.refuse(session, services, actor, change_id, reason=body.reason))


@router.post(
    "/worker-changes/{change_id}/old-account-wrong",
    operation_id="holdOldAccount",
    summary="Say that the account she has must not be paid any more",
    **operation(Permission.PREPARE, errors=[NOT_FOUND, STATE]),
)
async def old_wrong(change_id: UUID, body: Why, session: InSession, services: InServices, actor: InActor) -> ChangeState:
    """She is held back until the new one is adopted."""
    return ChangeState.of(await changes.old_is_wrong(session, services, actor, change_id, reason=body.reason))


@router.get("/shared-accounts", operation_id="listSharedAccounts", summary="Accounts that two workers share", **operation(Permission.READ))
async def sharings(session: InSession) -> Page[SharingOut]:
    """Proposals and agreements that hold."""
    return Page(items=[SharingOut.of(row) for row in await share.list_sharings(session)], next=None)


@router.post(
    "/shared-accounts",
    operation_id="proposeSharedAccount",
    summary="Propose that two workers may use their one account",
    **operation(Permission.PREPARE, errors=[NOT_FOUND, (409, "not_shared"), (409, "sharing_known"), (403, "person_required")]),
)
async def propose_sharing(body: NewSharing, session: InSession, services: InServices, actor: InActor) -> SharingOut:
    """Both are held until another person agrees."""
    return SharingOut.of(await share.propose_sharing(session, services, actor, body.first, body.second, reason=body.reason))


@router.post(
    "/shared-accounts/{sharing_id}/agreement",
    operation_id="agreeToSharedAccount",
    summary="Agree to what somebody else proposed",
    **operation(Permission.APPROVE, errors=[NOT_FOUND, (409, "sharing_state"), FOUR_EYES]),
)
async def agreement(sharing_id: UUID, session: InSession, services: InServices, actor: InActor) -> SharingOut:
    """From now on both workers are paid."""
    return SharingOut.of(await share.agree(session, services, actor, sharing_id))


@router.post(
    "/shared-accounts/{sharing_id}/revocation",
    operation_id="revokeSharedAccount",
    summary="Take a proposal or an agreement back",
    **operation(Permission.PREPARE, Permission.APPROVE, errors=[NOT_FOUND, (409, "sharing_state")]),
)
async def revocation(sharing_id: UUID, session: InSession, services: InServices, actor: InActor) -> SharingOut:
    """Runs that are made from now on hold both workers again."""
    return SharingOut.of(await share.revoke(session, services, actor, sharing_id))
