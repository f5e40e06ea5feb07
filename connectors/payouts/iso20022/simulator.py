"""A bank that speaks ISO 20022 over HTTP on loopback, keeps a journal of what it executed, and fails on purpose.

python -m connectors.payouts.iso20022.simulator --port 8101 --journal bank.jsonl --secret whsec_... --webhook-secret whsec_...
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.faults import FaultKind, FaultPlan, FaultPlanError
from connectors.faulty_answers import after_taking, before_reading
from connectors.faulty_server import config as server_config
from connectors.payouts.iso20022.simulated_bank import Account, Books, Message, read_accounts, stamp
from connectors.payouts.iso20022.simulated_events import Teller
from connectors.payouts.iso20022.simulated_messages import (
    Instruction,
    MessageRefusedError,
    Original,
    read_instruction,
    write_receipt,
    write_refusal,
    write_report,
)
from connectors.payouts.iso20022.simulated_plants import PLANTS, plant
from connectors.payouts.iso20022.simulated_statement import write_statement
from connectors.signatures import SecretError, SignatureRefusedError, same, verify

_XML, _PROBLEM = "application/xml", "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """How the bank behaves. `credential` defaults to `secret`; `plants` are errors of its statements."""

    secret: str
    webhook_secret: str
    credential: str = ""
    journal: Path | None = None
    accounts: Mapping[str, Account] | None = None
    delay_seconds: float = 0.0
    faults: FaultPlan = field(default_factory=FaultPlan)
    plants: tuple[str, ...] = ()


class Bank:
    """The simulated bank: books, faults and handlers."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.books = Books.open(config.journal, config.accounts)
        self.faults = config.faults
        self.plants = config.plants
        self._config = config
        self._teller: Teller | None = None
        self._working: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Take up what an earlier process left, and stop cleanly."""
        self._teller = Teller(self.books, self._config.webhook_secret, lambda: self.faults)
        for message in self.books.messages.values():
            if not message.done_at or (message.callback_url and not message.told):
                self._start(message)
        yield
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        await self._teller.aclose()
        self.books.close()

    async def submit(self, request: Request) -> Response:
        """POST /payments: a signed pain.001."""
        fault, body, refusal = await self._received(request, "submit")
        if refusal is not None:
            return refusal
        try:
            instruction = read_instruction(body)
        except MessageRefusedError as error:
            return Response(write_refusal(error.message, error.reason, stamp()), 400, media_type=_XML)
        count = len(instruction.transfers) // 2 if fault is FaultKind.PARTIAL_BATCH else None
        message = self.books.take(
            instruction, request.headers.get("x-callback-url", ""), count=count, out_of_funds=fault is FaultKind.OUT_OF_FUNDS
        )
        if message is None:
            return Response(write_refusal(instruction.message, "DU01", stamp()), 409, media_type=_XML)
        if fault is FaultKind.NOT_FOUND_FOR_A_WHILE:
            message.hidden_until = asyncio.get_running_loop().time() + self.faults.seconds
        message.other_payee = fault is FaultKind.OTHER_PAYEE_ECHOED
        self._start(message)
        receipt = write_receipt(_echoed(instruction, fault), stamp())
        return await after_taking(request, fault, self.faults.seconds, Response(receipt, 202, media_type=_XML))

    async def look_up(self, request: Request) -> Response:
        """GET /payments/{message}: the status report of a message."""
        fault, _, refusal = await self._received(request, "look_up")
        if refusal is not None:
            return refusal
        message = self.books.messages.get(request.path_params["message"])
        hidden = message is not None and asyncio.get_running_loop().time() < message.hidden_until
        if message is None or hidden or fault is FaultKind.NOT_FOUND_FOR_A_WHILE:
            return _problem(404, "no message with this MsgId")
        orders = message.told_of()
        if fault is FaultKind.OTHER_AMOUNT_ECHOED:
            orders = [told.with_another_amount() for told in orders]
        if fault is FaultKind.OTHER_PAYEE_ECHOED or message.other_payee:
            orders = [told.with_another_payee() for told in orders]
        report = write_report(message.original, message.done_at or stamp(), orders)
        return await after_taking(request, fault, self.faults.seconds, Response(report, media_type=_XML))

    async def check(self, request: Request) -> Response:
        """POST /account-check and /account-checks: whether an account, or each of a list, exists and whose it is."""
        fault, body, refusal = await self._received(request, "check")
        if refusal is not None:
            return refusal
        many = request.url.path.endswith("s")
        try:
            question = json.loads(body)
            asked = [str(one["account"]) for one in (question["accounts"] if many else [question])]
        except (ValueError, KeyError, TypeError):
            return _problem(400, "the question is {account, bank}, or {accounts: [...]} of such")
        answers = [self._word_on(account) for account in asked]
        if fault is FaultKind.OTHER_PAYEE_ECHOED:  # of several the true answers, in another order
            answers = answers[::-1] if many else [answers[0] | {"account": "999999999"}]
        said: dict[str, object] = {"answers": answers} if many else answers[0]
        return await after_taking(request, fault, self.faults.seconds, JSONResponse(said))

    def _word_on(self, asked: str) -> dict[str, object]:
        if self.books.accounts is None:
            return {"account": asked, "exists": True, "status": "open", "holder": None}
        account = self.books.accounts.get(asked)
        status = account and account.status.replace("blocked", "open")  # blocked on the way from this question to payday
        return {"account": asked, "exists": account is not None, "status": status, "holder": account and account.holder}

    async def statement(self, request: Request) -> Response:
        """GET /statements/{day}: the camt.053 of the account in X-Account, or of the only one."""
        fault, _, refusal = await self._received(request, "statement")
        if refusal is not None:
            return refusal
        known = self.books.debtors()
        debtor = request.headers.get("x-account") or (known[0] if len(known) == 1 else "")
        day = request.path_params["day"]
        booked = self.books.bookings(debtor, day)
        if booked is None:
            return _problem(404, "no statement of this account and day")
        opening, lines = booked
        statement = write_statement(debtor, day, stamp(), opening, plant(lines, self.plants))
        return await after_taking(request, fault, self.faults.seconds, Response(statement, media_type=_XML))

    async def balance(self, request: Request) -> Response:
        """GET /balance: what the account in X-Account can pay now, in dollars unless it ordered riel only."""
        fault, _, refusal = await self._received(request, "check")
        if refusal is not None:
            return refusal
        debtor = request.headers.get("x-account", "")
        moved = {line["currency"] for line in self.books.journal if line["debtor"] == debtor}
        left = self.books.left(debtor, "KHR" if moved == {"KHR"} else "USD")
        said = JSONResponse({"available": str(left.amount), "currency": left.currency.code})
        return await after_taking(request, fault, self.faults.seconds, said)

    async def journal(self, _request: Request) -> Response:
        """GET /simulator/journal: what was executed, for tests."""
        return JSONResponse(self.books.journal)

    async def give_back(self, request: Request) -> Response:
        """POST /simulator/returns/{reference}: let an executed credit come back, for tests."""
        found = self.books.give_back(request.path_params["reference"])
        return Response(status_code=204) if found else _problem(404, "no executed credit with this reference, or it came back before")

    def _start(self, message: Message) -> None:
        task = asyncio.create_task(self._work(message))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _work(self, message: Message) -> None:
        if not message.done_at:
            await asyncio.sleep(self._config.delay_seconds)
            self.books.execute(message)
        if self._teller is not None:
            await self._teller.tell(message)

    async def _received(self, request: Request, point: str) -> tuple[FaultKind | None, bytes, Response | None]:
        """The fault of this call, its body, and what ends it here: a fault before reading, or a stranger's refusal."""
        fault = self.faults.draw(point)
        early = await before_reading(request, fault, elsewhere=self.faults.elsewhere)
        if early is not None:
            return fault, b"", early
        body = await request.body()
        return fault, body, self._stranger(request, body if request.method == "POST" else None)

    def _stranger(self, request: Request, body: bytes | None = None) -> Response | None:
        """The refusal of a request that does not prove where it comes from; messages with a body must be signed."""
        bearer = f"Bearer {self._config.credential or self._config.secret}"
        if not same(bearer, request.headers.get("authorization", "")):
            return _problem(401, "the credential is not known")
        if body is None:
            return None
        try:
            verify(request.headers, body, secrets=[self._config.secret], now=datetime.now(UTC))
        except SignatureRefusedError:
            return _problem(401, "the signature does not hold")
        return None


