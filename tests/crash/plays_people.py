"""How points of uploading, approving and messages are brought about: people and providers at awkward moments."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2 as httpx

from payroll_api.access.actor import Role
from tests.crash.provider import Fault, Order, told
from tests.crash.run import Run
from tests.crash.wire import Cut

Play = Callable[[Run], Awaitable[None]]
_API = "/api/v1"


class Desk:
    """The people of the factory that has nothing yet, at their browsers."""

    def __init__(self, run: Run) -> None:
        assert run.golden.blank is not None
        self.run, self.staged = run, run.golden.blank
        self.answers: list[int] = []

    async def ask(self, role: Role, method: str, path: str, **named: Any) -> Any:
        """An answer's JSON, or None where none came."""
        headers = {"authorization": f"Bearer {self.staged.tokens[role]}", **named.pop("headers", {})}
        try:
            answer = await self.run.http.request(method, _API + path, headers=headers, **named)
        except httpx.RequestError:
            self.answers.append(0)
            return None
        self.answers.append(answer.status_code)
        return answer.json() if answer.status_code < 400 else None

    async def insist(self, role: Role, method: str, path: str, **named: Any) -> Any:
        """The same, again and again, as somebody does whose page did not load; another process is there by then."""
        for _ in range(12):
            if (found := await self.ask(role, method, path, **named)) is not None or self.answers[-1] in {409, 422}:
                return found
            await self.run.keep_one_alive()
            await asyncio.sleep(0.05)
        return None

    async def upload(self, *, again: bool = False) -> str:
        """Upload the sheet, again with the same key until it is answered; give its id. `again`: the first one was refused."""
        name = "pay.xlsx" if self.staged.sheet.startswith(b"PK") else "pay.csv"
        files = {"file": (name, self.staged.sheet, "application/octet-stream")}
        data = {"pay_period": str(self.run.golden.period), "kind": "balance"}
        headers = {"idempotency-key": f"matrix-{self.run.spec.seed}-000{3 if again else 1}"}
        await self.insist(Role.PREPARER, "POST", "/payroll-files", files=files, data=data, headers=headers)
        await self.run.quiet()
        return str((await self.ask(Role.PREPARER, "GET", "/payroll-files"))["items"][0]["id"])

    async def draft(self, *, again: bool = False) -> str:
        """Everything up to a run that can be submitted; give its id."""
        file_id = await self.upload(again=again)
        await self.insist(Role.PREPARER, "POST", f"/payroll-files/{file_id}/layout", json={"columns": {}})
        await self.run.quiet()
        headers = {"idempotency-key": f"matrix-{self.run.spec.seed}-0002"}
        made = await self.insist(Role.PREPARER, "POST", "/pay-runs", json={"file_id": file_id, "pay_on": None}, headers=headers)
        query = "select id, resolutions from discrepancies where file_id = $1 and severity = 'blocks' and resolution is null"
        for item in await self.run.connection.fetch(query, UUID(file_id)):
            choice = "pay_law" if "pay_law" in item["resolutions"] else "hold_worker"
            body = {"discrepancy_ids": [str(item["id"])], "resolution": choice, "reason": "as the law has it"}
            await self.insist(Role.PREPARER, "POST", f"/pay-runs/{made['id']}/discrepancies/resolve", json=body)
        return str(made["id"])

    async def submitted(self, *, again: bool = False) -> tuple[str, str]:
        """A run that waits for approval: its id and its content hash."""
        run_id = await self.draft(again=again)
        frozen = await self.insist(Role.PREPARER, "POST", f"/pay-runs/{run_id}/submit")
        return run_id, str(frozen["content_hash"])

    async def state(self, run_id: str) -> str:
        """What the database says of the run."""
        return str(await self.run.connection.fetchval("select state from pay_runs where id = $1", UUID(run_id)))

    async def to_the_end(self, run_id: str, content: str) -> None:
        """Approve and release what is not yet, and let it be paid."""
        if await self.state(run_id) == "submitted":
            await self.insist(Role.APPROVER, "POST", f"/pay-runs/{run_id}/approve", json={"content_hash": content})
        if await self.state(run_id) == "approved":
            await self.insist(Role.APPROVER, "POST", f"/pay-runs/{run_id}/release")
        await self.run.settle()
        await self.run.close_the_day()
        if await self.state(run_id) not in {"completed", "released"}:
            self.run.notes.append(f"the run ended as {await self.state(run_id)}; answers {self.answers[-6:]}")


