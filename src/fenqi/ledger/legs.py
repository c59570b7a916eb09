"""Legs from entries: which limits a journal uses or gives back, read off its entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from fenqi.ledger import chart
from fenqi.ledger.model import Entry, Leg


class Judged(msgspec.Struct, frozen=True, gc=False):
    """By what the caller has judged one limit: its version, and the ceilings of its day and month (None for none)."""

    version: int | None = None
    day_ceiling_minor: int | None = None
    month_ceiling_minor: int | None = None


_UNJUDGED = Judged()


def legs_of(entries: Sequence[Entry], judged: Mapping[str, Judged] | None = None) -> tuple[Leg, ...]:
    """One leg per limit account that the entries touch, in order of path; `judged` by path, where it matters."""
    sums: dict[str, int] = defaultdict(int)
    for entry in entries:
        if chart.is_limited(entry.path):
            sums[entry.path] += entry.amount_minor
    return tuple(_leg(path, sums[path], (judged or {}).get(path, _UNJUDGED)) for path in sorted(sums) if sums[path])


def _leg(path: str, amount_minor: int, by: Judged) -> Leg:
    return Leg(path, amount_minor, by.day_ceiling_minor, by.month_ceiling_minor, by.version)
