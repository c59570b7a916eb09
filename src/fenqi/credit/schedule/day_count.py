"""Day counts: what share of the annual rate a period costs.

Conventions and their options (year split, Feb 29 rule, every period alike) are those of lending practice, see
docs/reference/plan.md; the arithmetic is decimal, with as many digits as `arithmetic.CONTEXT_DIGITS`.
"""

from __future__ import annotations

from calendar import isleap
from datetime import date
from decimal import Decimal

from fenqi.credit.schedule.arithmetic import factor
from fenqi.credit.schedule.due_date import add_months, full_months_between
from fenqi.credit.schedule.terms import DayCount, InterestPeriod, Terms, Unit, YearSplit


def period_factors(terms: Terms, due_on: list[date]) -> list[Decimal]:
    """The interest on one unit of balance for each period, in order; run inside `arithmetic.working`."""
    starts = [terms.disbursed_on, *due_on[:-1]]
    alike = _alike(terms)
    factors: list[Decimal] = []
    for k, (start, due) in enumerate(zip(starts, due_on, strict=True)):
        if k < terms.interest_free:
            factors.append(Decimal(0))
        elif alike is not None and not (k == 0 and _odd_first(terms)):
            factors.append(alike)
        else:
            factors.append(factor(terms.rate_annual * _year_fraction(terms, start, due), terms.rounding))
    return factors


def _alike(terms: Terms) -> Decimal | None:
    """The factor of every regular period where the calendar plays no part, else None."""
    fraction = _regular_fraction(terms)
    return None if fraction is None else factor(terms.rate_annual * fraction, terms.rounding)


def _regular_fraction(terms: Terms) -> Decimal | None:
    """The share of a year of a regular period, where it is the same for all: None where it follows the calendar."""
    every = terms.every
    alike = terms.day_count is DayCount.PERIODIC or terms.interest_period is InterestPeriod.SAME_AS_PERIOD
    if alike and terms.unit is Unit.MONTH:
        return Decimal(every) / 12
    if alike and terms.unit is Unit.WEEK:
        return Decimal(every) / 52
    if terms.day_count is DayCount.THIRTY_360:
        return Decimal(every * {Unit.MONTH: 30, Unit.WEEK: 7, Unit.DAY: 1}[terms.unit]) / 360
    if alike:
        return Decimal(every) / (360 if terms.day_count is DayCount.ACTUAL_360 else 365)
    return None


def _odd_first(terms: Terms) -> bool:
    """Whether the first period differs from the others and this plan's interest can tell."""
    if terms.first_due_on is None or terms.interest_period is InterestPeriod.SAME_AS_PERIOD:
        return False
    days = (terms.first_due_on - terms.disbursed_on).days
    if terms.unit is Unit.MONTH:
        return terms.first_due_on != add_months(terms.disbursed_on, terms.every)
    return days != terms.every * (7 if terms.unit is Unit.WEEK else 1)


def _year_fraction(terms: Terms, start: date, due: date) -> Decimal:
    days = (due - start).days
    if terms.day_count is DayCount.ACTUAL_360:
        return Decimal(days) / 360
    if terms.day_count is DayCount.ACTUAL_365:
        return Decimal(days) / 365
    if terms.day_count is DayCount.ACTUAL_ACTUAL:
        return _actual_actual(start, due, terms.year_split, terms.feb29_rule)
    return _odd_fraction(terms, start, due, days)


def _odd_fraction(terms: Terms, start: date, due: date, days: int) -> Decimal:
    """An odd first period under 30/360 or periodic: whole months and a part of the next month, or days."""
    periodic = terms.day_count is DayCount.PERIODIC
    if terms.unit is Unit.MONTH:
        months = full_months_between(start, due)
        begun, ended = add_months(start, months), add_months(start, months + 1)
        return (months + Decimal((due - begun).days) / (ended - begun).days) / 12
    if terms.unit is Unit.WEEK and periodic:
        return Decimal(days) / 7 / 52
    return Decimal(days) / (365 if periodic else 360)


def _actual_actual(start: date, due: date, split: YearSplit, feb29_rule: bool) -> Decimal:
    """Days over the days of the year they lie in; a period over New Year is cut at Dec 31 or Jan 1.

    With the Feb 29 rule a period counts 366 days a year only when it holds 29 February (after its first day, its
    last day included), and one that does not hold it is not cut.
    """
    holds = _holds_feb29(start, due)
    if due.year == start.year or (feb29_rule and not holds):
        long_year = isleap(start.year) and (holds or not feb29_rule)
        return Decimal((due - start).days) / (366 if long_year else 365)
    fraction = Decimal(0)
    begun = start
    for year in range(start.year, due.year):
        cut = date(year, 12, 31) if split is YearSplit.DEC_31 else date(year + 1, 1, 1)
        fraction += Decimal((cut - begun).days) / _days_of(year)
        begun = cut
    return fraction + Decimal((due - begun).days) / _days_of(due.year)


def _days_of(year: int) -> int:
    return 366 if isleap(year) else 365


def _holds_feb29(start: date, due: date) -> bool:
    return any(isleap(year) and start < date(year, 2, 29) <= due for year in range(start.year, due.year + 1))
