"""The columns that an authority asks for, as data with their provenance: a form that changes is a file that changes, not a release."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from payroll_api.errors import ConfigurationError

_OURS = Path(__file__).parent / "layouts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column: whose `value` it shows (see `month.VALUES`), its title in each language, and whether it is added up."""

    value: str
    title: Mapping[str, str]
    weight: int
    is_figure: bool
    is_summed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A form. `due_day` is the day of the next month by which it is due; `provenance` says where its columns were read."""

    name: str
    title: Mapping[str, str]
    provenance: str
    is_verified: bool
    due_day: int
    is_signed: bool
    fields: tuple[Field, ...]


def load_layouts(values: Collection[str], folder: Path | None = None) -> Mapping[str, Layout]:
    """Our layouts, each replaced by a file of the same name in `folder`, which may also hold further ones.

    Raises ConfigurationError naming the file and what is wrong in it.
    """
    found = {path.stem: path for path in sorted(_OURS.glob("*.toml"))}
    if folder is not None:
        if not folder.is_dir():
            raise ConfigurationError(f"PAYROLL_REPORT_LAYOUTS names {folder}, which is no folder. Make it, or take the setting out.")
        found |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return {name: _read(name, path, values) for name, path in found.items()}


def _read(name: str, path: Path, values: Collection[str]) -> Layout:
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        fields = tuple(_field(entry) for entry in content["columns"])
        layout = Layout(
            name=name,
            title={"en": str(content["title_en"]), "km": str(content["title_km"])},
            provenance=str(content["provenance"]),
            is_verified=bool(content["verified"]),
            due_day=int(content["due_day"]),
            is_signed=bool(content["signatures"]),
            fields=fields,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"The report layout {path.name} cannot be read ({type(error).__name__}: {error}). docs/operations.md says what it holds."
        ) from None
    if unknown := sorted({field.value for field in fields} - set(values)):
        raise ConfigurationError(f"The report layout {path.name} asks for {', '.join(unknown)}; known values are {', '.join(values)}.")
    return layout


def _field(entry: Mapping[str, object]) -> Field:
    return Field(
        value=str(entry["value"]),
        title={"en": str(entry["en"]), "km": str(entry["km"])},
        weight=int(str(entry.get("weight", 2))),
        is_figure=bool(entry.get("figure", False)),
        is_summed=bool(entry.get("sum", False)),
    )
