"""The factory's choices where the law leaves one: each with its default, reason and source; a change is dated and keeps its reason."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fastapi import APIRouter
from fastapi.responses import Response

from importers.period import PayPeriod, PeriodError
from payroll_api.clock import pay_day
from payroll_api.errors import InvalidError, ProblemError
from payroll_api.factories.policies import choices, history, read_policies, set_policies
from payroll_api.web import names
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.problem import Told, mistake, told
from payroll_api.web.route import PageRoute
from payroll_api.web.words import Words
from reconciliation.policy import POLICY_POINTS, AttendanceLoss, FactoryPolicy, PolicyPoint

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_DEFAULT = FactoryPolicy()
_SHOWN = tuple(point for point in POLICY_POINTS if point.name != "agreements")  # those have a page of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice on the page. `options` are its values with their words; none for a number, which is typed."""

    point: PolicyPoint
    value: str
    default: str
    chosen: frozenset[str]
    options: Mapping[str, str]
    many: bool
    is_default: bool


def _texts(value: object) -> frozenset[str]:
    if isinstance(value, frozenset):
        return frozenset(str(one.value) for one in value)
    if isinstance(value, bool):
        return frozenset({"yes" if value else "no"})
    return frozenset({str(value.value) if isinstance(value, enum.Enum) else f"{value}"})


def _options(value: object, words: Words) -> Mapping[str, str]:
    if isinstance(value, frozenset):
        return {one.value: words(f"policy_value.{one.value}") for one in AttendanceLoss}
    if isinstance(value, bool):
        return {one: words(f"policy_value.{one}") for one in ("yes", "no")}
    if isinstance(value, enum.Enum):
        return {str(one.value): words(f"policy_value.{one.value}") for one in type(value)}
    return MappingProxyType({})


def _choice(point: PolicyPoint, policy: FactoryPolicy, words: Words) -> Choice:
    value, default = getattr(policy, point.name), getattr(_DEFAULT, point.name)
    options = _options(default, words)

    def shown(found: frozenset[str]) -> str:
        return ", ".join(options.get(one, one) for one in sorted(found)) or "–"

    return Choice(
        point=point,
        value=shown(_texts(value)),
        default=shown(_texts(default)),
        chosen=_texts(value),
        options=options,
        many=isinstance(default, frozenset),
        is_default=value == default,
    )


@router.get("/factory/policies")
async def show(page: Reader) -> Response:
    """All choices as they stand, and every change."""
    return await _show(page)


async def _show(page: Page, problem: Told | None = None, status: int = 200) -> Response:
    today = pay_day(page.services.clock())
    async with page.session() as session:
        policy = read_policies(await choices(session))
        changes = list(await history(session))
        who = await names.actors(session, page, [one.set_by for one in changes])
    return page.show(
        "policies.html",
        status=status,
        problem=problem,
        choices=[_choice(point, policy, page.words) for point in _SHOWN],
        changes=changes,
        names=who,
        may_set=page.may("administer"),
        form={"name": page.typed("name"), "value": page.typed("value"), "since": page.typed("since"), "reason": page.typed("reason")},
        this_month=f"{today:%Y-%m}",
    )


@router.post("/factory/policies")
async def change(page: Doer) -> Response:
    """Change one choice from a month on."""
    name, reason = page.typed("name"), page.typed("reason")
    if not reason:
        return await _show(page, mistake(page.words, "reason_missing"), status=422)
    try:
        since = PayPeriod.parse(page.typed("since"))
        async with page.session() as session:
            given = {**await choices(session, since), name: _given(page, name)}
            await set_policies(session, page.services, page.actor, given, since=since, reason=reason)
    except PeriodError:
        return await _show(page, mistake(page.words, "period_wrong"), status=422)
    except ProblemError as error:
        return await _show(page, told(page.words, error), status=error.status)
    return page.go("/factory/policies", "policy")


def _given(page: Page, name: str) -> object:
    """What was chosen, as it is stored. Raises InvalidError for a choice that is none of ours."""
    default = getattr(_DEFAULT, name, None)
    if name not in {point.name for point in _SHOWN}:
        raise InvalidError("There is no such choice. Load the page again.", code="policy_invalid")
    if isinstance(default, frozenset):
        return sorted(page.chosen("value"))
    typed = page.typed("value").replace(",", ".")
    if isinstance(default, bool):
        return typed == "yes"
    return int(typed) if isinstance(default, int) and typed.isascii() and typed.isdigit() and len(typed) < len(str(10**9)) else typed
