"""Refusals as pages: where, what, and what to do, in the reader's language; and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from payroll_api import logs
from payroll_api.access import browser
from payroll_api.errors import NotFoundError, NotSignedInError, ProblemError
from payroll_api.web.page import anybody, kept_fields, read_form, reader
from payroll_api.web.problem import told

log = logs.get(__name__)

_SIGN_IN = "/sign-in"
_SMALL = 64 * 1024


class PageRoute(APIRoute):
    """A route whose refusals are shown as pages, not as JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler with our refusals around it."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await inner(request)
            except NotSignedInError:
                return await _sign_in(request)
            except ProblemError as error:
                return await problem_page(request, error)
            except RequestValidationError:
                # An id in the address that is no id: there is no such thing.
                return await problem_page(request, NotFoundError("page"))
            except HTTPException as error:
                # A form that cannot be read: too many fields, a field too long, a broken multipart body.
                return await problem_page(request, ProblemError("form_unreadable", str(error.detail), status=error.status_code))
            finally:
                # An uploaded file lies in a temporary file until then.
                await request.close()

        return handler


async def _sign_in(request: Request) -> Response:
    """Ask to sign in. What was about to be sent is kept in the sign-in page itself and offered again afterwards."""
    if request.method in browser.SAFE_METHODS:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target = _SIGN_IN if path == "/" else f"{_SIGN_IN}?next={quote(path, safe='')}"
        return RedirectResponse(target, status_code=303)
    page = await anybody(request)
    fields = kept_fields(await _form(request))
    return page.show("sign_in.html", status=401, next=request.url.path, kept=fields, login="", problem=None, ended=True)


async def _form(request: Request) -> FormData:
    # The body of an upload by nobody knows whom is not read at all: its few fields are not worth it.
    if request.method in browser.SAFE_METHODS or int(request.headers.get("content-length", "0")) > _SMALL:
        return FormData()
    try:
        return await read_form(request)
    except HTTPException:
        return FormData()


async def problem_page(request: Request, error: ProblemError) -> Response:
    """A refusal as a page, with what was typed in a form that can be corrected and sent again."""
    try:
        page = await reader(request)
        async with page.session():
            pass
    except ProblemError:
        page = await anybody(request)
    log.info("page_refused", code=error.code, status=error.status)
    kept = kept_fields(await _form(request))
    return page.show("problem.html", status=error.status, error=error, told=told(page.words, error), kept=kept)
