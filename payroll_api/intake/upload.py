"""Take a payroll file as it is: kept first, looked at later, so that nothing HR sent is ever lost."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from importers.period import PayPeriod, RunKind
from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.db.base import new_id
from payroll_api.errors import ProblemError
from payroll_api.failpoints import failpoint
from payroll_api.intake.models import PayrollFile
from payroll_api.jobs.names import Job
from payroll_api.jobs.queue import enqueue
from payroll_api.services import Services

LARGEST_FILE = 10 * 1024 * 1024
LONGEST_NAME = 120


def safe_name(name: str) -> str:
    """A file name without folders, control or direction characters, at most 120 long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(ch for ch in last if unicodedata.category(ch)[0] != "C" or ch == "\u200d").strip()
    return kept[-LONGEST_NAME:] or "payroll"


async def upload(
    session: AsyncSession,
    services: Services,
    actor: Actor,
    *,
    file_name: str,
    content: bytes,
    period: PayPeriod,
    kind: RunKind,
    control: dict[str, Any] | None = None,
) -> PayrollFile:
    """Keep a file and ask for it to be read. `control` is what HR typed, as `typed_control` makes it.

    Raises ProblemError `file_too_large` (over 10 MiB) or `file_already_uploaded` (the same bytes for this period and kind; `file_id`
    names the earlier one).
    """
    actor.require(Permission.PREPARE)
    _refuse_large(content)
    digest = hashlib.sha256(content).hexdigest()
    earlier = await session.scalar(
        select(PayrollFile.id).where(
            PayrollFile.content_hash == digest,
            PayrollFile.period == str(period),
            PayrollFile.kind == kind.value,
            PayrollFile.state != "refused",
        )
    )
    if earlier is not None:
        raise _already(str(earlier))
    now = services.clock()
    vault = await services.keys.vault(session)
    file_id = new_id()
    file = PayrollFile(
        factory_id=actor.factory_id,
        id=file_id,
        file_name=safe_name(file_name),
        period=str(period),
        kind=kind.value,
        state="received",
        size=len(content),
        content=vault.seal(content, "payroll_files", file_id, "content"),
        content_hash=digest,
        uploaded_by=actor.name,
        uploaded_at=now,
        rows_done=0,
        rows_total=0,
        review_frozen=False,
        control=control,
    )
    session.add(file)
    try:
        await session.flush()
    except IntegrityError:
        raise _already(None) from None  # two uploads of the same bytes at once: the other one won
    await failpoint("A1")
    data = {"content": digest, "size": len(content), "period": str(period), "kind": kind.value, "control": control}
    await record(session, now, Event(actor=actor.name, action="file.received", subject=f"file:{file_id}", data=data))
    await enqueue(session, Job.READ_FILE, {"file": str(file_id)}, once=str(file_id))
    return file


def _refuse_large(content: bytes) -> None:
    if len(content) > LARGEST_FILE:
        raise ProblemError(
            "file_too_large",
            f"The file has {len(content) / 1024 / 1024:.1f} MiB; at most {LARGEST_FILE // 1024 // 1024} MiB are taken."
            " Remove pictures and other sheets, or split it by department.",
            status=413,
        )


def _already(file_id: str | None) -> ProblemError:
    return ProblemError(
        "file_already_uploaded",
        "This very file was uploaded before for the same period and kind. Open the earlier one, or correct the sheet and upload it again.",
        extra={"file_id": file_id} if file_id else None,
    )
