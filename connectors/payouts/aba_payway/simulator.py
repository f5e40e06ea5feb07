"""A PayWay that speaks the payout API on loopback: it decrypts, verifies every hash, keeps a journal, and fails on purpose.

python -m connectors.payouts.aba_payway.simulator --port 8104 --journal payway.jsonl --merchant-id m1 --api-key KEY --private-key key.pem
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.faults import FaultKind, FaultPlan, FaultPlanError
from connectors.faulty_answers import after_taking, before_reading
from connectors.faulty_server import config as server_config
from connectors.payouts.aba_payway import client as paths
from connectors.payouts.aba_payway import simulated_answers as say
from connectors.payouts.aba_payway.sealing import hash_base64, hash_hex, unseal
from connectors.payouts.aba_payway.simulated_bank import Account, Books, Transaction, read_accounts
from connectors.payouts.aba_payway.simulated_pushback import Pusher
from connectors.signatures import same
from importers.money import Money, MoneyError, currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """Who may ask, and how hashes are written here."""

    merchant_id: str
    api_key: str = field(repr=False)
    key: RSAPrivateKey = field(repr=False)
    currency: str = "USD"
    payout_hash: str = "hex"


class _RefusedError(Exception):
    """The request breaks a rule."""

    def __init__(self, code: str, message: str, status: int = 403) -> None:
        super().__init__(code)
        self.response = say.status(code, message, http=status)


class Payway:
    """The simulated PayWay: its books, its faults, and its handlers."""

    def __init__(self, merchant: Merchant, books: Books, *, pushback_url: str | None, faults: FaultPlan) -> None:
        self.books = books
        self.faults = faults
        self.pushback_url = pushback_url
        self._merchant = merchant
        self._pusher = Pusher(merchant.api_key)

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Stop cleanly."""
        yield
        await self._pusher.aclose()

    async def payout(self, request: Request) -> Response:
        """POST .../merchant/payout: one transaction, executed at once."""
        fault = self.faults.draw("submit")
        if fault is FaultKind.PARTIAL_BATCH:  # half of one order is none
            fault = FaultKind.RESET_BEFORE_READ
        early = await before_reading(request, fault, say.OWN, elsewhere=self.faults.elsewhere)
        if early is not None:
            return early
        try:
            transaction, name = self._execute(await _fields(request), fault)
        except _RefusedError as refused:
            return refused.response
        if fault is FaultKind.NOT_FOUND_FOR_A_WHILE:
            transaction.hidden_until = time.monotonic() + self.faults.seconds
        if self.pushback_url is not None:
            self._pusher.tell(self.pushback_url, transaction, self.faults)
        answer = say.paid(transaction, name, other=fault is FaultKind.OTHER_AMOUNT_ECHOED, stranger=fault is FaultKind.OTHER_PAYEE_ECHOED)
        return await after_taking(request, fault, self.faults.seconds, answer, say.OWN)

    def _execute(self, body: Mapping[str, Any], fault: FaultKind | None) -> tuple[Transaction, str]:
        merchant, reference, unit = _text(body, "merchant_id"), _text(body, "tran_id"), _text(body, "currency")
        amount, custom = str(body.get("amount", "")), str(body.get("custom_fields", ""))
        keyed = hash_hex if self._merchant.payout_hash == "hex" else hash_base64
        expected = keyed(self._merchant.api_key, merchant, reference, _text(body, "beneficiaries"), amount, custom, unit)
        if merchant != self._merchant.merchant_id or not same(expected, _text(body, "hash")):
            raise _RefusedError("1", "Wrong Hash.")
        if len(reference) > 20 or not reference.replace("-", "").isalnum():  # noqa: PLR2004 PayWay's longest
            raise _RefusedError("48", "Something went wrong with requested parameters", 400)
        if reference in self.books.transactions:
            raise _RefusedError("4", "Duplicated transaction ID")
        account, each = self._beneficiary(_text(body, "beneficiaries"))
        if each != amount:
            raise _RefusedError("92", "Total payout amount doesn't match total transaction amount")
        if unit != self._merchant.currency:
            raise _RefusedError("85", "Transaction currency doesn't match merchant's currency")
        if not self.books.whitelist.get(account, False):
            raise _RefusedError("37", "Payout accounts are not in whitelist")
        known = self.books.account(account)
        if known is None or known.status != "open":
            raise _RefusedError("36", "Payout account or amount is invalid")
        if fault is FaultKind.OUT_OF_FUNDS:
            raise _RefusedError("93", "Insufficient balance")
        return self.books.execute(reference, account, _money(amount, unit)), known.holder

    def _beneficiary(self, sealed: str) -> tuple[str, str]:
        try:
            listed = json.loads(unseal(self._merchant.key, sealed), parse_float=str, parse_int=str)
            return str(listed[0]["account"]), str(listed[0]["amount"])
        except (ValueError, KeyError, IndexError, TypeError):
            raise _RefusedError("24", "Cannot decrypt data") from None

    async def check(self, request: Request) -> Response:
        """POST .../check-transaction-2."""

        def answer(body: Mapping[str, Any], fault: FaultKind | None) -> Response:
            reference = _text(body, "tran_id")
            self._verify(body, _text(body, "req_time"), _text(body, "merchant_id"), reference)
            found = self.books.shown(reference)
            if found is None or fault is FaultKind.NOT_FOUND_FOR_A_WHILE:
                return say.status("6", "tran_id not found", reference, http=200)
            return say.checked(found, other=fault is FaultKind.OTHER_AMOUNT_ECHOED)

        return await self._ask(request, "look_up", answer)

    async def transactions(self, request: Request) -> Response:
        """POST .../transaction-list-2."""

        def answer(body: Mapping[str, Any], _fault: FaultKind | None) -> Response:
            names = ("req_time", "merchant_id", "from_date", "to_date", "from_amount", "to_amount", "status", "page", "pagination")
            self._verify(body, *(str(body.get(name, "")) for name in names))
            page, size = int(str(body.get("page", "1"))), min(int(str(body.get("pagination", "40"))), 1000)
            between = [each for each in self.books.transactions.values() if str(body["from_date"]) <= each.at <= str(body["to_date"])]
            return say.listed(between[(page - 1) * size : page * size], page, size)

        return await self._ask(request, "statement", answer)

    async def whitelist(self, request: Request) -> Response:
        """POST .../add-whitelist-payout and .../update-whitelist-status."""
        adds = request.url.path == paths.ADD_TO_WHITELIST

        def answer(body: Mapping[str, Any], _fault: FaultKind | None) -> Response:
            self._verify(body, _text(body, "request_time"), _text(body, "merchant_auth"))
            try:
                asked = json.loads(unseal(self._merchant.key, _text(body, "merchant_auth")))
            except ValueError:
                raise _RefusedError("24", "Cannot decrypt data") from None
            payee = str(asked.get("payee", ""))
            known = self.books.account(payee)
            if asked.get("mc_id") != self._merchant.merchant_id:
                raise _RefusedError("PTL150", "Business profile is not found")
            if known is None:
                raise _RefusedError("PTL134", "Account not found")
            if adds and payee in self.books.whitelist:
                raise _RefusedError("PTL148", "Payee already exist")
            self.books.allow(payee, enabled=adds or bool(asked.get("status")))
            return say.payee(payee, known.holder, self._merchant.currency, enabled=self.books.whitelist[payee])

        return await self._ask(request, "check", answer)

    async def _ask(self, request: Request, point: str, handler: Callable[[Mapping[str, Any], FaultKind | None], Response]) -> Response:
        fault = self.faults.draw(point)
        early = await before_reading(request, fault, say.OWN, elsewhere=self.faults.elsewhere)
        if early is not None:
            return early
        try:
            answer = handler(await _fields(request), fault)
        except _RefusedError as refused:
            answer = refused.response
        return await after_taking(request, fault, self.faults.seconds, answer, say.OWN)

    def _verify(self, body: Mapping[str, Any], *parts: str) -> None:
        ours = hash_base64(self._merchant.api_key, *parts)
        if _text(body, "merchant_id") != self._merchant.merchant_id or not same(ours, _text(body, "hash")):
            raise _RefusedError("1", "Wrong Hash.")


