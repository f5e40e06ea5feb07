"""References in free text: MT940, CSV and banks that put everything into one line."""

from __future__ import annotations

import re

# Ours are 8 to 35 capitals and digits with at least one of each; settlement looks each up, so a word too many does no harm.
_TOKEN = re.compile(r"(?<![A-Z0-9])(?=[A-Z0-9]*[0-9])(?=[A-Z0-9]*[A-Z])[A-Z0-9]{8,35}(?![A-Z0-9])", re.ASCII)


def references_in(text: str) -> tuple[str, ...]:
    """Everything in `text` that may be a reference of ours, each once, in order."""
    return tuple(dict.fromkeys(_TOKEN.findall(text)))
