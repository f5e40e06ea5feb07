"""Whether this process lives, whether it can work, and its figures. For operators and load balancers."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from sqlalchemy import text
from starlette.responses import JSONResponse, Response

from payroll_api.access import browser
from payroll_api.access.actor import Permission
from payroll_api.api import metrics, problems
from payroll_api.api.route import InServices

router = APIRouter(include_in_schema=False)

Heads = Callable[[], set[str]]


@router.get("/healthz")
async def alive() -> Response:
    """The process answers. Nothing else is asked, so that a slow database does not get it restarted."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz")
async def ready(request: Request, services: InServices) -> Response:
    """The database answers and is as new as this code; 503 with the reason otherwise."""
    heads: Heads = request.app.state.heads
    async with services.database.nobody() as session:
        found = set((await session.scalars(text("select version_num from alembic_version"))).all())
    if found != heads():
        return problems.answer(
            503,
            "migrations_pending",
            "The database is not as new as this code. Run `payroll migrate`, then ask again.",
            headers={"Retry-After": "30"},
        )
    return JSONResponse({"status": "ready"})


@router.get("/metrics")
async def figures(request: Request, services: InServices) -> Response:
    """In Prometheus' text format. Closed, it takes an auditor's or administrator's bearer token."""
    if not services.settings.metrics_open:
        live = await browser.identify(services, request)
        live.actor.require(Permission.AUDIT)
    return Response(await metrics.render(services), headers={"Content-Type": metrics.MEDIA_TYPE})
