"""What one cell cannot tell: doubled workers, missing destinations, two currencies, sums that do not add up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from decimal import Decimal
from itertools import accumulate, islice
from statistics import median_low

from importers.columns import ReadColumn, Reading
from importers.contract import Meaning, PayMethod, Severity
from importers.kinds import DEDUCTIONS, HOURS
from importers.money import Money
from importers.problems import problem
from importers.totals import stated_amount
from importers.workbook import address

_PLAUSIBLE_RATES = (300_000, 550_000)  # hundredths of a riel for a dollar
_RIEL_TOLERANCE = 100  # riel columns are usually rounded to the hundred, the smallest note
_MINUTES = frozenset({Decimal("0.15"), Decimal("0.3"), Decimal("0.45"), Decimal("0.1"), Decimal("0.2"), Decimal("0.4")})
_CLOCK_SIGNS = frozenset({Decimal("0.15"), Decimal("0.45"), Decimal("0.3")})
_FEWEST_SIGNS = 3


def check_workers(reading: Reading) -> None:
    """Code, name and net of every worker, and that no code stands twice."""
    codes, names = reading.find(Meaning.WORKER_CODE)[0], (reading.find(Meaning.NAME) or reading.find(Meaning.NAME_LATIN))[0]
    spare = reading.find(Meaning.NAME_LATIN)
    places: dict[str, list[int]] = defaultdict(list)
    for position, code in enumerate(codes.values):
        if code is not None:
            places[code].append(position)
        elif not _told(reading, position, codes):
            reading.report(position, codes.index, Meaning.WORKER_CODE, "code_missing")
        if names.values[position] is None and not (spare and spare[0].values[position]) and not _told(reading, position, names):
            reading.report(position, names.index, names.meaning, "name_missing")
    for positions in places.values():
        if len(positions) > 1:
            for position in positions:
                others = [f"row {reading.lines.workers[other] + 1}" for other in positions[:4] if other != position]
                reading.report(position, codes.index, Meaning.WORKER_CODE, "worker_twice", hint=", ".join(others[:3]))


def check_marked(reading: Reading) -> None:
    """Rows with a worker's code that call themselves a total or an example: whether they are workers, a person must say."""
    column = (reading.find(Meaning.NAME) or reading.find(Meaning.NAME_LATIN))[0]
    for rows, code in ((reading.lines.labelled, "name_is_label"), (reading.lines.examples, "example_row")):
        for row in rows:
            reading.report(bisect_left(reading.lines.workers, row), column.index, column.meaning, code)


def check_codes_alike(reading: Reading) -> None:
    """007 and 7, w01 and W01: two workers, or one whose code was typed in two ways? Each is read as it stands, and said."""
    codes = reading.find(Meaning.WORKER_CODE)[0]
    alike: dict[str, dict[str, int]] = defaultdict(dict)
    for position, code in enumerate(codes.values):
        if code is not None:
            alike[code.casefold().lstrip("0")].setdefault(code, position)
    for spellings in alike.values():
        if len(spellings) > 1:
            for code, position in spellings.items():
                others = [other for other in islice(spellings, 4) if other != code]
                reading.report(position, codes.index, Meaning.WORKER_CODE, "codes_alike", hint=", ".join(others[:3]))


def check_net(reading: Reading, net: ReadColumn) -> None:
    """The amount to pay: there, not below zero, and said when it is zero."""
    for position, value in enumerate(net.values):
        if value is None:
            if not _told(reading, position, net):
                reading.report(position, net.index, Meaning.NET, "net_missing")
        elif value.minor < 0:
            reading.report(position, net.index, Meaning.NET, "net_negative")
        elif value.minor == 0:
            reading.report(position, net.index, Meaning.NET, "net_zero")


def _told(reading: Reading, position: int, column: ReadColumn) -> bool:
    """Whether the empty value is already a problem of its own cell."""
    return (position, column.index) in reading.told


def check_destinations(reading: Reading) -> None:
    """A way of paying needs its destination in the same row."""
    if not reading.methods:
        return
    method_column = reading.find(Meaning.PAY_METHOD)[0].index
    accounts, phones = reading.find(Meaning.ACCOUNT), reading.find(Meaning.PHONE)
    for position, method in enumerate(reading.methods):
        account = accounts[0].values[position] if accounts else None
        phone = phones[0].values[position] if phones else None
        if method is PayMethod.BANK and account is None and not (accounts and _told(reading, position, accounts[0])):
            reading.report(position, accounts[0].index if accounts else method_column, Meaning.ACCOUNT, "account_missing")
        if method is PayMethod.WALLET and phone is None and account is None and not (phones and _told(reading, position, phones[0])):
            reading.report(position, phones[0].index if phones else method_column, Meaning.PHONE, "phone_missing")


