"""The law book: dated, cited, hashed, and silent where it does not know."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from importers.money import KHR, USD, Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import Citation, ExchangeRates, Line, WorkMonth
from reconciliation.entitlements import entitlement
from reconciliation.law.book import load, load_cambodia
from reconciliation.law.cambodia.month import Month, completed_months, completed_years, working_days
from reconciliation.law.cambodia.nssf import Nssf
from reconciliation.law.figures import Figures, refuse_less
from reconciliation.law.parameter import LawBookError, LawUnknownError
from reconciliation.policy import POLICY_POINTS, Agreement, FactoryPolicy, NssfBase, PolicyError
from tests.law_cases.random_months import questions

BOOK = load_cambodia()
RATES = ExchangeRates(tax=Decimal(4000), nssf=Decimal(4000))
PRAKAS_2027 = Citation(title="Prakas on the minimum wage for 2027", published="Ministry of Labour")

# Contributory wage -> occupational risk contribution, as nssf.gov.kh publishes it.
PUBLISHED_BANDS = {
    200_000: 1_600,
    225_000: 1_800,
    275_000: 2_200,
    325_000: 2_600,
    375_000: 3_000,
    425_000: 3_400,
    475_000: 3_800,
    525_000: 4_200,
    575_000: 4_600,
    625_000: 5_000,
    675_000: 5_400,
    725_000: 5_800,
    775_000: 6_200,
    825_000: 6_600,
    875_000: 7_000,
    925_000: 7_400,
    975_000: 7_800,
    1_025_000: 8_200,
    1_075_000: 8_600,
    1_125_000: 9_000,
    1_175_000: 9_400,
    1_300_000: 9_600,
}


def test_every_value_names_its_source() -> None:
    for parameter in BOOK.parameters.values():
        assert parameter.title
        assert parameter.sign_off
        for value in parameter.values:
            assert value.citation.title, parameter.name
            assert value.citation.published or not value.citation.verified, f"{parameter.name} from {value.since} claims to be verified"


def test_every_date_is_a_boundary_that_the_book_keeps() -> None:
    """On its first day a value holds; the day before, the one before it does, or the book says that it does not know."""
    for parameter in BOOK.parameters.values():
        before = None
        for dated in parameter.values:
            if before is None or before.value is None:
                with pytest.raises(LawUnknownError, match=parameter.name):
                    parameter.at(dated.since - timedelta(days=1))
            else:
                assert parameter.at(dated.since - timedelta(days=1)) is before
            if dated.value is not None:
                assert parameter.at(dated.since) is dated
            before = dated


def test_an_unknown_wage_is_refused_with_what_to_do() -> None:
    with pytest.raises(LawUnknownError) as refused:
        BOOK.number("minimum_wage_regular", date(2027, 1, 31))
    said = str(refused.value)
    for part in ("Minimum wage, regular worker", "2027-01", "minimum_wage.toml", "administrator", "signed off by the head of payroll"):
        assert part in said


def test_a_signed_off_wage_opens_2027_without_a_release_and_leaves_2026_alone() -> None:
    book = BOOK
    for name, value in (("minimum_wage_regular", 215), ("minimum_wage_probation", 213)):
        book = book.with_parameter(name, value=value, since=date(2027, 1, 1), citation=PRAKAS_2027, signed_off_by="Head of payroll")
    month = WorkMonth(worker_code="GW-1", period=PayPeriod(2027, 1), kind=RunKind.BALANCE)
    owed = entitlement(month, book=book, rates=RATES, policy=FactoryPolicy())
    assert owed.amount(Line.BASIC_PAY) == Money(21_500, USD)
    assert owed.law_version == book.version != BOOK.version
    assert book.number("minimum_wage_regular", date(2026, 12, 31)) == 210


def test_the_version_is_the_content() -> None:
    again = BOOK.with_parameter("final_pay_hours", value=48, since=date(2030, 1, 1), citation=PRAKAS_2027, signed_off_by="A")
    other = BOOK.with_parameter("final_pay_hours", value=47, since=date(2030, 1, 1), citation=PRAKAS_2027, signed_off_by="A")
    assert len({BOOK.version, again.version, other.version}) == 3
    assert load_cambodia().version == BOOK.version


@pytest.mark.parametrize(
    ("name", "signed", "value"), [("minimum_wage", "A", 1), ("minimum_wage_regular", " ", 1), ("minimum_wage_regular", "A", ())]
)
def test_a_parameter_needs_a_known_name_a_signature_and_the_right_shape(name: str, signed: str, value: int) -> None:
    with pytest.raises(LawBookError):
        BOOK.with_parameter(name, value=value, since=date(2027, 1, 1), citation=PRAKAS_2027, signed_off_by=signed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a", "not readable as TOML"),
        ("[a]\ntitle='A'\nunit='USD'\nsign_off='x'\nvalues=[]", "dates must be there"),
        ("[a]\ntitle='A'\nunit='USD'\nsign_off='x'\nvalues=[{since=2020-01-01, value=1}]", "text"),
        (
            "[a]\ntitle='A'\nunit='USD'\nsign_off='x'\nvalues=[{since=2020-01-01,value=1,text='t'},{since=2019-01-01,value=1,text='t'}]",
            "rise",
        ),
    ],
)
def test_a_broken_law_file_names_itself(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "broken.toml").write_text(text, "utf-8")
    with pytest.raises(LawBookError, match=f"broken.toml.*{said}"):
        load(tmp_path, "Nowhere")


def test_an_agreement_may_not_go_below_the_law() -> None:
    paper = Citation(title="Collective agreement")
    less = Agreement(name="attendance_bonus", since=date(2026, 1, 1), value=Decimal(9), citation=paper)
    fixed = Agreement(name="tax_dependant", since=date(2026, 1, 1), value=Decimal(200_000), citation=paper)
    longer = Agreement(name="daily_hours", since=date(2026, 1, 1), value=Decimal(9), citation=paper)
    for agreement in (less, fixed, longer):
        with pytest.raises(PolicyError, match=agreement.name):
            Figures(BOOK, date(2026, 11, 30), (agreement,))


@pytest.mark.parametrize(
    ("until", "bonus"),
    [
        (None, {"2026-01": 10, "2026-02": 12, "2026-10": 12, "2026-11": 12}),
        (date(2026, 10, 31), {"2026-01": 10, "2026-02": 12, "2026-10": 12, "2026-11": 10}),
        (date(2026, 10, 30), {"2026-09": 12, "2026-10": 10}),  # a month has the values of its last day
        (date(2026, 2, 28), {"2026-01": 10, "2026-02": 12, "2026-03": 10}),
    ],
)
def test_an_agreement_holds_from_its_first_day_to_its_last(until: date | None, bonus: dict[str, int]) -> None:
    agreed = Agreement(
        name="attendance_bonus", since=date(2026, 2, 28), value=Decimal(12), citation=Citation(title="Agreement"), until=until
    )
    for month, dollars in bonus.items():
        facts = WorkMonth(worker_code="GW-1", period=PayPeriod.parse(month), kind=RunKind.BALANCE)
        owed = entitlement(facts, book=BOOK, rates=RATES, policy=FactoryPolicy(agreements=(agreed,)))
        assert owed.amount(Line.ATTENDANCE_BONUS) == Money(dollars * 100, USD), month


def test_an_agreement_of_one_day_holds_and_one_that_ends_before_it_starts_is_refused() -> None:
    def agreed(until: date) -> Agreement:
        name, since = "attendance_bonus", date(2026, 11, 30)
        return Agreement(name=name, since=since, value=Decimal(12), citation=Citation(title="Agreement"), until=until)

    assert Figures(BOOK, date(2026, 11, 30), (agreed(date(2026, 11, 30)),)).number("attendance_bonus") == 12
    with pytest.raises(PolicyError, match="before it starts"):
        refuse_less(BOOK, agreed(date(2026, 11, 29)))


@pytest.mark.parametrize(
    ("name", "least_that_stands", "refused"),
    [
        ("attendance_bonus", "10", ["9.99", "10.001", "1000000.01", "Infinity", "NaN", "-10"]),
        ("attendance_bonus", "1000000", []),
        ("daily_hours", "1", ["0.99", "0", "8.01"]),  # a wage is divided by it
        ("overtime_hours_a_day", "1", ["0.5"]),
        ("overtime_hours_a_week", "0", ["12.5", "-1"]),
    ],
)
def test_an_agreed_value_is_a_figure_that_can_be_paid_and_favours_the_worker(name: str, least_that_stands: str, refused: list[str]) -> None:
    def agreed(value: str) -> Agreement:
        return Agreement(name=name, since=date(2026, 1, 1), value=Decimal(value), citation=Citation(title="Collective agreement"))

    refuse_less(BOOK, agreed(least_that_stands))
    for value in refused:
        with pytest.raises(PolicyError, match=name):
            refuse_less(BOOK, agreed(value))


def test_of_two_agreements_the_later_holds_and_the_law_when_it_overtakes_both() -> None:
    paper = Citation(title="Agreement")
    first = Agreement(name="minimum_wage_regular", since=date(2025, 1, 1), value=Decimal(209), citation=paper)
    second = Agreement(name="minimum_wage_regular", since=date(2025, 7, 1), value=Decimal("209.50"), citation=paper)
    wages = {date(2025, 6, 30): Decimal(209), date(2025, 7, 31): Decimal("209.50"), date(2026, 1, 31): Decimal(210)}
    for day, wage in wages.items():
        figures = Figures(BOOK, day, (second, first))
        assert figures.number("minimum_wage_regular") == wage
        assert (paper in figures.cite("minimum_wage_regular")) is (wage != 210)


def test_an_old_month_is_recomputed_to_the_old_cent_by_a_book_that_learnt_more() -> None:
    """Every number gets another value from December 2026 on: months before it stay line for line, and name the new book."""
    newer = BOOK
    for name, parameter in BOOK.parameters.items():
        last = parameter.values[-1].value
        if isinstance(last, Decimal) and last.is_finite():
            newer = newer.with_parameter(name, value=last + 1, since=date(2026, 12, 1), citation=PRAKAS_2027, signed_off_by="A")
    asked = [one for one in questions(120, 11) if one.month.period != PayPeriod(2026, 12)]
    assert len(asked) > 100
    for one in asked:
        then, now = (entitlement(one.month, book=book, rates=one.rates, policy=one.policy) for book in (BOOK, newer))
        assert (then.lines, then.net, then.taxable_base) == (now.lines, now.net, now.taxable_base)
        assert (then.law_version, now.law_version) == (BOOK.version, newer.version)
    december = WorkMonth(worker_code="GW-1", period=PayPeriod(2026, 12), kind=RunKind.BALANCE)
    assert len({entitlement(december, book=book, rates=RATES, policy=FactoryPolicy()).net for book in (BOOK, newer)}) == 2


@pytest.mark.parametrize(("wage", "contribution"), PUBLISHED_BANDS.items())
def test_n1_the_published_contribution_table(wage: int, contribution: int) -> None:
    # at 100 riel for a dollar a cent is a riel, so that any wage in riel can be stated
    figures = Figures(BOOK, date(2020, 6, 30))
    rates = ExchangeRates(tax=Decimal(100), nssf=Decimal(100))
    policy = FactoryPolicy(nssf_base=NssfBase.BANDED)
    nssf = Nssf(Month(period=PayPeriod(2020, 6), figures=figures, policy=policy, rates=rates))
    risk = next(line for line in nssf.contributions(wage).employer if line.line is Line.EMPLOYER_RISK)
    assert risk.amount == Money(contribution, KHR)


def test_days_and_years_are_counted_as_on_a_calendar() -> None:
    assert working_days(date(2026, 11, 1), date(2026, 11, 30)) == 25
    assert working_days(date(2025, 7, 1), date(2025, 7, 31)) == 27
    assert working_days(date(2026, 11, 1), date(2026, 11, 1)) == 0
    assert working_days(date(2026, 11, 2), date(2026, 11, 1)) == 0
    assert completed_years(date(2025, 11, 30), date(2026, 11, 29)) == 0
    assert completed_years(date(2025, 11, 30), date(2026, 11, 30)) == 1
    assert completed_months(date(2026, 12, 1), date(2026, 12, 31)) == 1
    assert completed_months(date(2026, 12, 2), date(2026, 12, 31)) == 0
    for start in (date(2026, 1, 1) + timedelta(days=n) for n in range(40)):
        for length in range(40):
            days = [start + timedelta(days=n) for n in range(length)]
            assert working_days(start, start + timedelta(days=length - 1)) == sum(day.weekday() != 6 for day in days)


def test_every_choice_of_the_factory_is_explained() -> None:
    assert {point.name for point in POLICY_POINTS} == set(FactoryPolicy.__dataclass_fields__)
    assert all(point.question.endswith("?") and point.reason and point.source for point in POLICY_POINTS)


def test_an_impossible_policy_is_refused() -> None:
    with pytest.raises(PolicyError, match="monthly_days"):
        FactoryPolicy(monthly_days=12)
    with pytest.raises(PolicyError, match="rounding"):
        FactoryPolicy(pension_rounding_riel=0)
