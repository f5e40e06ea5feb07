"""The words of a header -> the meanings it may have, each with a score and a reason a person can check."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import SequenceMatcher
from functools import lru_cache
from importlib.resources import files
from itertools import chain

from importers.contract import Meaning
from importers.khmer import digits, normalise
from importers.kinds import DAYS, DEDUCTIONS, EARNINGS, HOURS, MONEY, UNREAD

SURE = Decimal("1.00")
SPELLED = Decimal("0.85")  # a known phrase with one slip of the keyboard
PARTLY = Decimal("0.65")  # a known phrase among other words
WEAK = Decimal("0.50")  # a word that several meanings share
TAKEN_FROM = Decimal("0.80")  # from this score on a column is read; below, a person is asked
_CLOSE_ENOUGH = 0.86
_SHORTEST_FOR_SPELLING = 6
_SHORTEST_PART = 4

_NOISE = re.compile(r"[\s_.,;:*'\"`´()\[\]{}<>#%៖។៕\-–—/\\|&+=!?、，。：；（）]+")
_CURRENCY = re.compile(r"(?<![a-z])(?:usd|us\$|khr|riels?|dollars?|us)(?![a-z])|[$៛]|ដុល្លារ|រៀល|美元|美金|柬币|瑞尔", re.IGNORECASE)
_PIECES = re.compile(  # lines, slashes, brackets, and the places where one script ends and another begins
    "[\n/|()\\[\\]（）]+|(?<=[\u1780-\u17ff])[ .]*(?=[A-Za-z\u4e00-\u9fff])|(?<=[A-Za-z\u4e00-\u9fff])[ .]*(?=[\u1780-\u17ff])"
    "|(?<=[A-Za-z])[ .]*(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])[ .]*(?=[A-Za-z])"
)
_RATE = re.compile(r"(?<![0-9.])[0-9]+(?:\.[0-9]+)?(?![0-9])")
_ORDINARY, _DOUBLE = Decimal(150), Decimal(200)  # per cent, Labour Law art. 139 and Prakas 112/25
_MULTIPLES = 10  # "1.5" and "3" are times the wage, "150" is per cent of it
_OTHERS = re.compile(
    r"employer|company(?!.*id)|ytd|year to date|previous|last month|cumulative|average|និយោជក|ក្រុមហ៊ុន|公司|雇主|上月|累计|earned|ទទួលបាន",
    re.IGNORECASE,
)  # figures that share a payroll's words but are not what the worker is paid now
_DEDUCTED = re.compile(r"deduct|ការកាត់|កាត់|扣|공제", re.IGNORECASE)
_EARNED = re.compile(r"earnings?(?![a-z])|income|allowances?(?![a-z])|ចំណូល|ប្រាក់ឧបត្ថម្ភ|应发|收入|지급", re.IGNORECASE)
_LATIN = re.compile(r"latin|english|ឡាតាំង|អង់គ្លេស|英文|拼音", re.IGNORECASE)
_UNITS = {
    word: unit
    for unit, words in {
        "years": ("year", "years", "yr", "yrs", "ឆ្នាំ", "年"),
        "months": ("months", "mths", "个月"),
        "days": ("day", "days", "ថ្ងៃ", "天", "天数"),
        "hours": ("hour", "hours", "hr", "hrs", "h", "ម៉ោង", "小时", "时数"),
        "minutes": ("min", "mins", "minutes", "នាទី", "分钟"),
        "pieces": ("pcs", "pieces", "qty", "quantity", "times", "ដង", "件", "次"),
    }.items()
    for word in words
}
_SHARE = re.compile(r"(?<![0-9])(?<![0-9] )%")
_IN_KHMER = re.compile(r"khmer|(?<![a-z])kh(?![a-z])|ខ្មែរ|柬文", re.IGNORECASE)
_IN_LATIN = {
    Meaning.NAME: Meaning.NAME_LATIN,
    Meaning.FAMILY_NAME: Meaning.FAMILY_NAME_LATIN,
    Meaning.GIVEN_NAME: Meaning.GIVEN_NAME_LATIN,
}
_NOT_WORKED = (Meaning.DAYS_HOLIDAY, Meaning.HOLIDAY_WAGE)  # no work on a holiday, though the header names both
_KHMER_CURRENCY = re.compile(r"៛|(?<![a-z])(?:khr|riels?)(?![a-z])|រៀល|柬币|瑞尔", re.IGNORECASE)
_DOLLARS = re.compile(r"\$|(?<![a-z])(?:usd|dollars?)(?![a-z])|ដុល្លារ|美元|美金", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One meaning that a header may have."""

    meaning: Meaning
    score: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    words: frozenset[str]  # every single Latin word of it
    sure: dict[str, Meaning]
    weak: dict[str, tuple[Meaning, ...]]
    parts: dict[str, frozenset[str]]


