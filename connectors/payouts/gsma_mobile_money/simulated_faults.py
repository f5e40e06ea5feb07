"""The faults that the simulated wallet provider plays on its connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from connectors.faults import FaultKind, FaultPlan
from connectors.faulty_server import cut
from connectors.payouts.gsma_mobile_money import simulated_answers as say
from connectors.payouts.gsma_mobile_money.simulated_wallet import Books
from connectors.signatures import same

_ELSEWHERE = "http://127.0.0.1:9/elsewhere"
_PAGE = "<html><body><h1>Welcome</h1><p>Please sign in to continue.</p></body></html>"
_NOTHING_TAKEN: Mapping[FaultKind, Callable[[], Response]] = {
    FaultKind.RESET_BEFORE_READ: lambda: Response(status_code=500),  # never arrives: the connection is gone
    FaultKind.HALF_REQUEST: lambda: Response(status_code=500),
    FaultKind.HTML_INSTEAD: lambda: Response(_PAGE, media_type="text/html"),
    FaultKind.UNAVAILABLE: lambda: say.error(503, "serviceUnavailable", "genericError"),
    FaultKind.TOO_MANY_REQUESTS: lambda: say.error(429, "businessRule", "rateLimitError", headers={"retry-after": "1"}),
    FaultKind.NOT_AUTHORISED: lambda: say.error(401, "authorisation", "clientAuthorisationError"),
    FaultKind.REDIRECT_ELSEWHERE: lambda: Response(status_code=307, headers={"location": _ELSEWHERE}),
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
        return say.error(500, "internal", "genericError")
    elif fault is FaultKind.CONFLICT:
        return say.error(409, "businessRule", "duplicateRequest")
    elif fault is FaultKind.TRUNCATED_ANSWER:
        return StreamingResponse(_half(request, bytes(answer.body)), answer.status_code, {"content-length": str(len(answer.body))})
    return answer


async def _half(request: Request, body: bytes) -> AsyncIterator[bytes]:
    yield body[: len(body) // 2]
    cut(request.scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question to the provider that can be answered badly. `faults` gives the plan of the moment."""

    path: str
    point: str
    handler: Callable[[Books, Request], Response]
    books: Books
    faults: Callable[[], FaultPlan]
    api_key: str

    def route(self) -> Route:
        """The route that plays the fault of its point, then answers."""
        return Route(self.path, self._ask, methods=["GET"])

    async def _ask(self, request: Request) -> Response:
        faults = self.faults()
        fault = faults.draw(self.point)
        early = await before_reading(request, fault)
        if early is not None:
            return early
        if not same(self.api_key, request.headers.get("x-api-key", "")):
            return say.error(401, "authorisation", "clientAuthorisationError")
        if fault is FaultKind.NOT_FOUND_FOR_A_WHILE:
            return say.not_found()
        return await after_taking(request, fault, faults.seconds, self.handler(self.books, request))
