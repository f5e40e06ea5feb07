"""Bugs that are planted on purpose: what is searched in which file, what takes its place, and which tests must notice.

A recipe whose text is not found exactly once fails loudly: the code has moved, and the bug with it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUGS = Path(__file__).parent / "bugs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One bug. `caught_by` are test files or tests as pytest names them; each must fail while the bug is there."""

    name: str
    title: str
    file: str
    find: str
    replace: str
    caught_by: tuple[str, ...]

    def spoil(self, root: Path) -> None:
        """Plant the bug in the tree at `root`. Raises LookupError when the code has moved."""
        path = root / self.file
        text = path.read_text("utf-8")
        if text.count(self.find) != 1:
            raise LookupError(f"{self.name}: its text stands {text.count(self.find)} times in {self.file}, not once: write the recipe anew")
        path.write_text(text.replace(self.find, self.replace), "utf-8")


def recipes() -> list[Recipe]:
    """All of them, by name."""
    return [_read(path) for path in sorted(BUGS.glob("*.toml"))]


def _read(path: Path) -> Recipe:
    content = tomllib.loads(path.read_text("utf-8"))
    return Recipe(name=path.stem, **{**content, "caught_by": tuple(content["caught_by"])})
