"""Which formulas may go back to HR: sums and conditions over this workbook's own cells, nothing that reaches out."""

from __future__ import annotations

import re

_ALLOWED = frozenset(
    {
        "SUM",
        "ROUND",
        "ROUNDUP",
        "ROUNDDOWN",
        "IF",
        "IFERROR",
        "IFS",
        "AND",
        "OR",
        "NOT",
        "MIN",
        "MAX",
        "AVERAGE",
        "COUNT",
        "COUNTA",
        "COUNTIF",
    }
    | {
        "COUNTIFS",
        "SUMIF",
        "SUMIFS",
        "SUBTOTAL",
        "SUMPRODUCT",
        "ABS",
        "INT",
        "MOD",
        "TRUNC",
        "CEILING",
        "FLOOR",
        "MROUND",
        "VLOOKUP",
        "HLOOKUP",
    }
    | {
        "INDEX",
        "MATCH",
        "XLOOKUP",
        "LOOKUP",
        "DATE",
        "DAY",
        "MONTH",
        "YEAR",
        "DATEDIF",
        "EOMONTH",
        "EDATE",
        "NETWORKDAYS",
        "WEEKDAY",
        "TODAY",
    }
    | {
        "TEXT",
        "VALUE",
        "TRIM",
        "LEFT",
        "RIGHT",
        "MID",
        "LEN",
        "UPPER",
        "LOWER",
        "PROPER",
        "CONCATENATE",
        "ROW",
        "ROWS",
        "COLUMN",
        "N",
        "ISBLANK",
    }
    | {"ISNUMBER", "ISERROR", "CHOOSE", "AVERAGEIF", "PRODUCT", "QUOTIENT", "NOW", "HOUR", "MINUTE", "TIME", "SUBSTITUTE", "TRUE", "FALSE"}
)
_FUNCTION = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)\s*\(")
_STRING = re.compile(r'"(?:[^"]|"")*"')
_REACHES_OUT = re.compile(r"[\[\]|]|://|\\\\")  # another workbook, DDE, an address
_LONGEST = 4096


def is_plain_formula(formula: object) -> bool:
    """Whether a formula only computes with cells of its own workbook by functions of the list."""
    if not isinstance(formula, str) or not formula.startswith("=") or len(formula) > _LONGEST:
        return False
    bare = _STRING.sub('""', formula)
    if "://" in formula or _REACHES_OUT.search(bare):
        return False
    return all(name.upper().removeprefix("_XLFN.") in _ALLOWED for name in _FUNCTION.findall(bare))
