"""Addresses that are nobody's: a page that says so and leads back."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from payroll_api.errors import NotFoundError
from payroll_api.web.route import problem_page

# These speak JSON, or have 404 and 405 of their own.
_OTHERS = ("/api/", "/webhooks", "/healthz", "/readyz", "/metrics", "/static")


class Elsewhere(Route):
    """Matches GET of any address that nothing else answers."""

    def __init__(self) -> None:
        super().__init__("/{path:path}", _nothing_here, methods=["GET"], include_in_schema=False)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As a route does, but never for the addresses of programs."""
        if scope["type"] == "http" and (scope["method"] not in {"GET", "HEAD"} or scope["path"].startswith(_OTHERS)):
            return Match.NONE, {}
        return super().matches(scope)


async def _nothing_here(request: Request) -> Response:
    return await problem_page(request, NotFoundError("page"))