async def _fields(request: Request) -> Mapping[str, Any]:
    """The body with every number as the digits that were sent."""
    try:
        body = json.loads(await request.body(), parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise _RefusedError("48", "Something went wrong with requested parameters", 400)
    return body


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise _RefusedError("48", f"{name} is required", 400)
    return value


def _money(text: str, unit: str) -> Money:
    try:
        return Money.of(text, currency(unit))
    except MoneyError:
        raise _RefusedError("36", "Payout account or amount is invalid") from None


def create_app(
    merchant: Merchant,
    *,
    journal: Path | None = None,
    accounts: Mapping[str, Account] | None = None,
    pushback_url: str | None = None,
    faults: FaultPlan | None = None,
) -> Starlette:
    """PayWay as an ASGI application; `app.state.payway` is the Payway behind it."""
    payway = Payway(merchant, Books(journal, accounts), pushback_url=pushback_url, faults=faults or FaultPlan())
    posts: Mapping[str, Any] = {
        paths.PAYOUT: payway.payout,
        paths.CHECK: payway.check,
        paths.TRANSACTIONS: payway.transactions,
        paths.ADD_TO_WHITELIST: payway.whitelist,
        paths.UPDATE_WHITELIST: payway.whitelist,
    }
    routes = [Route(path, handler, methods=["POST"]) for path, handler in posts.items()]
    app = Starlette(routes=[*routes, *say.controls()], lifespan=payway.lifespan)
    app.state.payway = payway
    return app


def main() -> None:
    """Serve one simulated PayWay on 127.0.0.1 until it is stopped."""
    parser = argparse.ArgumentParser(description="A simulated ABA PayWay (payout API)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--journal", type=Path, required=True, help="JSON lines of executed credits; read again at the next start")
    parser.add_argument("--accounts", type=Path, help='{"bank_account": [{"account", "holder", "status"}]}; or every account exists')
    parser.add_argument("--merchant-id", required=True)
    parser.add_argument("--api-key", required=True)
    parser.add_argument("--private-key", type=Path, required=True, help="PEM of the RSA key whose public half the connector has")
    parser.add_argument("--currency", default="USD", choices=["USD", "KHR"])
    parser.add_argument("--pushback-url", help="where executed payouts are told")
    parser.add_argument("--faults", default="{}", help='a fault plan in JSON, for example {"seed": 7, "rates": {"slow_accept": 0.02}}')
    given = parser.parse_args()
    try:
        key = load_pem_private_key(given.private_key.read_bytes(), password=None)
        if not isinstance(key, RSAPrivateKey):
            parser.error("--private-key holds no RSA key")
        faults = FaultPlan.parse(given.faults)
        accounts = read_accounts(given.accounts) if given.accounts else None
    except (FaultPlanError, OSError, ValueError, KeyError) as error:
        parser.error(str(error))
    merchant = Merchant(merchant_id=given.merchant_id, api_key=given.api_key, key=key, currency=given.currency)
    app = create_app(merchant, journal=given.journal, accounts=accounts, pushback_url=given.pushback_url, faults=faults)
    settings = server_config(app)
    settings.host, settings.port = given.host, given.port
    uvicorn.Server(settings).run()


if __name__ == "__main__":
    main()
