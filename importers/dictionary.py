"""All columns and problems we know, as Markdown for the guide: `python -m importers.dictionary` writes them into it.

The words come from the code that reads sheets, so that the guide cannot say anything else.
"""

from __future__ import annotations

import sys
from pathlib import Path

from importers.blank import column_dictionary
from importers.problems import catalogue

_SHOWN_WORDS = 8


def columns_as_markdown() -> str:
    """A table of every column that is understood."""
    lines = ["| meaning | in the template | unit | some of the words we know |", "|---|---|---|---|"]
    for column in column_dictionary():
        words = ", ".join(word.replace("|", "/") for word in column.words[:_SHOWN_WORDS])
        more = f" and {len(column.words) - _SHOWN_WORDS} more" if len(column.words) > _SHOWN_WORDS else ""
        needed = " (needed)" if column.required else ""
        label, known = f"{column.label} / {column.label_km}", words or "built from its parts"
        lines.append(f"| `{column.meaning.value}`{needed} | {label} | {column.unit} | {known}{more} |")
    return "\n".join(lines)


def problems_as_markdown(severity: str) -> str:
    """A table of every problem of one severity: its code, what it says, what HR can do."""
    lines = ["| code | what it says | what you can do |", "|---|---|---|"]
    for code, words in sorted(catalogue().items()):
        if words["severity"] == severity:
            said, remedy = (
                words[key].replace("|", "/").replace("{hint}", "...").replace("{sheets}", "...") for key in ("message", "remedy")
            )
            lines.append(f"| `{code}` | {said} | {remedy} |")
    return "\n".join(lines)


def filled(guide: str) -> str:
    """The guide with each generated part between its marks written anew. Raises ValueError when a mark is missing."""
    parts = {"columns": columns_as_markdown()} | {
        severity: problems_as_markdown(severity) for severity in ("stops_file", "stops_row", "warns")
    }
    for name, text in parts.items():
        before, begin, rest = guide.partition(f"<!-- {name}: generated -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->\n")
        if not begin or not end:
            raise ValueError(f"the guide has no place for {name}: it needs the marks '<!-- {name}: generated -->' and '<!-- /{name} -->'")
        guide = f"{before}{begin}\n{text}\n\n{end}{after}"
    return guide


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/guide-spreadsheets.md")
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
