"""Annual percentage rates by name: US Regulation Z (Appendix J, actuarial), EU APRC, XIRR, IRR.

Each takes advances (to the borrower) and payments (by the borrower) and gives a rate as a fraction. Rates only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from fenqi.credit.annual_cost import Flow, effective_rate, nominal_rate
from fenqi.credit.schedule.due_date import add_months, full_months_between
from fenqi.kernel.refusal import Refusal


class Dated(NamedTuple):
    """An amount on a date: positive to the borrower, negative from the borrower."""

    amount: Fraction
    on: date


class Timed(NamedTuple):
    """An amount at a time counted from the first advance, in years or in unit-periods."""

    amount: Fraction
    at: Fraction


def reg_z(flows: Sequence[Timed], unit_periods_per_year: Fraction) -> float:
    """The Regulation Z rate: nominal, unit-period rate times unit-periods a year (Appendix J (b)(1), (b)(8)).

    Times are unit-periods; their whole part compounds, their fraction earns simple interest.
    """
    if unit_periods_per_year <= 0:
        raise Refusal("UNIT_PERIODS_INVALID", "unit_periods_per_year must be above zero")
    _check_sides([flow.amount for flow in flows])
    split = [Flow(float(amount), int(at), float(at - int(at))) for amount, at in flows]
    return nominal_rate(split) * float(unit_periods_per_year)


def reg_z_dated(flows: Sequence[Dated]) -> float:
    """The Regulation Z rate of dated flows: the unit-period is derived as Appendix J (b)(4) and (b)(5) say."""
    start = min(flow.on for flow in flows)
    unit = unit_period(flows)
    return reg_z([Timed(amount, unit.between(start, on)) for amount, on in flows], unit.per_year)


def eu(flows: Sequence[Timed]) -> float:
    """The EU APRC: effective annual rate over times in years (Directive 2008/48/EC, Annex I; 2023/2225, Annex III)."""
    _check_sides([flow.amount for flow in flows])
    return effective_rate([(float(amount), float(at)) for amount, at in flows])


def eu_dated(flows: Sequence[Dated]) -> float:
    """The EU APRC of dated flows, intervals by remark (c) of Directive 2014/17/EU, Annex I."""
    start = min(flow.on for flow in flows)
    days = [(flow.on - start).days for flow in flows]
    if all(count % 7 == 0 for count in days) and not all(_on_months(start, flow.on) for flow in flows):
        return eu([Timed(flow.amount, Fraction(count, 364)) for flow, count in zip(flows, days, strict=True)])
    return eu([Timed(flow.amount, _years_back(start, flow.on)) for flow in flows])


def xirr(flows: Sequence[Dated]) -> float:
    """The effective annual rate over days ÷ 365, as spreadsheets compute XIRR."""
    start = min(flow.on for flow in flows)
    return eu([Timed(flow.amount, Fraction((flow.on - start).days, 365)) for flow in flows])


def irr(flows: Sequence[Timed]) -> float:
    """The rate a period at which the flows balance; times are periods, fractions of one compound too."""
    return eu(flows)


class UnitPeriod(NamedTuple):
    """A unit-period of Appendix J: so many months or days (a half month is 15 days of `semimonth`)."""

    kind: str
    length: int

    @property
    def per_year(self) -> Fraction:
        """Unit-periods a year, (b)(5)(ii) to (vii)."""
        if self.kind == "month":
            return Fraction(12, self.length)
        if self.kind == "semimonth":
            return Fraction(24)
        if self.kind == "week":
            return Fraction(52, self.length)
        return Fraction(365, self.length)

    def between(self, start: date, end: date) -> Fraction:
        """Unit-periods from `start` to `end`: full months are measured back from the later date."""
        if self.kind in ("week", "day"):
            return Fraction((end - start).days, self.length * (7 if self.kind == "week" else 1))
        months, days = _months_back(start, end)
        if self.kind == "month" and self.length == 1:
            return months + Fraction(days, 30)
        if self.kind == "month" and self.length == 12:
            years, left = divmod(months, 12)
            left_days = (add_months(end, -12 * years) - start).days
            return years + (Fraction(left, 12) if days == 0 else Fraction(left_days, 365))
        return Fraction(30 * months + days, 15 if self.kind == "semimonth" else 30 * self.length)


def unit_period(flows: Sequence[Dated]) -> UnitPeriod:
    """The unit-period of a transaction: its most frequent interval up to a year, Appendix J (b)(4)."""
    dates = sorted({flow.on for flow in flows})
    if len(dates) < 2:
        raise Refusal("NO_TERM", "advances and payments must lie on different dates")
    if len(dates) == 2:
        return _of_term(dates[0], dates[1])
    day = _usual_day(dates)
    intervals = [_standard(one, two, day) for one, two in pairwise(dates)]
    common = Counter(interval for interval in intervals if interval is not None and _days_in(interval) <= 366)
    most = max(common.values(), default=0)
    if most > 1:
        return min((interval for interval, count in common.items() if count == most), key=_days_in)
    return _nearest_standard(Fraction((dates[-1] - dates[0]).days, len(dates) - 1))


def _of_term(start: date, end: date) -> UnitPeriod:
    """Single advance, single payment: the term itself, but not above a year, (b)(4)(ii)."""
    months, days = _months_back(start, end)
    if days == 0 and 0 < months <= 12:
        return UnitPeriod("month", months)
    if months >= 12:
        return UnitPeriod("month", 12)
    return UnitPeriod("day", (end - start).days)


def _usual_day(dates: Sequence[date]) -> int:
    return max(on.day for on in dates)


def _standard(start: date, end: date, day: int) -> UnitPeriod | None:
    """The standard interval from one date to the next: whole months, a half month, whole weeks, or a day."""
    days = (end - start).days
    months = (end.year - start.year) * 12 + end.month - start.month
    if months and end in (add_months(start, months), add_months(start, months, day)):
        return UnitPeriod("month", months)
    if days == 1:
        return UnitPeriod("day", 1)
    if days % 7 == 0 and days != 14:
        return UnitPeriod("week", days // 7)
    if 13 <= days <= 16 and _half_month(start, end):
        return UnitPeriod("semimonth", 1)
    return UnitPeriod("week", 2) if days == 14 else None


def _half_month(start: date, end: date) -> bool:
    """1st and 16th, 15th and last, or the same two days of each month 15 apart."""
    if (start.month, start.year) == (end.month, end.year):
        return end.day - start.day == 15 or (start.day == 15 and (end + timedelta(days=1)).day == 1)
    return start.day - end.day == 15 or (end.day == 15 and (start + timedelta(days=1)).day == 1)


def _nearest_standard(average_days: Fraction) -> UnitPeriod:
    """The standard interval nearest to the average; the lower of two equally near, (b)(4)(i)(B)."""
    weeks = [UnitPeriod("week", count) for count in range(1, 53)]
    months = [UnitPeriod("month", count) for count in range(1, 13)]
    known = [UnitPeriod("day", 1), UnitPeriod("semimonth", 1), *weeks, *months]
    return min(known, key=lambda unit: (abs(_days_in(unit) - average_days), _days_in(unit)))


def _days_in(unit: UnitPeriod) -> Fraction:
    if unit.kind == "month":
        return Fraction(365 * unit.length, 12)
    if unit.kind == "semimonth":
        return Fraction(365, 24)
    return Fraction(unit.length * (7 if unit.kind == "week" else 1))


def _months_back(start: date, end: date) -> tuple[int, int]:
    """Full months measured back from `end`, and the days left from `start` to the first of them."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if add_months(end, -months) < start:
        months -= 1
    return months, (add_months(end, -months) - start).days


def _on_months(start: date, end: date) -> bool:
    months = full_months_between(start, end)
    return add_months(start, months) == end


def _years_back(start: date, end: date) -> Fraction:
    """Whole months and days counted back to the start; the days over the 365 or 366 of the year before them."""
    if _on_months(start, end):
        return Fraction(full_months_between(start, end), 12)
    months, days = _months_back(start, end)
    last = add_months(end, -months)
    return Fraction(months, 12) + Fraction(days, (last - add_months(last, -12)).days)


def _check_sides(amounts: Sequence[Fraction]) -> None:
    if not any(amount > 0 for amount in amounts) or not any(amount < 0 for amount in amounts):
        raise Refusal("ONE_SIDED", "there must be at least one advance and one payment above zero")
