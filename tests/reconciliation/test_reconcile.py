"""A sheet beside the law and the register: what HR is told, worker by worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path

import pytest

from importers.contract import Meaning, PayMethod, PayrollRow, WorkerStatus
from importers.money import KHR, USD, Money
from importers.period import PayPeriod, RunKind
from importers.read import read_sheet
from reconciliation.contract import Citation, Discrepancy, DiscrepancySeverity, ExchangeRates, KnownWorker, Reconciliation, Resolution
from reconciliation.discrepancies import kinds
from reconciliation.law.book import load_cambodia
from reconciliation.law.parameter import LawUnknownError
from reconciliation.policy import Agreement, FactoryPolicy, IndemnityRun
from reconciliation.reconcile import reconcile
from reconciliation.to_json import reconciliation_json
from reconciliation.words import ENGLISH, KHMER

NOVEMBER = PayPeriod(2026, 11)
RATES = ExchangeRates(tax=Decimal(4000), nssf=Decimal(4000))
SHEETS = Path(__file__).parents[1] / "sheets"


def usd(amount: str) -> Money:
    return Money.of(amount, USD)


def hashed(text: str | None) -> bytes | None:
    return None if text is None else blake2b(text.encode(), key=b"test").digest()


def keys(row: PayrollRow) -> KnownWorker:
    return KnownWorker(
        worker_code=row.worker_code,
        name_key=hashed(row.name),
        phone_key=hashed(row.phone),
        account_key=hashed(row.account),
        national_id_key=hashed(row.national_id),
    )


def row(number: int = 1, amounts: Mapping[Meaning, str] | None = None, **changes: object) -> PayrollRow:
    """A worker of six years with ten and a half hours of overtime on six days: gross 252.90, pension 5.05, net 247.85."""
    stated = {
        Meaning.BASIC_WAGE: "210.00",
        Meaning.BASIC_PAY: "210.00",
        Meaning.OVERTIME_PAY: "15.90",
        Meaning.ATTENDANCE_BONUS: "10.00",
        Meaning.TRANSPORT_ALLOWANCE: "7.00",
        Meaning.SENIORITY_BONUS: "7.00",
        Meaning.MEAL_ALLOWANCE: "3.00",
        Meaning.GROSS: "252.90",
        Meaning.PENSION: "5.05",
        Meaning.SALARY_TAX: "0.00",
        Meaning.TOTAL_DEDUCTIONS: "5.05",
        Meaning.NET: "247.85",
        **(amounts or {}),
    }
    money = {meaning: usd(amount) for meaning, amount in stated.items()}
    plain = PayrollRow(
        sheet="Payroll",
        row=6 + number,
        worker_code=f"GW-{number}",
        name=f"Worker {number}",
        net=money[Meaning.NET],
        joined_on=date(2020, 1, 1),
        account=f"00-{number}",
        phone=f"+8551200000{number}",
        amounts=money,
        time={Meaning.DAYS_ABSENT: Decimal(0), Meaning.OVERTIME_HOURS: Decimal("10.5"), Meaning.OVERTIME_DAYS: Decimal(6)},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # each test names real fields


def check(*rows: PayrollRow, known: Mapping[str, KnownWorker] | None = None, **changes: object) -> Reconciliation:
    people = {one.worker_code: replace(keys(one), joined_on=one.joined_on) for one in rows} if known is None else known
    arguments: dict[str, object] = {"period": NOVEMBER, "kind": RunKind.BALANCE, "policy": FactoryPolicy(), **changes}
    return reconcile(rows, known=people, keys=keys, book=load_cambodia(), rates=RATES, **arguments)  # type: ignore[arg-type]  # named above


def codes(result: Reconciliation) -> list[tuple[str, str]]:
    return [(one.code, one.worker_code) for one in result.discrepancies]


def only(result: Reconciliation) -> Discrepancy:
    assert len(result.discrepancies) == 1, codes(result)
    return result.discrepancies[0]


def test_an_honest_row_brings_no_difference() -> None:
    result = check(row())
    assert not result.discrepancies
    assert result.entitlements["GW-1"].net == usd("247.85")
    assert result.law_version == load_cambodia().version


def test_underpaid_overtime_names_hours_rate_article_and_what_to_do() -> None:
    """At 100 % instead of 150 %: 10.60. Gross 247.60; its pension 247.60 x 4,000 x 2 % = 19,808 -> 19,800 riel = 4.95; net 242.65."""
    told = only(
        check(
            row(
                amounts={
                    Meaning.OVERTIME_PAY: "10.60",
                    Meaning.GROSS: "247.60",
                    Meaning.PENSION: "4.95",
                    Meaning.TOTAL_DEDUCTIONS: "4.95",
                    Meaning.NET: "242.65",
                }
            )
        )
    )
    assert (told.code, told.severity) == ("underpaid_line", DiscrepancySeverity.BLOCKS)
    assert (told.stated, told.lawful, told.difference) == (usd("10.60"), usd("15.90"), usd("-5.30"))
    assert told.basis == "10.5 h x 1.0096 USD x 150 %"
    assert "Prakas 112/25" in told.message
    assert "$5.30 too little" in told.message
    assert "ថែមម៉ោង" in told.message_km
    assert Resolution.PAY_LAW in told.resolutions


def test_a_bonus_left_out_is_missing() -> None:
    """242.90 x 4,000 x 2 % = 19,432 -> 19,400 = 4.85; net 238.05."""
    stated = {
        Meaning.ATTENDANCE_BONUS: "0.00",
        Meaning.GROSS: "242.90",
        Meaning.PENSION: "4.85",
        Meaning.TOTAL_DEDUCTIONS: "4.85",
        Meaning.NET: "238.05",
    }
    assert codes(check(row(amounts=stated))) == [("missing_line", "GW-1")]


def test_a_cell_left_empty_in_a_column_that_others_fill_is_missing_too() -> None:
    amounts = dict(row(1).amounts)
    del amounts[Meaning.SENIORITY_BONUS]
    short = {Meaning.GROSS: "245.90", Meaning.PENSION: "4.93", Meaning.TOTAL_DEDUCTIONS: "4.93", Meaning.NET: "240.97"}
    amounts |= {meaning: usd(amount) for meaning, amount in short.items()}
    result = check(row(1, amounts=None, net=usd("240.97")), row(2))
    assert ("net_too_low", "GW-1") in codes(result)
    result = check(replace(row(1), amounts=amounts, net=usd("240.97")), row(2))
    assert codes(result) == [("missing_line", "GW-1")]


def test_more_than_the_law_warns_and_does_not_block() -> None:
    stated = {
        Meaning.OVERTIME_PAY: "20.90",
        Meaning.GROSS: "257.90",
        Meaning.PENSION: "5.15",
        Meaning.TOTAL_DEDUCTIONS: "5.15",
        Meaning.NET: "252.75",
    }
    told = only(check(row(amounts=stated)))
    assert (told.code, told.severity, told.difference) == ("overpaid_line", DiscrepancySeverity.WARNS, usd("5.00"))


def test_a_pension_too_high_takes_from_the_worker() -> None:
    told = only(check(row(amounts={Meaning.PENSION: "6.05", Meaning.TOTAL_DEDUCTIONS: "6.05", Meaning.NET: "246.85"})))
    assert (told.code, told.difference) == ("deduction_too_high", usd("-1.00"))


@pytest.mark.parametrize(("net", "code"), [("247.84", "net_too_low"), ("247.86", "net_too_high"), ("947.85", "net_too_high")])
def test_a_net_typed_over_blocks_even_by_a_cent(net: str, code: str) -> None:
    told = only(check(row(amounts={Meaning.NET: net})))
    assert (told.code, told.severity) == (code, DiscrepancySeverity.BLOCKS)


def test_rounding_once_on_each_side_is_no_difference() -> None:
    stated = {Meaning.OVERTIME_PAY: "15.91", Meaning.GROSS: "252.91", Meaning.NET: "247.86"}
    assert not check(row(amounts=stated)).discrepancies


def test_a_total_of_deductions_that_hides_money() -> None:
    told = only(check(row(amounts={Meaning.TOTAL_DEDUCTIONS: "15.05", Meaning.NET: "237.85"})))
    assert (told.code, told.difference) == ("deductions_differ", usd("-10.00"))


def test_a_wage_below_the_minimum_blocks() -> None:
    told = {one.code: one for one in check(row(amounts={Meaning.BASIC_WAGE: "205.00"})).discrepancies}
    assert told["wage_below_minimum"].difference == usd("-5.00")


def test_hours_that_nobody_can_work_block_and_hours_over_the_limit_warn() -> None:
    def with_hours(hours: str) -> list[str]:
        time = {**row().time, Meaning.OVERTIME_HOURS: Decimal(hours), Meaning.OVERTIME_DAYS: Decimal(25)}
        return [one.code for one in check(row(time=time)).discrepancies]

    assert "impossible_hours" in with_hours("400")
    assert "overtime_over_limit" in with_hours("60")
    assert not {"impossible_hours", "overtime_over_limit"} & set(with_hours("50"))


def test_overtime_of_more_than_two_hours_a_day_is_told_where_the_days_are_known() -> None:
    def told(hours: str, days: str | None) -> list[str]:
        time = {**row().time, Meaning.OVERTIME_HOURS: Decimal(hours)}
        time = time if days is None else {**time, Meaning.OVERTIME_DAYS: Decimal(days)}
        return [one.code for one in check(row(time=time)).discrepancies if "hours" in one.code or "limit" in one.code]

    assert told("12", "6") == []
    assert told("12.5", "6") == ["overtime_over_limit"]
    assert told("48.5", "6") == ["impossible_hours"]


def test_a_lower_limit_of_the_week_is_told_with_the_agreement() -> None:
    """November 2026 has 25 working days in five weeks: 50 hours by the law's day; by eight hours a week that were agreed, 40."""
    paper = Citation(title="Collective agreement of 2025")
    agreed = Agreement(name="overtime_hours_a_week", since=date(2025, 1, 1), value=Decimal(8), citation=paper)
    policy = FactoryPolicy(agreements=(agreed,))

    def told(hours: str) -> list[Discrepancy]:
        found = check(row(time={Meaning.OVERTIME_HOURS: Decimal(hours)}), policy=policy).discrepancies
        return [one for one in found if one.code == "overtime_over_limit"]

    assert told("40") == []
    (one,) = told("40.5")
    assert "40.5 h of overtime, at most 40 h" in one.message
    assert one.citations[0] == paper
    assert not one.citations[1].verified, "the week itself stands in no text that was read"


