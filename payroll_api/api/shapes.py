"""What bodies are made of: strict input, money as text, pages with a cursor, problems."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from importers.money import Money, currency
from payroll_api.errors import InvalidError

LARGEST_PAGE = 200
_LONGEST_CURSOR = 200

T = TypeVar("T")
Row = TypeVar("Row")

# One or more lines of text without the control characters that no keyboard makes (NUL would not even be stored).
_NO_CONTROLS = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=500, pattern=_NO_CONTROLS)]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=_NO_CONTROLS)]
AnyText = Annotated[str, StringConstraints(max_length=500, pattern=_NO_CONTROLS)]
PeriodText = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
WorkerCode = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_CONTROLS)]


class Input(BaseModel):
    """A body that we take: nothing in it that we do not know."""

    model_config = ConfigDict(extra="forbid")


class Output(BaseModel):
    """A body that we send."""

    model_config = ConfigDict(frozen=True)


class Amount(Output):
    """Money: the amount as text with exactly its currency's decimals, never a floating-point number."""

    amount: str = Field(examples=["210.00"])
    currency: str = Field(examples=["USD"])

    @classmethod
    def of(cls, money: Money) -> Amount:
        """Money as it is sent."""
        return cls(amount=str(money.amount), currency=money.currency.code)


def amount(minor: int, code: str) -> Amount:
    """Minor units of a currency as they are sent."""
    return Amount.of(Money(minor, currency(code)))


def amount_or_none(minor: int | None, code: str | None) -> Amount | None:
    """The same for a figure that may be absent."""
    return None if minor is None or code is None else amount(minor, code)


class FieldProblem(Output):
    """One field that is wrong."""

    field: str = Field(examples=["body.pay_period"])
    problem: str = Field(examples=["must match the pattern YYYY-MM"])


class Problem(BaseModel):
    """RFC 9457 problem details. `code` is stable: programs act on it; `detail` is for people and says what to do next."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:garment-wages:problem:file_not_ready"])
    title: str = Field(examples=["File not ready"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["The file is still being checked. Open it again in a moment."])
    code: str = Field(examples=["file_not_ready"])
    request_id: str = Field(examples=["9f1c2a7be0d34f6c8a51d2e3f4a5b6c7"])
    instance: str = Field(examples=["urn:garment-wages:request:9f1c2a7be0d34f6c8a51d2e3f4a5b6c7"])
    fields: list[FieldProblem] | None = None


class Page(BaseModel, Generic[T]):
    """A part of a list. `next` is the `cursor` of the part that follows; null at the end."""

    items: list[T]
    next: str | None = Field(examples=["MDE5MGY1ZmU", None])


Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="How many at most")]
Cursor = Annotated[str | None, Query(max_length=_LONGEST_CURSOR, description="`next` of the page before; without it, from the beginning")]


def page(rows: Sequence[Row], limit: int, shape: Callable[[Row], T], key: Callable[[Row], object]) -> Page[T]:
    """A page of rows, of which one more than `limit` was fetched to know whether there are more."""
    shown = rows[:limit]
    after = str(key(shown[-1])) if len(rows) > limit else None
    return Page(items=[shape(row) for row in shown], next=None if after is None else _encode(after))


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str) -> str:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise _wrong() from None
    if not text.isprintable():
        raise _wrong()
    return text


def _wrong() -> InvalidError:
    return InvalidError(
        "This cursor is not one of ours. Begin the list without a cursor.",
        code="cursor_invalid",
        fields=[{"field": "query.cursor", "problem": "take `next` of the page before"}],
    )


def after_text(cursor: str | None) -> str:
    """The text that a cursor stands for; empty at the beginning. Raises InvalidError `cursor_invalid`."""
    return "" if cursor is None else _decode(cursor)


def after_id(cursor: str | None) -> UUID | None:
    """The id that a cursor stands for. Raises InvalidError `cursor_invalid`."""
    if cursor is None:
        return None
    try:
        return UUID(_decode(cursor))
    except ValueError:
        raise _wrong() from None


def after_number(cursor: str | None) -> int:
    """The position that a cursor stands for; -1 at the beginning. Raises InvalidError `cursor_invalid`."""
    if cursor is None:
        return -1
    text = _decode(cursor)
    if not text.isascii() or not text.isdigit() or len(text) > 15:  # noqa: PLR2004 no list has more than 10**15 rows
        raise _wrong()
    return int(text)
