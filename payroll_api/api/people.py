"""Users and API keys, for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, SecretStr, StringConstraints

from payroll_api.access import api_keys, users
from payroll_api.access.actor import Permission, Role
from payroll_api.access.models import ApiKey
from payroll_api.api.route import API, InActor, InServices, InSession, StepRoute, operation
from payroll_api.api.shapes import Input, Output, ShortText

router = APIRouter(prefix=API, tags=["people"], route_class=StepRoute)
NOT_FOUND = (404, "not_found")
LAST = (409, "last_administrator")
PASSWORD = (422, "password_refused")


class UserOut(Output):
    """A person who works with the service."""

    id: UUID
    login: str = Field(examples=["sokha"])
    display_name: str = Field(examples=["Sokha"])
    roles: list[Role]
    language: str = Field(examples=["km"])
    created_at: datetime
    disabled_at: datetime | None


class Users(Output):
    """Everybody of the factory."""

    items: list[UserOut]


class NewUser(Input):
    """A new person."""

    login: Annotated[str, StringConstraints(min_length=3, max_length=64)] = Field(examples=["sokha"])
    display_name: ShortText = Field(examples=["Sokha"])
    password: SecretStr = Field(max_length=512, description="At least 12 characters", examples=["four words that rhyme not"])
    roles: list[Role] = Field(min_length=1, max_length=5)
    language: Annotated[str, StringConstraints(pattern="^(km|en)$")] = "km"


class Roles(Input):
    """All roles of a person from now on."""

    roles: list[Role] = Field(min_length=1, max_length=5)


class NewPassword(Input):
    """A new password."""

    password: SecretStr = Field(max_length=512, description="At least 12 characters")


class KeyOut(Output):
    """A key of the factory's own system."""

    id: UUID
    name: str = Field(examples=["ERP"])
    created_by: UUID
    created_at: datetime
    revoked_at: datetime | None


class KeyWithSecret(KeyOut):
    """A new key. `secret` is shown once."""

    secret: str = Field(repr=False, examples=["gw_0190f5fe7c007a008000000000000001_k3J…"])


class Keys(Output):
    """All keys, also revoked ones."""

    items: list[KeyOut]


class NewKey(Input):
    """What the key is for."""

    name: ShortText = Field(examples=["ERP"])


def _user(person: users.Person) -> UserOut:
    return UserOut.model_validate({name: getattr(person, name) for name in UserOut.model_fields})


def _key(row: ApiKey) -> dict[str, object]:
    return {name: getattr(row, name) for name in KeyOut.model_fields}


@router.get("/users", operation_id="listUsers", summary="People", **operation(Permission.ADMINISTER))
async def list_users(session: InSession, services: InServices, actor: InActor) -> Users:
    """Everybody of the factory, also the disabled."""
    return Users(items=[_user(person) for person in await users.list_users(session, services, actor)])


@router.post(
    "/users",
    operation_id="createUser",
    status_code=201,
    summary="Add a person",
    **operation(Permission.ADMINISTER, creates=True, errors=[(409, "login_taken"), PASSWORD]),
)
async def create_user(body: NewUser, session: InSession, services: InServices, actor: InActor) -> UserOut:
    """She signs in with this password."""
    user = await users.create_user(
        session,
        services,
        actor,
        login=body.login,
        display_name=body.display_name,
        password=body.password.get_secret_value(),
        roles=body.roles,
        language=body.language,
    )
    return _user(users.person_of(await services.keys.vault(session), user))


@router.post(
    "/users/{user_id}/disable",
    operation_id="disableUser",
    summary="End a person's access",
    **operation(Permission.ADMINISTER, errors=[NOT_FOUND, LAST]),
)
async def disable_user(user_id: UUID, session: InSession, services: InServices, actor: InActor) -> UserOut:
    """Her sessions end now."""
    user = await users.disable(session, services, actor, user_id)
    return _user(users.person_of(await services.keys.vault(session), user))


@router.put(
    "/users/{user_id}/roles",
    operation_id="setUserRoles",
    summary="Give a person other roles",
    **operation(Permission.ADMINISTER, errors=[NOT_FOUND, LAST]),
)
async def set_roles(user_id: UUID, body: Roles, session: InSession, services: InServices, actor: InActor) -> UserOut:
    """She signs in again."""
    user = await users.change_roles(session, services, actor, user_id, body.roles)
    return _user(users.person_of(await services.keys.vault(session), user))


@router.put(
    "/users/{user_id}/password",
    operation_id="setUserPassword",
    status_code=204,
    summary="Give a person a new password",
    **operation(Permission.ADMINISTER, errors=[NOT_FOUND, PASSWORD]),
)
async def set_password(user_id: UUID, body: NewPassword, session: InSession, services: InServices, actor: InActor) -> None:
    """Her sessions end now."""
    await users.set_password(session, services, actor, user_id, body.password.get_secret_value())


@router.get("/api-keys", operation_id="listApiKeys", summary="Keys of the factory's own systems", **operation(Permission.ADMINISTER))
async def list_keys(session: InSession, actor: InActor) -> Keys:
    """The newest first; secrets are never shown again."""
    return Keys(items=[KeyOut.model_validate(_key(row)) for row in await api_keys.list_keys(session, actor)])


@router.post(
    "/api-keys",
    operation_id="createApiKey",
    status_code=201,
    summary="Make a key for the factory's own system",
    **operation(Permission.ADMINISTER, creates=True, errors=[(403, "person_required")]),
)
async def create_key(body: NewKey, session: InSession, services: InServices, actor: InActor) -> KeyWithSecret:
    """A key reads, prepares and uploads statements. It never approves."""
    key, secret = await api_keys.create(session, services, actor, name=body.name)
    return KeyWithSecret.model_validate({**_key(key), "secret": secret})


@router.delete(
    "/api-keys/{key_id}",
    operation_id="revokeApiKey",
    status_code=204,
    summary="End a key",
    **operation(Permission.ADMINISTER, errors=[NOT_FOUND]),
)
async def revoke_key(key_id: UUID, session: InSession, services: InServices, actor: InActor) -> None:
    """The next request with it is refused."""
    await api_keys.revoke(session, services, actor, key_id)
