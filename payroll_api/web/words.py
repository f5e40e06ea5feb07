"""The words of the pages, in English and Khmer, from `words/*.toml`. Both files have the same keys; a test keeps it so."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from importers.blank import LABELS
from reconciliation.words import ENGLISH, KHMER

LANGUAGES: Mapping[str, str] = {"km": "ខ្មែរ", "en": "English"}
DEFAULT_LANGUAGE = "en"
_FOLDER = Path(__file__).parent / "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The texts of one language, by dotted key."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key` with `{name}` places filled. A key that does not exist is an error of ours: KeyError."""
        text = self.texts[key]
        return text.format(**values) if values else text

    def many(self, key: str, count: int, **values: object) -> str:
        """The text for a number of things: `key.one` or `key.other`, with `{count}` grouped by thousands."""
        return self(f"{key}.{'one' if count == 1 else 'other'}", count=f"{count:,}", **values)

    def known(self, key: str, otherwise: str) -> str:
        """The text of a key that others name, such as a provider's code; `otherwise` where we have no word for it."""
        return self.texts.get(key, otherwise)


def load(language: str) -> Words:
    """The words of `language` (`en` or `km`), read from the package."""
    with (_FOLDER / f"{language}.toml").open("rb") as file:
        return Words(language=language, texts={**_columns_and_lines(language), **_flat(tomllib.load(file))})


def _flat(table: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            texts.update(_flat(value, f"{prefix}{name}."))
        else:
            texts[prefix + name] = str(value)
    return texts


def _columns_and_lines(language: str) -> dict[str, str]:
    """What columns and pay-slip lines are called: the words of the template and of messages, so that a thing has one name everywhere."""
    columns = {f"meaning.{meaning.value}": labels[0 if language == "km" else 1] for meaning, labels in LABELS.items()}
    names = KHMER if language == "km" else ENGLISH
    return {**columns, **{f"line.{line}": name[:1].upper() + name[1:] for line, name in names.items()}}


ALL_WORDS: Mapping[str, Words] = {language: load(language) for language in LANGUAGES}
