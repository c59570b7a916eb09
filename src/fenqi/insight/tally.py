"""Sums of what was at stake, cut by reason, method, scene, category, merchant or rule, and week by week. Pure.

An order with several reasons counts in full under each of them: the sums of a cut overlap, and the whole is given
beside them. `sole`: the part in which the reason was the only one, so that curing it alone would have been enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

import msgspec

from fenqi.insight.model import AtStake, Outcome

CUTS = ("reason", "method", "scene", "category", "merchant", "rule")


class Line(msgspec.Struct, frozen=True):
    """One line of a cut. Counts are checkouts, amounts fen."""

    name: str
    count: int = 0
    asked_minor: int = 0
    lost_count: int = 0
    lost_minor: int = 0
    recovered_count: int = 0
    recovered_minor: int = 0
    diverted_minor: int = 0
    open_minor: int = 0
    sole_lost_minor: int = 0

    @property
    def recovered_ppm(self) -> int:
        """Of what has ended: the share that was paid by the refused method after all."""
        ended = self.asked_minor - self.open_minor
        return self.recovered_minor * 1_000_000 // ended if ended else 0


class Cut(msgspec.Struct, frozen=True):
    """A cut of what was at stake: its lines, the most lost first; the whole; and the weeks."""

    lines: tuple[Line, ...]
    whole: Line
    weeks: tuple[tuple[date, Line], ...]
    """By the Monday they begin with, none left out."""


_NAMES: dict[str, Callable[[AtStake], tuple[str, ...]]] = {
    "reason": lambda row: row.codes,
    "method": lambda row: (f"{row.method}/{row.way}",),
    "scene": lambda row: (row.scene,),
    "category": lambda row: (row.category,),
    "merchant": lambda row: (str(row.merchant_id),),
    "rule": lambda row: row.rules,
}


def names_of(row: AtStake, by: str) -> tuple[str, ...]:
    """The lines of a cut that a row counts in."""
    return _NAMES[by](row)


def cut(rows: Sequence[AtStake], by: str) -> Cut:
    """Sum rows by one of `CUTS`."""
    names = _NAMES[by]
    found: dict[str, list[AtStake]] = {}
    for row in rows:
        for name in names(row):
            found.setdefault(name, []).append(row)
    lines = sorted((_line(name, some) for name, some in found.items()), key=lambda x: (-x.lost_minor, x.name))
    return Cut(tuple(lines), _line("", rows), tuple(_weeks(rows)))


def _line(name: str, rows: Sequence[AtStake]) -> Line:
    lost = [row for row in rows if row.outcome in (Outcome.LOST, Outcome.LEFT)]
    recovered = [row for row in rows if row.outcome is Outcome.RECOVERED]
    return Line(
        name, len(rows), _sum(rows), len(lost), _sum(lost), len(recovered), _sum(recovered),
        _sum(row for row in rows if row.outcome is Outcome.DIVERTED),
        _sum(row for row in rows if row.outcome is Outcome.OPEN),
        _sum(row for row in lost if len(row.codes) == 1),
    )  # fmt: skip


def _sum(rows: Iterable[AtStake]) -> int:
    return sum(row.amount_minor for row in rows)


def _weeks(rows: Sequence[AtStake]) -> Iterable[tuple[date, Line]]:
    by_week: dict[date, list[AtStake]] = {}
    for row in rows:
        by_week.setdefault(row.day_on - timedelta(days=row.day_on.weekday()), []).append(row)
    if not by_week:
        return
    week = min(by_week)
    while week <= max(by_week):
        yield week, _line("", by_week.get(week, []))
        week += timedelta(days=7)
