"""How many SMS segments a text costs, and how to cut one that is too long. Rules: 3GPP TS 23.038 (alphabets), TS 23.040 (parts)."""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("\f^{}\\[~]|€")  # each costs an escape and a septet
_JOINERS = frozenset("\u200c\u200d")
_JOINS_THE_NEXT = frozenset("\u17d2\u200d")  # COENG puts the next consonant under this one; ZERO WIDTH JOINER
_SPACES = frozenset(" \n\r\u200b")  # Khmer writes no spaces between words; ZERO WIDTH SPACE stands where a line may break


class Encoding(enum.StrEnum):
    """The alphabet a text needs. One Khmer letter, or the riel sign, turns the whole text into UCS-2."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"

    @property
    def alone(self) -> int:
        """Units that fit when the text is one segment."""
        return 160 if self is Encoding.GSM_7 else 70

    @property
    def joined(self) -> int:
        """Units that fit into each of several segments: six octets of each go to the header that joins them."""
        return 153 if self is Encoding.GSM_7 else 67


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """What a text costs: units are septets in GSM-7 and UTF-16 code units in UCS-2; count is what the operator bills."""

    encoding: Encoding
    units: int
    count: int


def segments(text: str) -> Segments:
    """The cost of a text. An escaped character or a surrogate pair never lies across two segments; an empty text is one segment."""
    letters = set(text)
    escaped = letters & _GSM_EXTENDED
    if letters <= _GSM | _GSM_EXTENDED:
        encoding, pairs = Encoding.GSM_7, bool(escaped)
        units = len(text) + (sum(map(text.count, escaped)) if escaped else 0)
    else:
        encoding = Encoding.UCS_2
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        pairs = units > len(text)
    if units <= encoding.alone:
        return Segments(encoding=encoding, units=units, count=1)
    if not pairs:
        return Segments(encoding=encoding, units=units, count=-(-units // encoding.joined))
    return Segments(encoding=encoding, units=units, count=_parts(text, encoding))


def clusters(text: str) -> Iterator[str]:
    """The text in pieces that must stay together: a Khmer letter with its subscripts, vowels and signs; a letter with its marks."""
    piece = ""
    for letter in text:
        if piece and not _continues(piece, letter):
            yield piece
            piece = ""
        piece += letter
    if piece:
        yield piece


def split(text: str, *, at_most: int) -> tuple[str, ...]:
    """The text as messages of at most `at_most` segments each, cut at a space where there is one and never inside a cluster.

    Nothing is lost but the space at a cut. Raises ValueError when `at_most` is under 1.
    """
    if at_most < 1:
        raise ValueError(f"a message has at least one segment, not {at_most}: pass at_most=1 or more")
    messages: list[str] = []
    rest = text
    while segments(rest).count > at_most:
        end, space = _longest(rest, at_most)
        messages.append(rest[: space or end])
        rest = rest[space + 1 :] if space else rest[end:]
    return (*messages, rest)


def _continues(piece: str, letter: str) -> bool:
    if letter in _JOINERS or unicodedata.category(letter).startswith("M"):
        return True
    return piece[-1] in _JOINS_THE_NEXT and letter not in _SPACES


def _width(letter: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM_7:
        return 2 if letter in _GSM_EXTENDED else 1
    return 2 if ord(letter) > 0xFFFF else 1  # noqa: PLR2004 the end of the plane that UCS-2 writes in one unit


def _parts(text: str, encoding: Encoding) -> int:
    count, filled = 1, 0
    for letter in text:
        width = _width(letter, encoding)
        if filled + width > encoding.joined:
            count, filled = count + 1, 0
        filled += width
    return count


def _longest(text: str, at_most: int) -> tuple[int, int | None]:
    """How many letters of a too long text make a message of at most `at_most` segments, and the last space in its second half."""
    end, space = 0, None
    for piece in clusters(text):
        if piece in _SPACES and end:
            space = end
        if segments(text[: end + len(piece)]).count > at_most:
            break
        end += len(piece)
    if end:
        return end, space if space is not None and space >= end // 2 else None
    end = 1  # a single cluster that no message can hold is nonsense, but cutting must come to an end
    while segments(text[: end + 1]).count <= at_most:
        end += 1
    return end, None
