"""A passage's last hour as bars: what was answered above the line, what was not below it, minute by minute.

Pure: counters in, whole pixels out. Place and pattern say what colour repeats.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from fenqi.passage import Minute

MINUTES = 60
STEP = 10
"""Width of a minute, of which a bar takes all but two."""
UP, DOWN = 56, 36
"""Height above and below the line."""
BAD = ("timeout", "error", "declined", "limited")
"""From the line downwards."""


class Bar(NamedTuple):
    """A rectangle. `kind`: ok | timeout | error | declined | limited."""

    kind: str
    x: int
    y: int
    height: int


class Chart(NamedTuple):
    """An hour, drawn and in figures. Latencies in milliseconds."""

    since_at: datetime
    until_at: datetime
    bars: tuple[Bar, ...]
    latency: str
    """The path of the mean latency, minute by minute, in a strip of its own of height DOWN."""
    counts: dict[str, int]
    mean_ms: int
    most_ms: int
    peak: int
    """Calls in the busiest minute."""

    @property
    def calls(self) -> int:
        """All that were made."""
        return sum(self.counts.values())

    @property
    def answered_ppm(self) -> int:
        """The share that was answered, in millionths; nothing called counts as all."""
        return self.counts["ok"] * 1_000_000 // self.calls if self.calls else 1_000_000


def chart(minutes: Iterable[Minute], now: datetime) -> Chart:
    """The hour that ends with this minute."""
    until_at = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    since_at = until_at - timedelta(minutes=MINUTES)
    seen = [each for each in minutes if since_at <= each.minute_at < until_at]
    counts = {kind: sum(_of(each, kind) for each in seen) for kind in ("ok", *BAD)}
    peak = max((sum(_of(each, kind) for kind in counts) for each in seen), default=0)
    calls = sum(counts.values())
    means = {int((each.minute_at - since_at) / timedelta(minutes=1)): _mean(each) for each in seen}
    return Chart(
        since_at, until_at, tuple(_bars(seen, since_at, peak)), _latency(means), counts,
        sum(each.latency_sum_ms for each in seen) // calls if calls else 0,
        max((each.latency_most_ms for each in seen), default=0), peak,
    )  # fmt: skip


def _of(minute: Minute, kind: str) -> int:
    count: int = getattr(minute, f"{kind}_count")
    return count


def _mean(minute: Minute) -> int:
    return minute.latency_sum_ms // max(1, minute.ok_count + minute.failed_count + minute.limited_count)


def _bars(minutes: Iterable[Minute], since_at: datetime, peak: int) -> Iterable[Bar]:
    for each in minutes:
        x = int((each.minute_at - since_at) / timedelta(minutes=1)) * STEP
        if each.ok_count:
            height = _height(each.ok_count, peak, UP)
            yield Bar("ok", x, UP - height, height)
        y = UP + 1
        for kind in BAD:
            if count := _of(each, kind):
                height = _height(count, peak, DOWN)
                yield Bar(kind, x, y, height)
                y += height


def _height(count: int, peak: int, whole: int) -> int:
    """At least four pixels, so that a single call is seen beside a thousand."""
    return max(4, count * whole // max(peak, 4))


def _latency(means: dict[int, int]) -> str:
    """A dash for each minute, joined to the next where that has calls, too."""
    most, steps, drawn = max([*means.values(), 1]), [], -2
    for place in sorted(means):
        y = DOWN - 2 - means[place] * (DOWN - 4) // most
        steps.append(f"{'L' if place == drawn + 1 else 'M'}{place * STEP} {y}h{STEP - 2}")
        drawn = place
    return "".join(steps)
