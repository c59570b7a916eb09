"""Drift: how far one distribution lies from another, by the population stability index and by Kolmogorov-Smirnov. Pure.

Counts by class go in, millionths come out. Classes are ordered; who has no value is a class of their own, the last.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import msgspec

_PPM = 1_000_000
_HALF = 0.5


class Classes(msgspec.Struct, frozen=True):
    """How a feature is classed: numbers up to each edge and above the last, or codes; `unknown` comes last."""

    name: str
    edges: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many classes, without that of the unknown."""
        return len(self.codes) if self.codes else len(self.edges) + 1

    def place(self, value: int | str | None) -> int:
        """The class of a value; a code that isn't listed counts as unknown."""
        if value is None:
            return self.count
        if isinstance(value, str):
            return self.codes.index(value) if value in self.codes else self.count
        return bisect_left(self.edges, value)

    def tally(self, values: Iterable[int | str | None]) -> tuple[int, ...]:
        """How many values lie in each class."""
        counts = [0] * (self.count + 1)
        for value in values:
            counts[self.place(value)] += 1
        return tuple(counts)


class Drift(msgspec.Struct, frozen=True):
    """A feature's distribution now beside that of a reference. `against`: earlier | training."""

    feature: str
    against: str
    edges: tuple[int, ...]
    codes: tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]
    psi_ppm: int | None
    """None where one side has nobody."""
    ks_ppm: int | None

    @property
    def cases(self) -> int:
        """Of the smaller side."""
        return min(sum(self.reference), sum(self.current))


def drift_of(classes: Classes, against: str, reference: Sequence[int], current: Sequence[int]) -> Drift:
    """Compare two tallies of the same classes."""
    return Drift(
        classes.name, against, classes.edges, classes.codes, tuple(reference), tuple(current),
        psi_ppm(reference, current), ks_ppm(reference, current),
    )  # fmt: skip


def psi_ppm(reference: Sequence[int], current: Sequence[int]) -> int | None:
    """Population stability index: the sum over classes of (c - r) ln(c / r), shares now (c) and in the reference (r).

    (N. Siddiqi, Credit Risk Scorecards, 2006, chapter 8; the same as Jeffreys' divergence.) A class that is empty on
    one side counts as half a case there, since ln 0 is nothing to reckon with; one empty on both is left out.
    """
    assert len(reference) == len(current), "the same classes"
    both = [(r, c) for r, c in zip(reference, current, strict=True) if r or c]
    whole_r, whole_c = sum(reference), sum(current)
    if not whole_r or not whole_c:
        return None
    shares = [((r or _HALF) / whole_r, (c or _HALF) / whole_c) for r, c in both]
    return round(sum((c - r) * math.log(c / r) for r, c in shares) * _PPM)


def ks_ppm(reference: Sequence[int], current: Sequence[int]) -> int | None:
    """Kolmogorov-Smirnov: the widest gap between the two cumulated distributions over the classes, in their order."""
    assert len(reference) == len(current), "the same classes"
    whole_r, whole_c = sum(reference), sum(current)
    if not whole_r or not whole_c:
        return None
    widest = below_r = below_c = 0
    for r, c in zip(reference, current, strict=True):
        below_r, below_c = below_r + r, below_c + c
        widest = max(widest, abs(below_r * whole_c - below_c * whole_r))
    return widest * _PPM // (whole_r * whole_c)
