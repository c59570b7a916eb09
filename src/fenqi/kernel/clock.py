"""Clocks: the only way to ask for the time. Instants are aware UTC, business dates are days in the mall's zone.

`SystemClock` is the wall clock, `SteeredClock` a clock that the demo and the tests move.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Whoever needs the time is handed one of these."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SteeredClock:
    """A clock that runs from an offset against the machine's, or stands still at an instant it was given."""

    def __init__(self, at: datetime | None = None, offset: timedelta = timedelta()) -> None:
        self._at = at
        self._offset = offset

    def now(self) -> datetime:
        return self._at if self._at is not None else datetime.now(UTC) + self._offset

    def set(self, at: datetime) -> None:
        """Stand still at `at` (aware)."""
        self._at = at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move forward by `by`, standing or running."""
        if self._at is not None:
            self._at += by
        else:
            self._offset += by

    def run_with_offset(self, offset: timedelta) -> None:
        """Run again with the machine's clock, `offset` ahead of it."""
        self._at, self._offset = None, offset


def business_date(at: datetime) -> date:
    """The business date of an instant: the calendar day in the mall's zone (UTC+8 all year)."""
    return at.astimezone(ZONE).date()


def start_of_day(on: date) -> datetime:
    """The instant at which business date `on` begins, in UTC."""
    return datetime(on.year, on.month, on.day, tzinfo=ZONE).astimezone(UTC)


def epoch_ms(at: datetime) -> int:
    """Unix milliseconds of an instant."""
    return int(at.timestamp() * 1000)
