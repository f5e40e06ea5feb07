"""Around every request: an id, a limit on the body, security headers, a log line, a count; and no exception gets out."""

from __future__ import annotations

import re
import secrets
import time
import traceback
from collections.abc import Callable, Iterator

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payroll_api import logs
from payroll_api.api import limits, metrics, problems
from payroll_api.errors import CommitUnknownError, ProblemError
from payroll_api.settings import Settings

log = logs.get(__name__)

REQUEST_ID = re.compile(r"^[A-Za-z0-9-]{8,64}$")
_DIGITS = re.compile(r"^[0-9]{1,18}$")
_ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Payroll is nobody's cache's business; static files say otherwise themselves.
    "cache-control": "no-store",
}
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FOR_PROGRAMS = ("/api/", "/webhooks/", "/healthz", "/readyz", "/metrics")
_HSTS = "max-age=63072000; includeSubDomains"
UNREACHABLE = (
    OperationalError,
    InterfaceError,
    PoolTimeoutError,
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
)


class Guard:
    """ASGI middleware; the outermost of ours."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._secure = settings.secure_cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.match(given) else secrets.token_hex(16)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status = 0

        async def dress(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._dress(MutableHeaders(scope=message), request_id, scope["path"])
            await send(message)

        try:
            await self._answer(scope, headers, receive, dress, lambda: status != 0)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path_format", None) or getattr(scope.get("route"), "path", "none")
            metrics.count_request(scope["method"], str(route), status, seconds)
            # The route and not the path: an address may hold a webhook's key.
            log.info("request", method=_method(scope), route=str(route), status=status, ms=round(seconds * 1000, 1))
            structlog.contextvars.clear_contextvars()

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive, send: Send, has_started: Callable[[], bool]) -> None:
        limit = limits.largest(scope["path"], headers.get("content-type", ""))
        if refusal := _refuse_length(headers, limit):
            await refusal(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > limit:
                    raise limits.TooLargeError(limit)
            return message

        try:
            await self.app(scope, counted, send)
        except Exception as error:  # noqa: BLE001 the last place that can answer
            response = _of_exception(error)
            if has_started():
                # The answer is under way and cannot be taken back: break it off, so that nobody takes it for whole.
                raise ConnectionAbortedError("the answer was broken off; see the log") from None
            if "text/html" in headers.get("accept", "") and not scope["path"].startswith(_FOR_PROGRAMS):
                response = problems.as_page(response)
            await response(scope, receive, send)

    def _dress(self, headers: MutableHeaders, request_id: str, path: str) -> None:
        headers["x-request-id"] = request_id
        for name, value in _ALWAYS.items():
            headers.setdefault(name, value)
        is_page = headers.get("content-type", "").startswith("text/html")
        headers.setdefault("content-security-policy", _PAGE_POLICY if is_page and not path.startswith("/api/") else _API_POLICY)
        if self._secure:
            headers.setdefault("strict-transport-security", _HSTS)


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method.isalpha() and len(method) <= 10 else "OTHER"  # noqa: PLR2004 no method is longer


def _refuse_length(headers: Headers, limit: int) -> Response | None:
    """Refuse before reading: a declared length that is too large, no number, or given twice (RFC 9112, section 6.3)."""
    lengths = headers.getlist("content-length")
    if len(set(lengths)) > 1 or (lengths and (_DIGITS.match(lengths[0]) is None or "transfer-encoding" in headers)):
        return problems.answer(400, "request_unreadable", "The request states its length in two ways or not as a number. Send it again.")
    if lengths and int(lengths[0]) > limit:
        return problems.too_large(limit)
    return None


def _of_exception(error: Exception) -> Response:
    """What an exception that nobody caught is told as. Its text stays here: it may hold what a library put there."""
    if isinstance(error, ProblemError):
        return problems.of_refusal(error)
    if isinstance(error, ClientDisconnect):
        # Nobody is there to read it; it is counted and logged like any request, without a trace that would flood the log.
        return problems.answer(408, "request_incomplete", "The request ended before all of it had come. Send it again.")
    if isinstance(error, CommitUnknownError):
        _log(error, "commit_unknown")
        return problems.commit_unknown()
    cause = getattr(error, "orig", None)
    if isinstance(error, IntegrityError):
        _log(error, "conflict")
        return problems.answer(409, "conflict", "Somebody else changed the same thing at the same moment. Load it again, then repeat.")
    if isinstance(error, UNREACHABLE) or isinstance(cause, UNREACHABLE) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        _log(error, "database_unavailable")
        return problems.unavailable()
    _log(error, "unexpected")
    return problems.unexpected()


def _log(error: Exception, code: str) -> None:
    log.error("request_failed", code=code, error=type(error).__name__, at=list(_places(error)))


def _places(error: Exception) -> Iterator[str]:
    """Where it happened, innermost last, without messages and values."""
    for frame in traceback.extract_tb(error.__traceback__)[-12:]:
        yield f"{frame.filename.rsplit('/site-packages/')[-1]}:{frame.lineno} {frame.name}"
