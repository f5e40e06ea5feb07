"""What happens around every operation: who asks, may she, is it new; then one transaction, committed before the answer leaves.

An operation without a rule cannot be added: whoever writes one says who may use it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

import structlog
from fastapi import Depends
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from payroll_api.access import browser
from payroll_api.access.actor import KEY_PERMISSIONS, PERMISSIONS, Actor, Permission, Role
from payroll_api.access.sessions import Live
from payroll_api.api import idempotency, problems
from payroll_api.errors import InvalidError, NotAllowedError
from payroll_api.failpoints import failpoint
from payroll_api.services import Services

API = "/api/v1"
RULE = "x-rule"
KEY = "api_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may use an operation: anybody with one of `may`; with none, anybody at all (`is_public`) or anybody signed in."""

    may: frozenset[Permission] = frozenset()
    is_public: bool = False
    creates: bool = False  # needs an Idempotency-Key
    streams: bool = False  # opens transactions itself, one for each look
    asks: bool = False  # asks providers, with no transaction open: opens its own around that

    def allows(self, actor: Actor) -> bool:
        """Whether this one may."""
        return not self.may or bool(self.may & actor.permissions)

    def roles(self) -> list[str]:
        """The roles that may, and `api_key`, for the documentation."""
        roles = [role.value for role in Role if not self.may or self.may & PERMISSIONS[role]]
        return [*roles, KEY] if not self.may or self.may & KEY_PERMISSIONS else roles

    def to_json(self) -> dict[str, Any]:
        """The rule as it stands in the OpenAPI document, for people and for the test of every role against every route."""
        return {
            "public": self.is_public,
            "permissions": sorted(self.may),
            "roles": self.roles(),
            "creates": self.creates,
            "streams": self.streams,
            "asks": self.asks,
        }

    @classmethod
    def of(cls, extra: Mapping[str, Any] | None) -> Self | None:
        """The rule in a route's additions to the OpenAPI document, or None if it has none."""
        found = (extra or {}).get(RULE)
        if found is None:
            return None
        may = frozenset(Permission(name) for name in found["permissions"])
        return cls(may=may, is_public=found["public"], creates=found["creates"], streams=found["streams"], asks=found["asks"])


def operation(
    *may: Permission,
    errors: Sequence[tuple[int, str]] = (),
    is_public: bool = False,
    creates: bool = False,
    streams: bool = False,
    asks: bool = False,
) -> dict[str, Any]:
    """The rule and the documented errors of an operation, as arguments of the router's decorator.

    `errors` are (status, code) beyond those that every operation has.
    """
    rule = Rule(may=frozenset(may), is_public=is_public, creates=creates, streams=streams, asks=asks)
    common: list[tuple[int, str]] = [(422, "invalid"), (500, "unexpected"), (503, "database_unavailable")]
    if not is_public:
        common.append((401, "not_signed_in"))
    if may:
        common.append((403, "not_allowed"))
    extra: dict[str, Any] = {RULE: rule.to_json()}
    if creates:
        common += [(400, "idempotency_key_missing"), (409, "idempotency_key_in_use"), (422, "idempotency_key_reused")]
        extra["parameters"] = [
            {
                "name": idempotency.HEADER,
                "in": "header",
                "required": True,
                "description": "New for each thing you create, the same when you repeat: a repeated request has no second effect.",
                "schema": {"type": "string", "minLength": 8, "maxLength": 128},
                "example": "0190f5fe-7c00-7a00-8000-00000000000a",
            }
        ]
    return {"openapi_extra": extra, "responses": problems.documented([*errors, *common])}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What surrounds one operation. `queries` and `fields` are the names that it takes."""

    rule: Rule
    queries: frozenset[str]
    fields: frozenset[str]
    inner: Callable[[Request], Coroutine[Any, Any, Response]]

    async def handle(self, request: Request) -> Response:
        """Answer a request."""
        services: Services = request.app.state.services
        is_safe = request.method in browser.SAFE_METHODS
        try:
            if self.rule.is_public:
                _refuse_unknown_query(request, self.queries)
                if not is_safe:
                    browser.check_origin(services, request)
                return await self.inner(request)
            if self.rule.streams:
                self._admit(request, await browser.identify(services, request))
                return await self.inner(request)
            if is_safe:
                return await self._look(request, services)
            response = await self._change(request, services)
            await failpoint("A2")
            return response
        finally:
            # A form that was read here and never reached the operation is closed, with its files.
            await request.close()

    async def _look(self, request: Request, services: Services) -> Response:
        """Nothing is sent to us, so one transaction is enough for asking who it is and for the answer."""
        shown = browser.credential_of(services.settings, request)
        async with services.database.factory(shown.factory_id) as session:
            self._admit(request, await browser.prove(session, services, shown))
            request.state.session = session
            return await self.inner(request)

    async def _change(self, request: Request, services: Services) -> Response:
        """Who it is, then what is sent, then the transaction: a slow sender must not hold a connection."""
        live = await browser.identify(services, request)
        self._admit(request, live)
        await _refuse_forged(services, request, live, self.fields)
        if self.rule.asks:
            return await self.inner(request)
        key = idempotency.key_of(request) if self.rule.creates else None
        print_ = await idempotency.fingerprint(request)
        async with services.database.factory(live.actor.factory_id) as session:
            request.state.session = session
            if key is None:
                return await self.inner(request)
            vault = await services.keys.vault(session)
            return await idempotency.once(session, vault, live.actor, key, print_, services.clock(), lambda: self.inner(request))

    def _admit(self, request: Request, live: Live) -> None:
        structlog.contextvars.bind_contextvars(actor=live.actor.name)
        request.state.live = live
        if not self.rule.allows(live.actor):
            needed = " or ".join(sorted(permission.value for permission in self.rule.may))
            raise NotAllowedError(f"Your account may not do this (it takes {needed}). Ask your administrator for the role.")
        _refuse_unknown_query(request, self.queries)


class StepRoute(APIRoute):
    """A route of the API. Raises ValueError when it is added without a rule."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The operation with everything around it."""
        rule = Rule.of(self.openapi_extra)
        if rule is None:
            raise ValueError(f"{sorted(self.methods or ())} {self.path} has no rule: add **operation(...) to say who may use it")
        around = _Around(
            rule=rule,
            queries=frozenset(field.alias for field in self.dependant.query_params),
            fields=frozenset(field.alias for field in self.dependant.body_params),
            inner=super().get_route_handler(),
        )
        return around.handle


