"""Settlement for an accountant: the day's end of each account, and the reports, to read, to print and to take along."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from fastapi.responses import Response

from payroll_api.access.actor import Permission
from payroll_api.clock import pay_day
from payroll_api.errors import NotFoundError
from payroll_api.reports.document import Form
from payroll_api.reports.export import export
from payroll_api.reports.settlement import NAMES, Wanted, document, period_of
from payroll_api.reports.words import words_of
from payroll_api.settlement.day_end import day_end, rails
from payroll_api.web.lists import cursor
from payroll_api.web.page import Page, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/settlement")
async def show(page: Reader) -> Response:
    """Every account and currency with its figures for the chosen days, and the reports."""
    first, last = _period(page)
    async with page.session() as session:
        found = [(account, name, await day_end(session, account, code, first, last)) for account, name, code in await rails(session)]
    return page.show(
        "settlement.html", ends=found, first=first, last=last, reports=[name for name in NAMES if name not in {"day-end", "run"}]
    )


@router.get("/settlement/{name}")
async def report(page: Reader, name: str) -> Response:
    """One report; with its end (`.pdf`, `.xlsx`, `.csv`) as a file."""
    name, _, form = name.partition(".")
    if form and form not in set(Form):
        raise NotFoundError("report")
    asked = page.request.query_params
    first, last = _period(page)
    wanted = Wanted(
        words=words_of(page.words.language),
        first=first,
        last=last,
        account=cursor(asked.get("account")),
        currency=asked.get("currency"),
        run=cursor(asked.get("run")),
        for_page=not form,
    )
    page.actor.require(Permission.READ)
    async with page.session() as session:
        found = await document(session, page.services, name, wanted)
        if form:
            sent = await export(session, page.services, page.actor, found, Form(form))
            return Response(sent.content, media_type=sent.media_type, headers=sent.headers)
    return page.show("report.html", report=found, name=name, first=first, last=last, forms=list(Form), query=page.request.url.query)


def _period(page: Page) -> tuple[date, date]:
    asked = page.request.query_params
    return period_of(_day(asked.get("first")), _day(asked.get("last")), pay_day(page.services.clock()))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
