"""Lists a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from payroll_api.errors import InvalidError

T = TypeVar("T")


def page_of(found: Sequence[T], size: int) -> tuple[Sequence[T], bool]:
    """The first `size` of what was found, and whether there is more: ask for one more than is shown."""
    return found[:size], len(found) > size


def cursor(text: str | None) -> UUID | None:
    """An id in an address. Raises InvalidError for one that no list gave."""
    try:
        return UUID(text) if text else None
    except ValueError:
        raise InvalidError("This address is not one that a list gave. Open the list from its beginning.") from None


def number(text: str | None, otherwise: int) -> int:
    """A position in an address; `otherwise` for anything that no list gave."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= len(str(2**31)) - 1 else otherwise
