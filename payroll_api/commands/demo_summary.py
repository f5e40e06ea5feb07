"""What a payday came to, asked from the API, compared with what the simulated bank, wallet and gateway really did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table

from payroll_api.commands.demo_client import Person
from payroll_api.commands.demo_folder import Payday
from payroll_api.payments.references import attempt_reference

Journal = Sequence[Mapping[str, Any]]
_WAYS = {"bank_account": "by bank", "wallet": "by wallet", "cash": "in cash"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """How many payments, and their sum in words such as "1,234.00 USD"."""

    count: int
    amounts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A payday in figures. `disagreements` is empty when everything fits; each is a sentence."""

    file_name: str
    period: str
    rows: Mapping[str, Any]
    differences: Mapping[str, int]  # by severity
    paid: Mapping[str, Sum]  # by kind of account
    failed: Mapping[str, Sum]  # by the reason
    held: Mapping[str, int]  # by the reason
    settled: Sum
    slips: Mapping[str, int]
    chain: str
    disagreements: Sequence[str] = field(default_factory=tuple)


async def collect(hr: Person, payday: Payday, journals: Mapping[str, Journal], chain: str) -> Summary:
    """Ask for everything, and compare. `journals` are what the simulators executed, `chain` what verify-audit says."""
    path = f"/pay-runs/{payday.run_id}"
    run = await hr.get(path)
    file = await hr.get(f"/payroll-files/{run['file_id']}")
    progress = await hr.get(f"{path}/progress")
    kinds = {account["id"]: account["kind"] for account in (await hr.get("/factories/current/provider-accounts"))["items"]}
    payments = [one async for one in hr.all(f"{path}/payments")]
    everything = [one async for one in hr.all("/payments")]
    held = Counter([item["held_reason"] async for item in hr.all(f"{path}/items") if item["held_reason"]])
    held.update(one["code"] or "held" for one in payments if one["state"] == "held")
    paid = [one for one in payments if one["state"] == "paid"]
    at_provider = [one for one in paid if kinds[one["provider_account_id"]] != "cash"]
    return Summary(
        file_name=file["file_name"],
        period=run["pay_period"],
        rows=file["summary"] or {},
        differences=Counter([one["severity"] async for one in hr.all(f"{path}/discrepancies")]),
        paid={kind: _sum(one for one in paid if kinds[one["provider_account_id"]] == kind) for kind in _WAYS},
        failed=_by_reason(one for one in payments if one["state"] in {"rejected", "returned"}),
        held=held,
        settled=_sum(one for one in at_provider if one["settled_on"]),
        slips=progress["slips"],
        chain=chain,
        disagreements=[
            *_unfinished(payments),
            *_unsettled(at_provider),
            *_against_journals(everything, kinds, journals),
            *_against_phones([one async for one in hr.all("/slips")], journals["sms"]),
            *([] if chain.startswith("intact") else [f"The audit chain: {chain}"]),
        ],
    )


def _sum(payments: Iterable[Mapping[str, Any]]) -> Sum:
    sums: dict[str, Decimal] = {}
    count = 0
    for payment in payments:
        count += 1
        amount = payment["amount"]
        sums[amount["currency"]] = sums.get(amount["currency"], Decimal(0)) + Decimal(amount["amount"])
    return Sum(count=count, amounts=", ".join(f"{amount:,} {unit}" for unit, amount in sorted(sums.items())) or "0")


def _by_reason(payments: Iterable[Mapping[str, Any]]) -> dict[str, Sum]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for payment in payments:
        found.setdefault(payment["code"] or "no reason given", []).append(payment)
    return {code: _sum(some) for code, some in sorted(found.items())}


def _unfinished(payments: Iterable[Mapping[str, Any]]) -> list[str]:
    states = Counter(payment["state"] for payment in payments)
    moving = {state: count for state, count in states.items() if state in {"ready", "submitting", "accepted", "unknown"}}
    return [f"Payments are still under way: {moving}."] if moving else []


def _unsettled(payments: Iterable[Mapping[str, Any]]) -> list[str]:
    missing = [payment["worker_code"] for payment in payments if not payment["settled_on"]]
    return [f"{len(missing)} paid payments do not stand in any statement; the first is worker {missing[0]}'s."] if missing else []