def key(text: str) -> str:
    """What two spellings of one header have in common: no case, spaces, punctuation, currency, zero-width characters."""
    return _NOISE.sub("", _CURRENCY.sub(" ", digits(normalise(text)).casefold()))


def identity(text: str) -> str:
    """A header for the fingerprint: as `key`, but spaces and currencies count, since two columns may differ by one."""
    return " ".join(digits(normalise(text)).casefold().split())


def names_khmer(text: str) -> bool:
    """Whether a header says that its column is written in Khmer."""
    return _IN_KHMER.search(normalise(text)) is not None


def currency_of(text: str) -> str | None:
    """The currency a header or a caption names, when it names exactly one."""
    khr, usd = _KHMER_CURRENCY.search(text) is not None, _DOLLARS.search(text) is not None
    if khr == usd:
        return None
    return "KHR" if khr else "USD"


@lru_cache(maxsize=1)
def _vocabulary() -> _Vocabulary:
    source = tomllib.loads(files("importers").joinpath("words.toml").read_text(encoding="utf-8"))
    phrases = chain(*source["parts"].values(), *(words.get(how, ()) for words in source.values() for how in ("sure", "weak")))
    single = frozenset(word for phrase in phrases for word in _NOISE.split(phrase.casefold()) if word.isascii())
    parts = {part: frozenset(key(word) for word in words) for part, words in source.pop("parts").items()}
    sure: dict[str, Meaning] = {}
    weak: dict[str, set[Meaning]] = {}
    for name, words in source.items():
        meaning = Meaning(name)
        for word in words.get("sure", ()):
            sure[key(word)] = meaning
        for word in words.get("weak", ()):
            weak.setdefault(key(word), set()).add(meaning)
    return _Vocabulary(single, sure, {word: tuple(sorted(meanings)) for word, meanings in weak.items()}, parts)


@lru_cache(maxsize=4096)
def guess(header: str, groups: str = "") -> tuple[Guess, ...]:
    """What a header may mean, best first; empty when no word of it is known.

    `groups` are the captions over it ("Overtime" over "150 %"): they complete a header that does not stand alone, and a group
    such as "Employer" or "Last month" makes any meaning doubtful.
    """
    whole = f"{groups} / {header}" if groups else header
    known = _vocabulary().sure
    plainly = known.get(key(header))
    premium = (
        None
        if plainly is Meaning.NOT_PAID or any(known.get(key(piece)) in _NOT_WORKED for piece in _PIECES.split(header))
        else max(filter(None, (_premium(header), _premium(whole))), key=lambda entry: entry.score, default=None)
    )
    # "Emp" over "No." is a known word as a whole; its lines are no headers of their own
    pieces = [header] if plainly is not None else [piece for piece in dict.fromkeys((header, *_PIECES.split(header))) if key(piece)]
    exact = [entry for piece in pieces for entry in _match(piece)]
    found: dict[Meaning, Guess] = {}
    for entry in exact:
        if entry.meaning not in found or found[entry.meaning].score < entry.score:
            found[entry.meaning] = entry
    if premium is not None:
        # "Overtime / Hours" is more than any of its words
        found = {meaning: _capped(entry, PARTLY, entry.reason) for meaning, entry in found.items() if meaning is not premium.meaning}
        found[premium.meaning] = premium
    if groups:
        found = _settled_by(groups, found)
    if not found and groups:
        found = {entry.meaning: _capped(entry, PARTLY, "only the group caption is known") for entry in guess(groups)}
    other = _OTHERS.search(groups) or (None if key(header) in _vocabulary().sure else _OTHERS.search(header))
    if other is not None:
        found = {meaning: _capped(entry, PARTLY, f"'{other[0]}' may make it another figure") for meaning, entry in found.items()}
    if plainly is None or currency_of(header) is not None or "%" in header:
        found = {meaning: _weighed(header, entry) for meaning, entry in found.items()}
    ranked = sorted(found.values(), key=lambda entry: (-entry.score, entry.meaning))
    return _doubted(ranked)