def _echoed(instruction: Instruction, fault: FaultKind | None) -> Original:
    total = instruction.total
    if fault is FaultKind.OTHER_AMOUNT_ECHOED:
        total = f"1{total}"
    return Original(message=instruction.message, name=instruction.name, count=len(instruction.transfers), total=total)


def _problem(status: int, title: str) -> Response:
    return JSONResponse({"title": title, "status": status}, status, media_type=_PROBLEM)


def create_app(config: SimulatorConfig) -> Starlette:
    """The bank as an ASGI application; `app.state.bank` is the Bank behind it."""
    bank = Bank(config)
    routes = [
        Route("/payments", bank.submit, methods=["POST"]),
        Route("/payments/{message}", bank.look_up, methods=["GET"]),
        Route("/account-check", bank.check, methods=["POST"]),
        Route("/account-checks", bank.check, methods=["POST"]),
        Route("/statements/{day}", bank.statement, methods=["GET"]),
        Route("/balance", bank.balance, methods=["GET"]),
        Route("/simulator/journal", bank.journal, methods=["GET"]),
        Route("/simulator/returns/{reference}", bank.give_back, methods=["POST"]),
    ]
    app = Starlette(routes=routes, lifespan=bank.lifespan)
    app.state.bank = bank
    return app


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A simulated bank (ISO 20022 over HTTP)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--journal", type=Path, required=True, help="JSON lines of executed credits; read again at the next start")
    parser.add_argument("--accounts", type=Path, help='{"bank": [{"account", "holder", "status"}]}; without it every account exists')
    parser.add_argument("--secret", required=True, help="whsec_...: what the factory signs its messages with")
    parser.add_argument("--credential", default="", help="the bearer credential; the secret where it is missing")
    parser.add_argument("--webhook-secret", required=True, help="whsec_...: what the bank signs its reports with")
    parser.add_argument("--delay-ms", type=int, default=300, help="from taking a message to executing it")
    parser.add_argument("--faults", default="{}", help="a fault plan in JSON, or a file that holds one")
    parser.add_argument("--seed", type=int, help="for the fault plan's draws, in place of its own")
    parser.add_argument("--plant", default="", help=f"errors of the statements, with commas: {', '.join(PLANTS)}")
    return parser


