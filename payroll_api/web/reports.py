"""Files for others on one page: forms of authorities, the journal, and slips on paper."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from importers.period import PayPeriod
from payroll_api.access.actor import Permission
from payroll_api.errors import InvalidError, NotAllowedError, NotFoundError
from payroll_api.factories.settings import get_factory
from payroll_api.reports.authorities import authority_document, layouts
from payroll_api.reports.document import Form
from payroll_api.reports.export import Export, export, export_all
from payroll_api.reports.journal import ACCOUNTS, JOURNAL_READERS, journal_document, set_accounts
from payroll_api.reports.payslip import payslip_document, run_payslips
from payroll_api.reports.run_summary import run_summary
from payroll_api.reports.words import words_of
from payroll_api.runs.find import list_runs
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_MONTHS = 24


@router.get("/reports")
async def show(page: Reader) -> Response:
    """Choose a month and a form."""
    async with page.session() as session:
        factory = await get_factory(session)
        runs = await list_runs(session, before=None, limit=_MONTHS * 4)
    periods = sorted({run.period for run in runs if run.state in ("released", "completed")}, reverse=True)
    return page.show(
        "reports.html",
        layouts=layouts(page.services.settings.report_layouts),
        periods=periods,
        chosen=page.request.query_params.get("period") or (periods[0] if periods else ""),
        runs=[run for run in runs if run.state in ("released", "completed")][:10],
        accounts={name: factory.journal_accounts.get(name, code) for name, code in ACCOUNTS.items()},
        forms=list(Form),
        may_journal=bool(JOURNAL_READERS & page.actor.permissions),
    )


@router.get("/reports/run/{run_id}.pdf")
async def run_page(page: Reader, run_id: UUID) -> Response:
    """A run to sign."""
    async with page.session() as session:
        document = await run_summary(session, page.services, run_id, words_of(page.words.language))
        return _sent(await export(session, page.services, page.actor, document, Form.PDF))


@router.get("/reports/slips/{run_id}.pdf")
async def slips(page: Reader, run_id: UUID) -> Response:
    """All slips of a run, in Khmer or English as the page is."""
    page.actor.require(Permission.READ_PERSONAL)
    async with page.session() as session:
        documents = await run_payslips(session, page.services, run_id, words_of(page.words.language))
        return _sent(await export_all(session, page.services, page.actor, documents, name=f"slips-{run_id}"))


@router.get("/reports/slip/{payment_id}.pdf")
async def slip(page: Reader, payment_id: UUID) -> Response:
    """One slip."""
    page.actor.require(Permission.READ_PERSONAL)
    async with page.session() as session:
        document = await payslip_document(session, page.services, payment_id, words_of(page.words.language))
        return _sent(await export(session, page.services, page.actor, document, Form.PDF))


@router.get("/reports/{name}")
async def form(page: Reader, name: str) -> Response:
    """A form of a month as a file: its name with `.xlsx`, `.csv` or `.pdf` behind it, and `?period=`."""
    name, _, kind = name.partition(".")
    if kind not in set(Form):
        raise NotFoundError("report")
    period = _period(page)
    async with page.session() as session:
        words = words_of(page.words.language)
        if name == "journal":
            if not JOURNAL_READERS & page.actor.permissions:
                raise NotAllowedError("Your account may not take the journal. Ask your administrator for the role.")
            document = await journal_document(session, page.services, period, words)
        else:
            page.actor.require(Permission.READ_PERSONAL)
            document = await authority_document(session, page.services, name, period, words)
        return _sent(await export(session, page.services, page.actor, document, Form(kind)))


@router.post("/reports/accounts")
async def accounts(page: Doer) -> Response:
    """The accountant's codes."""
    typed = {name: page.typed(name) for name in ACCOUNTS}
    async with page.session() as session:
        await set_accounts(
            session, page.services, page.actor, {name: code for name, code in typed.items() if code and code != ACCOUNTS[name]}
        )
    return page.go("/reports", "accounts")


def _period(page: Page) -> PayPeriod:
    try:
        return PayPeriod.parse(page.request.query_params.get("period", ""))
    except ValueError:
        raise InvalidError("Choose a month, such as 2026-11.") from None


def _sent(file: Export) -> Response:
    return Response(file.content, media_type=file.media_type, headers=file.headers)
