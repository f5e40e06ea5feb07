"""A request that creates has its effect once, however often it comes.

The key is taken by a transaction's lock and the answer is written in the transaction of the effect: either both are there or neither.
A refusal has no effect and is not remembered: the same key may be used again once the reason is gone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from payroll_api.access.actor import Actor
from payroll_api.api.models import IdempotentRequest
from payroll_api.encryption.vault import Vault
from payroll_api.errors import InvalidError, ProblemError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY = re.compile(r"^[\x21-\x7e]{8,128}$")
_PIECE = 256 * 1024


def key_of(request: Request) -> str:
    """The request's key. Raises ProblemError `idempotency_key_missing` or InvalidError `idempotency_key_invalid`."""
    key = request.headers.get(HEADER)
    if key is None:
        raise ProblemError(
            "idempotency_key_missing",
            f"Send the header {HEADER} with a value of your own such as a UUID: new for each thing you create, the same when you repeat.",
            status=400,
        )
    if KEY.match(key) is None:
        raise InvalidError(f"The header {HEADER} takes 8 to 128 visible ASCII characters; a UUID is good.", code="idempotency_key_invalid")
    return key


async def fingerprint(request: Request) -> bytes:
    """A hash of method, address and content. A multipart body counts by its fields: its boundary is new at each repetition."""
    digest = hashlib.sha256()

    def add(part: bytes) -> None:
        digest.update(len(part).to_bytes(8) + part)

    for text in (request.method, request.url.path, request.url.query):
        add(text.encode())
    if not request.headers.get("content-type", "").casefold().startswith("multipart/"):
        add(await request.body())
        return digest.digest()
    for name, value in sorted((await request.form()).multi_items(), key=lambda item: item[0]):
        add(name.encode())
        if isinstance(value, UploadFile):
            add((value.filename or "").encode())
            inner = hashlib.sha256()
            while piece := await value.read(_PIECE):
                inner.update(piece)
            await value.seek(0)
            add(inner.digest())
        elif name != "csrf_token":
            add(value.encode())
    return digest.digest()


async def once(
    session: AsyncSession,
    vault: Vault,
    actor: Actor,
    key: str,
    print_: bytes,
    at: datetime,
    effect: Callable[[], Awaitable[Response]],
) -> Response:
    """Do `effect` unless it was done under this key; then give its first answer again.

    Raises ProblemError `idempotency_key_in_use` while the first is still under way, InvalidError `idempotency_key_reused` when the key
    came with another request.
    """
    name = f"idempotency|{actor.factory_id}|{actor.name}|{key}"
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)))):
        raise ProblemError("idempotency_key_in_use", "A request with this key is still under way. Wait a moment, then repeat this one.")
    place = f"{actor.name}|{key}"
    stored = await session.scalar(select(IdempotentRequest).where(IdempotentRequest.actor == actor.name, IdempotentRequest.key == key))
    if stored is not None:
        if stored.fingerprint != print_:
            raise InvalidError(
                f"This {HEADER} was used for another request. Take a new one for a new request.", code="idempotency_key_reused"
            )
        body = vault.open_bytes(stored.answer, "idempotent_requests", place, "answer")
        return Response(body, stored.status, media_type="application/json", headers={REPLAYED: "true"})
    response = await effect()
    if response.status_code < HTTPStatus.BAD_REQUEST:
        # Sealed: an answer may hold a new key or a person's name.
        answer = vault.seal(bytes(response.body), "idempotent_requests", place, "answer")
        session.add(
            IdempotentRequest(
                factory_id=actor.factory_id,
                actor=actor.name,
                key=key,
                fingerprint=print_,
                status=response.status_code,
                answer=answer,
                created_at=at,
            )
        )
        await session.flush()
    return response