def read_faults(text: str, seed: int | None) -> FaultPlan:
    """A plan from JSON or from a file. Raises FaultPlanError or OSError."""
    plan = FaultPlan.parse(text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8"))
    return plan if seed is None else FaultPlan(seed=seed, rates=plan.rates, script=plan.script, seconds=plan.seconds)


def main() -> None:
    """Serve one simulated bank on 127.0.0.1 until it is stopped."""
    parser = _arguments()
    given = parser.parse_args()
    plants = tuple(name for name in given.plant.split(",") if name)
    if not set(plants) <= set(PLANTS):
        parser.error(f"--plant knows {', '.join(PLANTS)}")
    try:
        config = SimulatorConfig(
            secret=given.secret,
            webhook_secret=given.webhook_secret,
            credential=given.credential,
            journal=given.journal,
            accounts=read_accounts(given.accounts) if given.accounts else None,
            delay_seconds=given.delay_ms / 1000,
            faults=read_faults(given.faults, given.seed),
            plants=plants,
        )
        app = create_app(config)
    except (FaultPlanError, SecretError, OSError, ValueError, KeyError) as error:
        parser.error(str(error))
    settings = server_config(app)
    settings.host, settings.port = given.host, given.port
    uvicorn.Server(settings).run()


if __name__ == "__main__":
    main()
