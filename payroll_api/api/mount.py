"""Put the JSON API, webhooks and health into an application."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from payroll_api.access import browser
from payroll_api.api import (
    alarms,
    bank_files,
    breaks,
    cash,
    changes,
    decisions,
    entitlements,
    factories,
    file_questions,
    forms,
    funds,
    health,
    law,
    messages,
    pay_runs,
    payments,
    payroll_files,
    people,
    problems,
    progress,
    reports,
    restore,
    run_parts,
    sessions,
    settlement,
    slips,
    statement_layouts,
    statements,
    trail,
    webhooks,
    workers,
)
from payroll_api.api.guard import Guard
from payroll_api.api.route import API, Rule
from payroll_api.api.shapes import Problem
from payroll_api.services import Services

OPENAPI = f"{API}/openapi.json"
ROUTERS = (
    sessions.router,
    payroll_files.router,
    file_questions.router,
    pay_runs.router,
    run_parts.router,
    cash.router,
    entitlements.router,
    funds.router,
    progress.router,
    payments.router,
    decisions.router,
    bank_files.router,
    restore.router,
    workers.router,
    changes.router,
    statements.router,
    messages.router,
    reports.router,
    breaks.router,
    statement_layouts.router,
    settlement.router,
    slips.router,
    alarms.router,
    trail.router,
    factories.router,
    law.router,
    people.router,
    forms.router,
)
_TAGS = {
    "sessions": "Sign in and out",
    "payroll-files": "The spreadsheet comes in",
    "pay-runs": "From a checked file to a paid one",
    "payments": "Each worker's payment",
    "decisions": "What two people decide about money, and the kill switch",
    "workers": "The register, and where workers are paid",
    "settlement": "Statements of banks and wallets, and what does not fit",
    "slips": "Pay slips by SMS",
    "reports": "Files for authorities, accountants and paper",
    "alarms": "What must not wait, and who has taken it on",
    "audit": "Who did what, when",
    "factories": "The factory, its choices and its accounts with providers",
    "law": "The law book, values that people add and agree, and what a change would cost",
    "people": "Users and API keys",
    "forms": "The sheet to fill, and the words we know",
}
_PARAMETER = re.compile(r"\{[^}]+\}")


def mount(app: FastAPI, services: Services) -> None:
    """Add everything that is not a page."""
    problems.install(app)
    # Routes are tried in this order, one after the other: webhooks come by the thousand. They are added as they are and not by
    # include_router, which would put a layer of matching around each group.
    for router in (webhooks.router, health.router, *ROUTERS):
        app.router.routes.extend(router.routes)
    app.openapi = lambda: _document(app, services)  # type: ignore[method-assign]  # FastAPI's own way to change the document
    _allow_all_methods(app)
    app.add_middleware(Guard, settings=services.settings)


def _document(app: FastAPI, services: Services) -> dict[str, Any]:
    """The OpenAPI document: made once, with problems, security and who may do what."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    schema = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        servers=[{"url": services.settings.public_url}],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"].update(components["schemas"]["Problem"].pop("$defs", {}))
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key (gw_...) or the token of a session"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": browser.cookie_name(services.settings)},
    }
    for path in schema["paths"].values():
        for operation in path.values():
            rule = Rule.of(operation)
            operation["security"] = [] if rule is not None and rule.is_public else [{"bearer": []}, {"cookie": []}]
            if rule is not None and rule.may:
                operation["description"] = f"{operation.get('description', '')}\n\nFor: {', '.join(rule.roles())}."
    app.openapi_schema = schema
    return schema


def _allow_all_methods(app: FastAPI) -> None:
    """405 names every method of an address: its operations are routes of their own, and each knows only its own method."""
    known: list[tuple[re.Pattern[str], set[str]]] = []

    async def refused(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            return problems.unexpected()
        if error.status_code == 405:  # noqa: PLR2004 Method Not Allowed
            if not known:
                known.extend(_methods(app.openapi()["paths"]))
            methods = {method for pattern, own in known if pattern.fullmatch(request.url.path) for method in own}
            if methods:
                return problems.of_http(HTTPException(405, headers={"Allow": ", ".join(sorted(methods))}))
        return problems.of_http(error)

    app.add_exception_handler(HTTPException, refused)


def _methods(paths: Mapping[str, Mapping[str, object]]) -> list[tuple[re.Pattern[str], set[str]]]:
    return [
        (re.compile("[^/]+".join(re.escape(part) for part in _PARAMETER.split(path))), {method.upper() for method in operations})
        for path, operations in paths.items()
    ]
