"""Vintages: loans by the month they were made in, and how many of them had gone bad by each month on book. Pure.

A loan is bad by a month on book when some instalment had by then been unpaid for so many days after its due date, even
if it was paid later ("ever bad"; 30 days: "30+ DPD"). Loans cancelled or wholly refunded are no loans here.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import msgspec

_PPM = 1_000_000


class LoanLife(msgspec.Struct, frozen=True):
    """What a vintage looks at: when a loan was made, and for each instalment its due date and when it was cleared."""

    disbursed_on: date
    principal_minor: int
    dues: tuple[tuple[date, date | None], ...]


class Cell(msgspec.Struct, frozen=True):
    """A vintage at one age: loans that have reached it, and those bad by then."""

    months: int
    loans_count: int
    bad_count: int
    loans_minor: int
    bad_minor: int
    """Principal as lent."""

    @property
    def bad_ppm(self) -> int:
        """Share of loans, in millionths."""
        return self.bad_count * _PPM // self.loans_count


class Vintage(msgspec.Struct, frozen=True):
    """The loans made in one month."""

    month_on: date
    """The month's first day."""
    loans_count: int
    loans_minor: int
    first_due_count: int
    """Loans whose first due date lies long enough back to be judged."""
    first_default_count: int
    """Of these, those whose first instalment wasn't cleared within the days."""
    cells: tuple[Cell, ...]


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def bad_on(life: LoanLife, days: int) -> date | None:
    """The first day at whose end some instalment had been unpaid for `days` days; None if it never came to that.

    Days past due count from the due date: an instalment due on the 1st and still unpaid on the 2nd is one day late.
    """
    late = [
        due_on + timedelta(days=days)
        for due_on, cleared_on in life.dues
        if cleared_on is None or cleared_on > due_on + timedelta(days=days)
    ]
    return min(late, default=None)


def vintages(lives: Iterable[LoanLife], today_on: date, days: int) -> list[Vintage]:
    """The vintages as of a day, oldest first; "bad" is `days` days past due or more."""
    by_month: dict[date, list[LoanLife]] = {}
    for life in lives:
        by_month.setdefault(life.disbursed_on.replace(day=1), []).append(life)
    return [_vintage(month_on, by_month[month_on], today_on, days) for month_on in sorted(by_month)]


def _vintage(month_on: date, lives: Sequence[LoanLife], today_on: date, days: int) -> Vintage:
    since = [(life, bad_on(life, days)) for life in lives]
    judged = [life for life in lives if life.dues[0][0] + timedelta(days=days) <= today_on]
    failed = [life for life in judged if _failed_first(life, days)]
    cells, months = [], 1
    while aged := [(life, on) for life, on in since if months_after(life.disbursed_on, months) <= today_on]:
        bad = [life for life, on in aged if on is not None and on <= months_after(life.disbursed_on, months)]
        cells.append(Cell(months, len(aged), len(bad), _sum(life for life, _ in aged), _sum(bad)))
        months += 1
    return Vintage(month_on, len(lives), _sum(lives), len(judged), len(failed), tuple(cells))


def _failed_first(life: LoanLife, days: int) -> bool:
    due_on, cleared_on = life.dues[0]
    return cleared_on is None or cleared_on > due_on + timedelta(days=days)


def _sum(lives: Iterable[LoanLife]) -> int:
    return sum(life.principal_minor for life in lives)
