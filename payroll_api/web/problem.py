"""A refusal in the reader's language: what, what to do, and where to look."""

from __future__ import annotations

from dataclasses import dataclass

from payroll_api.errors import ProblemError
from payroll_api.web.words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is shown of a refusal. `see` is the page of the thing it names."""

    what: str
    todo: str
    see: str | None = None


def told(words: Words, error: ProblemError) -> Told:
    """A refusal of a step in `words`, with the figures of `extra` that they name.

    Codes without words of their own keep their English sentence and get a general advice.
    """
    key = f"problem.{error.code}"
    if f"{key}.what" in words.texts:
        figures = {name: figure for name, figure in error.extra.items() if isinstance(figure, str)}
        return Told(what=words(f"{key}.what", **figures), todo=words(f"{key}.todo"), see=_see(error))
    # The English detail says what to do by itself, and is more exact than any general word.
    return Told(what=error.detail, todo="" if words.language == "en" else words("problem.otherwise"), see=_see(error))


def mistake(words: Words, name: str) -> Told:
    """A mistake in a form that we see ourselves, by its name under `error`."""
    return Told(what=words(f"error.{name}"), todo=words(f"error.{name}_todo"))


def _see(error: ProblemError) -> str | None:
    for name, path in (("run_id", "/runs/"), ("file_id", "/files/"), ("period", "/factory?period=")):
        if isinstance(found := error.extra.get(name), str):
            return path + found
    return None
