"""APR cases as documents: strict JSON in, `{"id", "apr_percent"}` or a typed error out.

An event is `{amount, date | years | unit_periods (+ fraction), count}`; a count repeats it each unit-period.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from fenqi.credit import apr
from fenqi.credit.schedule.document import error_document
from fenqi.credit.schedule.due_date import add_months
from fenqi.kernel.refusal import Refusal

FIELDS = frozenset(["id", "method", "advances", "payments", "unit_periods_per_year"])
EVENT_FIELDS = frozenset(["amount", "date", "years", "unit_periods", "fraction", "count"])
MAX_EVENTS = 5000
_STEP = Decimal("0.000001")

Event = tuple[Fraction, "date | Fraction"]


def compute(document: Any) -> dict[str, Any]:
    """The rate of one case; `{"id", "error"}` when it is refused. Never raises a Refusal."""
    identity = document.get("id") if isinstance(document, Mapping) else None
    try:
        rate = _rate(_checked(document))
    except Refusal as refusal:
        return error_document(refusal, identity)
    return {"id": identity, "apr_percent": percent_text(rate)}


def percent_text(rate: float) -> str:
    """A fraction as a percentage with six decimals: 0.0968955 → "9.689550"."""
    return f"{Decimal(repr(rate * 100)).quantize(_STEP):f}"


def _checked(document: Any) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise Refusal("NOT_AN_OBJECT", "an APR case must be one JSON object")
    unknown = sorted(str(name) for name in document if name not in FIELDS)
    if unknown:
        raise Refusal("FIELD_UNKNOWN", f"unknown field {unknown[0]!r}", field=unknown[0])
    return document


def _rate(document: Mapping[str, Any]) -> float:
    method = document.get("method")
    if method not in ("reg_z", "eu", "xirr", "irr"):
        raise Refusal("METHOD_UNKNOWN", "method is one of reg_z, eu, xirr, irr", field="method")
    per_year = _per_year(document)
    events = [*_side(document, "advances", 1, method, per_year), *_side(document, "payments", -1, method, per_year)]
    dated = [apr.Dated(amount, at) for amount, at in events if isinstance(at, date)]
    timed = [apr.Timed(amount, at) for amount, at in events if not isinstance(at, date)]
    if dated and timed:
        raise Refusal("TIMES_MIXED", "dates and counted times do not mix in one case")
    return _dated_rate(method, dated) if dated else _timed_rate(method, timed, per_year)


def _dated_rate(method: str, flows: Sequence[apr.Dated]) -> float:
    if method == "irr":
        raise Refusal("TIME_KIND", "irr takes unit_periods; for dates use xirr", field="date")
    known: dict[str, Callable[[Sequence[apr.Dated]], float]] = {
        "reg_z": apr.reg_z_dated,
        "eu": apr.eu_dated,
        "xirr": apr.xirr,
    }
    with _within_calendar():
        return known[method](flows)


@contextmanager
def _within_calendar() -> Iterator[None]:
    """Dates that a step or a year back puts outside the calendar are the caller's, not a bug."""
    try:
        yield
    except (OverflowError, ValueError):
        raise Refusal("TERM_TOO_LONG", "the dates reach beyond the calendar", field="date") from None


def _timed_rate(method: str, flows: Sequence[apr.Timed], per_year: Fraction | None) -> float:
    if method == "irr":
        return apr.irr(flows)
    if method in ("eu", "xirr"):
        return apr.eu(flows)
    if per_year is None:
        raise Refusal("FIELD_MISSING", "unit_periods_per_year is required", field="unit_periods_per_year")
    return apr.reg_z(flows, per_year)


def _side(document: Mapping[str, Any], name: str, sign: int, method: str, per_year: Fraction | None) -> list[Event]:
    listed = document.get(name)
    if not isinstance(listed, list) or not listed:
        raise Refusal("FIELD_MISSING", f"{name} must be a list with at least one entry", field=name)
    events: list[Event] = []
    for entry in listed:
        events.extend(_events(entry, sign, method, per_year))
        if len(events) > MAX_EVENTS:
            raise Refusal("TOO_MANY_EVENTS", f"{name} has more than {MAX_EVENTS} events", field=name)
    return events


def _events(entry: Any, sign: int, method: str, per_year: Fraction | None) -> list[Event]:
    if not isinstance(entry, Mapping):
        raise Refusal("NOT_AN_OBJECT", "an advance or payment must be a JSON object")
    unknown = sorted(str(name) for name in entry if name not in EVENT_FIELDS)
    if unknown:
        raise Refusal("FIELD_UNKNOWN", f"unknown field {unknown[0]!r}", field=unknown[0])
    amount = number(entry.get("amount"), "amount") * sign
    if amount * sign < 0:
        raise Refusal("AMOUNT_NEGATIVE", "amounts must not be negative", field="amount")
    count = number(entry.get("count", 1), "count")
    if count.denominator != 1 or not 1 <= count <= MAX_EVENTS:
        raise Refusal("COUNT_INVALID", f"count must be a whole number from 1 to {MAX_EVENTS}", field="count")
    return [(amount, at) for at in _times(entry, sign, int(count), method, per_year)]


