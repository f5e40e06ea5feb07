"""How a simulated provider plays a fault on one request: what it answers instead of the truth, and when it cuts the line.

Each provider words its own refusals (`own`); cutting, waiting and halving are the same everywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from connectors.faults import ELSEWHERE, FaultKind
from connectors.faulty_server import cut

Answers = Mapping[FaultKind, Callable[[], Response]]

PAGE = "<html><body><h1>Welcome</h1><p>Please sign in to continue.</p></body></html>"
_NOTHING_TAKEN: Answers = {
    FaultKind.RESET_BEFORE_READ: lambda: Response(status_code=500),  # never arrives: the connection is gone
    FaultKind.HALF_REQUEST: lambda: Response(status_code=500),  # the same
    FaultKind.HTML_INSTEAD: lambda: Response(PAGE, media_type="text/html"),
    FaultKind.UNAVAILABLE: lambda: Response(PAGE, 503, media_type="text/html"),
    FaultKind.TOO_MANY_REQUESTS: lambda: Response(status_code=429, headers={"retry-after": "1"}),
    FaultKind.NOT_AUTHORISED: lambda: Response(status_code=401),
}
_TAKEN: Answers = {
    FaultKind.EMPTY_ANSWER: lambda: Response(status_code=200),
    FaultKind.SERVER_ERROR: lambda: Response(PAGE, 500, media_type="text/html"),
    FaultKind.CONFLICT: lambda: Response(status_code=409),
}


async def before_reading(
    request: Request, fault: FaultKind | None, own: Answers | None = None, elsewhere: str = ELSEWHERE
) -> Response | None:
    """The answer of a fault by which nothing is taken, or None to go on."""
    if fault is FaultKind.REDIRECT_ELSEWHERE:
        return Response(status_code=307, headers={"location": elsewhere})
    if fault is None or fault not in _NOTHING_TAKEN:
        return None
    if fault is FaultKind.HALF_REQUEST:
        await request.receive()
    if fault in {FaultKind.RESET_BEFORE_READ, FaultKind.HALF_REQUEST}:
        cut(request.scope)
    return {**_NOTHING_TAKEN, **(own or {})}[fault]()


async def after_taking(request: Request, fault: FaultKind | None, seconds: float, answer: Response, own: Answers | None = None) -> Response:
    """The answer of a fault that comes after the work was done, or the true answer."""
    if fault in {FaultKind.REPLY_LOST_AFTER_ACCEPT, FaultKind.PARTIAL_BATCH}:
        cut(request.scope)
    elif fault is FaultKind.SLOW_ACCEPT:
        await asyncio.sleep(seconds)
    elif fault is FaultKind.TRUNCATED_ANSWER:
        return StreamingResponse(_half(request, bytes(answer.body)), answer.status_code, {"content-length": str(len(answer.body))})
    elif fault is not None and fault in _TAKEN:
        return {**_TAKEN, **(own or {})}[fault]()
    return answer


async def _half(request: Request, body: bytes) -> AsyncIterator[bytes]:
    yield body[: len(body) // 2]
    cut(request.scope)