def _refuse_unknown_query(request: Request, known: frozenset[str]) -> None:
    """A misspelt filter would quietly show everything, and a doubled parameter means two things (OWASP ASVS 5.0, V15.3.7)."""
    names = [name for name, _ in request.query_params.multi_items()]
    if unknown := [name for name in names if name not in known]:
        told = ", ".join(sorted(known)) or "none"
        place = unknown[0] if unknown[0].isidentifier() and len(unknown[0]) <= 40 else "?"  # noqa: PLR2004 no name of ours is longer
        raise InvalidError(
            f"This address takes these query parameters: {told}.", fields=[{"field": f"query.{place}", "problem": "is not known here"}]
        )
    if len(set(names)) != len(names):
        raise InvalidError("A query parameter came twice. Send each once.")


async def _refuse_forged(services: Services, request: Request, live: Live, fields: frozenset[str]) -> None:
    """What a browser sends with its cookie must come from our own page; form fields must be known."""
    if live.csrf_token is not None:
        browser.check_origin(services, request)
    offered = request.headers.get(browser.CSRF_HEADER)
    if request.headers.get("content-type", "").casefold().startswith("multipart/"):
        form = await request.form()
        if live.csrf_token is not None and offered is None and isinstance(sent := form.get(browser.CSRF_FIELD), str):
            offered = sent
        if unknown := sorted({*form.keys()} - fields - {browser.CSRF_FIELD}):
            place = unknown[0] if unknown[0].isidentifier() and len(unknown[0]) <= 40 else "?"  # noqa: PLR2004 no field of ours is longer
            raise InvalidError("The form has a field that is not known here.", fields=[{"field": f"body.{place}", "problem": "remove it"}])
    browser.check_csrf(live, offered)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _session(request: Request) -> AsyncSession:
    session: AsyncSession = request.state.session
    return session


def _live(request: Request) -> Live:
    live: Live = request.state.live
    return live


def _actor(request: Request) -> Actor:
    return _live(request).actor


InServices = Annotated[Services, Depends(_services)]
InSession = Annotated[AsyncSession, Depends(_session)]
InLive = Annotated[Live, Depends(_live)]
InActor = Annotated[Actor, Depends(_actor)]
