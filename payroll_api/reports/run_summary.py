"""A run on one page to sign: what was approved, by whom, in which sums, who is held back and why, and how the money stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
from payroll_api.access.models import User
from payroll_api.db.bulk import fetch
from payroll_api.factories.settings import get_factory
from payroll_api.payments.find import count_by_state
from payroll_api.reports.document import Column, Document, Section, Value
from payroll_api.reports.words import ReportWords
from payroll_api.runs.find import get_run
from payroll_api.runs.models import PayRun
from payroll_api.services import Services

_HELD = (
    "select held_reason, currency, count(*), sum(amount_minor)::bigint from run_items"
    " where factory_id = $1 and run_id = $2 and held_reason is not null group by 1, 2 order by 1, 2"
)


async def run_summary(session: AsyncSession, services: Services, run_id: UUID, words: ReportWords) -> Document:
    """The page of a run. Raises NotFoundError."""
    run = await get_run(session, run_id)
    factory = await get_factory(session)
    own = factory.name_km if words.language == "km" else factory.name
    people = await _names(session, services, [run.submitted_by, run.approved_by, run.released_by])
    facts = [
        (words("factory"), own),
        (words("pay_period"), f"{run.period}, {words('kind_of_run.' + run.kind)}, {run.pay_on.isoformat()}"),
        (words("state"), words.known(f"run_state.{run.state}", run.state)),
        (words("summary.content"), run.content_hash or "–"),
    ]
    for name, who, when in (
        ("submitted", run.submitted_by, run.submitted_at),
        ("approved", run.approved_by, run.approved_at),
        ("released", run.released_by, run.released_at),
    ):
        if who and when:
            facts.append((words(f"summary.{name}"), f"{people.get(who, who)}, {when:%Y-%m-%d %H:%M} UTC"))
    return Document(
        name=f"run-{run.period}-{run.kind}-{str(run.id)[:8]}",
        title=words("name.run-summary"),
        language=words.language,
        sections=[_approved(run, words), await _held(session, run, words), await _states(session, run, words)],
        facts=facts,
        signatures=[words("prepared"), words("checked"), words("summary.director")],
        foot=f"{own} – {words('name.run-summary')} – {run.period}",
    )


async def _names(session: AsyncSession, services: Services, actors: Sequence[str | None]) -> dict[str, str]:
    vault = await services.keys.vault(session)
    found = {}
    for actor in {name for name in actors if name and name.startswith("user:")}:
        user = await session.get(User, (session.info["factory_id"], UUID(actor.removeprefix("user:"))))
        if user is not None:
            found[actor] = vault.open(user.display_name, "users", user.id, "display_name")
    return found


def _approved(run: PayRun, words: ReportWords) -> Section:
    kept: Any = run.totals.get("lines", [])
    lines: list[dict[str, Any]] = [line for line in kept if not line["held"]]
    rows: list[list[Value]] = [
        [
            words.known(f"method.{line['kind']}", line["kind"]),
            line["count"],
            Money(line["minor"], currency(line["currency"])),
            line["currency"],
        ]
        for line in lines
    ]
    totals: list[list[Value]] = []
    for code in sorted({line["currency"] for line in lines}):
        own = [line for line in lines if line["currency"] == code]
        minor, count = sum(line["minor"] for line in own), sum(line["count"] for line in own)
        totals.append([words("total"), count, Money(minor, currency(code)), code])
    return Section(title=words("summary.to_pay"), columns=_columns(words("summary.through"), words), rows=rows, totals=totals)


async def _held(session: AsyncSession, run: PayRun, words: ReportWords) -> Section:
    found = await fetch(session, _HELD, run.factory_id, run.id)
    rows: list[list[Value]] = [
        [words.known(f"held.{reason}", reason), count, Money(int(minor), currency(code)), code] for reason, code, count, minor in found
    ]
    return Section(title=words("summary.held"), columns=_columns(words("why"), words), rows=rows, empty=words("nothing"))


async def _states(session: AsyncSession, run: PayRun, words: ReportWords) -> Section:
    rows: list[list[Value]] = []
    for state, found in (await count_by_state(session, run.id)).items():
        amounts: Any = found["amounts"]
        rows += [
            [words.known(f"payment.{state}", state), int(str(found["count"])), f"{amount}", code]
            for code, amount in sorted(amounts.items())
        ]
    return Section(title=words("summary.stand"), columns=_columns(words("state"), words), rows=rows, empty=words("nothing"))


def _columns(first: str, words: ReportWords) -> list[Column]:
    return [
        Column(title=first, weight=5),
        Column(title=words("count"), weight=1, is_figure=True),
        Column(title=words("amount"), weight=2, is_figure=True),
        Column(title=words("currency"), weight=1),
    ]
