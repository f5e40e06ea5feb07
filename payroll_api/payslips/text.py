"""The words of a slip: Khmer, few, at most two SMS segments, no link, no name, and it adds up under anyone's finger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from connectors.sms.segments import clusters, segments
from importers.money import Money
from importers.period import PayPeriod, RunKind

MOST_SEGMENTS = 2

_KINDS = {
    RunKind.FIRST_HALF: "ពាក់កណ្ដាលខែ",
    RunKind.BALANCE: "ខែ",
    RunKind.INDEMNITY: "អតីតភាព ខែ",
    RunKind.FINAL_PAY: "ប្រាក់ចុងក្រោយ ខែ",
    RunKind.CORRECTION: "បន្ថែម ខែ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a slip names: `gross - deductions = net`, overtime being part of gross."""

    gross: Money
    overtime: Money
    deductions: Money
    net: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """Where the money went: `method` is bank_account, wallet or cash; `tail` the last digits of the account."""

    method: str
    bank: str | None
    tail: str
    on: date


def compose(factory: str, hotline: str, period: PayPeriod, kind: RunKind, figures: Figures, paid: Paid) -> str:
    """The slip's text. A long factory name is cut between syllables until the slip fits two segments."""
    parts = [f"សរុប {figures.gross.short()}"]
    if figures.overtime:
        parts.append(f"ថែមម៉ោង {figures.overtime.short()}")
    if figures.deductions:
        parts.append(f"កាត់ {figures.deductions.short()}")
    parts.append(f"បាន {figures.net.short()}")
    body = f" {_KINDS[kind]}{period.month:02d}/{period.year % 100:02d}៖ {' '.join(parts)} {_where(paid)} {paid.on:%d/%m}។ សួរ {hotline}"
    return _signed(factory, body)


def compose_correction(factory: str, hotline: str, period: PayPeriod, amount: Money, paid: Paid) -> str:
    """The slip of money that makes up for an earlier payment of `period`: no gross, no deductions, only what came and why.

    One word of it is English, for whoever reads it to her: she did not expect this money.
    """
    month = f"ខែ{period.month:02d}/{period.year % 100:02d}"
    return _signed(factory, f" បន្ថែម (correction) {month}៖ បាន {amount.short()} {_where(paid)} {paid.on:%d/%m}។ សួរ {hotline}")


def _signed(factory: str, body: str) -> str:
    """The text below the factory's name, which is cut between syllables until the slip fits."""
    name = list(clusters(factory))
    while name and segments("".join(name).rstrip() + body).count > MOST_SEGMENTS:
        name.pop()
    return ("".join(name).rstrip() + body).strip()


def _where(paid: Paid) -> str:
    if paid.method == "cash":
        return "ជាសាច់ប្រាក់"
    if paid.method == "wallet":
        return f"ចូលកាបូបលុយ ..{paid.tail}"
    return f"ចូល{paid.bank or 'ធនាគារ'} ..{paid.tail}"
