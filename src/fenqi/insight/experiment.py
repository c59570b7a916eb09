"""The cashier's experiment: who sees reasons and remedies, who a bare "unavailable", and what difference it made. Pure.

A buyer stays in one arm, so checkouts of one buyer are not independent: the variance is taken over buyers, not over
checkouts (delta method for a ratio of means; Deng, Knoblich, Lu, KDD 2018, "Applying the Delta Method in Metric
Analytics", section 3).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.insight.model import Arm, Experiment

_PPM = 1_000_000
_Z = 1.959963984540054
"""The normal distribution's 97.5 % quantile."""
_Z_POWER = 0.8416212335729143
"""Its 80 % quantile: the power that a smallest difference is said for."""


def arm_of(running: Experiment | None, consumer_id: UUID, at: datetime) -> Arm:
    """The buyer's arm: by a hash of the experiment's name and their id, so that it never changes."""
    if running is None or not running.from_at <= at < running.until_at:
        return "none"
    digest = hashlib.sha256(f"{running.name}/{consumer_id}".encode()).digest()
    return "bare" if int.from_bytes(digest[:8], "big") % _PPM < running.bare_ppm else "explained"


class Share(msgspec.Struct, frozen=True):
    """One arm: how many of the refused checkouts were paid after all, over buyers."""

    buyers: int
    checkouts: int
    paid: int
    asked_minor: int
    paid_minor: int
    rate: float
    variance: float
    """Of the rate, over buyers."""


class Difference(msgspec.Struct, frozen=True):
    """Explained minus bare, as a difference of rates, with its 95 % interval."""

    rate: float
    low: float
    high: float
    p_value: float
    """Two-sided, normal approximation."""
    detectable: float
    """The smallest difference that so many buyers show with 80 % power at the 5 % level."""

    @property
    def is_significant(self) -> bool:
        """Whether nothing at all would be surprising (5 % level)."""
        return self.p_value < 0.05


def share_of(checkouts: Iterable[tuple[UUID, int, bool]]) -> Share:
    """The arm's share from (buyer, amount in fen, whether it was paid) of each refused checkout."""
    by_buyer: dict[UUID, list[int]] = {}
    asked_minor = paid_minor = 0
    for buyer, amount_minor, paid in checkouts:
        tally = by_buyer.setdefault(buyer, [0, 0])
        tally[0] += paid
        tally[1] += 1
        asked_minor += amount_minor
        paid_minor += amount_minor if paid else 0
    n = len(by_buyer)
    paid_count = sum(paid for paid, _ in by_buyer.values())
    count = sum(each for _, each in by_buyer.values())
    rate = paid_count / count if count else 0.0
    variance = math.inf
    if n > 1:
        off = sum((paid - rate * each) ** 2 for paid, each in by_buyer.values())
        variance = off / (n - 1) * n / count**2
    return Share(n, count, paid_count, asked_minor, paid_minor, rate, variance)


def compare(explained: Share, bare: Share) -> Difference | None:
    """The difference between the arms; None while one of them has fewer than two buyers or no spread at all."""
    variance = explained.variance + bare.variance
    if not math.isfinite(variance) or variance == 0:
        return None
    error = math.sqrt(variance)
    rate = explained.rate - bare.rate
    p_value = math.erfc(abs(rate) / error / math.sqrt(2))
    return Difference(rate, rate - _Z * error, rate + _Z * error, p_value, (_Z + _Z_POWER) * error)
