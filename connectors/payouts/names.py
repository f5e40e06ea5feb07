"""Is the holder a provider tells the worker we mean? The four answers of the EPC's Verification of Payee scheme.

No similarity score is safe: SOK DARA and SOK DARY are two people and closer than CHEA SYHA and CHEA SEIHA, who may be one. So MATCH
means equal after normalisation, whatever is only near goes to a person, and scripts that differ are not compared at all.
"""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher

from connectors.payouts.contract import NameMatch

LONGEST_NAME = 140  # ISO 20022's Max140Text; anything longer is no name
NEAR = 0.8  # share of letters in common from which a person should look

_INVISIBLE = frozenset(
    "\u00ad\u17b4\u17b5\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_LATIN_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mister", "madam", "madame", "mme", "dr", "prof", "professor", "oknha"})
_KHMER_TITLES = frozenset({"លោក", "លោកស្រី", "លោកជំទាវ", "អ្នកស្រី", "អ្នកនាង", "កញ្ញា", "ឯកឧត្តម", "ឧកញ៉ា", "បណ្ឌិត"})
_UNDECOMPOSED = str.maketrans({"đ": "d", "ø": "o", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe"})
_SPACING = str.maketrans("", "", " -+\u00a0")
_LEAST_WORDS = 2  # a title is dropped only where a whole name is left


def compare(ours: str, theirs: str) -> NameMatch:
    """How `theirs`, the holder that a provider tells, relates to `ours`.

    MATCH: equal but for case, spacing, punctuation, order of words, titles, and accents that one side does not write.
    CLOSE_MATCH: a spelling or a word apart. NO_MATCH: different. NOT_APPLICABLE: empty, masked, overlong, or in another script.
    """
    mine, other = _words(ours), _words(theirs)
    if not mine or not other or "*" in ours or "*" in theirs:
        return NameMatch.NOT_APPLICABLE
    if sorted(mine) == sorted(other):
        return NameMatch.MATCH
    scripts = _scripts(mine)
    if len(scripts) != 1 or scripts != _scripts(other):
        return NameMatch.NOT_APPLICABLE
    if scripts == {"KHMER"} and "".join(mine) == "".join(other):
        return NameMatch.MATCH  # Khmer does not write the spaces between words
    plain, other_plain = [_without_accents(word) for word in mine], [_without_accents(word) for word in other]
    if sorted(plain) == sorted(other_plain):
        one_side_has_none = plain == mine or other_plain == other
        return NameMatch.MATCH if one_side_has_none else NameMatch.CLOSE_MATCH  # Hòa and Hóa are two names
    return NameMatch.CLOSE_MATCH if _near(plain, other_plain) else NameMatch.NO_MATCH


def same_account(ours: str, theirs: str) -> bool:
    """Whether two writings are one account: banks drop spaces and hyphens, wallets the plus of a phone number."""
    return ours.translate(_SPACING).upper() == theirs.translate(_SPACING).upper()


def _words(name: str) -> list[str]:
    """The words of a name: lower case, composed, without titles, punctuation and invisible characters."""
    if len(name) > LONGEST_NAME:
        return []
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())
    text = "".join(letter for letter in text if letter not in _INVISIBLE)
    # An apostrophe or full stop inside a word is spelling (D'Souza, H.E.); any other sign parts words.
    text = "".join(letter for letter in text if letter not in "'’ʼ`.")
    words = "".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in text).split()
    return _without_titles(words)


def _without_titles(words: list[str]) -> list[str]:
    """The words without titles. A Khmer title that is also a given name (Kanha) is dropped only from the front."""
    kept = [word for word in words if word not in _LATIN_TITLES]
    if len(kept) < _LEAST_WORDS:
        kept = list(words)
    while len(kept) > _LEAST_WORDS and kept[0] in _KHMER_TITLES:
        kept.pop(0)
    return kept


def _scripts(words: list[str]) -> set[str]:
    """The scripts of the letters, by the first word of their Unicode names: LATIN, KHMER, CJK, ..."""
    return {
        unicodedata.name(letter, "UNKNOWN").split(" ")[0] for word in words for letter in word if unicodedata.category(letter)[0] == "L"
    }


def _without_accents(word: str) -> str:
    """A Latin word without its accents; a vowel sign of Khmer or Thai is no accent and stays."""
    kept: list[str] = []
    base_is_latin = False
    for letter in unicodedata.normalize("NFD", word):
        if unicodedata.category(letter) == "Mn":
            if base_is_latin:
                continue
        else:
            base_is_latin = unicodedata.name(letter, "").startswith("LATIN")
        kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_UNDECOMPOSED)


def _near(mine: list[str], other: list[str]) -> bool:
    """Whether a person should look: the same letters, a word or initials missing, or a spelling apart."""
    if "".join(mine) == "".join(other) or _contained(mine, other) or _contained(other, mine):
        return True
    tries = ((mine, other), (sorted(mine), sorted(other)), (mine[::-1], other))
    return any(SequenceMatcher(None, " ".join(one), " ".join(two), autojunk=False).ratio() >= NEAR for one, two in tries)


def _contained(few: list[str], many: list[str]) -> bool:
    """Whether every word of `few` is a word of `many` or the initial of one, and at least one whole word agrees."""
    left = list(many)
    whole = 0
    for word in sorted(few, key=len, reverse=True):
        found = word if word in left else next((long for long in left if len(word) == 1 and long.startswith(word)), None)
        if found is None:
            return False
        whole += found == word
        left.remove(found)
    return whole > 0
