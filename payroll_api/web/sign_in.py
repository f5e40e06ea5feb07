"""Sign in and out by pages."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payroll_api.access import browser, sessions
from payroll_api.access.sign_in import sign_in
from payroll_api.errors import NotSignedInError, ProblemError
from payroll_api.web.page import Anybody, Doer, Page, read_form, words_for
from payroll_api.web.problem import Told, told
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_KEPT = "kept."


def _local(path: str) -> str:
    """A path of this service to go on to; the home page instead of anything that leads elsewhere."""
    is_local = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_local else "/"


@router.get("/sign-in")
async def ask(page: Anybody) -> Response:
    """The form; somebody who is signed in already goes on."""
    target = _local(page.request.query_params.get("next", "/"))
    try:
        await browser.identify(page.services, page.request)
    except NotSignedInError:
        return _form(page, target=target)
    return page.go(target)


def _form(page: Page, *, target: str, status: int = 200, login: str = "", problem: Told | None = None) -> Response:
    kept = {name.removeprefix(_KEPT): value for name, value in page.form.items() if name.startswith(_KEPT) and isinstance(value, str)}
    return page.show("sign_in.html", status=status, next=target, kept=kept, login=login, problem=problem, ended=False)


@router.post("/sign-in")
async def enter(page: Anybody, request: Request) -> Response:
    """Open a session. What was about to be sent when the last one ended is offered again, not sent by itself."""
    browser.check_origin(page.services, request)
    page.form = await read_form(request)
    target = _local(page.typed("next") or "/")
    password = page.form.get("password")
    try:
        signed = await sign_in(
            page.services,
            page.typed("login"),
            password if isinstance(password, str) else "",
            address=browser.address_of(request),
        )
    except ProblemError as error:
        return _form(page, target=target, status=error.status, login=page.typed("login"), problem=told(page.words, error))
    page.words = words_for(request, signed.actor.language)
    kept = {name.removeprefix(_KEPT): value for name, value in page.form.items() if name.startswith(_KEPT) and isinstance(value, str)}
    if kept:
        page.live = sessions.Live(actor=signed.actor, csrf_token=signed.csrf_token)
        async with page.session():
            pass
        response = page.show("kept.html", kept=kept, action=target)
    else:
        response = page.go(target)
    browser.set_cookie(response, page.services.settings, signed.token)
    return response


@router.post("/sign-out")
async def leave(page: Doer) -> Response:
    """End the session."""
    if page.live is not None:
        await sessions.sign_out(page.services, page.live)
    response = page.go("/sign-in", "signed_out")
    browser.clear_cookie(response, page.services.settings)
    return response