def check_two_currencies(reading: Reading) -> None:
    """Riel beside dollars is one amount said twice: the rate must be the same in every row."""
    for meaning in {column.meaning for column in reading.columns if column.currency == "KHR"}:
        pair = {column.currency: column for column in reading.find(meaning)}
        if "USD" not in pair or "KHR" not in pair:
            continue
        dollars, riel = pair["USD"], pair["KHR"]
        both = [
            (position, usd, khr)
            for position, (usd, khr) in enumerate(zip(dollars.values, riel.values, strict=True))
            if usd is not None and khr is not None and usd.minor
        ]
        if not both:
            continue
        # hundredths of a riel for a dollar, in whole numbers, since this runs for every worker
        rate = median_low(khr.minor * 10_000 // usd.minor for _, usd, khr in both)
        wrong = [position for position, usd, khr in both if not _same(usd.minor, khr.minor, rate)]
        plausible = _PLAUSIBLE_RATES[0] <= rate <= _PLAUSIBLE_RATES[1]
        if not plausible or len(wrong) * 2 > len(both):
            severity = Severity.STOPS_FILE if meaning is Meaning.NET else Severity.WARNS
            reading.report(both[0][0], riel.index, meaning, "two_currency_columns_differ", severity=severity)
            riel.values = [None] * len(riel.values)
            continue
        for position in wrong:
            hint = f"{dollars.values[position]} and {riel.values[position]} at {rate // 100:,} riel a dollar"
            severity = Severity.STOPS_ROW if meaning is Meaning.NET else Severity.WARNS
            reading.report(position, riel.index, meaning, "currencies_disagree", severity=severity, hint=hint)


def _same(cents: int, riel: int, rate: int) -> bool:
    """Whether riel and cents are one amount at `rate` (hundredths of a riel), up to a note of 100 riel and a thousandth."""
    expected = cents * rate  # in ten-thousandths of a riel
    return abs(riel * 10_000 - expected) <= _RIEL_TOLERANCE * 10_000 + abs(expected) // 1000


def check_row_sums(reading: Reading, net: ReadColumn) -> None:
    """Gross less deductions is net, wherever the sheet's own rows follow that rule."""
    same = [column for column in reading.columns if column.currency == net.currency]
    gross = next((column for column in same if column.meaning is Meaning.GROSS), None)
    totals = [column for column in same if column.meaning is Meaning.TOTAL_DEDUCTIONS]
    if gross is None or net.currency is None:
        return
    parts = totals or [column for column in same if column.meaning in DEDUCTIONS]
    if not parts:
        return
    checked, wrong = 0, []
    for position, (paid, earned) in enumerate(zip(net.values, gross.values, strict=True)):
        if paid is None or earned is None:
            continue
        taken = sum(abs(column.values[position].minor) for column in parts if column.values[position] is not None)
        checked += 1
        if earned.minor - taken != paid.minor:
            wrong.append((position, earned, Money(taken, paid.currency), paid))
    if len(wrong) * 2 > checked:
        return  # the sheet's net follows another rule, which the law's own check will show
    for position, earned, less, paid in wrong:
        hint = f"{earned.amount:,} - {less.amount:,} = {(earned - less).amount:,}, the net says {paid.amount:,}"
        reading.report(position, net.index, Meaning.NET, "net_does_not_add_up", hint=hint)


def check_clock_fractions(reading: Reading) -> None:
    """4.30 in a column of hours: four hours and a half, or four hours and three tenths?"""
    for column in reading.columns:
        if column.meaning not in HOURS:
            continue
        fractions = [(position, value % 1) for position, value in enumerate(column.values) if value is not None and value % 1]
        signs = [position for position, rest in fractions if rest in _CLOCK_SIGNS]
        if len(signs) >= _FEWEST_SIGNS and all(rest in _MINUTES or rest == Decimal("0.5") for _, rest in fractions):
            reading.report(signs[0], column.index, column.meaning, "hours_maybe_minutes")


def flip_deductions(reading: Reading) -> None:
    """Some sheets write every deduction below zero; here a deduction is a positive amount."""
    for column in reading.columns:
        if column.meaning in DEDUCTIONS or column.meaning is Meaning.TOTAL_DEDUCTIONS:
            present = [value for value in column.values if value is not None and value.minor]
            if present and all(value.minor < 0 for value in present):
                column.values = [None if value is None else abs(value) for value in column.values]
                column.sums = [None if value is None else abs(value) for value in column.sums]


def check_unlabelled(reading: Reading, net: ReadColumn) -> list[tuple[int, Money | None]]:
    """Rows with an amount but no worker: a total without its word is known by its sum; any other is a rejected row."""
    rejected: list[tuple[int, Money | None]] = []
    code = reading.find(Meaning.WORKER_CODE)[0]
    workers, unlabelled = reading.lines.workers, reading.lines.unlabelled
    sums = list(accumulate((value.minor if isinstance(value, Money) else 0 for value in net.sums), initial=0))
    for number, row in enumerate(unlabelled):
        stated = stated_amount(reading, row, net)
        before = sums[bisect_left(workers, row)]
        following = unlabelled[number + 1] if number + 1 < len(unlabelled) else len(reading.grid.rows)
        if stated is not None and before and stated.minor == before:
            reading.lines.totals.append(row)
            continue
        if stated is not None and stated.minor and stated.minor == sums[bisect_right(workers, following)] - before:
            continue  # a department's heading with the sum of the rows below it, which is right
        rejected.append((row, stated))
        line = reading.grid.rows[row]
        value = line[net.index] if net.index < len(line) else ""
        reading.problems.append(
            problem("row_without_worker", sheet=reading.grid.name, cell=address(row, code.index), meaning=Meaning.WORKER_CODE, value=value)
        )
    reading.lines.totals.sort()
    return rejected