def test_more_than_two_weekly_days_off_in_a_month_are_told_with_the_prakas_and_paid_all_the_same() -> None:
    def told(hours: str) -> list[Discrepancy]:
        found = check(row(time={**row().time, Meaning.REST_DAY_HOURS: Decimal(hours)})).discrepancies
        return [one for one in found if one.code in {"rest_days_over_limit", "impossible_hours"}]

    # two days of eight hours and two of overtime; November 2026 has five Sundays of at most sixteen hours
    assert told("20") == []
    (one,) = told("20.5")
    assert (one.code, one.severity.value, one.citations[0].title[:13]) == ("rest_days_over_limit", "warns", "Prakas 112/25")
    assert [one.code for one in told("81")] == ["impossible_hours"]


def test_who_starts_after_the_month_or_left_before_it_is_not_passed_over() -> None:
    assert ("paid_before_joining", "GW-1") in codes(check(row(joined_on=date(2026, 12, 1))))
    assert ("paid_before_joining", "GW-1") not in codes(check(row(joined_on=date(2026, 11, 30))))
    gone = row(left_on=date(2026, 10, 31))
    assert codes(check(gone)).count(("paid_after_leaving", "GW-1")) == 1
    assert ("paid_after_leaving", "GW-1") not in codes(check(row(left_on=date(2026, 11, 1))))