def _weighed(header: str, entry: Guess) -> Guess:
    """Below the mark where the header counts something else than the meaning does: "Seniority (years)", "Sick ($)", "Basic wage / day"."""
    unit = next((_UNITS[word] for piece in _PIECES.split(header) if (word := key(piece)) in _UNITS), None)
    if _SHARE.search(digits(normalise(header))) is not None:
        unit = "shares"
    elif currency_of(header) is not None and entry.meaning not in MONEY | UNREAD:
        unit = "money"
    own = "hours" if entry.meaning in HOURS else "days" if entry.meaning in DAYS else ""
    if unit in (None, own) or entry.meaning in {Meaning.NOT_PAID, Meaning.NOTE, Meaning.LINE_NUMBER}:
        return entry
    return _capped(entry, PARTLY, f"{entry.meaning.value} is not counted in {unit}")


def _settled_by(groups: str, found: dict[Meaning, Guess]) -> dict[Meaning, Guess]:
    """What a group caption says of a word that several meanings share: "Other" under "Deductions"; a name's parts under "Latin"."""
    if any(entry.score >= TAKEN_FROM for entry in found.values()):
        if _LATIN.search(groups):
            return {
                _IN_LATIN.get(meaning, meaning): replace(entry, meaning=_IN_LATIN.get(meaning, meaning)) for meaning, entry in found.items()
            }
        return found
    for caption, family in ((_DEDUCTED, DEDUCTIONS | {Meaning.TOTAL_DEDUCTIONS}), (_EARNED, EARNINGS | {Meaning.GROSS})):
        fitting = [entry for entry in found.values() if entry.meaning in family]
        if caption.search(groups) and len(fitting) == 1 and fitting[0].score == WEAK:
            (one,) = fitting
            return {one.meaning: Guess(meaning=one.meaning, score=SPELLED, reason=f"{one.meaning.value}, by its group caption")}
    return found


def _capped(entry: Guess, most: Decimal, reason: str) -> Guess:
    return entry if entry.score <= most else Guess(meaning=entry.meaning, score=most, reason=reason)


def known_word(text: str) -> bool:
    """Whether a cell's text is, or has as a part, a word of headers; quick, for finding the header row."""
    words = _vocabulary()
    for piece in (text, *_PIECES.split(text)):
        plain = key(piece)
        if plain and (plain in words.sure or plain in words.weak):
            return True
    return _premium(text) is not None


def _doubted(ranked: list[Guess]) -> tuple[Guess, ...]:
    """Two sure meanings in one header contradict each other: both are put below the mark, so that a person is asked."""
    sure = [entry for entry in ranked if entry.score >= TAKEN_FROM]
    if len(sure) <= 1 or sure[0].score > sure[1].score:
        return tuple(ranked)
    if {entry.meaning for entry in sure} == {Meaning.NAME, Meaning.NAME_LATIN}:
        return tuple(entry for entry in ranked if entry.meaning is not Meaning.NAME)  # "Name (English)"
    reason = "the words name both " + " and ".join(sorted(entry.meaning.value for entry in sure))
    return tuple(_capped(entry, PARTLY, reason) for entry in ranked)


def _match(piece: str) -> list[Guess]:
    words = _vocabulary()
    plain = key(piece)
    if (meaning := words.sure.get(plain)) is not None:
        return [Guess(meaning=meaning, score=SURE, reason=f"known words: {piece.strip()}")]
    if plain in words.weak:
        reason = f"{piece.strip()} alone can mean several things"
        return [Guess(meaning=meaning, score=WEAK, reason=reason) for meaning in words.weak[plain]]
    spelled = [word for word in _NOISE.split(normalise(piece).casefold()) if word]
    if len(plain) >= _SHORTEST_FOR_SPELLING and not all(word in words.words for word in spelled):  # "Bank account name": no slip in it
        near = _nearest(plain, words.sure)
        if near is not None:
            return [Guess(meaning=words.sure[near], score=SPELLED, reason=f"spelled almost like known words: {piece.strip()}")]
    inside = [known for known in words.sure if len(known) >= _SHORTEST_PART and known in plain]
    longest = max(inside, key=len, default=None)
    if longest is None:
        return []
    return [Guess(meaning=words.sure[longest], score=PARTLY, reason="known words among others")]


