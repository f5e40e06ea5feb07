"""Files for others: the ministry's payroll ledger, NSSF, the tax office, the accountant, and slips on paper. Each is audited."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from importers.period import PayPeriod
from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Input, Output, PeriodText
from payroll_api.reports.authorities import authority_document, layouts
from payroll_api.reports.document import Form
from payroll_api.reports.export import Export, export, export_all
from payroll_api.reports.journal import ACCOUNTS, JOURNAL_READERS, journal_document, set_accounts
from payroll_api.reports.payslip import payslip_document, run_payslips
from payroll_api.reports.run_summary import run_summary
from payroll_api.reports.words import words_of

router = APIRouter(prefix=API, tags=["reports"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")
NOBODY = (404, "nobody_paid")
TOO_LONG = (409, "too_long_for_paper")

Language = Annotated[str, Query(pattern="^(en|km)$")]
Wanted = Annotated[Form, Query(description="The form of the file")]
Period = Annotated[PeriodText, Path(examples=["2026-11"])]


class LayoutOut(Output):
    """A form of an authority, with where its columns were read."""

    name: str = Field(examples=["payroll-ledger"])
    title: str
    columns: list[str]
    due_day: int = Field(description="Day of the next month by which it is due", examples=[20])
    is_verified: bool
    provenance: str


class Layouts(Output):
    """The forms there are."""

    items: list[LayoutOut]


class Accounts(Input):
    """The factory's own account codes; what is left out keeps its name."""

    accounts: dict[str, str] = Field(examples=[{"wages": "6411", "bank": "5121"}], max_length=len(ACCOUNTS))


class AccountsOut(Output):
    """Every account of the journal with its code."""

    accounts: dict[str, str]


def _sent(file: Export) -> Response:
    return Response(file.content, media_type=file.media_type, headers=file.headers)


@router.get("/reports", operation_id="listReports", summary="The forms of authorities", **operation(Permission.READ))
async def forms(services: InServices, language: Language = "en") -> Layouts:
    """Their columns are configuration: see PAYROLL_REPORT_LAYOUTS."""
    return Layouts(
        items=[
            LayoutOut(
                name=one.name,
                title=one.title[language],
                columns=[field.title[language] for field in one.fields],
                due_day=one.due_day,
                is_verified=one.is_verified,
                provenance=one.provenance,
            )
            for one in layouts(services.settings.report_layouts)
        ]
    )


@router.get(
    "/pay-periods/{pay_period}/journal",
    operation_id="getAccountingJournal",
    summary="The accounting journal of a month",
    response_class=Response,
    **operation(*sorted(JOURNAL_READERS), errors=[NOBODY, TOO_LONG]),
)
async def journal(
    pay_period: Period, session: InSession, services: InServices, actor: InActor, form: Wanted = Form.CSV, language: Language = "en"
) -> Response:
    """Balanced in each currency, in the factory's own account codes."""
    document = await journal_document(session, services, PayPeriod.parse(pay_period), words_of(language))
    return _sent(await export(session, services, actor, document, form))


@router.get(
    "/pay-periods/{pay_period}/reports/{name}",
    operation_id="getAuthorityReport",
    summary="A form of an authority for a month",
    response_class=Response,
    **operation(Permission.READ_PERSONAL, errors=[NOT_FOUND, NOBODY, TOO_LONG]),
)
async def authority(
    pay_period: Period,
    name: str,
    session: InSession,
    services: InServices,
    actor: InActor,
    form: Wanted = Form.XLSX,
    language: Language = "km",
) -> Response:
    """Made from payments that have arrived. It holds names and numbers, so it takes the right to see them."""
    document = await authority_document(session, services, name, PayPeriod.parse(pay_period), words_of(language))
    return _sent(await export(session, services, actor, document, form))


@router.get(
    "/pay-runs/{run_id}/summary",
    operation_id="getRunSummary",
    summary="A run on one page to sign",
    response_class=Response,
    **operation(Permission.READ, errors=[NOT_FOUND]),
)
async def summary(
    run_id: UUID, session: InSession, services: InServices, actor: InActor, form: Wanted = Form.PDF, language: Language = "km"
) -> Response:
    """What was approved, by whom, in which sums."""
    return _sent(await export(session, services, actor, await run_summary(session, services, run_id, words_of(language)), form))


@router.get(
    "/pay-runs/{run_id}/payslips",
    operation_id="getRunPayslips",
    summary="The pay slips of a run on paper",
    response_class=Response,
    **operation(Permission.READ_PERSONAL, errors=[NOT_FOUND, (409, "not_paid_yet"), (409, "too_many_slips")]),
)
async def payslips(run_id: UUID, session: InSession, services: InServices, actor: InActor, language: Language = "km") -> Response:
    """One PDF, a page or more for each worker whose money has arrived."""
    documents = await run_payslips(session, services, run_id, words_of(language))
    return _sent(await export_all(session, services, actor, documents, name=f"slips-{run_id}"))


@router.get(
    "/payments/{payment_id}/payslip",
    operation_id="getPayslip",
    summary="One pay slip on paper",
    response_class=Response,
    **operation(Permission.READ_PERSONAL, errors=[NOT_FOUND, (409, "not_paid_yet")]),
)
async def payslip(
    payment_id: UUID, session: InSession, services: InServices, actor: InActor, form: Wanted = Form.PDF, language: Language = "km"
) -> Response:
    """Every line with its sum in words and numbers."""
    return _sent(await export(session, services, actor, await payslip_document(session, services, payment_id, words_of(language)), form))


@router.put(
    "/factories/current/journal-accounts",
    operation_id="setJournalAccounts",
    summary="Set the journal's account codes",
    **operation(Permission.ADMINISTER),
)
async def accounts(body: Accounts, session: InSession, services: InServices, actor: InActor) -> AccountsOut:
    """The accountant's own chart of accounts."""
    factory = await set_accounts(session, services, actor, body.accounts)
    return AccountsOut(accounts={**ACCOUNTS, **factory.journal_accounts})
