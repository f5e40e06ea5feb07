"""The independent checker: eighteen invariants over the database, the provider's journal and the SMS journal, after every run.

Written from the specification alone. It shares no query with `payroll_api.payments.invariants` and believes nothing that the service
says about money: what was executed stands in the journal.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.crash.golden import phones_of
from tests.crash.run import REST, Run

# What may follow what, written down here once more: a state that went another way broke I9.
_WAYS = {
    None: {"ready"},
    "ready": {"submitting", "held", "cancelled"},
    "held": {"ready", "cancelled"},
    "submitting": {"accepted", "paid", "rejected", "returned", "unknown", "held", "cancelled"},
    "unknown": {"accepted", "paid", "rejected", "returned"},
    "accepted": {"paid", "rejected", "returned", "unknown"},
    "paid": {"returned"},
    "rejected": {"ready", "cancelled"},
    "returned": {"ready", "cancelled"},
    "cancelled": set(),
}


class Findings:
    """What is broken, by invariant."""

    def __init__(self) -> None:
        self.broken: list[str] = []

    def expect(self, holds: bool, invariant: str, what: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.broken.append(f"{invariant}: {what}")


async def check(run: Run, *, returned: frozenset[str] = frozenset()) -> list[str]:
    """Everything that is broken. `returned` are references whose money the provider sent back."""
    found = Findings()
    journal = [json.loads(line) for line in run.journal.read_text().splitlines()]
    rows = await run.connection.fetch(
        "select p.*, r.state as run_state, r.approved_by, r.created_by, r.submitted_by, r.content_hash, w.worker_code as code"
        " from payments p join pay_runs r using (factory_id) join workers w on w.factory_id = p.factory_id and w.id = p.worker_id"
        " where r.id = p.run_id"
    )
    payments = {row["id"]: row for row in rows}
    attempts = await run.connection.fetch("select * from attempts order by payment_id, number")
    by_reference = {attempt["reference"]: attempt for attempt in attempts}
    _money(found, run, journal, payments, attempts, by_reference, returned)
    await _approved(found, run, payments)
    _sent(found, run, payments, by_reference)
    await _books(found, run, payments, by_reference)
    await _history(found, run, payments)
    await _slips(found, run, payments)
    await _tenants(found, run)
    await _files(found, run)
    await _alarms(found, run, payments)
    return found.broken


def _money(
    found: Findings,
    run: Run,
    journal: list[dict[str, Any]],
    payments: dict[Any, Any],
    attempts: list[Any],
    by_reference: dict[str, Any],
    returned: frozenset[str],
) -> None:
    """I1, I2, I5, I6, I13."""
    accounts = {account: code for staged in run.staged() for code, account, _ in staged.people}
    executed: Counter[Any] = Counter()
    for credit in journal:
        attempt = by_reference.get(credit["reference"])
        if attempt is None:
            found.expect(False, "I7", f"a credit under {credit['reference']}, which no attempt has")  # noqa: FBT003 always a finding
            continue
        payment = payments[attempt["payment_id"]]
        executed[payment["id"]] += credit["reference"] not in returned
        right = (accounts.get(credit["account"]), credit["minor"], credit["currency"])
        found.expect(right == (payment["code"], payment["amount_minor"], payment["currency"]), "I2", f"{credit} is not {payment['code']}'s")
    found.expect(max(executed.values(), default=0) <= 1, "I1", f"{sum(1 for n in executed.values() if n > 1)} payments executed twice")
    workers = Counter((payments[one]["worker_id"], payments[one]["period"], payments[one]["kind"]) for one in executed.elements())
    found.expect(max(workers.values(), default=0) <= 1, "I13", "a worker was paid twice for one period and kind")
    for payment in payments.values():
        is_paid = payment["state"] == "paid"
        found.expect(
            is_paid == (executed[payment["id"]] == 1), "I5", f"{payment['code']} is {payment['state']}, executed {executed[payment['id']]}"
        )
    numbers = defaultdict(list)
    for attempt in attempts:
        numbers[attempt["payment_id"]].append(attempt)
    for tried in numbers.values():
        early = [one for one in tried[:-1] if one["state"] not in {"rejected", "returned"}]
        found.expect(not early, "I6", "a new attempt before the last had failed for sure")
        journaled = {credit["reference"] for credit in journal} - returned
        lost = [one for one in tried if one["state"] == "rejected" and one["reference"] in journaled]
        found.expect(not lost, "I6", "an attempt is rejected whose money moved")


async def _approved(found: Findings, run: Run, payments: dict[Any, Any]) -> None:
    """I3, I4."""
    for payment in payments.values():
        people = {payment["created_by"], payment["submitted_by"]}
        found.expect(payment["approved_by"] is not None and payment["approved_by"] not in people, "I3", "paid without a second person")
        found.expect(payment["run_state"] in {"released", "completed"}, "I3", f"a payment of a run that is {payment['run_state']}")
    items = await run.connection.fetch(
        "select i.run_id, i.worker_id, i.amount_minor, i.currency, i.account_key, r.state, (select count(*) from payments p"
        " where p.factory_id = i.factory_id and p.run_id = i.run_id and p.worker_id = i.worker_id and p.amount_minor = i.amount_minor"
        " and p.currency = i.currency and p.account_key = i.account_key) as made"
        " from run_items i join pay_runs r on r.factory_id = i.factory_id and r.id = i.run_id where i.held_reason is null"
    )
    for item in items:
        wanted = 1 if item["state"] in {"released", "completed"} else 0
        found.expect(item["made"] == wanted, "I4", f"an approved item has {item['made']} payments in a run that is {item['state']}")


def _sent(found: Findings, run: Run, payments: dict[Any, Any], by_reference: dict[str, Any]) -> None:
    """I7, I12: whatever reached the provider was committed before, and nothing of a cancelled payment came after its cancel."""
    for reference, at in run.books.received:
        attempt = by_reference.get(reference)
        found.expect(attempt is not None, "I7", f"{reference} was sent and is no attempt of ours")
        if attempt is None:
            continue
        payment = payments[attempt["payment_id"]]
        plain = f"{reference}|{payment['account_key'].hex()}|{payment['amount_minor']}|{payment['currency']}"
        found.expect(hashlib.sha256(plain.encode()).digest() == attempt["payload_hash"], "I7", "the intent holds another content")
        cancelled = run.cancelled.get(str(payment["id"]))
        found.expect(cancelled is None or at < cancelled, "I12", "a cancelled payment was sent")


async def _books(found: Findings, run: Run, payments: dict[Any, Any], by_reference: dict[str, Any]) -> None:
    """I8: the ledger sums to zero, nothing is negative that must not be, suspense is what is unknown. I17: whole minor units."""
    transfers = await run.connection.fetch("select * from ledger_transfers")
    balance: Counter[tuple[Any, str, str]] = Counter()
    each: Counter[tuple[Any, str]] = Counter()
    for transfer in transfers:
        found.expect(
            isinstance(transfer["amount_minor"], int) and transfer["amount_minor"] > 0, "I17", "an amount that is no count of cents"
        )
        for account, sign in ((transfer["debit"], 1), (transfer["credit"], -1)):
            plain = account.partition(":")[0]
            balance[transfer["factory_id"], transfer["currency"], plain] += sign * transfer["amount_minor"]
            each[transfer["payment_id"], plain] += sign * transfer["amount_minor"]
    sums: Counter[tuple[Any, str]] = Counter()
    for (factory, unit, _), amount in balance.items():
        sums[factory, unit] += amount
    found.expect(not any(sums.values()), "I8", "the ledger does not add up to zero")
    back = {by_reference[reference]["payment_id"]: minor for reference, minor in run.partly.items()}
    for payment in payments.values():
        held = {name: each[payment["id"], name] for name in ("suspense", "bank")}
        amount = payment["amount_minor"]
        found.expect(abs(held["suspense"]) == (amount if payment["state"] == "unknown" else 0), "I8", f"suspense of a {payment['state']}")
        left = amount - back.get(payment["id"], 0) if payment["state"] == "paid" else 0
        found.expect(abs(held["bank"]) == left, "I8", f"left the bank's account: a {payment['state']}")


async def _history(found: Findings, run: Run, payments: dict[Any, Any]) -> None:
    """I9, I10, I11 by the audit trail, whose chain is computed again."""
    events = await run.connection.fetch("select id, xid, factory_id, subject, action, body, leaf from audit_events order by id")
    states: dict[str, str | None] = {}
    for event in events:
        found.expect(hashlib.sha256(b"\x00" + event["body"]).digest() == event["leaf"], "I10", "an event's leaf is not its hash")
        subject, action = event["subject"], event["action"]
        if not subject.startswith("payment:") or not action.startswith("payment."):
            continue
        state = action.removeprefix("payment.")
        if state not in _WAYS:
            continue
        was = states.get(subject)
        found.expect(state in _WAYS[was], "I9", f"{was} became {state} (event {event['id']}, xid {event['xid']}, {len(events)} events)")
        states[subject] = state
    for payment in payments.values():
        last = states.get(f"payment:{payment['id']}")
        found.expect(last == payment["state"], "I10", f"the trail ends in {last}, the payment is {payment['state']}")
    await _chain(found, run)
    twice = await run.connection.fetchval(
        "select count(*) from (select 1 from provider_messages"
        " group by factory_id, provider_account_id, event_id, body_hash having count(*) > 1) t"
    )
    found.expect(twice == 0, "I11", "a message is stored twice")


async def _chain(found: Findings, run: Run) -> None:
    events = await run.connection.fetch("select factory_id, xid, leaf from audit_events order by factory_id, xid, id")
    for block in await run.connection.fetch("select * from audit_blocks order by factory_id, number"):
        inside = [
            bytes(event["leaf"])
            for event in events
            if event["factory_id"] == block["factory_id"] and block["from_xid"] <= event["xid"] < block["to_xid"]
        ]
        holds = len(inside) == block["count"] and _root(inside) == block["root"]
        found.expect(holds, "I10", f"block {block['number']} does not hold its events")


def _root(leaves: list[bytes]) -> bytes:
    """RFC 9162: split at the largest power of two below the count."""
    if len(leaves) == 1:
        return leaves[0]
    if not leaves:
        return hashlib.sha256(b"").digest()
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return hashlib.sha256(b"\x01" + _root(leaves[:middle]) + _root(leaves[middle:])).digest()


async def _slips(found: Findings, run: Run, payments: dict[Any, Any]) -> None:
    """I14: one slip for each paid payment, sent once, to her number, after the money."""
    slips = {row["reference"]: row for row in await run.connection.fetch("select * from slips")}
    sent = Counter(message["reference"] for message in run.books.messages)
    found.expect(max(sent.values(), default=0) <= 1, "I14", "a slip went out twice")
    phones = {code: phone for staged in run.staged() for code, phone in phones_of(staged).items()}
    changed = {code: phone for staged in run.staged() for code, phone in phones_of(staged, changed=True).items()}
    for message in run.books.messages:
        slip = slips.get(message["reference"])
        found.expect(slip is not None, "I14", "a slip that we do not know")
        if slip is not None:
            payment = payments[slip["payment_id"]]
            found.expect(payment["paid_at"] is not None, "I14", "a slip before the money")
            # Whoever froze while it wrote slips may have read the old number before it changed.
            is_later = run.numbers_changed is not None and slip["composed_at"] > run.numbers_changed
            hers = {changed[payment["code"]]} if is_later else {phones[payment["code"]]}
            hers |= {phones[payment["code"]]} if run.spec.action == "raise" else set()
            found.expect(message["to"] in hers, "I14", f"a slip to another number than {payment['code']}'s")
    paid = {payment["id"] for payment in payments.values() if payment["state"] == "paid"}
    found.expect(paid <= {slip["payment_id"] for slip in slips.values()}, "I14", "a paid worker without a slip")


async def _tenants(found: Findings, run: Run) -> None:
    """I15: no row points into another factory."""
    for child, column, parent in (
        ("payments", "run_id", "pay_runs"), ("payments", "worker_id", "workers"), ("payments", "destination_id", "destinations"),
        ("payments", "provider_account_id", "provider_accounts"), ("attempts", "dispatch_id", "dispatches"),
        ("slips", "payment_id", "payments"), ("run_items", "worker_id", "workers"), ("statement_lines", "payment_id", "payments"),
    ):  # fmt: skip
        strange = await run.connection.fetchval(
            f"select count(*) from {child} c join {parent} p on p.id = c.{column} where p.factory_id <> c.factory_id"  # noqa: S608 names of ours
        )
        found.expect(strange == 0, "I15", f"{child}.{column} points into another factory")


async def _files(found: Findings, run: Run) -> None:
    """I16, I17: every row of a file is accepted or refused, and the sums agree."""
    for file in await run.connection.fetch(
        "select id, factory_id, state, summary from payroll_files where state in ('read', 'reconciled')"
    ):
        summary = json.loads(file["summary"])
        counts = summary["counts"]
        found.expect(counts["read"] == counts["accepted"] + counts["rejected"], "I16", f"rows are missing: {counts}")
        rows = await run.connection.fetchrow(
            "select count(*), coalesce(sum(net_minor), 0)::bigint from file_rows where factory_id = $1 and file_id = $2",
            file["factory_id"],
            file["id"],
        )
        stated = sum((Decimal(amount) for amount in summary["totals"]["accepted"].values()), Decimal(0))
        found.expect(rows[0] == counts["accepted"], "I16", f"{rows[0]} rows kept of {counts['accepted']}")
        found.expect(Decimal(rows[1]) == stated * 100, "I16", f"rows add up to {rows[1]} cents, the file says {stated}")


async def _alarms(found: Findings, run: Run, payments: dict[Any, Any]) -> None:
    """I4, I18: what does not come to rest by itself has been sounded as an alarm by the service's own look at what is overdue."""
    if await _unsounded(run, payments):
        # The last look may have come before the hour was over.
        await run.keep_one_alive()
        run.tick(all_of_it=True)

        async def all_sound() -> bool:
            return not await _unsounded(run, payments)

        await run.until(all_sound, 8)
    for payment in await _unsounded(run, payments):
        found.expect(False, "I18", f"{payment['code']} is {payment['state']} for an hour, and no alarm")  # noqa: FBT003 always a finding
    broken = await run.connection.fetch("select data from alarms where kind = 'invariant_broken' and cleared_at is null")
    found.expect(not broken, "I18", f"the service itself finds broken: {[row['data'] for row in broken]}")


async def _unsounded(run: Run, payments: dict[Any, Any]) -> list[Any]:
    """Payments that have not moved for an hour and of which no open alarm speaks."""
    now: datetime = run.lane.clock()
    subjects = {row["subject"] for row in await run.connection.fetch("select subject from alarms where cleared_at is null")}
    dispatches = {
        row["payment_id"]: row["dispatch_id"]
        for row in await run.connection.fetch("select payment_id, dispatch_id from attempts order by number")
    }
    waiting = [one for one in payments.values() if one["state"] not in REST and now - one["state_since"] > timedelta(hours=1)]
    return [
        one for one in waiting if not {f"payment:{one['id']}", f"dispatch:{dispatches.get(one['id'])}", f"run:{one['run_id']}"} & subjects
    ]
