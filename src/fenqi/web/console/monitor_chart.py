"""The monitor drawn: weeks as lines, distributions as bars, vintages as a heat map. Pure: counts in, pixels out.

Shade and line style repeat what the figures beside them say, so that nothing rests on colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from fenqi.insight import Cell, Drift, Period, Vintage

WIDTH, HEIGHT = 720, 170
_TOP, _FOOT, _LEFT, _RIGHT = 10, 22, 40, 16
BARS_WIDTH, BARS_HEIGHT = 168, 34
SHADES = (0, 5_000, 15_000, 30_000, 60_000)
"""From these shares of bad loans on a cell is one shade darker; nothing bad has none."""
_PPM = 1_000_000


class Point(NamedTuple):
    """A week on a line."""

    x: int
    y: int
    week_on: date
    value_ppm: int
    cases: int


class Line(NamedTuple):
    """A share week by week; weeks without cases are gaps."""

    name: str
    path: str
    points: tuple[Point, ...]


class Trend(NamedTuple):
    """The chart of the weeks: lines, and where the weeks' names stand."""

    lines: tuple[Line, ...]
    weeks: tuple[tuple[int, date], ...]
    grid: tuple[tuple[int, int], ...]
    """(y, share in millionths) of the lines across."""


class Pair(NamedTuple):
    """One class of a distribution: x, and the heights of the reference and of now, from the foot up."""

    x: int
    width: int
    reference: int
    current: int


class HeatRow(NamedTuple):
    """A vintage with its cells, and the shade of each."""

    vintage: Vintage
    cells: tuple[tuple[Cell, int], ...]
    first_ppm: int | None
    first_shade: int


def trend(weeks: Sequence[Period]) -> Trend:
    """Approvals and lending, 0 to 100 %."""
    step = (WIDTH - _LEFT - _RIGHT) // max(1, len(weeks) - 1)
    approved = [(week.approved_ppm, week.applied) for week in weeks]
    lent = [(week.lent_ppm, week.asked) for week in weeks]
    lines = tuple(
        _line(name, [(week.until_on, *value) for week, value in zip(weeks, values, strict=True)], step)
        for name, values in (("approved", approved), ("lent", lent))
    )
    names = tuple((_LEFT + at * step, week.until_on) for at, week in enumerate(weeks))
    return Trend(lines, names, tuple((_y(share), share) for share in (0, _PPM // 2, _PPM)))


def _line(name: str, values: Sequence[tuple[date, int | None, int]], step: int) -> Line:
    points = [
        Point(_LEFT + at * step, _y(value), week_on, value, cases)
        for at, (week_on, value, cases) in enumerate(values)
        if value is not None
    ]
    parts, before = [], None
    for point in points:
        parts.append(f"{'L' if before is not None and point.x - before == step else 'M'}{point.x} {point.y}")
        before = point.x
    return Line(name, "".join(parts), tuple(points))


def _y(share_ppm: int) -> int:
    return HEIGHT - _FOOT - share_ppm * (HEIGHT - _FOOT - _TOP) // _PPM


def pairs(drift: Drift) -> tuple[Pair, ...]:
    """Both distributions side by side, scaled to the highest share; the class of the unknown last."""
    shares = [
        (part_r * _PPM // max(1, sum(drift.reference)), part_c * _PPM // max(1, sum(drift.current)))
        for part_r, part_c in zip(drift.reference, drift.current, strict=True)
    ]
    most = max((max(pair) for pair in shares), default=0) or 1
    step = BARS_WIDTH // max(1, len(shares))
    return tuple(
        Pair(at * step, max(2, step // 2 - 1), r * BARS_HEIGHT // most, c * BARS_HEIGHT // most)
        for at, (r, c) in enumerate(shares)
    )


def heat(vintages: Sequence[Vintage]) -> tuple[HeatRow, ...]:
    """The vintages, newest first."""
    rows = []
    for each in reversed(vintages):
        due = each.first_due_count
        first = each.first_default_count * _PPM // due if due else None
        cells = tuple((cell, shade(cell.bad_ppm)) for cell in each.cells)
        rows.append(HeatRow(each, cells, first, shade(first or 0)))
    return tuple(rows)


def shade(bad_ppm: int) -> int:
    """0 for nothing bad, then one more with each step of `SHADES`."""
    return 0 if bad_ppm == 0 else sum(bad_ppm >= step for step in SHADES)
