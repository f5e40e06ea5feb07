"""The application: pages, the JSON API, webhooks and health, over one set of services."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from alembic.script import ScriptDirectory
from fastapi import FastAPI

from payroll_api import web, wiring
from payroll_api.api import mount as api
from payroll_api.api.webhooks import Inbox
from payroll_api.services import Services

_MIGRATIONS = Path(__file__).parent / "migrations"


def create_app(services: Services) -> FastAPI:
    """The ASGI application. It opens and closes nothing: `services` belong to whoever made them."""
    app = FastAPI(
        title="Garment Wages",
        version=_version(),
        description="From a garment factory's payroll spreadsheet to money in each worker's hand, each step proven.",
        openapi_url=api.OPENAPI,
        docs_url=None,
        redoc_url=None,
        # Traces and spans would hold what validation errors hold: values.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.heads = _heads
    app.state.families = dict.fromkeys(wiring.payout_connectors(), "payout") | dict.fromkeys(wiring.sms_gateways(), "sms")
    app.state.inbox = Inbox(services)
    api.mount(app, services)
    # Last: its last route answers every address that is nobody's.
    web.mount(app, services)
    return app


def _version() -> str:
    try:
        return metadata.version("garment-wages")
    except metadata.PackageNotFoundError:
        return "0"


def _heads() -> set[str]:
    """The newest revisions that this code knows. Read from the folder: `app` and `migrations` know nothing of each other."""
    return set(ScriptDirectory(str(_MIGRATIONS)).get_heads())
