"""The whole check of a sheet: what the law owes each worker, every difference from it, and what the register says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from importers.contract import Meaning, PayrollRow, WorkerStatus
from importers.money import KHR, USD, Money
from importers.period import PayPeriod, RunKind
from reconciliation.comparison import Comparison
from reconciliation.contract import Discrepancy, Entitlement, ExchangeRates, KnownWorker, Reconciliation
from reconciliation.discrepancies import tell
from reconciliation.entitlements import rules_of
from reconciliation.facts import HOURS, shows_earnings, work_month
from reconciliation.law.book import LawBook
from reconciliation.law.figures import Figures
from reconciliation.plausible import Plausible
from reconciliation.policy import FactoryPolicy, IndemnityRun
from reconciliation.register import Register
from reconciliation.whole_file import piece_holidays, whole_file

_INDEMNITY_MONTHS = (6, 12)


def reconcile(
    rows: Sequence[PayrollRow],
    *,
    period: PayPeriod,
    kind: RunKind,
    known: Mapping[str, KnownWorker],
    keys: Callable[[PayrollRow], KnownWorker],
    book: LawBook,
    rates: ExchangeRates,
    policy: FactoryPolicy,
    maker: str = "",
) -> Reconciliation:
    """Check every row against law and register. `keys` gives a row's keyed hashes, so that no rule reads an account or a name.

    `maker` is who sent the sheet.

    Differences of rows come in the sheet's order, those of the whole file last. Raises LawUnknownError where the law book has no value
    for the period, PolicyError where the factory's policy is not lawful.
    """
    shown = frozenset(meaning for row in rows for meaning in (*row.amounts, *row.time))
    due = period.month in _INDEMNITY_MONTHS and kind is RunKind.BALANCE and policy.indemnity_run is IndemnityRun.WITH_BALANCE
    apart = due and Meaning.SENIORITY_INDEMNITY not in shown
    if apart:
        policy = replace(policy, indemnity_run=IndemnityRun.SEPARATE)
    rules = rules_of(book, period, rates, policy)
    comparison = Comparison(rules, rates, policy, kind=kind, shown=shown)
    figures = Figures(book, period.last_day, policy.agreements)
    plausible = Plausible(figures, period, rates, policy)
    entitlements: dict[str, Entitlement] = {}
    by_piece = 0
    found: list[Discrepancy] = []
    for row in rows:
        person = known.get(row.worker_code)
        facts = work_month(row, period=period, kind=kind, known=person, shown=shown, monthly_days=policy.monthly_days)
        if plausible.too_long_on_probation(facts):
            facts = replace(facts, status=WorkerStatus.REGULAR)
        owed = rules.entitlement(facts)
        by_piece += facts.piece_value is not None
        entitlements.setdefault(row.worker_code, owed)
        found += comparison.differences(row, facts, owed)
        found += plausible.differences(row, facts, owed, person)
    own = [keys(row) for row in rows]
    found += Register(known, period, kind, policy, rows, own=own, maker=maker).differences()
    found.sort(key=_place)
    found += _not_shown(shown, kind, figures, indemnity_apart=apart)
    if by_piece and Meaning.DAYS_HOLIDAY not in shown:
        found += piece_holidays(by_piece, period, figures)
    found += whole_file(rows, period, kind, figures)
    return Reconciliation(period=period, kind=kind, entitlements=entitlements, discrepancies=tuple(found), law_version=book.version)


def _place(one: Discrepancy) -> tuple[bool, str, int]:
    return not one.sheet, one.sheet, one.row


def _not_shown(shown: frozenset[Meaning], kind: RunKind, figures: Figures, *, indemnity_apart: bool) -> Iterator[Discrepancy]:
    """What could not be checked because the sheet has no column for it: told once, for the whole file."""
    if kind not in {RunKind.BALANCE, RunKind.FINAL_PAY} or not shows_earnings(shown):
        return
    for hours, pay in HOURS.items():
        if pay in shown and hours not in shown:
            yield tell("hours_not_shown", None, pay.value)
    if Meaning.TRANSPORT_ALLOWANCE not in shown:
        lawful = Money(int(figures.number("transport_allowance") * 100), USD)
        yield tell("benefit_not_shown", None, "transport_allowance", lawful=lawful, citations=figures.cite("transport_allowance"))
    if Meaning.OVERTIME_HOURS in shown and Meaning.MEAL_ALLOWANCE not in shown:
        yield tell(
            "benefit_not_shown",
            None,
            "meal_allowance",
            lawful=Money(int(figures.number("overtime_meal")), KHR),
            citations=figures.cite("overtime_meal"),
        )
    if indemnity_apart:
        yield tell("indemnity_not_shown", None, "seniority_indemnity", citations=figures.cite("indemnity_days"))
