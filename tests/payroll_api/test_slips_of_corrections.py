"""A worker who is paid what was missing hears of it, like of her wage: once, when the money is there, in two messages at the most."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from connectors.sms.segments import segments
from importers.money import KHR, USD, Money
from importers.period import PayPeriod
from payroll_api.factories.settings import get_factory
from payroll_api.jobs.names import Job
from payroll_api.payments.confirm import confirm
from payroll_api.payments.correct import propose_correction
from payroll_api.payments.models import Payment
from payroll_api.payslips.find import list_slips
from payroll_api.payslips.progress import run_progress
from payroll_api.payslips.text import MOST_SEGMENTS, Paid, compose_correction
from payroll_api.services import Services
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.few_workers import HEADER, PEOPLE, few, payments_of, released, settle_down
from tests.payroll_api.payday_story import Story

WITH_PHONES = "\n".join(
    [
        f"{HEADER},Phone",
        *(
            f"{code},{khmer},{latin},2020-01-06,210.00,205.10,bank,{account},0123456{account[-2:]}"
            for code, khmer, latin, account in PEOPLE
        ),
    ]
).encode()


async def texts_of(told: Story, payment: Payment) -> list[tuple[str, str]]:
    """State and words of each slip of a payment."""
    async with told.services.database.factory(told.factory.id) as session:
        listed = await list_slips(session, told.services, told.factory.preparer, run_id=None, after=None, limit=50)
    return [(str(slip["state"]), str(slip["text"])) for slip in listed if slip["payment_id"] == payment.id]


async def corrected(told: Story, earlier: Payment) -> Payment:
    """Two people pay $12.50 more."""
    async with told.services.database.factory(told.factory.id) as session:
        asked = await propose_correction(
            session, told.services, told.factory.preparer, earlier.id, minor=1250, reason="two hours of overtime"
        )
    async with told.services.database.factory(told.factory.id) as session:
        await confirm(session, told.services, told.factory.approver, asked.id, shown=asked.content_hash)
        return (await session.scalars(select(Payment).where(Payment.corrects == earlier.id))).one()


async def test_a_correction_is_told_when_the_bank_has_paid_it_and_not_before(
    services: Services, factory: SampleFactory, tmp_path: Path, clock: SettableClock
) -> None:
    async with few(services, factory, tmp_path, clock) as told:
        await released(told, WITH_PHONES)
        await settle_down(told, clock)
        short = (await payments_of(told))[0]
        ((state, wage),) = await texts_of(told, short)
        more = await corrected(told, short)
        await told.work(only=[Job.SUBMIT_CHUNK, Job.COMPOSE_SLIPS, Job.SEND_SLIPS])
        assert await texts_of(told, more) == []  # the bank has it, and has not said that it is paid
        assert (await settle_down(told, clock))["paid"] == 5
        ((after, text),) = await texts_of(told, more)
        assert after == state
        async with told.services.database.factory(factory.id) as session:
            own, progress = await get_factory(session), await run_progress(session, short.run_id)
        assert f"(correction) ខែ11/26៖ បាន {Money(1250, USD).short()} " in text
        assert "..001" in text
        assert text.endswith(own.hotline)
        assert Money(short.amount_minor, USD).short() not in text  # what the wage was is told by the wage's own slip
        assert segments(text).count <= MOST_SEGMENTS
        assert await texts_of(told, short) == [(state, wage)]
        slips: dict[str, int] = progress["slips"]  # type: ignore[assignment]  # the page's own dictionary
        assert sum(slips.values()) == 5
        sent = told.sms_journal.read_text(encoding="utf-8")
        assert sent.count("(correction)") == 1


_amounts = st.builds(Money, st.integers(1, 99_999_999), st.sampled_from([USD, KHR]))
_ways = st.builds(
    Paid,
    method=st.sampled_from(["bank_account", "wallet", "cash"]),
    bank=st.sampled_from([None, "ABA", "ACLEDA", "ធនាគារកាណាឌីយ៉ា", "Prince Bank"]),
    tail=st.from_regex(r"[0-9]{3}", fullmatch=True),
    on=st.dates(date(2026, 1, 1), date(2030, 12, 31)),
)
_names = st.text(st.sampled_from("រោងចក្រកាត់ដេរអង្គរ ្ស៊ី"), max_size=80)


@settings(deadline=None)
@given(_names, _amounts, _ways, st.integers(1, 12))
def test_a_corrections_slip_has_two_segments_at_the_most_with_amount_and_hotline_whole(
    factory: str, amount: Money, paid: Paid, month: int
) -> None:
    text = compose_correction(factory, "023 888 999 / 012 345 678", PayPeriod(2026, month), amount, paid)
    assert segments(text).count <= MOST_SEGMENTS
    assert f"{month:02d}/26៖ បាន {amount.short()} " in text
    assert text.endswith("023 888 999 / 012 345 678")
