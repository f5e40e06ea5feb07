"""A letter to the bank about a break, drafted in English and Khmer from facts.

It names bookings by the bank's own id and ours: no worker's name, phone or account. The bank knows whose reference it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money, currency
from payroll_api.access.actor import Actor, Permission
from payroll_api.audit.journal import Event, record
from payroll_api.clock import pay_day
from payroll_api.db.bulk import fetch
from payroll_api.errors import NotFoundError
from payroll_api.services import Services

_FACTS = """
select b.kind, b.currency, b.amount_minor, b.difference_minor, f.identification, f.file_name, a.name, x.name, x.name_km, x.hotline,
  l.entry, l.booked_on, coalesce(t.reference, l.reference), p.amount_minor, p.currency, l.direction
from settlement_breaks b
join statement_files f on f.factory_id = b.factory_id and f.id = b.statement_id
join provider_accounts a on a.factory_id = b.factory_id and a.id = b.provider_account_id
join factories x on x.factory_id = b.factory_id
left join statement_lines l on l.factory_id = b.factory_id and l.statement_id = b.statement_id and l.position = b.position
left join payments p on p.factory_id = b.factory_id and p.id = b.payment_id
left join attempts t on t.factory_id = b.factory_id and t.payment_id = p.id and t.number = coalesce(p.paid_by, p.attempt)
where b.factory_id = $1 and b.id = $2
"""
_ASK: Mapping[str, tuple[str, str]] = {
    "twice": (
        "This order was executed before. Please return the second execution and confirm in writing.",
        "បញ្ជានេះត្រូវបានអនុវត្តម្តងរួចហើយ។ សូមប្រគល់ប្រាក់លើកទីពីរមកវិញ និងបញ្ជាក់ជាលាយលក្ខណ៍អក្សរ។",
    ),
    "missing": (
        "We do not find this order in your statement. Please tell us whether it was executed, on which day, or why not.",
        "យើងរកមិនឃើញបញ្ជានេះក្នុងរបាយការណ៍របស់លោកអ្នកទេ។ សូមប្រាប់ថាតើវាត្រូវបានអនុវត្តនៅថ្ងៃណា ឬហេតុអ្វីមិនបានអនុវត្ត។",
    ),
    "amount": (
        "The booking differs from our order. Please correct it, or tell us the reason.",
        "ការកត់ត្រានេះខុសពីបញ្ជារបស់យើង។ សូមកែតម្រូវ ឬប្រាប់មូលហេតុ។",
    ),
    "currency": (
        "The booking is in another currency than our order. Please correct it.",
        "ការកត់ត្រានេះជារូបិយប័ណ្ណផ្សេងពីបញ្ជារបស់យើង។ សូមកែតម្រូវ។",
    ),
    "account": (
        "The booking names another beneficiary account than our order. Please stop the amount, return it, and confirm in writing.",
        "ការកត់ត្រានេះមានគណនីអ្នកទទួលផ្សេងពីបញ្ជារបស់យើង។ សូមទប់ប្រាក់នេះ ប្រគល់មកវិញ និងបញ្ជាក់ជាលាយលក្ខណ៍អក្សរ។",
    ),
}
_BOOKED: Mapping[str, tuple[str, str]] = {
    "out": ("Amount taken from our account", "ចំនួនបានដកពីគណនីយើង"),
    "in": ("Amount paid into our account", "ចំនួនបានចូលគណនីយើង"),
}
_OTHERWISE = (
    "Please tell us what this booking is, and on whose order it was made.",
    "សូមប្រាប់ថាការកត់ត្រានេះជាអ្វី និងតាមបញ្ជារបស់អ្នកណា។",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The draft in both languages."""

    english: str
    khmer: str
    sender: str
    sender_km: str


async def draft(session: AsyncSession, services: Services, actor: Actor, break_id: UUID) -> Letter:
    """The letter about a break. That it was drafted is noted in the audit trail. Raises NotFoundError, NotAllowedError."""
    actor.require(Permission.SETTLE)
    rows = await fetch(session, _FACTS, actor.factory_id, break_id)
    if not rows:
        raise NotFoundError("break")
    now = services.clock()
    (kind, code, minor, _, statement, file_name, account, name, name_km, hotline, entry, booked_on, reference, ordered, unit, direction) = (
        rows[0]
    )
    english, khmer = _ASK.get(kind, _OTHERWISE)
    booked = _money(minor, code) if entry is not None else None
    facts = [
        ("Our account", "គណនីរបស់យើង", account),
        ("Statement", "របាយការណ៍", statement or file_name),
        ("Your booking", "លេខកត់ត្រារបស់លោកអ្នក", entry),
        ("Booked on", "ថ្ងៃកត់ត្រា", booked_on.isoformat() if booked_on else None),
        (*_BOOKED[direction], booked) if booked else ("", "", None),
        # Without a payment of ours the reference is what their booking says.
        (*(("Our reference", "លេខយោងរបស់យើង") if ordered is not None else ("Reference in your booking", "លេខយោងក្នុងការកត់ត្រា")), reference),
        ("Amount ordered", "ចំនួនបានបញ្ជា", _money(ordered, unit)),
    ]
    day = pay_day(now).isoformat()
    await record(session, now, Event(actor=actor.name, action="break.letter_drafted", subject=f"break:{break_id}", data={"kind": kind}))
    told = [fact for fact in facts if fact[2]]
    return Letter(
        sender=name,
        sender_km=name_km,
        english="\n".join(
            [day, f"From: {name}, {hotline}", "", "Dear Sir or Madam,", "", english, "", *(f"{label}: {value}" for label, _, value in told),
             "", "Yours faithfully,", name]
        ),
        khmer="\n".join(
            [day, f"ពី៖ {name_km}, {hotline}", "", "សូមគោរពជូន", "", khmer, "", *(f"{label}៖ {value}" for _, label, value in told),
             "", "ដោយក្តីគោរព", name_km]
        ),
    )  # fmt: skip


def _money(minor: int | None, code: str | None) -> str | None:
    return None if minor is None or code is None else str(Money(minor, currency(code)))
