"""When a provider works: its last hour for orders of the day, its days off, and the day on which an order will be executed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict

_SATURDAY, _SUNDAY = 5, 6
_LONGEST_PAUSE = 40  # days; more holidays in a row are a mistake in the list


class HoursError(ValueError):
    """Hours that cannot be meant; the message says what to correct."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The provider's business days. `cut_off` is the last moment of a day for orders of that day, in the provider's own `zone`.

    `holidays` come from configuration: no list is built in, because each bank keeps its own. A day that is not listed is a working day.
    Raises HoursError for a zone that does not exist.
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

    def is_open(self, day: date) -> bool:
        """Whether the provider works on this day."""
        return day.weekday() not in self.closed_weekdays and day not in self.holidays

    def executes_on(self, handed_in: datetime, asked_for: date) -> date:
        """The day on which an order is executed that is handed in at `handed_in` (aware) for `asked_for`. Raises HoursError.

        Never before the day asked for; after the cut-off not on the same day; never on a day off.
        """
        local = handed_in.astimezone(ZoneInfo(self.zone))
        first = local.date() + timedelta(days=local.time() > self.cut_off)
        day = max(first, asked_for)
        for _ in range(_LONGEST_PAUSE):
            if self.is_open(day):
                return day
            day += timedelta(days=1)
        raise HoursError(f"no working day within {_LONGEST_PAUSE} days of {asked_for}; check the list of holidays")

    def open_before(self, day: date) -> date:
        """The last working day up to `day`, itself included. Raises HoursError."""
        for back in range(_LONGEST_PAUSE):
            if self.is_open(found := day - timedelta(days=back)):
                return found
        raise HoursError(f"no working day within {_LONGEST_PAUSE} days before {day}; check the list of holidays")

    def last_moment(self, day: date) -> datetime:
        """Until when (aware) an order must be handed in to be executed on `day`."""
        return datetime.combine(day, self.cut_off, ZoneInfo(self.zone))


class HoursSettings(BaseModel):
    """Hours as a connector's configuration writes them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cut_off: time
    zone: str = "Asia/Phnom_Penh"
    closed_weekdays: frozenset[int] = frozenset({_SATURDAY, _SUNDAY})  # Monday is 0
    holidays: frozenset[date] = frozenset()

    def hours(self) -> Hours:
        """The same, checked. Raises HoursError."""
        return Hours(cut_off=self.cut_off, zone=self.zone, closed_weekdays=self.closed_weekdays, holidays=self.holidays)
