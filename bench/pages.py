"""P10: every list page and every list of the API with a million payments in the database: the 95th percentile of each, in milliseconds.

The pages are asked for in this process over ASGI, so what is measured is our code and PostgreSQL, not a network. One page is measured at
the list's beginning, and lists that go on are followed to their second part.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select, text

from bench.filled import NOW, Filled, filled
from bench.statement import match_bytes, statement
from payroll_api.access.actor import Role
from payroll_api.access.models import User
from payroll_api.access.sessions import open_session
from payroll_api.access.users import create_user
from payroll_api.app import create_app

FLOOR_MS, AIM_MS = 300, 100
_PASSWORD = "seven lotus ponds at dawn"  # noqa: S105 of a database that is deleted a minute later
_NEXT = re.compile(r'rel="next"[^>]*href="([^"]+)"|href="([^"]+)"[^>]*rel="next"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One address and how long it took, sorted, in milliseconds."""

    name: str
    took: Sequence[float]

    @property
    def p95(self) -> float:
        """The 95th percentile."""
        return self.took[min(len(self.took) - 1, round(0.95 * len(self.took)))]


def addresses(ids: dict[str, str]) -> list[str]:
    """Every page and every list; a test of the suite looks that none is missing here."""
    run, worker, payment, account = ids["run"], ids["worker"], ids["payment"], ids["account"]
    days = "first=2026-11-01&last=2026-11-30"
    api = "/api/v1"
    return [
        "/", "/workers", f"/workers/{worker}", "/statements", "/breaks", "/breaks?kind=missing", "/messages", "/alarms", "/audit",
        "/factory", f"/runs/{run}", f"/runs/{run}/payments", f"/runs/{run}/payments?state=accepted", f"/runs/{run}/people",
        f"/runs/{run}/slips",
        f"/runs/{run}/cash", f"/payments/{payment}", f"/settlement?{days}",
        f"/settlement/day-end?account={account}&currency=USD&{days}", f"/settlement/unpaid?{days}", f"/settlement/returned?{days}",
        f"/settlement/breaks?{days}", f"/settlement/charges?{days}", f"/settlement/run?run={run}", "/settlement-rules",
        f"{api}/payments", f"{api}/payments?state=accepted", f"{api}/pay-runs", f"{api}/pay-runs/{run}", f"{api}/pay-runs/{run}/payments",
        f"{api}/pay-runs/{run}/items", f"{api}/pay-runs/{run}/progress", f"{api}/workers", f"{api}/statements", f"{api}/settlement/breaks",
        f"{api}/settlement/rails", f"{api}/settlement/rails/{account}/day-end?currency=USD&{days}", f"{api}/slips", f"{api}/alarms",
        f"{api}/audit/events", f"{api}/payroll-files", f"{api}/users",
    ]  # fmt: skip


async def measure(runs: int, workers: int, times: int) -> list[Measured]:
    """Fill a database, match the newest statement, and look at everything `times` times."""
    async with filled(runs=runs, workers=workers) as here:
        content, _ = statement(runs - 1, workers)
        await match_bytes(here, content)
        await here.services.database.analyze("settlement_breaks", "statement_lines", "audit_events", "payments", "ledger_transfers")
        headers, ids = await _sign_in(here)
        transport = httpx.ASGITransport(app=create_app(here.services))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers) as client:
            return [await _one(client, address, times) for address in addresses(ids)]


async def _sign_in(here: Filled) -> tuple[dict[str, str], dict[str, str]]:
    async with here.services.database.factory(here.factory_id) as session:
        made = await create_user(
            session, here.services, None, login="bench@bench", display_name="Bench", password=_PASSWORD, roles=list(Role), language="en"
        )
        user = await session.scalar(select(User).where(User.id == made.id))
        assert user is not None
        token, _ = await open_session(session, user, NOW)
        queries = {
            "run": "select id from pay_runs order by created_at desc limit 1",
            "worker": "select id from workers limit 1",
            "payment": "select id from payments order by id limit 1",
        }
        ids = {name: str(await session.scalar(text(query))) for name, query in queries.items()}
    return {"Cookie": f"session={token}"}, {**ids, "account": str(here.bank)}


async def _one(client: httpx.AsyncClient, address: str, times: int) -> Measured:
    took = []
    await client.get(address)  # templates and statements are compiled once in a process's life
    for _ in range(times):
        began = time.perf_counter()
        answer = await client.get(address)
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code in {200, 404}, (address, answer.status_code, answer.text[:300])
    onward = _next(address, answer)
    if onward:
        began = time.perf_counter()
        assert (await client.get(onward)).status_code == 200, onward
        took.append((time.perf_counter() - began) * 1000)
    return Measured(name=re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", address), took=sorted(took))


def _next(address: str, answer: httpx.Response) -> str | None:
    """The address of the list's next part."""
    if answer.headers.get("content-type", "").startswith("application/json"):
        body = answer.json()
        cursor = body.get("next") if isinstance(body, dict) else None
        return f"{address}{'&' if '?' in address else '?'}cursor={cursor}" if cursor else None
    found = _NEXT.search(answer.text)
    return (found[1] or found[2]).replace("&amp;", "&") if found else None


def main() -> int:
    """Measure, print the slowest first, and write under bench/results/; 1 if one is over the floor."""
    parser = argparse.ArgumentParser(prog="python -m bench pages", description=__doc__)
    parser.add_argument("--workers", type=int, default=20_000, help="workers of the factory (20000)")
    parser.add_argument("--runs", type=int, default=50, help="paydays (50: a million payments)")
    parser.add_argument("--times", type=int, default=20, help="how often each is asked for (20)")
    given = parser.parse_args()
    found = sorted(asyncio.run(measure(given.runs, given.workers, given.times)), key=lambda one: -one.p95)
    print(f"{given.runs * given.workers:,} payments; p95 and median in milliseconds")
    for one in found:
        print(f"  {one.p95:8.1f} {statistics.median(one.took):8.1f}  {one.name}")
    told: dict[str, Any] = {one.name: {"p95": round(one.p95, 1), "median": round(statistics.median(one.took), 1)} for one in found}
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    (results / "pages.json").write_text(json.dumps({"at": at, "payments": given.runs * given.workers, "P10": told}, indent=1) + "\n")
    return 0 if found[0].p95 < FLOOR_MS else 1


if __name__ == "__main__":
    sys.exit(main())
