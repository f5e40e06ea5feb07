"""Sign in, see who is signed in, sign out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field, SecretStr, StringConstraints

from payroll_api.access import browser, sessions, users
from payroll_api.access.actor import Actor, Permission, Role
from payroll_api.access.sign_in import sign_in
from payroll_api.api.route import API, InActor, InLive, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Input, Output

router = APIRouter(prefix=f"{API}/sessions", tags=["sessions"], route_class=StepRoute)


class SignIn(Input):
    """A login and a password."""

    login: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(examples=["sokha"])
    password: SecretStr = Field(min_length=1, max_length=512, examples=["four words that rhyme not"])


class Who(Output):
    """Who acts, and what she may do. `name` is how records call her."""

    factory_id: str = Field(examples=["0190f5fe-7c00-7a00-8000-000000000001"])
    name: str = Field(examples=["user:0190f5fe-7c00-7a00-8000-000000000002"])
    display_name: str | None = Field(examples=["Sokha"], description="Her own name; null for an API key")
    roles: list[Role]
    permissions: list[Permission]
    language: str = Field(examples=["km"])


class Session(Output):
    """A new session. A browser has it as a cookie; a program sends `token` as a bearer token."""

    token: str = Field(repr=False, description="Shown once", examples=["0190f5fe7c007a008000000000000001.k3J…"])
    csrf_token: str = Field(
        repr=False, description="A browser sends it back in X-CSRF-Token with what changes something", examples=["f8Q…"]
    )
    actor: Who


def _who(actor: Actor, person: users.Person | None) -> Who:
    return Who(
        factory_id=str(actor.factory_id),
        name=actor.name,
        display_name=person.display_name if person else None,
        roles=list(person.roles) if person else [],
        permissions=sorted(actor.permissions),
        language=actor.language,
    )


@router.post(
    "",
    operation_id="createSession",
    status_code=201,
    summary="Sign in",
    **operation(is_public=True, errors=[(401, "sign_in_failed"), (429, "too_many_attempts"), (403, "other_site")]),
)
async def create_session(body: SignIn, request: Request, response: Response, services: InServices) -> Session:
    """Open a session. Signing in twice opens two sessions, so no Idempotency-Key is asked for."""
    password = body.password.get_secret_value()
    token, actor, csrf = await sign_in(services, body.login, password, address=browser.address_of(request))
    browser.set_cookie(response, services.settings, token)
    async with services.database.factory(actor.factory_id) as session:
        person = await users.get_self(session, services, actor)
    return Session(token=token, csrf_token=csrf, actor=_who(actor, person))


@router.get("", operation_id="getSession", summary="Who is signed in", **operation())
async def get_session(session: InSession, services: InServices, actor: InActor) -> Who:
    """The person or key that this request comes from."""
    return _who(actor, await users.get_self(session, services, actor))


@router.delete("", operation_id="deleteSession", status_code=204, summary="Sign out", **operation(errors=[(403, "csrf_token_wrong")]))
async def delete_session(response: Response, services: InServices, live: InLive) -> None:
    """End this session; its token is worth nothing from now on."""
    await sessions.sign_out(services, live)
    browser.clear_cookie(response, services.settings)
