"""Working time: the hours of the Chinese working days in which people answer, and deadlines counted in them.

A day of work has nine hours, 9:00 to 18:00 in the mall's zone; what comes in at night or on a holiday begins to count
at the next opening.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from fenqi.kernel.business_day import add_working_days, is_working_day
from fenqi.kernel.clock import ZONE

OPENS = time(9)
CLOSES = time(18)
HOUR = 60
DAY = 9 * HOUR
"""Minutes of work in a day."""
_MINUTE = timedelta(minutes=1)


def opening(at: datetime, overrides: Mapping[date, bool] | None = None) -> datetime:
    """`at` itself while people work, else the next instant at which they begin; in the mall's zone."""
    local = at.astimezone(ZONE)
    if is_working_day(local.date(), overrides) and local.time() < CLOSES:
        return max(local, _begin(local.date()))
    return _begin(add_working_days(local.date(), 1, overrides))


def add_working_minutes(at: datetime, minutes: int, overrides: Mapping[date, bool] | None = None) -> datetime:
    """The instant at which so many minutes of work have passed since `at` (aware), in UTC's or any zone; 0 gives the
    next opening. What ends with the day ends at its close, not at the next opening."""
    now, left = opening(at, overrides), timedelta(minutes=minutes)
    while (today := _end(now.date()) - now) < left:
        left -= today
        now = opening(_end(now.date()), overrides)
    return (now + left).astimezone(at.tzinfo)


def working_minutes_between(start_at: datetime, end_at: datetime, overrides: Mapping[date, bool] | None = None) -> int:
    """Whole minutes of work from `start_at` to `end_at`; 0 when the end is not after the start."""
    now, end = opening(start_at, overrides), end_at.astimezone(ZONE)
    worked = timedelta()
    while now < end:
        worked += min(_end(now.date()), end) - now
        now = opening(_end(now.date()), overrides)
    return worked // _MINUTE


def _begin(on: date) -> datetime:
    return datetime.combine(on, OPENS, ZONE)


def _end(on: date) -> datetime:
    return datetime.combine(on, CLOSES, ZONE)
