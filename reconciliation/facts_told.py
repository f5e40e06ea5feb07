"""What is wrong with a field, as a plain sentence with its place: the validator's own words are for programmers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

_LONGEST_PLACE, _MOST_TOLD = 60, 8
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_.-]")
_AMOUNT = 'an amount such as "210.00", or {"amount": "210.00", "currency": "USD"}'
_A_NUMBER, _A_WHOLE = "write a number, such as 10.5", "write a whole number, such as 2"
_A_DATE = "write a day of the calendar as YYYY-MM-DD, such as 2021-03-15"
_PLAIN: Mapping[str, str] = {
    "missing": "is missing: add it",
    "missing_argument": "is missing: add it",
    "extra_forbidden": "is not known: remove it or correct its name",
    "unexpected_keyword_argument": "is not known: remove it or correct its name",
    "string_unicode": "holds half a character: write it anew, in UTF-8",
    "string_type": "write it as text, in quotation marks",
    "string_pattern_mismatch": "write it on one line, without control characters",
    "finite_number": _A_NUMBER,
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "float_type": _A_NUMBER,
    "float_parsing": _A_NUMBER,
    "frozen_set_type": "write a list, [...]",
    "set_type": "write a list, [...]",
    "tuple_type": "write a list, [...]",
    "list_type": "write a list, [...]",
    "dict_type": "write an object, {...}",
    "dataclass_type": "write an object, {...}",
}
_FAMILIES: Mapping[str, str] = {"decimal": _A_NUMBER, "int": _A_WHOLE, "date": _A_DATE, "datetime": _A_DATE}


def _figure(limit: object) -> str:
    return str(limit).removeprefix("Decimal('").removesuffix("')")


_WITH_CONTEXT: Mapping[str, Callable[[Mapping[str, object]], str]] = {
    "greater_than_equal": lambda told: f"must be at least {_figure(told['ge'])}",
    "greater_than": lambda told: f"must be more than {_figure(told['gt'])}",
    "less_than_equal": lambda told: f"must be at most {_figure(told['le'])}",
    "less_than": lambda told: f"must be less than {_figure(told['lt'])}",
    "decimal_max_places": lambda told: f"may have at most {told['decimal_places']} decimals",
    "string_too_short": lambda told: f"must have at least {told['min_length']} characters",
    "string_too_long": lambda told: f"must have at most {told['max_length']} characters",
    "literal_error": lambda told: f"must be {told['expected']}",
    "enum": lambda told: f"must be {told['expected']}",
    "model_type": lambda told: f"write {_AMOUNT}" if told.get("class_name") == "Amount" else "write an object, {...}",
}


def fault(entry: Mapping[str, object]) -> str:
    """One error of the validator in words that a payroll clerk understands, without the value."""
    kind, context = str(entry.get("type")), entry.get("ctx")
    if kind in _WITH_CONTEXT and isinstance(context, Mapping):
        return _WITH_CONTEXT[kind](context)
    if kind == "value_error":
        return str(entry["msg"]).removeprefix("Value error, ")
    return _PLAIN.get(kind) or _FAMILIES.get(kind.partition("_")[0]) or "cannot be taken as it is written"


def place(location: Sequence[object]) -> str:
    """Where a field stands, such as `given.advance.amount`. A made-up name is cut and stays on one line."""
    found = ".".join(_NOT_PLAIN.sub("?", str(part)) for part in location if part != "[key]")
    return found if len(found) <= _LONGEST_PLACE else found[:_LONGEST_PLACE] + "…"


def told(errors: Sequence[Mapping[str, object]], *, whole: str) -> str:
    """All faults in one line; `whole` names what is wrong where no field is."""
    lines = []
    for entry in errors[:_MOST_TOLD]:
        location = entry.get("loc")
        where = place(location) if isinstance(location, Sequence) else ""
        lines.append(f"{where or whole}: {fault(entry)}")
    if len(errors) > _MOST_TOLD:
        lines.append(f"and {len(errors) - _MOST_TOLD} more")
    return "; ".join(lines)
