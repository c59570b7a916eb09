"""Classing of a feature into bins with weights of evidence: monotone where a direction is given, never tiny.

Fine classes by value or by twentieths; neighbours that break the direction are pooled (pool adjacent violators), then
those too small, then the two nearest in bad rate, until few enough are left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_BINS = 6
LEAST_SHARE = 0.05
LEAST_BAD = 10
FINE_CLASSES = 20


@dataclass(frozen=True)
class Bin:
    """`upto`: the highest number in it (None: no bound); `values`: the codes in it, of a categorical feature."""

    good: int
    bad: int
    upto: int | None = None
    values: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return self.good + self.bad

    @property
    def rate(self) -> float:
        return self.bad / self.size

    def and_next(self, other: Bin) -> Bin:
        """This one and the one above it, as one."""
        values = tuple(sorted((*self.values, *other.values)))
        return Bin(self.good + other.good, self.bad + other.bad, other.upto, values)


def bins_of(column: Any, bad: Any, worse: int) -> list[Bin]:
    """The bins of a feature. `worse`: 1 when higher is riskier, -1 when lower is, 0 where nothing is presumed."""
    if column.dtype.kind in "iu":
        bins = _pool(_fine(column, bad), worse) if worse else _fine(column, bad)
    else:
        bins = sorted(_levels(column, bad), key=lambda each: (each.rate, each.values))
    while len(bins) > 1 and (small := _smallest(bins, len(column), int(bad.sum()))) is not None:
        bins = _merged(bins, _nearer(bins, small))
    while len(bins) > MOST_BINS:
        bins = _merged(bins, min(range(len(bins) - 1), key=lambda at: abs(bins[at].rate - bins[at + 1].rate)))
    return bins


def woe(each: Bin, goods: int, bads: int) -> float:
    """Weight of evidence: ln of the share of goods over the share of bads in the bin (Siddiqi 2006, chapter 6).

    Half a case is added to each side, so that a bin without a bad one has a finite weight.
    """
    return math.log(((each.good + 0.5) / goods) / ((each.bad + 0.5) / bads))


def information_value(bins: list[Bin]) -> float:
    """Sum over bins of (share of goods - share of bads) x WOE."""
    goods, bads = sum(each.good for each in bins), sum(each.bad for each in bins)
    return sum((each.good / goods - each.bad / bads) * woe(each, goods, bads) for each in bins)


def place_of(bins: list[Bin], column: Any) -> Any:
    """For each value the index of its bin; a code never seen goes where most cases are."""
    if column.dtype.kind in "iu":
        return np.searchsorted([each.upto for each in bins[:-1]], column, side="left")
    where = {value: at for at, each in enumerate(bins) for value in each.values}
    commonest = max(range(len(bins)), key=lambda at: bins[at].size)
    return np.array([where.get(value, commonest) for value in column])


def _fine(column: Any, bad: Any) -> list[Bin]:
    values = np.unique(column)
    if len(values) > FINE_CLASSES:
        shares = np.arange(1, FINE_CLASSES) / FINE_CLASSES
        values = np.unique(np.quantile(column, shares, method="inverted_cdf"))
    edges = [int(value) for value in values]
    if edges[-1] == int(column.max()):
        edges.pop()
    found, low = [], None
    for high in (*edges, None):
        inside = np.ones(len(column), dtype=bool)
        if low is not None:
            inside &= column > low
        if high is not None:
            inside &= column <= high
        bads = int(bad[inside].sum())
        found.append(Bin(int(inside.sum()) - bads, bads, high))
        low = high
    return found


def _levels(column: Any, bad: Any) -> list[Bin]:
    found = []
    for value in np.unique(column):
        inside = column == value
        bads = int(bad[inside].sum())
        found.append(Bin(int(inside.sum()) - bads, bads, None, (str(value),)))
    return found


def _pool(bins: list[Bin], worse: int) -> list[Bin]:
    """Pool adjacent violators, so that the bad rate only rises (falls) with the number."""
    pooled: list[Bin] = []
    for each in bins:
        pooled.append(each)
        while len(pooled) > 1 and (pooled[-1].rate - pooled[-2].rate) * worse <= 0:
            last = pooled.pop()
            pooled.append(pooled.pop().and_next(last))
    return pooled


def _smallest(bins: list[Bin], cases: int, bads: int) -> int | None:
    least_bad = min(LEAST_BAD, bads // 10)
    small = [at for at, each in enumerate(bins) if each.size < LEAST_SHARE * cases or each.bad < least_bad]
    return min(small, key=lambda at: bins[at].size, default=None)


def _nearer(bins: list[Bin], at: int) -> int:
    """The lower index of the pair that the bin is merged in: with the neighbour whose bad rate is nearer."""
    pairs = [low for low in (at - 1, at) if 0 <= low < len(bins) - 1]
    return min(pairs, key=lambda low: abs(bins[low].rate - bins[low + 1].rate))


def _merged(bins: list[Bin], at: int) -> list[Bin]:
    return [*bins[:at], bins[at].and_next(bins[at + 1]), *bins[at + 2 :]]
