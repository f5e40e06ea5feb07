"""Every refusal and failure as RFC 9457 problem+json: a stable code, a sentence to act on, a request id, and no personal data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from structlog.contextvars import get_contextvars

from payroll_api.api.limits import MIB, TooLargeError
from payroll_api.errors import ProblemError

MEDIA_TYPE = "application/problem+json"
_PLAIN = re.compile(r"^[A-Za-z0-9_-]{1,40}$")

# pydantic's messages that repeat a piece of what was sent, in our words.
_MESSAGES = {
    "uuid_parsing": "must be a UUID, for example 0190f5fe-7c00-7a00-8000-000000000001",
    "uuid_type": "must be a UUID, for example 0190f5fe-7c00-7a00-8000-000000000001",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_parsing": "must be true or false",
    "date_from_datetime_parsing": "must be a day, for example 2026-12-10",
    "date_from_datetime_inexact": "must be a day, for example 2026-12-10",
    "date_parsing": "must be a day, for example 2026-12-10",
    "decimal_parsing": "must be a decimal number as text, for example 4012.5",
    "json_invalid": "is not JSON",
    "extra_forbidden": "is not known here; remove it",
    "value_error": "cannot be taken",
}

_HTTP: Mapping[int, tuple[str, str]] = {
    400: ("request_unreadable", "The request cannot be read. Check how its body is written."),
    404: ("not_found", "There is nothing at this address. See /api/v1/openapi.json for what there is."),
    405: ("method_not_allowed", "This address does not take this method. The Allow header says which it takes."),
    413: ("body_too_large", "The request is larger than this address takes."),
    415: ("media_type_refused", "This address does not take this kind of content."),
}


def answer(
    status: int, code: str, detail: str, *, extra: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A problem as a response."""
    request_id = str(get_contextvars().get("request_id", ""))
    content = {
        **(extra or {}),
        "type": f"urn:garment-wages:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        "instance": f"urn:garment-wages:request:{request_id}",
    }
    return Response(json.dumps(content, ensure_ascii=False), status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def of_refusal(error: ProblemError) -> Response:
    """A step's refusal as it is told to a program."""
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="garment-wages"'
    if isinstance(seconds := error.extra.get("retry_after"), int):
        headers["Retry-After"] = str(seconds)
    return answer(error.status, error.code, error.detail, extra=error.extra, headers=headers)


def of_http(error: HTTPException) -> Response:
    """What the framework refuses: unknown addresses, methods, unreadable bodies."""
    if isinstance(error, TooLargeError):
        return too_large(error.limit)
    code, detail = _HTTP.get(error.status_code, ("refused", HTTPStatus(error.status_code).phrase + "."))
    return answer(error.status_code, code, detail, headers=error.headers)


def too_large(limit: int) -> Response:
    """A body over the limit, with the limit."""
    detail = f"The request is larger than the {limit / MIB:.2f} MiB that this address takes. Split the file, or remove pictures from it."
    return answer(413, "body_too_large", detail, extra={"largest_bytes": limit})


def of_validation(errors: Sequence[Mapping[str, object]]) -> Response:
    """A request whose form is wrong: each field named, no value repeated."""
    fields = [{"field": _place(entry.get("loc", ())), "problem": _message(entry)} for entry in errors]
    named = ", ".join(dict.fromkeys(field["field"] for field in fields))
    return answer(422, "invalid", f"The request cannot be taken as it is; correct {named}.", extra={"fields": fields})


def _place(location: object) -> str:
    parts = [str(part) for part in location] if isinstance(location, (tuple, list)) else []
    # A name that a client made up may hold anything: only plain ones are repeated.
    return ".".join(part if _PLAIN.match(part) else "?" for part in parts) or "body"


def _message(entry: Mapping[str, object]) -> str:
    kind = str(entry.get("type"))
    return _MESSAGES.get(kind) or str(entry.get("msg", "cannot be taken")).replace("Input should", "must").replace("String should", "must")


def install(app: FastAPI) -> None:
    """Let the application answer with problems. `mount` adds what the framework refuses, the guard what nobody foresaw."""

    async def refused(_request: Request, error: Exception) -> Response:
        return of_refusal(error) if isinstance(error, ProblemError) else unexpected()

    async def invalid(_request: Request, error: Exception) -> Response:
        return of_validation(error.errors()) if isinstance(error, RequestValidationError) else unexpected()

    app.add_exception_handler(ProblemError, refused)
    app.add_exception_handler(RequestValidationError, invalid)


def unexpected() -> Response:
    """The constant answer to what nobody foresaw."""
    return answer(
        500,
        "unexpected",
        "Something went wrong here, and nothing of this request was done. Try again; if it stays, tell your administrator the request_id.",
    )


def unavailable() -> Response:
    """The answer while the database cannot be reached: worth repeating."""
    return answer(
        503,
        "database_unavailable",
        "The database cannot be reached just now. Repeat the request in a moment.",
        headers={"Retry-After": "5"},
    )


def commit_unknown() -> Response:
    """The connection broke while the request was written down: nobody can say yet whether it was."""
    return answer(
        503,
        "database_unavailable",
        "The database went away while this was being written down: it may have been done or not. Load it again and look, or repeat the"
        " request with the same Idempotency-Key.",
        headers={"Retry-After": "5"},
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{status}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1 lang="km">{km}</h1><p>{en}</p><p><a href="/">⌂</a></p><p><small>{request_id}</small></p></main></body></html>
"""
_TOLD = {
    500: (
        "មានបញ្ហានៅខាងយើង។ សូមព្យាយាមម្ដងទៀត។",
        "Something went wrong here, and nothing was done. Go back and try again; if it stays, tell your administrator this number.",
    ),
    503: (
        "ប្រព័ន្ធមិនទាន់រួចរាល់ទេ។ សូមរង់ចាំបន្តិច រួចព្យាយាមម្ដងទៀត។",
        "The database cannot be reached just now. Wait a moment, then load the page again.",
    ),
}


def as_page(response: Response) -> Response:
    """The same failure for a person at a browser: a page that needs nothing, in Khmer and English. Other answers stay as they are."""
    if response.status_code not in _TOLD:
        return response
    km, en = _TOLD[response.status_code]
    request_id = str(get_contextvars().get("request_id", ""))
    body = _PAGE.format(status=response.status_code, km=km, en=en, request_id=request_id)
    headers = {"Retry-After": response.headers["retry-after"]} if "retry-after" in response.headers else None
    return Response(body, response.status_code, media_type="text/html; charset=utf-8", headers=headers)


def documented(errors: Sequence[tuple[int, str]]) -> dict[int | str, dict[str, Any]]:
    """Errors (status, code) as the OpenAPI document tells them, one example for each code."""
    responses: dict[int | str, dict[str, Any]] = {}
    for status, code in sorted(set(errors)):
        entry = responses.setdefault(
            status,
            {
                "description": HTTPStatus(status).phrase,
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
            },
        )
        entry["content"][MEDIA_TYPE]["examples"][code] = {
            "value": {
                "type": f"urn:garment-wages:problem:{code}",
                "title": code.replace("_", " ").capitalize(),
                "status": status,
                "detail": "Where it went wrong, what is wrong, and what to do next.",
                "code": code,
                "request_id": "9f1c2a7be0d34f6c8a51d2e3f4a5b6c7",
                "instance": "urn:garment-wages:request:9f1c2a7be0d34f6c8a51d2e3f4a5b6c7",
            }
        }
    return responses
