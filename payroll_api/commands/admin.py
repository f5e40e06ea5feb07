"""`payroll admin`: the first factory with its administrator, and people added at the service's own console."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import sys
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from payroll_api import settings as configuration
from payroll_api import wiring
from payroll_api.access import passwords, users
from payroll_api.access.actor import Role
from payroll_api.commands import place
from payroll_api.errors import ConfigurationError, InvalidError, ProblemError
from payroll_api.factories.create import create_factory, factory_by_slug
from payroll_api.services import Services

_VARIABLE = "PAYROLL_PASSWORD"


async def create(given: argparse.Namespace) -> int:
    """Make a factory and its first administrator."""
    password = _password(given)
    async with _services() as services:
        # Whatever is wrong with the person is told before the factory is there.
        passwords.check_new(password, context=(given.login, given.display_name or ""))
        if not users.LOGIN.match(given.login.strip().casefold()):
            raise InvalidError("The login has 3 to 64 of a-z, 0-9 and . _ @ + -, beginning with a letter or a digit. Choose another.")
        factory_id = await create_factory(
            services, slug=given.slug, name=given.name, name_km=given.name_km or given.name, hotline=given.hotline
        )
        try:
            await _add(services, factory_id, given, password, [Role.ADMINISTRATOR])
        except ProblemError as error:
            raise ConfigurationError(
                f"{error.detail} The factory is there without people: add one by"
                f" `payroll admin add-user --slug {given.slug} --role administrator --login ...`."
            ) from None
    sys.stdout.write(f"Factory {given.slug} is there, and its administrator can sign in. Next: people and provider accounts.\n")
    return 0


async def add_user(given: argparse.Namespace) -> int:
    """Add a person to a factory."""
    try:
        roles = [Role(role) for role in given.role]
    except ValueError:
        raise ConfigurationError(f"A role is one of {', '.join(Role)}.") from None
    password = _password(given)
    async with _services() as services:
        factory_id = await factory_by_slug(services, given.slug)
        if factory_id is None:
            raise ConfigurationError(f"There is no factory {given.slug!r}. `payroll admin create` makes one.")
        await _add(services, factory_id, given, password, roles)
    sys.stdout.write("The person can sign in.\n")
    return 0


@contextlib.asynccontextmanager
async def _services() -> AsyncIterator[Services]:
    async with place.opened(configuration.load()) as here, wiring.build(here.settings) as services:
        yield services


async def _add(services: Services, factory_id: UUID, given: argparse.Namespace, password: str, roles: Sequence[Role]) -> None:
    async with services.database.factory(factory_id) as session:
        name = given.display_name or given.login
        await users.create_user(session, services, None, login=given.login, display_name=name, password=password, roles=roles)


def _password(given: argparse.Namespace) -> str:
    """From the environment, or asked for twice. Never from the arguments, which other users of the machine can see."""
    if (password := os.environ.get(_VARIABLE)) is not None:
        return password
    if not sys.stdin.isatty():
        raise ConfigurationError(f"Set {_VARIABLE} to the new password of {given.login}, or run this at a terminal to be asked for it.")
    password = getpass.getpass(f"New password of {given.login} (at least {passwords.SHORTEST} characters): ")
    if getpass.getpass("The same again: ") != password:
        raise ConfigurationError("The two passwords differ. Run this again.")
    return password
