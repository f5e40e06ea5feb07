"""A wallet provider that speaks the GSMA Mobile Money API 1.1.2 on loopback, keeps a journal, and fails on purpose.

python -m connectors.payouts.gsma_mobile_money.simulator --port 8102 --journal wallet.jsonl --api-key KEY --callback-secret SECRET
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.faults import FaultKind, FaultPlan, FaultPlanError
from connectors.faulty_answers import after_taking, before_reading
from connectors.faulty_server import config as server_config
from connectors.payouts.gsma_mobile_money import simulated_answers as say
from connectors.payouts.gsma_mobile_money.simulated_callbacks import Caller
from connectors.payouts.gsma_mobile_money.simulated_faults import OWN, Question
from connectors.payouts.gsma_mobile_money.simulated_wallet import Books, Item, Taken, Wallet, read_wallets, stamp
from connectors.signatures import content_hash_hex, same
from importers.money import CURRENCIES, Money, MoneyError

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,17})([.][0-9]{0,3}[1-9])?", re.ASCII)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)


class _RefusedError(Exception):
    """The request breaks the API's rules."""

    def __init__(self, status: int, category: str, code: str, description: str = "") -> None:
        super().__init__(code)
        self.response = say.error(status, category, code, description)


class Provider:
    """The simulated provider: its books, its faults, and its handlers."""

    def __init__(self, books: Books, *, api_key: str, callback_secret: str, delay: float, faults: FaultPlan) -> None:
        self.books = books
        self.faults = faults
        self._api_key = api_key
        self._delay = delay
        self._secret = callback_secret
        self._caller: Caller | None = None
        self._working: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Take up what an earlier process left, and stop cleanly."""
        self._caller = Caller(self.books, self._secret)
        for taken in list(self.books.by_correlation.values()):
            if taken.status != "completed" or (taken.callback_url and not taken.called_back):
                self._start(taken)
        yield
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        await self._caller.aclose()
        self.books.close()

    async def post_batch(self, request: Request) -> Response:
        """POST /batchtransactions."""
        return await self._post(request, single=False)

    async def post_single(self, request: Request) -> Response:
        """POST /transactions/type/disbursement."""
        return await self._post(request, single=True)

    async def _post(self, request: Request, *, single: bool) -> Response:
        fault = self.faults.draw("submit")
        if single and fault is FaultKind.PARTIAL_BATCH:  # half of one order is none
            fault = FaultKind.RESET_BEFORE_READ
        early = await before_reading(request, fault, OWN, elsewhere=self.faults.elsewhere)
        if early is not None:
            return early
        try:
            correlation_id = await self._authentic(request)
            wanted = self._read_request(correlation_id, await _json(request), request.headers.get("x-callback-url"), single=single)
            if single:
                self._refuse_single(wanted)
        except _RefusedError as refused:
            return refused.response
        wanted.other_amount = fault is FaultKind.OTHER_AMOUNT_ECHOED
        wanted.other_payee = fault is FaultKind.OTHER_PAYEE_ECHOED
        wanted.out_of_funds = fault is FaultKind.OUT_OF_FUNDS
        if fault is FaultKind.NOT_FOUND_FOR_A_WHILE:
            wanted.hidden_until = time.monotonic() + self.faults.seconds
        if fault is FaultKind.PARTIAL_BATCH:
            del wanted.items[len(wanted.items) // 2 :]
        taken = self.books.take(wanted)
        if taken is wanted:
            self._start(taken)
        return await after_taking(request, fault, self.faults.seconds, say.request_state(taken, 202), OWN)

    async def patch_batch(self, request: Request) -> Response:
        """PATCH /batchtransactions/{id}: the approval of a two-step batch."""
        try:
            await self._authentic(request)
        except _RefusedError as refused:
            return refused.response
        taken = self.books.by_id.get(request.path_params["batch_id"])
        if taken is None:
            return say.not_found()
        change = await _json(request)
        wanted = {"op": "replace", "path": "/batchStatus", "value": "approved"}
        if change != [wanted]:
            return say.error(400, "validation", "formatError")
        self.books.approve(taken)
        return say.request_state(taken, 202)

    async def _authentic(self, request: Request) -> str:
        """The correlation id of a request that is allowed and whole."""
        if not same(self._api_key, request.headers.get("x-api-key", "")) or not request.headers.get("x-client-id"):
            raise _RefusedError(401, "authorisation", "clientAuthorisationError")
        told = request.headers.get("x-content-hash")
        if told is not None and told.lower() != content_hash_hex(await request.body()):
            raise _RefusedError(400, "validation", "formatError", "X-Content-Hash")
        correlation_id = request.headers.get("x-correlationid", "")
        if not _UUID.fullmatch(correlation_id):
            raise _RefusedError(400, "validation", "formatError", "X-CorrelationID")
        return correlation_id.lower()

    def _read_request(self, correlation_id: str, body: Any, callback_url: str | None, *, single: bool) -> Taken:  # noqa: ANN401 JSON
        transactions = [{**body, "type": "disbursement"}] if single and isinstance(body, dict) else _member(body, "transactions", list)
        items = [_item(transaction) for transaction in transactions]
        if not items:
            raise _RefusedError(400, "validation", "mandatoryValueNotSupplied", "transactions")
        return Taken(
            identification=f"BATCH{uuid.uuid4().hex[:12].upper()}",
            title=items[0].reference if single else str(body.get("batchTitle", "")),
            correlation_id=correlation_id,
            server_id=str(uuid.uuid4()),
            callback_url=callback_url,
            items=items,
            single=single,
            created_at=stamp(),
            status="created" if self.books.two_step and not single else "approved",
        )

    def _refuse_single(self, wanted: Taken) -> None:
        """What a provider says at once of one transaction."""
        item = wanted.items[0]
        known = self.books.by_reference.get(item.reference)
        if known is not None and known[0].correlation_id != wanted.correlation_id:
            raise _RefusedError(409, "businessRule", "duplicateRequest")
        wallet = self.books.wallet(item.account)
        if wallet is None:
            raise _RefusedError(404, "identification", "identifierError")
        if wallet.status != "open":
            raise _RefusedError(400, "businessRule", "requestDeclined")

    def _start(self, taken: Taken) -> None:
        task = asyncio.create_task(self._work(taken))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _work(self, taken: Taken) -> None:
        """Execute after the delay (and the approval), then call back."""
        await taken.may_go.wait()
        if taken.status != "completed":
            await asyncio.sleep(self._delay)
            self.books.execute(taken)
        if self._caller is not None:
            body = say.transaction_body(taken, taken.items[0]) if taken.single else say.batch_body(taken)
            await self._caller.tell(taken, body, self.faults)


async def _json(request: Request) -> Any:  # noqa: ANN401 JSON
    try:
        return await request.json()
    except (ValueError, RecursionError):
        raise _RefusedError(400, "validation", "formatError", "body") from None


def _member(body: Any, name: str, kind: type) -> Any:  # noqa: ANN401 JSON
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, kind) or not value:
        raise _RefusedError(400, "validation", "mandatoryValueNotSupplied", name)
    return value


def _item(body: Any) -> Item:  # noqa: ANN401 JSON
    """One disbursement, checked as strictly as the API writes it."""
    amount, code = _member(body, "amount", str), _member(body, "currency", str)
    debit, credit = _member(body, "debitParty", list)[0], _member(body, "creditParty", list)[0]
    if _member(body, "type", str) != "disbursement" or credit.get("key") != "msisdn":
        raise _RefusedError(400, "businessRule", "transactionTypeError")
    if not _AMOUNT.fullmatch(amount) or code not in CURRENCIES:
        raise _RefusedError(400, "validation", "formatError", "amount")
    try:
        money = Money.of(amount, CURRENCIES[code])
    except MoneyError:
        raise _RefusedError(400, "validation", "formatError", "amount") from None
    return Item(
        reference=str(body.get("requestingOrganisationTransactionReference") or uuid.uuid4()),
        account=_member(credit, "value", str),
        amount_minor=money.minor,
        currency=code,
        debit=(_member(debit, "key", str), _member(debit, "value", str)),
        description=str(body.get("descriptionText", ""))[:160],
    )


def create_app(
    *,
    api_key: str,
    callback_secret: str,
    journal: Path | None = None,
    wallets: Mapping[str, Wallet] | None = None,
    delay_ms: int = 0,
    two_step: bool = False,
    faults: FaultPlan | None = None,
) -> Starlette:
    """The provider as an ASGI application; `app.state.provider` is the Provider behind it."""
    books = Books(journal, wallets, two_step=two_step)
    provider = Provider(books, api_key=api_key, callback_secret=callback_secret, delay=delay_ms / 1000, faults=faults or FaultPlan())
    routes = [
        Route("/batchtransactions", provider.post_batch, methods=["POST"]),
        Route("/transactions/type/disbursement", provider.post_single, methods=["POST"]),
        Route("/batchtransactions/{batch_id}", provider.patch_batch, methods=["PATCH"]),
        *(
            Question(path=path, point=point, handler=handler, books=books, faults=lambda: provider.faults, api_key=api_key).route()
            for path, point, handler in say.QUESTIONS
        ),
        *(Route(path, handler, methods=[method]) for method, path, handler in say.CONTROLS),
    ]
    app = Starlette(routes=routes, lifespan=provider.lifespan)
    app.state.provider = provider
    return app


def main() -> None:
    """Serve one simulated provider on 127.0.0.1 until it is stopped."""
    parser = argparse.ArgumentParser(description="A simulated wallet provider (GSMA Mobile Money API 1.1.2)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--journal", type=Path, required=True, help="JSON lines of executed credits; read again at the next start")
    parser.add_argument("--accounts", type=Path, help='{"wallet": [{"account", "holder", "status"}]}; without it every wallet exists')
    parser.add_argument("--api-key", required=True)
    parser.add_argument("--callback-secret", required=True)
    parser.add_argument("--delay-ms", type=int, default=300, help="from taking a request to executing it")
    parser.add_argument("--two-step", action="store_true", help="a batch waits for its approval")
    parser.add_argument("--faults", default="{}", help='a fault plan in JSON, for example {"seed": 7, "rates": {"slow_accept": 0.02}}')
    given = parser.parse_args()
    try:
        faults = FaultPlan.parse(given.faults)
        wallets = read_wallets(given.accounts) if given.accounts else None
    except (FaultPlanError, OSError, ValueError, KeyError) as error:
        parser.error(str(error))
    app = create_app(
        api_key=given.api_key,
        callback_secret=given.callback_secret,
        journal=given.journal,
        wallets=wallets,
        delay_ms=given.delay_ms,
        two_step=given.two_step,
        faults=faults,
    )
    settings = server_config(app)
    settings.host, settings.port = given.host, given.port
    uvicorn.Server(settings).run()


if __name__ == "__main__":
    main()