def _nearest(plain: str, known: dict[str, Meaning]) -> str | None:
    best, best_ratio, best_meaning, runner_up = None, _CLOSE_ENOUGH, None, 0.0
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(plain)
    for candidate, meaning in known.items():
        if abs(len(candidate) - len(plain)) > 2:  # noqa: PLR2004  one slip changes a word by two letters at most
            continue
        if plain[-1].isdigit() != candidate[-1].isdigit():
            continue
        matcher.set_seq1(candidate)
        if matcher.real_quick_ratio() < _CLOSE_ENOUGH or matcher.quick_ratio() < _CLOSE_ENOUGH:
            continue
        ratio = matcher.ratio()
        if ratio >= best_ratio:
            runner_up = best_ratio if best_meaning not in (None, meaning) else runner_up
            best, best_ratio, best_meaning = candidate, ratio, meaning
        elif meaning is not best_meaning:
            runner_up = max(runner_up, ratio)
    return best if runner_up < best_ratio else None


def _premium(header: str) -> Guess | None:
    """Overtime, night, rest day and holiday columns, from their parts. None when the header is none of these."""
    text = digits(normalise(header)).casefold()
    rates = {Decimal(number) * (100 if Decimal(number) < _MULTIPLES else 1) for number in _RATE.findall(text)}
    has = {part for part, words in _vocabulary().parts.items() if _holds(text, words)}
    work = has & {"overtime", "night", "rest_day", "holiday"}
    meal = key(header)
    if not work or any(word in meal for word in ("meal", "food", "បាយ", "អាហារ", "餐")):
        return None
    if "days" in has and "hours" not in has and "pay" not in has and work == {"overtime"}:
        return Guess(meaning=Meaning.OVERTIME_DAYS, score=SURE, reason="overtime, counted in days")
    money = "pay" in has or currency_of(header) is not None
    hours = "hours" in has and not ("ម៉ោង" in text and not _counts_hours(text))
    kind = _kind(has, rates)
    if kind is None or ("days" in has and not hours and not money):
        return None
    if money == hours:
        reason = "time or money? the words do not say"
        return Guess(meaning=kind[1], score=PARTLY if not money else WEAK, reason=reason)
    return Guess(meaning=kind[0] if hours else kind[1], score=SURE, reason=f"{kind[2]}, in {'hours' if hours else 'money'}")


def _holds(text: str, words: frozenset[str]) -> bool:
    spaced = f" {_NOISE.sub(' ', text)} "
    compact = spaced.replace(" ", "")
    for word in words:
        if word.isascii():
            if f" {word} " in spaced or (len(word) > _SHORTEST_PART and word in compact):
                return True
        elif word in compact:
            return True
    return False


def _counts_hours(text: str) -> bool:
    """ថែមម៉ោង (overtime) itself holds ម៉ោង (hour): only a second one, or a number word, counts hours."""
    rest = text.replace("ថែមម៉ោង", "").replace("ម៉ោងបន្ថែម", "").replace("ម៉ោងថែម", "")
    return (
        "ម៉ោង" in rest
        or re.search(r"(?<![a-z])(?:hours?|hrs?)(?![a-z])", rest) is not None
        or any(w in rest for w in ("小时", "时数", "工时"))
    )


def _kind(has: set[str], rates: set[Decimal]) -> tuple[Meaning, Meaning, str] | None:  # noqa: PLR0911  one refusal after the other
    low, double = _ORDINARY in rates, _DOUBLE in rates
    special = has & {"night", "rest_day", "holiday"}
    if len(special) > 1 or (low and double):
        return None
    if "holiday" in has:
        return (Meaning.HOLIDAY_HOURS, Meaning.HOLIDAY_PAY, "work on a public holiday")
    if "rest_day" in has:
        return None if low else (Meaning.REST_DAY_HOURS, Meaning.REST_DAY_PAY, "work on the weekly day off")
    if "night" in has:
        if "overtime" in has or double:
            return (Meaning.NIGHT_OVERTIME_HOURS, Meaning.NIGHT_OVERTIME_PAY, "overtime at night")
        return (Meaning.NIGHT_HOURS, Meaning.NIGHT_PAY, "ordinary work at night") if not low else None
    if rates - {_ORDINARY}:
        return None  # 200 % may be night or the day off, 300 % a holiday: a person knows
    return (Meaning.OVERTIME_HOURS, Meaning.OVERTIME_PAY, "ordinary overtime")


def words_of(meaning: Meaning) -> tuple[str, ...]:
    """The phrases by which a meaning is recognised for sure, as the vocabulary writes them."""
    source = tomllib.loads(files("importers").joinpath("words.toml").read_text(encoding="utf-8"))
    return tuple(source.get(meaning.value, {}).get("sure", ()))
