"""Khmer text: one order inside each cluster, no invisible characters, digits, and text of fonts older than Unicode.

NFC does not put Khmer in order (COENG has combining class 9), so the same visible word has several spellings; Unicode
Technical Note 61 gives the order used here: base, robat, subscripts (RO last), shifters, vowel, signs.
"""

from __future__ import annotations

import re
import unicodedata

_FULL_WIDTH = {ord(character): chr(ord(character) - 0xFEE0) for character in "０１２３４５６７８９．，－（）：％"}
_DIGITS = str.maketrans({0x17E0 + n: str(n) for n in range(10)} | {0x17F0 + n: str(n) for n in range(10)} | _FULL_WIDTH)
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD, 0x17B4, 0x17B5), None)
_SPLIT_VOWELS = (
    ("\u17c1\u17b8", "\u17be"),
    ("\u17c1\u17b6", "\u17c4"),
    ("\u17c1\u17c5", "\u17c5"),
    ("\u17a3", "\u17a2"),
    ("\u17a4", "\u17a2\u17b6"),
    ("ឲ", "ឱ"),
)
_COENG, _RO, _ROBAT = "\u17d2", "\u179a", "\u17cc"
_CLUSTER = re.compile("[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b6-\u17d1\u17dd])+")
_PART = re.compile("\u17d2[\u1780-\u17b3]|[\u17b6-\u17d1\u17dd]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_KHMER = re.compile("[\u1780-\u17ff]")
# Khmer in UTF-8 begins with the bytes E1 9E or E1 9F, Chinese characters with E4 to E9: as Windows-1252 these are such pairs
_GARBLED = re.compile("á[žŸ\u017e\u0178]|\ufffd|[äåæçèé][\u0080-\u00bf][\u0080-\u00bf]")
# Limon and ABC map Khmer letters onto Latin keys: a "word" then holds ) ] ; ' or capitals where no Latin name has them.
_LEGACY = re.compile(r"[A-Za-z][)\];:'\\`|{}<>@#^&*+=~][A-Za-z]")


def digits(text: str) -> str:
    """`text` with Khmer digits, and the full-width ones of Chinese keyboards, as 0-9."""
    return text if text.isascii() else text.translate(_DIGITS)


def visible(text: str) -> str:
    """`text` without zero-width characters and with single ordinary spaces: what a person sees."""
    return " ".join((text if text.isascii() else text.translate(_INVISIBLE)).split())


def is_khmer(text: str) -> bool:
    """Whether any Khmer character stands in the text."""
    return _KHMER.search(text) is not None


def has_hidden_direction(text: str) -> bool:
    """Whether the text holds characters that reorder or control what is shown; no honest name or account does."""
    if text.isascii() and text.isprintable():
        return False
    return _BIDI.search(text) is not None or _CONTROL.search(text) is not None


def is_legacy_font_text(text: str) -> bool:
    """Whether this looks like Khmer typed for a font older than Unicode (Limon, ABC): Latin letters around punctuation."""
    return not is_khmer(text) and _LEGACY.search(text) is not None


def is_garbled(text: str) -> bool:
    """Whether the text was decoded wrongly before it came here: UTF-8 Khmer read as Windows-1252, or replacement signs."""
    return not text.isascii() and _GARBLED.search(text) is not None


def normalise(text: str) -> str:
    """The one spelling of a Khmer text: NFC, visible characters only, each cluster in canonical order."""
    if text.isascii():
        return visible(text)
    text = visible(unicodedata.normalize("NFC", text))
    if not is_khmer(text):
        return text
    text = _CLUSTER.sub(_reorder, _joined(text))
    return _CLUSTER.sub(_reorder, _joined(text))  # in order, the two halves of a vowel may stand side by side for the first time


def _joined(text: str) -> str:
    for split, whole in _SPLIT_VOWELS:
        text = text.replace(split, whole)
    return text


def _reorder(match: re.Match[str]) -> str:
    cluster = match[0]
    parts = _PART.findall(cluster)
    ordered = sorted(parts, key=_rank)
    kept = [part for index, part in enumerate(ordered) if index == 0 or part != ordered[index - 1]]
    return cluster[0] + "".join(kept)


def _rank(part: str) -> int:
    if part[0] == _COENG:
        return 2 if part[1] == _RO else 1
    if part == _ROBAT:
        return 0
    code = ord(part)
    if code in (0x17C9, 0x17CA):
        return 3
    return 4 if code <= 0x17C5 else 5  # noqa: PLR2004  the last dependent vowel of the block