def _times(
    entry: Mapping[str, Any], sign: int, count: int, method: str, per_year: Fraction | None
) -> list[date | Fraction]:
    kinds = [kind for kind in ("date", "years", "unit_periods") if entry.get(kind) is not None]
    if not kinds and entry.get("fraction") is not None:
        kinds = ["unit_periods"]
    if len(kinds) > 1:
        raise Refusal("TIMES_MIXED", f"give one of {', '.join(kinds)}", field=kinds[0])
    if not kinds:
        if sign < 0 or count > 1:
            raise Refusal("FIELD_MISSING", "give date, years or unit_periods", field="unit_periods")
        return [Fraction(0)]
    if kinds[0] == "date":
        return list(_dates(entry["date"], count, per_year))
    if kinds[0] == "years":
        return _counted(*_years(entry, count, method, per_year))
    whole = number(entry.get("unit_periods", 0), "unit_periods")
    at = whole + number(entry.get("fraction", 0), "fraction")
    if at < 0:
        raise Refusal("TIME_NEGATIVE", "times count from the first advance and are not negative", field="unit_periods")
    scale = Fraction(1)
    if method in ("eu", "xirr"):
        scale = 1 / _required(per_year)
    return _counted(at * scale, count, scale)


def _years(
    entry: Mapping[str, Any], count: int, method: str, per_year: Fraction | None
) -> tuple[Fraction, int, Fraction]:
    """The first time, the count and the step; without unit_periods_per_year the first interval is the step."""
    at = number(entry["years"], "years")
    if at < 0:
        raise Refusal("TIME_NEGATIVE", "times count from the first advance and are not negative", field="years")
    if method in ("reg_z", "irr"):
        return at * _required(per_year), count, Fraction(1)
    if count == 1:
        return at, count, Fraction(0)
    step = at if per_year is None and at > 0 else 1 / _required(per_year)
    return at, count, step


def _counted(first: Fraction, count: int, step: Fraction) -> list[date | Fraction]:
    return [first + step * k for k in range(count)]


def _dates(value: Any, count: int, per_year: Fraction | None) -> list[date]:
    try:
        if not isinstance(value, str) or len(value) != 10:
            raise ValueError
        first = date.fromisoformat(value)
    except ValueError:
        raise Refusal("NOT_A_DATE", "date must be a date such as 2026-01-31", field="date") from None
    if count == 1:
        return [first]
    step = _required(per_year)
    with _within_calendar():
        return [_stepped(first, k, step) for k in range(count)]


def _stepped(first: date, k: int, per_year: Fraction) -> date:
    """The k-th date after the first: whole months where they divide the year, else weeks, else days."""
    months, weeks, days = 12 / per_year, 52 / per_year, 365 / per_year
    if per_year == 24:
        return add_months(first, k // 2) + timedelta(days=15 * (k % 2))
    if months.denominator == 1:
        return add_months(first, k * int(months))
    if weeks.denominator == 1:
        return first + timedelta(days=7 * k * int(weeks))
    if days.denominator == 1:
        return first + timedelta(days=k * int(days))
    raise Refusal("UNIT_PERIODS_INVALID", "dates repeat by months, weeks or days only", field="unit_periods_per_year")


def _per_year(document: Mapping[str, Any]) -> Fraction | None:
    if document.get("unit_periods_per_year") is None:
        return None
    per_year = number(document["unit_periods_per_year"], "unit_periods_per_year")
    if per_year <= 0:
        raise Refusal("UNIT_PERIODS_INVALID", "unit_periods_per_year must be above zero", field="unit_periods_per_year")
    return per_year


def _required(per_year: Fraction | None) -> Fraction:
    if per_year is None:
        raise Refusal("FIELD_MISSING", "unit_periods_per_year is required", field="unit_periods_per_year")
    return per_year


def number(value: Any, name: str) -> Fraction:
    """A number as written: "230", 230, 12.5, "19/30" or a mixed "4 4/7". Refuses anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal) or len(str(value)) > 60:
        raise Refusal("NOT_A_NUMBER", f"{name} must be a number", field=name)
    text = str(value).strip()
    whole, _, part = text.rpartition(" ") if " " in text else ("0", "", text)
    try:
        if "e" in text.lower() and abs(int(text.lower().rpartition("e")[2])) > 30:
            raise ValueError
        return Fraction(whole.strip()) + Fraction(part)
    except (ValueError, ZeroDivisionError):
        raise Refusal("NOT_A_NUMBER", f"{name} must be a number, not {text[:40]!r}", field=name) from None
