"""Who sends a request: a browser by its cookie, a program by a bearer token; and that a form was really sent from our page.

The JSON API and the pages both ask here.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection
from starlette.responses import Response

from payroll_api.access import api_keys, sessions
from payroll_api.access.means import Means
from payroll_api.access.sessions import Live
from payroll_api.errors import NotAllowedError, NotSignedInError
from payroll_api.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
_LONGEST_CREDENTIAL = 256


def cookie_name(settings: Settings) -> str:
    """`__Host-session` wherever cookies are Secure (browsers then refuse it from any other host), else `session`."""
    return "__Host-session" if settings.secure_cookies else "session"


def set_cookie(response: Response, settings: Settings, token: str) -> None:
    """Give the browser its session: out of reach of scripts, and not sent along by other sites' forms."""
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=settings.session_hours * 3600,
        path="/",
        secure=settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )


def clear_cookie(response: Response, settings: Settings) -> None:
    """Take the session from the browser."""
    response.delete_cookie(cookie_name(settings), path="/", secure=settings.secure_cookies, httponly=True, samesite="lax")


def address_of(connection: HTTPConnection) -> str:
    """The client's address as the socket has it; headers such as X-Forwarded-For are the web server's matter."""
    return connection.client.host if connection.client else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a request shows, before anything is proven: the factory it names, and the secret itself."""

    factory_id: UUID
    secret: str = field(repr=False)
    is_cookie: bool


def credential_of(settings: Settings, connection: HTTPConnection) -> Credential:
    """The credential of a request. Raises NotSignedInError when it shows none, or none that could be one.

    A bearer token goes before the cookie, and a wrong one is refused even beside a good cookie.
    """
    authorization = connection.headers.get("authorization")
    if authorization is not None:
        scheme, _, secret = authorization.partition(" ")
        secret = secret.strip() if scheme.casefold() == "bearer" else ""
    else:
        secret = connection.cookies.get(cookie_name(settings), "")
    # A key is a program's and comes as a bearer token: in a cookie it would need no form token.
    of_key = None if authorization is None else api_keys.factory_of_key(secret)
    factory_id = of_key or sessions.factory_in(secret.partition(".")[0])
    if factory_id is None or len(secret) > _LONGEST_CREDENTIAL:
        raise NotSignedInError
    return Credential(factory_id=factory_id, secret=secret, is_cookie=authorization is None)


async def prove(session: AsyncSession, services: Means, shown: Credential) -> Live:
    """Who shows this credential, in a transaction of the factory it names. Raises NotSignedInError."""
    if api_keys.factory_of_key(shown.secret) is not None:
        return await api_keys.find(session, shown.secret)
    live = await sessions.find(session, services, shown.secret)
    # No browser sends a bearer token by itself, so no other site can make such a request: nothing to prove.
    return live if shown.is_cookie else Live(actor=live.actor, token_hash=live.token_hash)


async def identify(services: Means, connection: HTTPConnection) -> Live:
    """Who sends this request, asked in a transaction of its own. Raises NotSignedInError."""
    shown = credential_of(services.settings, connection)
    async with services.database.factory(shown.factory_id) as session:
        return await prove(session, services, shown)


def check_origin(services: Means, connection: HTTPConnection) -> None:
    """Refuse what a browser says comes from another site. Raises NotAllowedError (`other_site`).

    A browser sends Origin with every unsafe request; the address may be the public one or the one that was asked.
    """
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    ours = {_origin(services.settings.public_url), f"{connection.url.scheme}://{connection.headers.get('host', '')}"}
    if (origin is not None and origin not in ours) or site in {"cross-site", "same-site"}:
        raise NotAllowedError("This request came from another web site. Open the page here and send it again.", code="other_site")


def check_csrf(live: Live, offered: str | None) -> None:
    """Refuse a cookie's unsafe request without the session's own token. Raises NotAllowedError (`csrf_token_wrong`)."""
    if live.csrf_token is None:
        return
    if offered is None or not hmac.compare_digest(live.csrf_token.encode(), offered.encode()):
        raise NotAllowedError(
            "The request does not carry this session's token (X-CSRF-Token header or csrf_token field). Load the page again and repeat.",
            code="csrf_token_wrong",
        )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
