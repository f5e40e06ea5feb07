"""A pay slip on paper: every earning and deduction with its sum in words and numbers, where the money went, and whom to ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money
from importers.period import PayPeriod
from payroll_api.errors import ProblemError
from payroll_api.factories.models import Factory
from payroll_api.factories.settings import get_factory
from payroll_api.payments.find import get_payment
from payroll_api.reports.document import Column, Document, Section, Value
from payroll_api.reports.month import PaidLine, PaidRun, PaidWorker, month_of
from payroll_api.reports.words import ReportWords
from payroll_api.runs.find import get_run
from payroll_api.services import Services
from reconciliation.formula_km import in_khmer
from reconciliation.words import ENGLISH, KHMER

MOST_SLIPS = 2_000  # in one file; more is a printer's whole day


async def payslip_document(session: AsyncSession, services: Services, payment_id: UUID, words: ReportWords) -> Document:
    """One worker's slip. Raises NotFoundError, ProblemError `not_paid_yet`: no slip says "paid" before the money is confirmed."""
    payment, _ = await get_payment(session, payment_id)
    period = PayPeriod.parse(payment.period)
    vault = await services.keys.vault(session)
    month = await month_of(session, vault, period, worker_id=payment.worker_id, run_id=payment.run_id)
    if not month.workers:
        raise ProblemError("not_paid_yet", "There is no slip yet: it is written when the money is confirmed.")
    worker = month.workers[0]
    return _slip(await get_factory(session), period, worker, worker.runs[0], words)


async def run_payslips(session: AsyncSession, services: Services, run_id: UUID, words: ReportWords) -> Sequence[Document]:
    """The slips of everybody whom a run has paid, by worker code. Raises NotFoundError, ProblemError `not_paid_yet`, `too_many_slips`."""
    run = await get_run(session, run_id)
    period = PayPeriod.parse(run.period)
    month = await month_of(session, await services.keys.vault(session), period, run_id=run_id)
    if not month.workers:
        raise ProblemError("not_paid_yet", "There are no slips yet: each is written when its money is confirmed.")
    if len(month.workers) > MOST_SLIPS:
        raise ProblemError(
            "too_many_slips",
            f"This run has {len(month.workers):,} slips; one file holds {MOST_SLIPS:,}. Print single slips from the payments.",
        )
    factory = await get_factory(session)
    return [_slip(factory, period, worker, worker.runs[0], words) for worker in month.workers]


def _slip(factory: Factory, period: PayPeriod, worker: PaidWorker, run: PaidRun, words: ReportWords) -> Document:
    own = factory.name_km if words.language == "km" else factory.name
    earned = [line for line in run.lines if line.side == "earning"]
    taken = [line for line in run.lines if line.side == "deduction"]
    beside = [line for line in run.lines if line.side == "employer"]
    unit = run.paid.currency
    explained = sum(one.amount.minor for one in earned if one.amount.currency == unit)
    explained -= sum(one.amount.minor for one in taken if one.amount.currency == unit)
    rest = run.paid.minor - explained
    return Document(
        name=f"slip-{worker.worker_code}-{period}-{run.kind.value}",
        title=words("slip.title"),
        language=words.language,
        sections=[
            _lines(words("slip.earned"), earned, words),
            _lines(words("slip.taken"), taken, words),
            *([_lines(words("slip.beside"), beside, words, note=words("slip.beside_note"))] if beside else []),
            Section(
                title=words("slip.paid"),
                columns=[Column(title=words("slip.where"), weight=6), Column(title=words("amount"), weight=2, is_figure=True)],
                rows=[[words("slip.unexplained"), Money(rest, unit)]] if rest else [],
                totals=[[f"{_where(run, words)}, {run.paid_on.isoformat()}", f"{run.paid.amount} {unit.code}"]],
                note="" if run.is_lawful else words("slip.by_sheet"),
            ),
        ],
        facts=[
            (words("factory"), own),
            (words("worker"), f"{worker.name} ({worker.worker_code})"),
            (words("pay_period"), f"{period}, {words('kind_of_run.' + run.kind.value)}"),
            *([(words("slip.joined"), worker.joined_on.isoformat())] if worker.joined_on else []),
            (words("slip.ask"), factory.hotline),
        ],
        foot=f"{own} – {words('slip.ask')} {factory.hotline}",
    )


def _lines(title: str, lines: Iterable[PaidLine], words: ReportWords, *, note: str = "") -> Section:
    names = KHMER if words.language == "km" else ENGLISH
    rows: list[list[Value]] = []
    sums: dict[str, Money] = {}
    for line in lines:
        if not line.amount:
            continue
        formula = in_khmer(line.formula) if words.language == "km" else line.formula
        rows.append([names.get(line.line, line.line.replace("_", " ")), formula, line.amount, line.amount.currency.code])
        before = sums.get(line.amount.currency.code)
        sums[line.amount.currency.code] = line.amount if before is None else before + line.amount
    columns = [
        Column(title=words("slip.line"), weight=4),
        Column(title=words("slip.sum"), weight=6),
        Column(title=words("amount"), weight=2, is_figure=True),
        Column(title=words("currency"), weight=2),
    ]
    totals: list[list[Value]] = [[words("total"), "", amount, code] for code, amount in sorted(sums.items())]
    return Section(title=title, columns=columns, rows=rows, totals=totals, note=note, empty=words("nothing"))


def _where(run: PaidRun, words: ReportWords) -> str:
    return run.bank or words(f"method.{run.method}")