def test_more_days_than_the_month_has() -> None:
    time = {**row().time, Meaning.DAYS_WORKED: Decimal(26), Meaning.DAYS_LEAVE: Decimal(8)}
    assert ("impossible_days", "GW-1") in codes(check(row(time=time)))


def test_probation_that_has_run_out_is_owed_the_regular_minimum() -> None:
    joined = date(2026, 6, 1)
    result = check(row(status=WorkerStatus.PROBATION, joined_on=joined))
    assert "probation_too_long" in {one.code for one in result.discrepancies}
    assert result.entitlements["GW-1"].lines[0].amount == usd("210.00")


def test_other_deductions_are_questioned() -> None:
    stated = {Meaning.OTHER_DEDUCTION: "5.00", Meaning.TOTAL_DEDUCTIONS: "10.05", Meaning.NET: "242.85"}
    assert codes(check(row(amounts=stated))) == [("deduction_not_allowed", "GW-1")]


def test_a_net_of_nothing_cannot_be_paid() -> None:
    stated = {Meaning.ADVANCE: "260.00", Meaning.TOTAL_DEDUCTIONS: "265.05", Meaning.NET: "-12.15"}
    assert {code for code, _ in codes(check(row(amounts=stated)))} == {"deductions_too_large", "net_not_positive"}


def test_columns_that_the_sheet_lacks_are_told_once_and_not_for_each_worker() -> None:
    def lean(number: int) -> PayrollRow:
        full = row(number, {Meaning.GROSS: "242.90", Meaning.PENSION: "4.85", Meaning.TOTAL_DEDUCTIONS: "4.85", Meaning.NET: "238.05"})
        without = (Meaning.TRANSPORT_ALLOWANCE, Meaning.MEAL_ALLOWANCE)
        return replace(full, amounts={meaning: amount for meaning, amount in full.amounts.items() if meaning not in without})

    result = check(lean(1), lean(2), lean(3))
    assert codes(result) == [("benefit_not_shown", ""), ("benefit_not_shown", "")]


