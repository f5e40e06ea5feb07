"""The words of reports, in English and Khmer, from `words/*.toml`. Both files have the same keys; a test keeps it so."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "words"
LANGUAGES = ("en", "km")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWords:
    """The texts of one language, by dotted key."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key` with `{name}` places filled. A key that does not exist is an error of ours: KeyError."""
        text = self.texts[key]
        return text.format(**values) if values else text

    def known(self, key: str, otherwise: str) -> str:
        """The text of a key that others name, such as a provider's code; `otherwise` where we have no word for it."""
        return self.texts.get(key, otherwise)


def _flat(table: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, value in table.items():
        texts.update(_flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: str(value)})
    return texts


def _load(language: str) -> ReportWords:
    with (_FOLDER / f"{language}.toml").open("rb") as file:
        return ReportWords(language=language, texts=_flat(tomllib.load(file)))


WORDS: Mapping[str, ReportWords] = {language: _load(language) for language in LANGUAGES}


def words_of(language: str) -> ReportWords:
    """The words of a language; English for one we do not speak."""
    return WORDS.get(language, WORDS["en"])