def _against_journals(payments: Sequence[Mapping[str, Any]], kinds: Mapping[str, str], journals: Mapping[str, Journal]) -> list[str]:
    """Every credit that bank and wallet executed must be a paid payment of ours with the same amount, once; and the other way round."""
    found: list[str] = []
    for simulator, kind in (("bank", "bank_account"), ("wallet", "wallet")):
        ours: dict[str, tuple[int, str]] = {}
        for payment in payments:
            if kinds[payment["provider_account_id"]] == kind and payment["state"] in {"paid", "returned"}:
                ours[attempt_reference(UUID(payment["id"]), payment["attempt"])] = _minor(payment)
        executed = [entry for entry in journals[simulator] if entry["kind"] == "credit"]
        theirs = {entry["reference"]: (int(entry["amount_minor"]), entry["currency"]) for entry in executed}
        if twice := len(executed) - len(theirs):
            found.append(f"The {simulator} executed {twice} payments twice.")
        if unknown := theirs.keys() - ours.keys():
            found.append(f"The {simulator} executed {len(unknown)} payments that are not paid in the database, such as {min(unknown)}.")
        if lost := ours.keys() - theirs.keys():
            found.append(f"{len(lost)} payments are paid in the database, but the {simulator} knows nothing of them, such as {min(lost)}.")
        if other := [reference for reference in ours.keys() & theirs.keys() if ours[reference] != theirs[reference]]:
            found.append(f"The {simulator} executed {len(other)} payments with another amount, such as {min(other)}.")
    return found


def _against_phones(slips: Sequence[Mapping[str, Any]], journal: Journal) -> list[str]:
    messages = Counter(entry["reference"] for entry in journal)
    twice = sum(count - 1 for count in messages.values())
    delivered = sum(1 for entry in journal if entry["status"] == "DELIVRD")
    ours = sum(1 for slip in slips if slip["state"] == "delivered")
    found = [f"{twice} pay slips were sent twice."] if twice else []
    return found if delivered == ours else [*found, f"{delivered} messages reached a phone, but {ours} slips count as delivered."]


def _minor(payment: Mapping[str, Any]) -> tuple[int, str]:
    amount = payment["amount"]
    return int(amount["amount"].replace(".", "")), amount["currency"]


def show(console: Console, summary: Summary) -> None:
    """Print what a manager wants to know."""
    table = Table(title=f"Payday {summary.period}, {summary.file_name}", title_justify="left", show_header=False, title_style="bold")
    table.add_column(style="cyan")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for title, count, rest in _lines(summary):
        table.add_row(title, f"{count:,}" if count is not None else "", rest)
    console.print(table)
    for sentence in summary.disagreements:
        console.print(f"[bold red]DISAGREES[/] {sentence}", highlight=False)


def _lines(summary: Summary) -> Iterable[tuple[str, int | None, str]]:
    counts = summary.rows.get("counts", summary.rows)
    yield "rows in the sheet", counts.get("read"), f"{counts.get('accepted')} taken, {counts.get('rejected')} with a problem"
    told = ", ".join(f"{count} {severity}" for severity, count in sorted(summary.differences.items()))
    yield "discrepancies", sum(summary.differences.values()), f"{told}; each decided with its reason" if told else "none"
    for kind, title in _WAYS.items():
        yield f"paid {title}", summary.paid[kind].count, summary.paid[kind].amounts
    for code, some in summary.failed.items():
        yield "failed", some.count, f"{some.amounts}: {code}"
    for code, count in sorted(summary.held.items()):
        yield "held back", count, code
    yield "matched in statements", summary.settled.count, f"{summary.settled.amounts}, to the cent"
    delivered = summary.slips.get("delivered", 0)
    others = ", ".join(f"{count} {state}" for state, count in sorted(summary.slips.items()) if state != "delivered")
    yield "pay slips delivered", delivered, others
    yield "audit chain", None, summary.chain
    yield (
        "journals of bank, wallet, SMS",
        None,
        "DISAGREE" if summary.disagreements else "agree with the database to the cent",
    )
