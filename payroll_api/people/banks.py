"""One key for a bank, however a sheet writes it: the same number at two banks is two accounts.

The names are the public trade names of banks and payment institutions in Cambodia; what is not among them is its own key.
"""

from __future__ import annotations

from collections.abc import Mapping

_NAMES: Mapping[str, tuple[str, ...]] = {
    "aba": ("aba", "ababank", "advancedbankofasia", "abaakhpp", "ធនាគារអេប៊ីអេ", "អេប៊ីអេ"),
    "acleda": ("acleda", "acledabank", "aclbkhpp", "អេស៊ីលីដា", "ធនាគារអេស៊ីលីដា"),
    "wing": ("wing", "wingbank", "វីង", "ធនាគារវីង"),
    "canadia": ("canadia", "canadiabank", "cadikhpp", "កាណាឌីយ៉ា", "ធនាគារកាណាឌីយ៉ា"),
    "sathapana": ("sathapana", "sathapanabank", "ស្ថាបនា", "ធនាគារស្ថាបនា"),
    "prince": ("prince", "princebank"),
    "ftb": ("ftb", "foreigntradebank", "foreigntradebankofcambodia"),
    "vattanac": ("vattanac", "vattanacbank"),
    "cpb": ("cpb", "cambodiapostbank", "cambodiapost"),
    "ppcb": ("ppcb", "ppcbank", "phnompenhcommercialbank"),
    "prasac": ("prasac", "kbprasac", "kbprasacbank"),
    "amk": ("amk", "amkmicrofinance"),
    "hattha": ("hattha", "hatthabank"),
    "maybank": ("maybank", "maybankcambodia"),
    "chipmong": ("chipmong", "chipmongbank"),
    "bred": ("bred", "bredbank"),
}
_KEYS = {name: key for key, names in _NAMES.items() for name in names}


def bank_key(bank: str | None) -> str | None:
    """The key of a bank as a sheet names it; None when it names none."""
    if bank is None:
        return None
    plain = "".join(letter for letter in bank.casefold() if letter not in " .,-_/'()\u200b\u00a0")
    for ending in ("plc", "ltd", "cambodia"):
        plain = plain.removesuffix(ending) or plain
    return _KEYS.get(plain, plain) or None


def same_bank(one: str | None, other: str | None) -> bool:
    """Whether two keys can be the same bank: a bank that nobody named can be any."""
    return one is None or other is None or one == other
