"""Add the pages to the service."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

from payroll_api.services import Services
from payroll_api.web import (
    alarms,
    audit,
    bank_files,
    breaks,
    cash,
    changes,
    decisions,
    differences,
    factory,
    file_questions,
    files,
    funds,
    home,
    law,
    messages,
    policies,
    rendering,
    reports,
    restore,
    run_lists,
    runs,
    settlement,
    settlement_rules,
    sign_in,
    statements,
    what_if,
    workers,
)
from payroll_api.web.elsewhere import Elsewhere

_PAGES = (
    sign_in,
    home,
    files,
    file_questions,
    differences,
    runs,
    funds,
    run_lists,
    cash,
    bank_files,
    workers,
    changes,
    statements,
    breaks,
    settlement,
    settlement_rules,
    messages,
    decisions,
    reports,
    alarms,
    restore,
    audit,
    factory,
    law,
    policies,
    what_if,
)


class _Kept(StaticFiles):
    """Static files that a browser may keep for a year: their address holds their hash."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if scope.get("query_string"):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def mount(app: FastAPI, services: Services) -> None:
    """Add the pages to the app, after its other routes: the last one answers every address that is nobody's with a page."""
    app.state.services = services
    app.mount("/static", _Kept(directory=rendering.STATIC), name="static")
    for module in _PAGES:
        app.include_router(module.router)
    app.router.routes.append(Elsewhere())
