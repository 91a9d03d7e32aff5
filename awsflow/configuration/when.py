"""When a source is collected: an interval, or times by the calendar, as the scheduler of Wazuh has them."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from awsflow.errors import ArgumentsError

_interval = re.compile(r"([0-9]{1,9})([smhdwM]?)").fullmatch
_clock = re.compile(r"([0-9]{1,2}):([0-9]{2})").fullmatch

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "M": 30 * 86_400}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST = 10 * 366 * 86_400
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Interval:
    """So many of a unit: `s`, `m`, `h`, `d`, `w`, `M`. A month is 30 days, unless the calendar counts it."""

    number: int
    unit: str

    @property
    def seconds(self) -> int:
        """How long it is."""
        return self.number * SECONDS[self.unit]


TEN_MINUTES = Interval(10, "m")


@dataclass(frozen=True, slots=True)
class When:
    """When a source is collected.

    Without day, weekday and time: every interval, from one begin to the next. With them by the calendar, in local time:
    on a day of every n-th month (the last one of a month that is too short), on a weekday of every n-th week, or at a
    time of every n-th day.
    """

    interval: Interval = TEN_MINUTES
    on_start: bool = True
    """Collect at once, too."""
    day: int | None = None
    weekday: int | None = None
    """0 is Monday."""
    at: time | None = None

    def __str__(self) -> str:
        how = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "M": "month"}[self.interval.unit]
        parts = [f"every {how}" if self.interval.number == 1 else f"every {self.interval.number} {how}s"]
        parts += [f"on day {self.day}"] if self.day is not None else []
        parts += [f"on {WEEKDAYS[self.weekday]}"] if self.weekday is not None else []
        parts += [f"at {self.at:%H:%M}"] if self.at is not None else []
        return f"{' '.join(parts)}{', and at the start' if self.on_start else ''}"

    def pause(self, begun: datetime, now: datetime) -> float:
        """Seconds from now to the next time, for a source that began last, or was first known, at `begun`."""
        by_calendar = self.day is not None or self.weekday is not None or self.at is not None
        due = self._by_calendar(begun) if by_calendar else begun + timedelta(seconds=self.interval.seconds)
        return max(0.0, (due - now).total_seconds())

    def _by_calendar(self, begun: datetime) -> datetime:
        """The first time behind `begun`, in local time, whose offset may be another then."""
        known = begun.astimezone().replace(tzinfo=None)
        today, at = known.date(), self.at or time()
        if self.day is not None:
            due = datetime.combine(_in_month(today, 0, self.day), at)
            if due <= known:
                due = datetime.combine(_in_month(today, self.interval.number, self.day), at)
            return due.astimezone()
        ahead = 0 if self.weekday is None else (self.weekday - today.weekday()) % 7
        due = datetime.combine(today + timedelta(ahead), at)
        return (due if due > known else due + timedelta(seconds=self.interval.seconds)).astimezone()


def when(
    interval: Interval | None,
    on_start: bool,
    day: int | None,
    weekday: int | None,
    at: time | None,
) -> When:
    """What these say together; ArgumentsError for what does not go together."""
    if day is not None and weekday is not None:
        raise ArgumentsError("day and wday: give one of them")
    if day is not None:
        interval = interval or Interval(1, "M")
        if interval.unit != "M":
            raise ArgumentsError("interval: with a day of the month it is a number of months, such as 1M")
    elif weekday is not None:
        interval = interval or Interval(1, "w")
        if interval.seconds % SECONDS["w"] or interval.unit == "M":
            raise ArgumentsError("interval: with a day of the week it is a number of weeks, such as 1w")
    elif at is not None:
        interval = interval or Interval(1, "d")
        if interval.seconds % SECONDS["d"]:
            raise ArgumentsError("interval: with a time of the day it is a number of days, such as 1d")
    return When(interval or TEN_MINUTES, on_start, day, weekday, at)


def interval(text: str) -> Interval:
    """How often: a number with s, m, h, d, w or M (months); seconds without.

    >>> interval("10m").seconds
    600
    """
    found = _interval(text)
    if found is None or not 0 < Interval(int(found[1]), found[2]).seconds <= LONGEST:
        raise ArgumentsError(f"interval {text!r}: write a number and s, m, h, d, w or M, such as 10m")
    return Interval(int(found[1]), found[2] or "s")


def day_of_month(text: str) -> int:
    """A day of the month."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 31):
        raise ArgumentsError(f"day {text!r}: give a day of the month, 1 to 31")
    return int(text)


def weekday(text: str) -> int:
    """A day of the week, whole or by its first three letters, in any case. 0 is Monday."""
    for number, name in enumerate(WEEKDAYS):
        if text.lower() in (name, name[:3]):
            return number
    raise ArgumentsError(f"wday {text!r}: give a day of the week, such as monday or mon")


def clock(text: str) -> time:
    """A time of the day, as hh:mm."""
    found = _clock(text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise ArgumentsError(f"time {text!r}: write hh:mm, 00:00 to 23:59")
    return time(int(found[1]), int(found[2]))


def _in_month(today: date, ahead: int, day: int) -> date:
    """A day of the month that is so many months ahead."""
    years, month = divmod(today.month - 1 + ahead, 12)
    year = today.year + years
    return date(year, month + 1, min(day, calendar.monthrange(year, month + 1)[1]))
