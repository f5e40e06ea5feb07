"""A Bakong open API on loopback: accounts that exist, tokens that run out, and faults on purpose."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.faults import FaultPlan
from connectors.faulty_answers import after_taking, before_reading
from connectors.payouts.bakong.mapping import is_account_id


class NationalBank:
    """The simulated National Bank. `journal` stays empty for ever: nothing can be paid here."""

    def __init__(self, accounts: Iterable[str], *, token: str, email: str) -> None:
        self.accounts = frozenset(accounts)
        self.token = token
        self.email = email
        self.faults = FaultPlan()
        self.journal: list[dict[str, Any]] = []
        self.asked = 0
        self.renewals = 0

    @property
    def books(self) -> NationalBank:
        """Itself: it keeps no other books."""
        return self

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Nothing to stop."""
        yield

    async def check(self, request: Request) -> Response:
        """POST /v1/check_bakong_account, and the older name of the same."""
        fault = self.faults.draw("check")
        early = await before_reading(request, fault)
        if early is not None:
            return early
        self.asked += 1
        account = str((await request.json()).get("accountId", ""))
        if request.headers.get("authorization") != f"Bearer {self.token}":
            answer = _said(1, 6, "Unauthorized, not yet requested for token or code invalid", 401)
        elif not is_account_id(account):
            answer = _said(1, 12, "Account ID is invalid")
        elif account in self.accounts:
            answer = _said(0, None, "Account ID exists")
        else:
            answer = _said(1, 11, "Account ID not found")
        return await after_taking(request, fault, self.faults.seconds, answer)

    async def renew(self, request: Request) -> Response:
        """POST /v1/renew_token."""
        if (await request.json()).get("email") != self.email:
            return _said(1, 10, "Not registered yet", 400)
        self.renewals += 1
        self.token = f"token-{secrets.token_hex(12)}"
        return _said(0, None, "Token has been issued", data={"token": self.token})


def _said(response: int, error: int | None, message: str, status: int = 200, data: object = None) -> Response:
    return JSONResponse({"responseCode": response, "responseMessage": message, "errorCode": error, "data": data}, status)


def create_app(bank: NationalBank) -> Starlette:
    """The National Bank as an ASGI application."""
    paths = {"/v1/check_bakong_account": bank.check, "/v1/check_account_exist": bank.check, "/v1/renew_token": bank.renew}
    app = Starlette(routes=[Route(path, handler, methods=["POST"]) for path, handler in paths.items()], lifespan=bank.lifespan)
    app.state.bank = bank
    return app
