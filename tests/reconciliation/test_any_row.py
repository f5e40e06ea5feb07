"""Whatever a sheet says, every row is answered: no figure makes the check fall over, and none is passed over in silence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from importers.contract import Meaning, PayMethod, PayrollRow, WorkerStatus
from importers.money import KHR, USD, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import Discrepancy, ExchangeRates, KnownWorker, Reconciliation
from reconciliation.facts import EARNINGS_AND_DEDUCTIONS, HOURS
from reconciliation.law.book import load_cambodia
from reconciliation.policy import FactoryPolicy
from reconciliation.reconcile import reconcile
from reconciliation.to_json import reconciliation_json

RATES = ExchangeRates(tax=Decimal(4012), nssf=Decimal(4009))
_TIME = (*HOURS, Meaning.DAYS_WORKED, Meaning.DAYS_ABSENT, Meaning.DAYS_LEAVE, Meaning.DAYS_SICK, Meaning.OVERTIME_DAYS)
_MONEY = (*EARNINGS_AND_DEDUCTIONS, Meaning.BASIC_WAGE, Meaning.PIECE_PAY, Meaning.GROSS, Meaning.TOTAL_DEDUCTIONS)

money = st.builds(Money, st.integers(-100, 100_000), st.just(USD)) | st.builds(Money, st.integers(-100, 2_000_000), st.just(KHR))
days = st.none() | st.dates(date(2008, 1, 1), date(2026, 12, 31))
rows = st.builds(
    PayrollRow,
    sheet=st.just("Payroll"),
    row=st.integers(1, 9),
    worker_code=st.sampled_from(["GW-1", "GW-2", "GW-3"]),
    name=st.sampled_from(["A", "B"]),
    net=money,
    joined_on=days,
    left_on=days,
    status=st.none() | st.sampled_from(WorkerStatus),
    account=st.none() | st.sampled_from(["1", "2"]),
    phone=st.none() | st.sampled_from(["3", "4"]),
    pay_method=st.none() | st.sampled_from(PayMethod),
    amounts=st.dictionaries(st.sampled_from(_MONEY), money),
    time=st.dictionaries(st.sampled_from(_TIME), st.integers(-4, 3200).map(lambda n: Decimal(n) / 4)),
)
people = st.builds(
    KnownWorker,
    worker_code=st.just("GW-1"),
    account_key=st.none() | st.just(b"1"),
    joined_on=days,
    left_on=days,
    account_changed_on=days,
    last_nets=st.lists(money, max_size=3).map(tuple),
)


def keys(row: PayrollRow) -> KnownWorker:
    account, phone = (None if text is None else text.encode() for text in (row.account, row.phone))
    return KnownWorker(worker_code=row.worker_code, name_key=row.name.encode(), account_key=account, phone_key=phone)


def check(some: list[PayrollRow], known: KnownWorker | None, period: PayPeriod, kind: RunKind) -> Reconciliation:
    register = {} if known is None else {known.worker_code: known}
    book, policy = load_cambodia(), FactoryPolicy()
    return reconcile(some, period=period, kind=kind, known=register, keys=keys, book=book, rates=RATES, policy=policy)


@given(
    st.lists(rows, max_size=4),
    st.none() | people,
    st.builds(PayPeriod, st.integers(2018, 2026), st.sampled_from([1, 6, 11, 12])),
    st.sampled_from(RunKind),
)
def test_every_row_is_answered(some: list[PayrollRow], known: KnownWorker | None, period: PayPeriod, kind: RunKind) -> None:
    result = check(some, known, period, kind)
    assert set(result.entitlements) == {row.worker_code for row in some}
    assert reconciliation_json(result)["workers"] == len(result.entitlements)
    for told in result.discrepancies:
        assert told.message
        assert "{" not in told.message + told.message_km


@given(rows)
def test_a_worker_who_is_paid_another_net_than_the_law_s_is_never_passed_over(row: PayrollRow) -> None:
    """In a month's balance either the net is the law's, or something is told of this row."""
    result = check([row], None, PayPeriod(2026, 11), RunKind.BALANCE)
    owed = result.entitlements[row.worker_code].net
    paid = row.net if row.net.currency == USD else row.net.convert(USD, 1 / RATES.tax)
    short = owed.minor - paid.minor
    told: list[Discrepancy] = [one for one in result.discrepancies if one.row == row.row]
    assert told or short <= 30  # each line that is read in the other currency may hide the stated tolerance
