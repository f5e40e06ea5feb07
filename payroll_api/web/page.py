"""One request for a page: who looks, in which language, and how the answer is made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData, UploadFile

from payroll_api.access import browser
from payroll_api.access.actor import Actor, Permission
from payroll_api.access.models import User
from payroll_api.access.sessions import Live
from payroll_api.alarms.find import count_unread
from payroll_api.errors import NotSignedInError
from payroll_api.factories.models import Factory
from payroll_api.services import Services
from payroll_api.web import rendering
from payroll_api.web.words import ALL_WORDS, DEFAULT_LANGUAGE, Words

LANGUAGE_COOKIE = "lang"
_YEAR = 365 * 24 * 3600
# A form's texts; the file itself is streamed to disk and bounded by the service's body limit.
_LARGEST_FIELD = 64 * 1024
_MOST_FIELDS = 2000
# A page may hold names and amounts: no cache keeps it. With no referrer at all, browsers would send `Origin: null` with our own forms.
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}


@dataclass(slots=True, kw_only=True)
class Page:
    """What a page's handler works with. `live` is None for somebody who is not signed in; `form` is what was sent, if anything."""

    request: Request
    services: Services
    words: Words
    live: Live | None = None
    form: FormData = field(default_factory=FormData, repr=False)
    factory_name: str = ""
    person: str = field(default="", repr=False)
    unread_alarms: int = 0

    @property
    def actor(self) -> Actor:
        """Who acts. Raises NotSignedInError."""
        if self.live is None:
            raise NotSignedInError
        return self.live.actor

    def may(self, permission: str) -> bool:
        """Whether a button for this permission is shown. The step itself decides when it is pressed."""
        return self.live is not None and Permission(permission) in self.live.actor.permissions

    def typed(self, name: str) -> str:
        """A text field of the form, trimmed; empty when it is missing."""
        value = self.form.get(name)
        return value.strip() if isinstance(value, str) else ""

    def chosen(self, name: str) -> list[str]:
        """All values of a field that can be sent several times."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def sent_file(self, name: str) -> UploadFile | None:
        """The file of a form, if one was chosen."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A transaction of the person's factory, committed before the answer is made. It also learns what stands in the page's head."""
        actor = self.actor
        async with self.services.database.factory(actor.factory_id) as session:
            if not self.factory_name:
                await self._learn_head(session, actor)
            yield session

    async def _learn_head(self, session: AsyncSession, actor: Actor) -> None:
        factory = await session.get(Factory, actor.factory_id)
        if factory is not None:
            self.factory_name = factory.name_km if self.words.language == "km" else factory.name
        self.unread_alarms = await count_unread(session)
        user = await session.get(User, (actor.factory_id, actor.user_id)) if actor.user_id else None
        if user is not None:
            vault = await self.services.keys.vault(session)
            self.person = vault.open(user.display_name, "users", user.id, "display_name")

    def show(self, template: str, more: Mapping[str, object] | None = None, *, status: int = 200, **context: object) -> Response:
        """The page of a template, with `context` and `more` of it."""
        body = rendering.render(template, {"page": self, "t": self.words, "done": self._done(), **context, **(more or {})})
        return self._with_language(HTMLResponse(body, status_code=status, headers=_HEADERS))

    def go(self, path: str, done: str = "", **query: str) -> Response:
        """On to another page after something was done, so that going back or reloading does not do it again."""
        values = {name: value for name, value in {"done": done, **query}.items() if value}
        return self._with_language(RedirectResponse(f"{path}?{urlencode(values)}" if values else path, status_code=303))

    def _done(self) -> str:
        return self.words.known(f"done.{self.request.query_params.get('done', '')}", "")

    def _with_language(self, response: Response) -> Response:
        if self.request.query_params.get("lang") in ALL_WORDS:
            response.set_cookie(
                LANGUAGE_COOKIE,
                self.words.language,
                max_age=_YEAR,
                samesite="lax",
                httponly=True,
                secure=self.services.settings.secure_cookies,
            )
        return response

    def address(self, **changes: str | None) -> str:
        """This page's own address with query values changed; None takes one out. For links of languages, tabs and next pages."""
        query = {name: value for name, value in self.request.query_params.items() if name not in {"done", "lang"}}
        for name, value in changes.items():
            query.pop(name, None)
            if value is not None:
                query[name] = value
        return f"{self.request.url.path}?{urlencode(query)}" if query else self.request.url.path


def services_of(request: Request) -> Services:
    """The services that `mount` was given."""
    services: Services = request.app.state.services
    return services


def words_for(request: Request, preferred: str | None) -> Words:
    """The language asked for in the address, else the one chosen before, else the person's own, else the browser's."""
    wanted = (
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        preferred,
        _first_language(request.headers.get("accept-language", "")),
    )
    return ALL_WORDS[next((code for code in wanted if code is not None and code in ALL_WORDS), DEFAULT_LANGUAGE)]


def _first_language(header: str) -> str | None:
    codes = (part.partition(";")[0].strip().partition("-")[0].casefold() for part in header.split(","))
    return next((code for code in codes if code in ALL_WORDS), None)


async def anybody(request: Request) -> Page:
    """A page that needs no sign-in. Nobody is identified."""
    return Page(request=request, services=services_of(request), words=words_for(request, None))


async def reader(request: Request) -> Page:
    """A page for somebody who is signed in. Raises NotSignedInError."""
    services = services_of(request)
    live = await browser.identify(services, request)
    return Page(request=request, services=services, words=words_for(request, live.actor.language), live=live)


async def doer(request: Request) -> Page:
    """A form sent by somebody who is signed in, from our own page. Raises NotSignedInError, NotAllowedError."""
    services = services_of(request)
    browser.check_origin(services, request)
    page = await reader(request)
    page.form = await read_form(request)
    if page.live is not None:
        browser.check_csrf(page.live, page.typed(browser.CSRF_FIELD))
    return page


async def read_form(request: Request) -> FormData:
    """The form of a request, read once."""
    return await request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_LARGEST_FIELD)


def kept_fields(form: Mapping[str, object]) -> dict[str, str]:
    """What a person typed, to give it back: no password, no token, no file."""
    hidden = {browser.CSRF_FIELD, "password"}
    return {name: value for name, value in form.items() if isinstance(value, str) and name not in hidden}


Anybody = Annotated[Page, Depends(anybody)]
Reader = Annotated[Page, Depends(reader)]
Doer = Annotated[Page, Depends(doer)]
