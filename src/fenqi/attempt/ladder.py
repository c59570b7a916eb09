"""When the janitor asks again: soon at first, then ever more rarely; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

UNKNOWN_S = (2, 5, 10, 20, 40, 60, 120, 300, 600, 1_800, 3_600)
"""Nobody knows whether the money was taken: the buyer waits."""
PENDING_S = (60, 120, 300, 300, 600, 600, 1_800, 3_600)
"""The buyer has the channel's page before them; the notice usually comes first."""
REFUND_S = (5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400)


def next_at(ladder_s: tuple[int, ...], asks: int, now: datetime) -> datetime:
    """The instant of the next asking after `asks` of them; the last rung repeats."""
    return now + timedelta(seconds=ladder_s[min(asks, len(ladder_s) - 1)])
