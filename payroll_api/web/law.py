"""The law book on a page: what holds, what nobody knows yet, and a form for a value that is signed off or agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from payroll_api.clock import pay_day
from payroll_api.errors import ProblemError
from payroll_api.factories import law_values
from payroll_api.web import names
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.problem import Told, mistake, told
from payroll_api.web.route import PageRoute
from reconciliation.law import khmer
from reconciliation.law.enter import CALENDAR, Given
from reconciliation.law.parameter import LawUnknownError, Parameter, Rows

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_FIELDS = ("kind", "name", "since", "until", "value", "title", "article", "published", "note", "signed_off_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value of the law as the page shows it; `unknown` says why there is none."""

    name: str
    title: str
    unit: str
    sign_off: str
    value: str
    rows: int
    since: date | None
    source: str
    verified: bool
    unknown: str
    agreeable: bool


def entry(parameter: Parameter, day: date, language: str) -> Entry:
    """A value of the law on a day, in the reader's language."""
    in_khmer = language == "km"

    def word(texts: Mapping[str, str], key: str, otherwise: str) -> str:
        return texts.get(key, otherwise) if in_khmer else otherwise

    dated, unknown = None, ""
    try:
        dated = parameter.at(day)
    except LawUnknownError as error:
        unknown = error.khmer if in_khmer and error.khmer else str(error)
    value = None if dated is None else dated.value
    return Entry(
        name=parameter.name,
        title=word(khmer.TITLES, parameter.name, parameter.title),
        unit=word(khmer.UNITS, parameter.unit, parameter.unit),
        sign_off=word(khmer.SIGN_OFF, parameter.sign_off, parameter.sign_off),
        value=f"{value.normalize():f}" if isinstance(value, Decimal) and value.is_finite() else "∞" if isinstance(value, Decimal) else "",
        rows=len(value) if isinstance(value, tuple) else 0,
        since=None if dated is None else dated.since,
        source="" if dated is None else str(dated.citation).removesuffix(" (not verified)"),
        verified=dated is not None and dated.citation.verified,
        unknown=unknown,
        agreeable=parameter.favour != "fixed" and not parameter.columns,
    )


@router.get("/factory/law")
async def show(page: Reader) -> Response:
    """The whole book on a day, and what people added."""
    return await _show(page)


async def _show(page: Page, problem: Told | None = None, status: int = 200) -> Response:
    today = pay_day(page.services.clock())
    day = _day(page.request.query_params.get("on", "")) or today
    async with page.session() as session:
        book = await law_values.law_book(session, page.services)
        added = list(await law_values.list_values(session))
        vault = await page.services.keys.vault(session)
        signed = {row.id: vault.open(row.signed_off_by, "law_values", row.id, "signed_off_by") for row in added}
        actors = [actor for row in added for actor in (row.entered_by, row.agreed_by, row.withdrawn_by)]
        who = await names.actors(session, page, actors)
    calendars = {dated.since.year: _dates(dated.value) for dated in book.parameters[CALENDAR].values if isinstance(dated.value, tuple)}
    return page.show(
        "law.html",
        status=status,
        problem=problem,
        on=day,
        version=book.version,
        entries=[entry(parameter, day, page.words.language) for parameter in book.parameters.values() if parameter.name != CALENDAR],
        calendars=dict(sorted(calendars.items(), reverse=True)),
        added=added,
        signed=signed,
        names=who,
        may_enter=page.may("administer"),
        may_agree=page.may("administer") or page.may("approve"),
        me=page.actor.name,
        form={name: page.typed(name) for name in _FIELDS},
        titles={name: entry(parameter, day, page.words.language).title for name, parameter in book.parameters.items()},
    )


def _dates(rows: Rows) -> Sequence[Mapping[str, object]]:
    return [dict(row) for row in rows]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@router.post("/factory/law")
async def add(page: Doer) -> Response:
    """Add a value or an agreement. A refusal shows the form again as it was filled in."""
    since, until = _day(page.typed("since")), _day(page.typed("until"))
    if since is None or (page.typed("until") and until is None):
        return await _show(page, mistake(page.words, "day_wrong"), status=422)
    given: Given = page.typed("value")
    if page.typed("name") == CALENDAR:
        # A line for each day: 2027-01-01 International New Year
        lines = [line.strip() for line in page.typed("value").splitlines() if line.strip()]
        given = [{"date": line[:10], "name": line[10:].strip(" ,;\t")} for line in lines]
    texts = {name: page.typed(name) for name in ("name", "title", "article", "published", "note", "signed_off_by")}
    kind = "agreement" if page.typed("kind") == "agreement" else "law"
    try:
        async with page.session() as session:
            new = law_values.NewValue(kind=kind, since=since, until=until, value=given, **texts)
            row = await law_values.enter(session, page.services, page.actor, new)
    except ProblemError as error:
        return await _show(page, told(page.words, error), status=error.status)
    return page.go("/factory/law", "law_waits" if row.state == "proposed" else "law_holds")


@router.post("/factory/law/{value_id}/sign-off")
async def sign_off(page: Doer, value_id: UUID) -> Response:
    """The second person agrees."""
    async with page.session() as session:
        await law_values.sign_off(session, page.services, page.actor, value_id)
    return page.go("/factory/law", "law_holds")


@router.post("/factory/law/{value_id}/withdraw")
async def withdraw(page: Doer, value_id: UUID) -> Response:
    """Take a value back."""
    async with page.session() as session:
        await law_values.withdraw(session, page.services, page.actor, value_id, reason=page.typed("reason"))
    return page.go("/factory/law", "law_withdrawn")