def test_overtime_pay_without_a_column_of_hours_is_told_once() -> None:
    rows = [row(n, time={Meaning.DAYS_ABSENT: Decimal(0), Meaning.OVERTIME_DAYS: Decimal(6)}) for n in (1, 2)]
    assert codes(check(*rows)) == [("hours_not_shown", "")]


def test_june_without_a_column_for_the_indemnity_points_to_a_run_of_its_own() -> None:
    june = PayPeriod(2026, 6)
    assert codes(check(row(), period=june)) == [("indemnity_not_shown", "")]
    assert not check(row(), period=june, policy=FactoryPolicy(indemnity_run=IndemnityRun.SEPARATE)).discrepancies


def test_a_sheet_in_riel_is_held_to_the_riel() -> None:
    def in_riel(extra: int) -> PayrollRow:
        plain = row()
        riel = {meaning: Money(amount.minor * 40, KHR) for meaning, amount in plain.amounts.items()}
        # 252.90 x 4,000 x 2 % to the nearest 100
        riel |= {Meaning.PENSION: Money(20_200, KHR), Meaning.TOTAL_DEDUCTIONS: Money(20_200, KHR)}
        net = Money(riel[Meaning.GROSS].minor - 20_200 + extra, KHR)
        return replace(plain, amounts={**riel, Meaning.NET: net}, net=net)

    assert not check(in_riel(0)).discrepancies
    assert codes(check(in_riel(-4000))) == [("net_too_low", "GW-1")]


def test_the_first_half_is_half_of_the_wage() -> None:
    half = replace(row(), amounts={Meaning.BASIC_WAGE: usd("210.00"), Meaning.NET: usd("105.00")}, net=usd("105.00"), time={})
    assert not check(half, kind=RunKind.FIRST_HALF).discrepancies
    less, more = (replace(half, net=usd(net)) for net in ("100.00", "110.00"))
    assert only(check(less, kind=RunKind.FIRST_HALF)).severity is DiscrepancySeverity.BLOCKS
    assert only(check(more, kind=RunKind.FIRST_HALF)).severity is DiscrepancySeverity.WARNS


def test_a_year_that_the_law_book_does_not_know_is_refused() -> None:
    with pytest.raises(LawUnknownError, match="2027"):
        check(row(), period=PayPeriod(2027, 1))


def test_the_sample_payroll_shows_its_planted_faults_and_nothing_else() -> None:
    name = "payday_2026_11"
    sheet = read_sheet((SHEETS / f"{name}.xlsx").read_bytes(), file_name=f"{name}.xlsx", period=NOVEMBER)
    planted = json.loads((SHEETS / f"{name}_faults.json").read_text("utf-8"))["planted"]
    lawful = {
        "overtime_underpaid": "underpaid_line",
        "seniority_bonus_missing": "missing_line",
        "attendance_bonus_missing": "missing_line",
        "meal_missing": "missing_line",
        "net_off_by_a_cent": "net_too_low",
        "shared_account": "shared_account",
    }
    expected = {(lawful[fault["kind"]], fault["worker_code"]) for fault in planted if fault["kind"] in lawful}
    result = check(*sheet.rows, known={})
    assert set(codes(result)) == expected | {("first_file", "")}
    assert len(result.entitlements) == sheet.counts.accepted


def test_every_kind_of_difference_reads_well_in_both_languages() -> None:
    for code, kind in kinds().items():
        assert kind.resolutions, code
        assert kind.english[0].isupper()
        assert kind.english.endswith((".", "?", "{basis}"))
        assert any("\u1780" <= letter <= "\u17ff" for letter in kind.khmer), code
    assert set(ENGLISH) == set(KHMER)


def test_no_text_bears_a_name_a_phone_or_an_account() -> None:
    rows = (row(1), row(2, account="00-1", phone="+85512000001"), row(2))
    result = check(*rows, known={"GW-9": KnownWorker(worker_code="GW-9")})
    text = json.dumps(reconciliation_json(result), ensure_ascii=False)
    assert not any(secret in text for secret in ("Worker 1", "+855", "00-1"))
    assert {"shared_account", "doubled_worker", "new_worker", "missing_worker"} <= {code for code, _ in codes(result)}


def test_a_wallet_s_shared_phone_is_shared_money() -> None:
    first, second = (row(n, phone="+85512000001", pay_method=PayMethod.WALLET) for n in (1, 2))
    severities = {one.severity for one in check(first, second).discrepancies if one.code == "shared_phone"}
    assert severities == {DiscrepancySeverity.BLOCKS}
