"""When a provider works: its last hour for orders of the day, its days off, and the day on which an order will be executed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, model_validator

_SATURDAY, _SUNDAY = 5, 6
_LONGEST_PAUSE = 40  # days; more holidays in a row are a mistake in the list


class HoursError(ValueError):
    """Hours that cannot be meant; the message says what to correct."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The provider's business days. `cut_off` is the last moment of a day for orders of that day, in the provider's own `zone`.

    `holidays` come from configuration: no list is built in, because each bank keeps its own. A day that is not listed is a working day.
    Raises HoursError for a zone that does not exist, and for holidays without end: a working day is always found then.
    """

    cut_off: time
    zone: str = "Asia/Phnom_Penh"
    closed_weekdays: frozenset[int] = frozenset({_SATURDAY, _SUNDAY})  # Monday is 0
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise HoursError(f"{self.zone!r} is no time zone; write it as Asia/Phnom_Penh") from None
        if self.cut_off.tzinfo is not None:
            raise HoursError("the cut-off is a time of day in the provider's zone; leave the offset out")
        if not self.closed_weekdays < frozenset(range(7)):
            raise HoursError("closed weekdays are numbers from 0 (Monday) to 6 (Sunday), and one day at least is open")
        for first in self.holidays:
            if not any(self.is_open(first + timedelta(days=n)) for n in range(_LONGEST_PAUSE)):
                raise HoursError(f"no working day within {_LONGEST_PAUSE} days of {first}; check the list of holidays")

    def is_open(self, day: date) -> bool:
        """Whether the provider works on this day."""
        return day.weekday() not in self.closed_weekdays and day not in self.holidays

    def executes_on(self, handed_in: datetime, asked_for: date) -> date:
        """The day on which an order is executed that is handed in at `handed_in` (aware) for `asked_for`.

        Never before the day asked for; after the cut-off not on the same day; never on a day off.
        """
        local = handed_in.astimezone(ZoneInfo(self.zone))
        first = local.date() + timedelta(days=local.time() > self.cut_off)
        return self._open(max(first, asked_for), timedelta(days=1))

    def open_before(self, day: date) -> date:
        """The last working day up to `day`, itself included."""
        return self._open(day, timedelta(days=-1))

    def _open(self, day: date, step: timedelta) -> date:
        while not self.is_open(day):
            day += step
        return day

    def last_moment(self, day: date) -> datetime:
        """Until when (aware) an order must be handed in to be executed on `day`."""
        return datetime.combine(day, self.cut_off, ZoneInfo(self.zone))


class HoursSettings(BaseModel):
    """Hours as a connector's configuration writes them. What cannot be meant is refused here, and not on a payday."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cut_off: time
    zone: str = "Asia/Phnom_Penh"
    closed_weekdays: frozenset[int] = frozenset({_SATURDAY, _SUNDAY})  # Monday is 0
    holidays: frozenset[date] = frozenset()

    @model_validator(mode="after")
    def _can_be_meant(self) -> Self:
        self.hours()
        return self

    def hours(self) -> Hours:
        """The same, checked."""
        return Hours(cut_off=self.cut_off, zone=self.zone, closed_weekdays=self.closed_weekdays, holidays=self.holidays)