async def uploading(run: Run) -> None:
    """A1 and A2: the service dies while a file is kept, or before it says so; HR presses the button again."""
    run.spawn(f"{run.spec.point}={run.spec.action}@1")
    desk = Desk(run)
    run_id, content = await desk.submitted()
    run.reached += run.struck()
    await desk.to_the_end(run_id, content)


async def releasing(run: Run) -> None:
    """A4: the service dies between the release and what pays it: either both happened, or none."""
    run.spawn(f"A4={run.spec.action}@1")
    desk = Desk(run)
    run_id, content = await desk.submitted()
    await desk.insist(Role.APPROVER, "POST", f"/pay-runs/{run_id}/approve", json={"content_hash": content})
    await desk.ask(Role.APPROVER, "POST", f"/pay-runs/{run_id}/release")
    run.reached += run.struck()
    if await desk.state(run_id) != "approved":
        run.notes.append("a release that failed was kept")
    await desk.to_the_end(run_id, content)


async def approving_at_once(run: Run) -> None:
    """A3: two presses of one approver and one of another person at once, and the maker who rejects nothing of it."""
    child = run.spawn()
    desk = Desk(run)
    run_id, content = await desk.submitted()
    body = {"content_hash": content}
    approve = [desk.ask(role, "POST", f"/pay-runs/{run_id}/approve", json=body) for role in (Role.APPROVER, Role.APPROVER, Role.PREPARER)]
    wrong = desk.ask(Role.APPROVER, "POST", f"/pay-runs/{run_id}/approve", json={"content_hash": "0" * 64})
    pressing = asyncio.gather(*approve, wrong)
    run.reached += 1
    if run.spec.action == "kill":
        await asyncio.sleep(run.rng.random() * 0.06)
        child.send(signal.SIGKILL)
    done = await pressing
    if sum(1 for one in done if one is not None) > 1 or done[2] is not None or done[3] is not None:
        run.notes.append("more than one approval was taken, or one of the maker's or of another content")
    await desk.to_the_end(run_id, content)


def commit_lost(marker: bytes, *, is_done: bool, approving: bool) -> Play:
    """A5, B9a, B9b: a COMMIT's reply is lost, or the COMMIT itself."""

    async def play(run: Run) -> None:
        child = run.spawn(wired="proxied")
        if run.spec.action == "kill":
            run.lane.proxy.on_cut = lambda: child.send(signal.SIGKILL)
        else:
            run.lane.proxy.on_cut = lambda: None
        cut = Cut(marker=marker, is_done=is_done, times=1 + run.spec.seed % 2)
        if not approving:
            run.lane.proxy.cut = cut
            await run.until(lambda: cut.made > 0, 30)
            run.reached += cut.made
            await run.settle()
            await run.close_the_day()
            return
        desk = Desk(run)
        run_id, content = await desk.submitted()
        run.lane.proxy.cut = cut
        await desk.ask(Role.APPROVER, "POST", f"/pay-runs/{run_id}/approve", json={"content_hash": content})
        run.reached += cut.made
        run.lane.proxy.cut = None
        await desk.to_the_end(run_id, content)

    return play


async def told_before_recorded(run: Run) -> None:
    """C4: the provider's message is taken and worked on by another process before the sender has recorded its answer."""
    sender = run.spawn("B7=stop")
    await run.until(lambda: sender.state() == "T", 30)
    run.reached += int(sender.state() == "T")
    run.spawn()
    await run.tell_all()
    await run.advance(timedelta(seconds=1))
    await asyncio.sleep(0.3)
    sender.send(signal.SIGKILL if run.spec.action == "kill" else signal.SIGCONT)
    await run.settle()
    await run.close_the_day()


async def told_of_an_intent(run: Run) -> None:
    """C5: the sender dies in the provider's arms; the message about it comes first."""
    run.lane.kill_on_point = run.spec.action == "kill"
    run.lane.provider.faults.append(Fault(kind="lost", point="C5"))
    run.spawn()
    await run.until(lambda: "C5" in run.lane.struck, 30)
    await asyncio.sleep(0.02)
    run.lane.kill_on_point = False
    run.reached += run.lane.struck.count("C5")
    await run.keep_one_alive()
    await run.tell_all()
    run.tells = True
    await run.settle()
    await run.close_the_day()


