"""How far a run has come, as a stream of server-sent events or as one snapshot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from payroll_api.access import browser
from payroll_api.access.actor import Permission
from payroll_api.api.route import API, InActor, InServices, StepRoute, operation
from payroll_api.api.shapes import Amount, Output
from payroll_api.errors import ProblemError
from payroll_api.payslips.progress import run_progress
from payroll_api.services import Services

router = APIRouter(prefix=API + "/pay-runs/{run_id}", tags=["pay-runs"], route_class=StepRoute)

EVERY_SECONDS = 1.0
# A stream ends after so many looks; a browser's EventSource comes again by itself, and is asked anew who it is.
LOOKS = 300
STREAM = "text/event-stream"
_DONE = frozenset({"completed", "rejected"})


class Stage(Output):
    """One stage of a payday."""

    name: str = Field(examples=["pay"])
    done: int = Field(examples=[180])
    total: int = Field(examples=[300])


class StateOut(Output):
    """Payments in one state."""

    count: int = Field(examples=[180])
    amounts: list[Amount]


class ProgressOut(Output):
    """How far a run has come."""

    state: str = Field(examples=["released"])
    stages: list[Stage]
    payments: dict[str, StateOut] = Field(description="By state")
    slips: dict[str, int] = Field(description="By state")


def _with_stream(declared: dict[str, Any]) -> dict[str, Any]:
    """The stream stands beside the snapshot in the document."""
    stream = {"schema": {"type": "string"}, "example": 'event: progress\ndata: {"state":"released","stages":[]}\n\n'}
    declared["responses"][200] = {"content": {STREAM: stream}}
    return declared


async def look(services: Services, factory_id: UUID, run_id: UUID) -> ProgressOut:
    """One look, in a transaction of its own."""
    async with services.database.factory(factory_id) as session:
        found: dict[str, Any] = await run_progress(session, run_id)
    states = {
        state: StateOut(count=entry["count"], amounts=[Amount(amount=value, currency=code) for code, value in entry["amounts"].items()])
        for state, entry in found["payments"].items()
    }
    return ProgressOut(state=found["state"], stages=[Stage(**stage) for stage in found["stages"]], payments=states, slips=found["slips"])


def is_done(progress: ProgressOut) -> bool:
    """Whether nothing will change any more: the run has ended, and its slips have arrived where they can."""
    told = next((stage for stage in progress.stages if stage.name == "slips"), None)
    return progress.state in _DONE and (told is None or told.done >= told.total)


@router.get(
    "/progress",
    operation_id="watchPayRun",
    summary="How far a run has come",
    response_model=ProgressOut,
    **_with_stream(operation(Permission.READ, streams=True, errors=[(404, "not_found")])),
)
async def progress(run_id: UUID, request: Request, services: InServices, actor: InActor) -> Response:
    """Each second an event `progress`, at last an event `done`. With `Accept: application/json`, one snapshot."""
    first = await look(services, actor.factory_id, run_id)
    if STREAM not in request.headers.get("accept", ""):
        return Response(first.model_dump_json(), media_type="application/json")
    return StreamingResponse(_events(services, request, actor.factory_id, run_id, first), media_type=STREAM, headers=_UNBUFFERED)


# A proxy that collects the stream would show nothing until its end.
_UNBUFFERED = {"X-Accel-Buffering": "no"}


async def _events(services: Services, request: Request, factory_id: UUID, run_id: UUID, first: ProgressOut) -> AsyncIterator[str]:
    shown = first
    yield f"retry: 2000\n{_event('progress', shown)}"
    for _ in range(LOOKS):
        if is_done(shown):
            yield _event("done", shown)
            return
        await asyncio.sleep(EVERY_SECONDS)
        try:
            # Whoever signed out, or was disabled, sees no more.
            await browser.identify(services, request)
            latest = await look(services, factory_id, run_id)
        except ProblemError as error:
            yield f"event: problem\ndata: {json.dumps({'code': error.code, 'detail': error.detail})}\n\n"
            return
        # An unchanged run is a comment: it keeps the line open and tells us when the client has gone.
        yield _event("progress", latest) if latest != shown else ": unchanged\n\n"
        shown = latest


def _event(name: str, progress_: ProgressOut) -> str:
    return f"event: {name}\ndata: {progress_.model_dump_json()}\n\n"
