"""The Chinese working-day calendar, with 调休 (weekends worked in exchange for holidays) and an override table.

Public holidays come from the `holidays` package; where the State Council's notice differs or is newer, the operator's
overrides win.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

import holidays

_ONE_DAY = timedelta(days=1)


@lru_cache(maxsize=32)
def _year(year: int) -> tuple[frozenset[date], frozenset[date]]:
    table = holidays.country_holidays("CN", years=year)
    return frozenset(table), frozenset(getattr(table, "weekend_workdays", ()))


def is_working_day(on: date, overrides: Mapping[date, bool] | None = None) -> bool:
    """True when banks and the mall's back office work on `on`. `overrides` maps a date to whether it is worked."""
    if overrides is not None and on in overrides:
        return overrides[on]
    off, worked_weekends = _year(on.year)
    if on in worked_weekends:
        return True
    return on.weekday() < 5 and on not in off


def add_working_days(on: date, count: int, overrides: Mapping[date, bool] | None = None) -> date:
    """The `count`-th working day after `on` (count ≥ 0; 0 gives `on` or the next working day)."""
    day = on
    while not is_working_day(day, overrides) and count == 0:
        day += _ONE_DAY
    for _ in range(count):
        day += _ONE_DAY
        while not is_working_day(day, overrides):
            day += _ONE_DAY
    return day


def working_days_between(start_on: date, end_on: date, overrides: Mapping[date, bool] | None = None) -> int:
    """How many working days lie in the half-open span (start_on, end_on]; 0 when end is not after start."""
    days = (end_on - start_on).days
    return sum(is_working_day(start_on + timedelta(days=i), overrides) for i in range(1, days + 1))
