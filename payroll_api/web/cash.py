"""The cash list to sign, who was paid by it, and what is counted back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.cash.notes import notes_for
from importers.money import Money, currency
from payroll_api.errors import InvalidError, ProblemError
from payroll_api.factories.models import ProviderAccount
from payroll_api.payments.cash import Pile, confirm_cash, count_back
from payroll_api.payments.models import Payment
from payroll_api.payments.verdict import FAILED
from payroll_api.people.keys import masked
from payroll_api.people.models import Worker
from payroll_api.runs.find import get_run
from payroll_api.typed_money import typed_money
from payroll_api.web import formats
from payroll_api.web.page import Doer, Page, Reader
from payroll_api.web.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

# The list to sign is one document: it is not cut into pages. It is as long as a list of the cash desk at most, and says so when cut.
_CASH = 5000
_LONGEST_COUNT = 6


@router.get("/runs/{run_id}/cash")
async def cash(page: Reader, run_id: UUID) -> Response:
    """The list that workers sign when they are paid in cash."""
    async with page.session() as session:
        run = await get_run(session, run_id)
        found = await _cash_payments(session, page, run_id)
    waiting = sum(1 for item in found if item["state"] == "accepted")
    return page.show(
        "cash_list.html",
        run=run,
        items=found,
        total=formats.sum_of((item["amount_minor"], item["currency"]) for item in found),
        waiting=waiting,
        units=sorted({item["currency"] for item in found if item["state"] == "accepted"}, reverse=True),
        notes=notes_for(
            Money(item["amount_minor"], currency(item["currency"])) for item in found if item["state"] not in ("paid", *FAILED)
        ),
        may_confirm=page.may("settle") and waiting > 0,
        is_cut=len(found) == _CASH,
    )


@router.post("/runs/{run_id}/cash")
async def signed(page: Doer, run_id: UUID) -> Response:
    """Count envelopes as paid that were signed for: all of the list, or those chosen."""
    codes = page.chosen("worker")
    if not codes and not page.typed("all"):
        raise InvalidError("Choose those who were paid, or confirm the whole list.")
    async with page.session() as session:
        if page.typed("all"):
            # Everybody on the list that was shown: whoever came onto it since has not signed.
            codes = [item["worker_code"] for item in await _cash_payments(session, page, run_id) if item["state"] == "accepted"]
            if page.typed("shown") != str(len(codes)):
                raise ProblemError("list_changed", "The list has changed since it was shown. Load it again, and look who has signed.")
        await confirm_cash(session, page.services, page.actor, run_id, codes)
    return page.go(f"/runs/{run_id}/cash", "cash")


@router.post("/runs/{run_id}/cash/back")
async def counted_back(page: Doer, run_id: UUID) -> Response:
    """Take back the envelopes that nobody came for, as they were counted."""
    counted = {unit: _pile(page, unit) for unit in page.chosen("unit")}
    async with page.session() as session:
        await count_back(session, page.services, page.actor, run_id, counted)
    return page.go(f"/runs/{run_id}/cash", "cash_back")


def _pile(page: Page, unit: str) -> Pile:
    """How many envelopes of a currency were counted, and the money in them."""
    count = page.typed(f"count_{unit}").strip()
    if not (count.isascii() and count.isdigit() and len(count) <= _LONGEST_COUNT):
        raise InvalidError("Write how many envelopes came back, such as 3.", fields=[{"field": f"count_{unit}", "problem": "no number"}])
    return int(count), typed_money(page.typed(f"amount_{unit}"), unit, field=f"amount_{unit}")


async def _cash_payments(session: AsyncSession, page: Page, run_id: UUID) -> list[dict[str, Any]]:
    query = (
        select(Payment, Worker)
        .join(Worker, (Worker.factory_id == Payment.factory_id) & (Worker.id == Payment.worker_id))
        .join(ProviderAccount, (ProviderAccount.factory_id == Payment.factory_id) & (ProviderAccount.id == Payment.provider_account_id))
        .where(Payment.run_id == run_id, ProviderAccount.kind == "cash", Payment.state.not_in(("cancelled", "held")))
        .order_by(Payment.worker_code)
        .limit(_CASH)
    )
    vault = await page.services.keys.vault(session)
    rows = []
    for item, worker in await session.execute(query):
        name = vault.open(worker.name, "workers", worker.id, "name")
        rows.append(
            {
                "worker_code": item.worker_code,
                # The list is signed by the person named: whoever may not read names cannot print a list that is worth anything.
                "name": name if page.may("read_personal") else masked(name, 1),
                "state": item.state,
                "amount_minor": item.amount_minor,
                "currency": item.currency,
            }
        )
    return rows
