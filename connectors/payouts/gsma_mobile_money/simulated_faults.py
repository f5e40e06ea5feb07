"""The faults that the simulated wallet provider plays on its connections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.faults import FaultKind, FaultPlan
from connectors.faulty_answers import Answers, after_taking, before_reading
from connectors.payouts.gsma_mobile_money import simulated_answers as say
from connectors.payouts.gsma_mobile_money.simulated_wallet import Books
from connectors.signatures import same

# How this provider words its refusals; the rest is played as everywhere.
OWN: Answers = {
    FaultKind.UNAVAILABLE: lambda: say.error(503, "serviceUnavailable", "genericError"),
    FaultKind.TOO_MANY_REQUESTS: lambda: say.error(429, "businessRule", "rateLimitError", headers={"retry-after": "1"}),
    FaultKind.NOT_AUTHORISED: lambda: say.error(401, "authorisation", "clientAuthorisationError"),
    FaultKind.SERVER_ERROR: lambda: say.error(500, "internal", "genericError"),
    FaultKind.CONFLICT: lambda: say.error(409, "businessRule", "duplicateRequest"),
}


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
        early = await before_reading(request, fault, OWN, elsewhere=faults.elsewhere)
        if early is not None:
            return early
        if not same(self.api_key, request.headers.get("x-api-key", "")):
            return say.error(401, "authorisation", "clientAuthorisationError")
        if fault is FaultKind.NOT_FOUND_FOR_A_WHILE:
            return say.not_found()
        return await after_taking(request, fault, faults.seconds, self.handler(self.books, request), OWN)
