"""What a changed law would cost: a few values, the last payroll, the difference by line. Nothing is changed by asking."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from importers.period import PayPeriod, PeriodError
from payroll_api.clock import pay_day
from payroll_api.errors import ProblemError
from payroll_api.factories.law_values import law_book
from payroll_api.review.what_if import Answer, cost_of
from payroll_api.web.law import entry
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.problem import Told, mistake, told
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_LINES = 3
_NEXT_YEAR = ("minimum_wage_regular", "minimum_wage_probation")  # what is asked every autumn


@router.get("/factory/what-if")
async def show(page: Reader) -> Response:
    """The question."""
    return await _show(page)


async def _show(page: Page, problem: Told | None = None, status: int = 200, answer: Answer | None = None) -> Response:
    today = pay_day(page.services.clock())
    async with page.session() as session:
        book = await law_book(session, page.services)
    numbers = [entry(one, today, page.words.language) for one in book.parameters.values() if not one.columns]
    asked = page.chosen("name") or [*_NEXT_YEAR]
    values = page.chosen("value")
    lines = [(name, values[place] if place < len(values) else "") for place, name in enumerate([*asked, "", "", ""][:_LINES])]
    return page.show(
        "what_if.html",
        status=status,
        problem=problem,
        answer=answer,
        numbers=numbers,
        lines=lines,
        month=page.typed("month") or f"{today.year + 1}-01",
    )


@router.post("/factory/what-if")
async def ask(page: Doer) -> Response:
    """The answer, under the question that stays as it was asked."""
    pairs = zip(page.chosen("name"), page.chosen("value"), strict=False)
    law = {name: value.strip() for name, value in pairs if name and value.strip()}
    try:
        month = PayPeriod.parse(page.typed("month")) if page.typed("month") else None
        async with page.session() as session:
            answer = await cost_of(session, page.services, page.actor, law=law, month=month)
    except PeriodError:
        return await _show(page, mistake(page.words, "period_wrong"), status=422)
    except ProblemError as error:
        return await _show(page, told(page.words, error), status=error.status)
    return await _show(page, answer=answer)
