"""The faults that the simulated bank plays on its connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from connectors.faults import FaultKind
from connectors.faulty_server import cut

_PAGE = "<html><body><h1>Maintenance</h1><p>Please sign in again later.</p></body></html>"
_NOTHING_TAKEN: Mapping[FaultKind, Callable[[], Response]] = {
    FaultKind.RESET_BEFORE_READ: lambda: Response(status_code=500),  # never arrives: the connection is gone
    FaultKind.HALF_REQUEST: lambda: Response(status_code=500),
    FaultKind.HTML_INSTEAD: lambda: Response(_PAGE, media_type="text/html"),
    FaultKind.UNAVAILABLE: lambda: Response(_PAGE, 503, media_type="text/html"),
    FaultKind.TOO_MANY_REQUESTS: lambda: Response(status_code=429, headers={"retry-after": "1"}),
    FaultKind.NOT_AUTHORISED: lambda: Response(status_code=401),
    FaultKind.REDIRECT_ELSEWHERE: lambda: Response(status_code=307, headers={"location": "http://127.0.0.1:9/elsewhere"}),
}


async def before_reading(request: Request, fault: FaultKind | None) -> Response | None:
    """The answer of a fault by which nothing is taken, or None to go on."""
    if fault is FaultKind.HALF_REQUEST:
        await request.receive()
    if fault in {FaultKind.RESET_BEFORE_READ, FaultKind.HALF_REQUEST}:
        cut(request.scope)
    answer = _NOTHING_TAKEN.get(fault) if fault is not None else None
    return answer() if answer is not None else None


async def after_taking(request: Request, fault: FaultKind | None, seconds: float, answer: Response) -> Response:
    """The answer of a fault that comes after the work was done, or the true answer."""
    if fault in {FaultKind.REPLY_LOST_AFTER_ACCEPT, FaultKind.PARTIAL_BATCH}:
        cut(request.scope)
    elif fault is FaultKind.SLOW_ACCEPT:
        await asyncio.sleep(seconds)
    elif fault is FaultKind.EMPTY_ANSWER:
        return Response(status_code=200)
    elif fault is FaultKind.SERVER_ERROR:
        return Response(_PAGE, 500, media_type="text/html")
    elif fault is FaultKind.CONFLICT:
        return Response(status_code=409)
    elif fault is FaultKind.TRUNCATED_ANSWER:
        return StreamingResponse(_half(request, bytes(answer.body)), answer.status_code, {"content-length": str(len(answer.body))})
    return answer


async def _half(request: Request, body: bytes) -> AsyncIterator[bytes]:
    yield body[: len(body) // 2]
    cut(request.scope)
