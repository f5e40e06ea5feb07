"""One request to a provider that speaks JSON: a whole answer, or the trouble that leaves it open what happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2 as httpx

from connectors import http
from connectors.patience import Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole HTTP answer with a JSON body (None where it is empty). The body may hold personal data: never log it."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    retry_after: timedelta | None = None  # what the provider asks for, where it does


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """Nothing that can be used came back. `code` is one of ours; `nothing_sent` proves that the provider got no byte."""

    code: str
    nothing_sent: bool = False
    status: int | None = None
    retry_after: timedelta | None = None  # the same; with `nothing_sent`, what is left of an earlier wish


async def ask(client: httpx.AsyncClient, request: httpx.Request, patience: Patience | None = None) -> Answer | NoAnswer:
    """Send once, without a retry and without following a redirect. Raises nothing: trouble on the wire is an answer, too.

    With `patience`, nothing is sent before the moment that the provider asked for.
    """
    left = patience.left(datetime.now(UTC)) if patience is not None else None
    if left is not None:
        return NoAnswer(code="temporary", nothing_sent=True, retry_after=left)
    try:
        response = await http.send(client, request)
    except httpx.TimeoutException as error:
        return NoAnswer(code="timeout", nothing_sent=http.nothing_was_sent(error))
    except http.AnswerTooLargeError:
        return NoAnswer(code="unreadable_answer")
    except httpx.TransportError as error:
        return NoAnswer(code="connection_lost", nothing_sent=http.nothing_was_sent(error))
    except httpx.RequestError:
        return NoAnswer(code="unreadable_answer")
    asked = patience.note(response.status_code, response.headers, datetime.now(UTC)) if patience is not None else None
    return read_answer(response.status_code, response.headers, response.content, asked)


def read_answer(status: int, headers: Mapping[str, str], content: bytes, retry_after: timedelta | None = None) -> Answer | NoAnswer:
    """An answer as JSON. A redirect, HTML, or JSON cut short is trouble, and money may have moved."""
    if 300 <= status < 400:  # noqa: PLR2004 the redirects of HTTP
        return NoAnswer(code="unreadable_answer", status=status)
    try:
        # An amount written as a JSON number is read without passing through a float.
        body = json.loads(content, parse_float=Decimal) if content.strip() else None
    except (ValueError, RecursionError):
        return NoAnswer(code="unreadable_answer", status=status, retry_after=retry_after)
    return Answer(status=status, headers=headers, body=body, retry_after=retry_after)