async def told_of_a_stranger(run: Run) -> None:
    """C6: a signed message about a reference that we never made."""
    child = run.spawn()
    await run.quiet()
    stranger = {"reference": "GW9STRANGER0000000XX", "status": "paid", "minor": 100, "currency": "USD"}
    for staged in run.golden.paying:
        status = await run.deliver(staged, [stranger], event="stranger")
        run.reached += int(status == 200)
    if run.spec.action == "kill":
        child.send(signal.SIGKILL)
    await run.settle()
    await run.close_the_day()
    states = [row[0] for row in await run.connection.fetch("select state from provider_messages where event_id = 'stranger'")]
    if set(states) != {"unmatched"}:
        run.notes.append(f"a message about nothing of ours became {states}")


async def told_in_any_order(run: Run) -> None:
    """C7: accepted, paid, failed and returned in every order, with duplicates; what counts is what happened at the provider."""
    for staged in run.golden.paying:
        run.books.fails.add(staged.people[run.rng.randrange(len(staged.people))][1])
    child = run.spawn()
    await run.until(lambda: len(run.books.orders) >= 12, 30)
    run.tells = False
    back = run.rng.choice([order for order in run.books.orders.values() if order.status == "paid"])
    run.returned.add(back.reference)
    messages = []
    for order in run.books.orders.values():
        words = _words(run, order)
        messages += [(order, word) for word in (*words, run.rng.choice(words))]
    run.rng.shuffle(messages)
    back.status = "returned"
    for number, (order, word) in enumerate(messages):
        staged = next(one for one in run.staged() if order.account in {account for _, account, _ in one.people})
        await run.deliver(staged, [told(order, word)], event=f"{order.reference}-{word}")
        if run.spec.action == "kill" and number == len(messages) // 2:
            child.send(signal.SIGKILL)
            await asyncio.sleep(0.02)
            await run.keep_one_alive()
    run.reached += 1
    await run.settle()
    states = {
        row["reference"]: row["state"]
        for row in await run.connection.fetch("select a.reference, p.state from attempts a join payments p on p.id = a.payment_id")
    }
    wrong = [reference for reference, order in run.books.orders.items() if states[reference] != order.status]
    if wrong:
        run.notes.append(
            f"{len(wrong)} payments are not what happened: {[(states[one], run.books.orders[one].status) for one in wrong][:4]}"
        )


def _words(run: Run, order: Order) -> list[str]:
    if order.status == "rejected":
        return ["accepted", "rejected"]
    return ["accepted", "paid", "returned"] if order.reference in run.returned else ["accepted", "paid"]


async def told_fifty_times(run: Run) -> None:
    """C8: fifty identical messages at once change a state once."""
    child = run.spawn()
    await run.until(lambda: len(run.books.orders) >= 6, 30)
    run.tells = False
    staged = run.golden.paying[0]
    orders = run.orders_of(staged)
    results = [told(order) for order in orders]
    sending = asyncio.gather(*(run.deliver(staged, results, event="fifty") for _ in range(50)))
    run.reached += 1
    if run.spec.action == "kill":
        await asyncio.sleep(0.02)
        child.send(signal.SIGKILL)
        await asyncio.sleep(0.02)
        await run.keep_one_alive()
    await sending
    await run.settle()
    kept = await run.connection.fetchval("select count(*) from provider_messages where event_id = 'fifty'")
    if kept != 1:
        run.notes.append(f"fifty identical messages were kept {kept} times")
    await run.close_the_day()


async def asked_and_told_at_once(run: Run) -> None:
    """C9: a look-up is answered while a message of the same payment comes in."""
    child = run.spawn("C9=sleep:0.3@1+" if run.spec.action == "raise" else "C9=kill@1")
    for _ in range(5):
        await run.until(lambda: len(run.books.orders) >= 3, 30)
        await run.advance(timedelta(seconds=6))
        run.tick(all_of_it=True)
        if await run.until(lambda: run.struck() > 0, 1.5):
            break
        await run.tell_all()
    run.told.clear()
    await run.tell_all()
    if run.struck("kill"):
        await run.until(lambda: not child.is_alive(), 2)
    run.reached += run.struck()
    await run.settle()
    await run.close_the_day()


_RECORDED = b'"action":"payment.accepted"'
PLAYS: Mapping[str, Play] = {
    "A1": uploading,
    "A2": uploading,
    "A3": approving_at_once,
    "A4": releasing,
    "A5": commit_lost(b'"action":"run.approved"', is_done=True, approving=True),
    "B9a": commit_lost(_RECORDED, is_done=True, approving=False),
    "B9b": commit_lost(_RECORDED, is_done=False, approving=False),
    "C4": told_before_recorded,
    "C5": told_of_an_intent,
    "C6": told_of_a_stranger,
    "C7": told_in_any_order,
    "C8": told_fifty_times,
    "C9": asked_and_told_at_once,
}
