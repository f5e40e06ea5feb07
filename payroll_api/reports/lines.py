"""Where a line may end: at a space, at a zero-width space, and in Khmer, which writes no spaces, between two clusters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_KHMER = re.compile(r"[\u1780-\u17ff\u19e0-\u19ff]")
# A base with its subscripts, vowels and signs is one cluster: nothing may come between them. Anything else is one sign.
_CLUSTER = re.compile(r"[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b4-\u17d1\u17d3\u17dd\u200c\u200d])*|.", re.DOTALL)
_WORDS = re.compile(r"[^ \t\n\u200b]+|[ \t\n\u200b]")


def has_khmer(text: str) -> bool:
    """Whether any sign of the text is Khmer, so that its glyphs must be shaped."""
    return _KHMER.search(text) is not None


def wrapped(text: str, width: float, width_of: Callable[[str], float]) -> list[str]:
    """The text in lines no wider than `width`, at least one. Only a single cluster wider than that stands out."""
    if width_of(text) <= width:
        return [text.replace("\u200b", "")]
    lines, line = [], ""
    for piece in _pieces(text, width, width_of):
        if line and width_of(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    lines.append(line.rstrip())
    return lines


def _pieces(text: str, width: float, width_of: Callable[[str], float]) -> Iterator[str]:
    for word in _WORDS.findall(text):
        if word == "\u200b":
            continue
        if word.isspace() or (width_of(word) <= width and not has_khmer(word)):
            yield " " if word.isspace() else word
        else:
            yield from _CLUSTER.findall(word)
