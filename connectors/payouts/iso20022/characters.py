"""Which letters a bank takes. Khmer names need UTF-8; a bank that reads only SWIFT's letters gets Latin ones or nothing."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

CharacterSet = Literal["utf-8", "latin"]

# SWIFT's character set X, which most banks' Latin rule means (also the EPC's for SEPA).
_LATIN = re.compile(r"[A-Za-z0-9/?:().,'+ -]*", re.ASCII)
_WITHOUT_MARKS = str.maketrans(
    {"đ": "d", "Đ": "D", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "’": "'", "_": "-"}
)


def written(text: str, allowed: CharacterSet) -> str | None:
    """`text` in letters that the bank takes, accents dropped where it knows none; None where a letter has no such writing.

    Nothing is transliterated: a Khmer name in Latin letters is the register's to know, not ours to guess.
    """
    if allowed == "utf-8":
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_WITHOUT_MARKS))
    plain = "".join(letter for letter in plain if unicodedata.category(letter) != "Mn" or ord(letter) > 0x36F)  # noqa: PLR2004 Latin's marks end there
    return plain if _LATIN.fullmatch(plain) else None
