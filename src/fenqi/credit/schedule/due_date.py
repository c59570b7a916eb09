"""Due dates: steps of days, weeks or months counted from the disbursement, never from the due date before.

Counting from one anchor is what brings the 31st back after February.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from fenqi.credit.schedule.terms import Terms, Unit
from fenqi.kernel.refusal import Refusal


def add_months(start: date, months: int, day: int | None = None) -> date:
    """`start` moved by whole months, on `day` (its own by default) or the last day of a shorter month."""
    count = start.year * 12 + start.month - 1 + months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day or start.day, monthrange(year, month + 1)[1]))


def full_months_between(start: date, end: date) -> int:
    """Whole months from `start` to `end`; the last day of a shorter month counts as the day itself."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if add_months(start, months) > end:
        months -= 1
    return months


def due_dates(terms: Terms) -> list[date]:
    """The due dates of the instalments (a down payment has none of its own)."""
    try:
        return _dates(terms)
    except (OverflowError, ValueError):
        raise Refusal("TERM_TOO_LONG", "the last due date lies beyond the calendar", field="instalments") from None


def _dates(terms: Terms) -> list[date]:
    first = terms.first_due_on
    if first is None:
        return [_step(terms, terms.disbursed_on, k, terms.disbursed_on.day) for k in range(1, terms.instalments + 1)]
    day = _anchor_day(terms.disbursed_on, first)
    return [first, *(_step(terms, first, k, day) for k in range(1, terms.instalments))]


def _step(terms: Terms, start: date, k: int, day: int) -> date:
    if terms.unit is Unit.MONTH:
        return add_months(start, k * terms.every, day)
    return start + timedelta(days=k * terms.every * (7 if terms.unit is Unit.WEEK else 1))


def _anchor_day(disbursed_on: date, first: date) -> int:
    """The day of month to return to: the disbursement's where the first due date was cut short by its month."""
    last_of_month = monthrange(first.year, first.month)[1]
    if first.day == last_of_month and disbursed_on.day > first.day:
        return disbursed_on.day
    return first.day
