"""The circuit breaker, pure: from what was observed of a passage to whether calls go through it now.

It opens on failures in a row, or when most calls of the last minutes failed; it stays open for a while that doubles
each time, and one answered call closes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from fenqi.passage.model import Health, Minute, Outcome, OutcomeKind


class Thresholds(msgspec.Struct, frozen=True):
    """When the breaker opens, and for how long."""

    in_row_count: int = 5
    """Failures one after another, whatever the time between them up to `forget_s`."""
    least_count: int = 5
    """Failures at least, for the share of failures to be looked at."""
    failing_ppm: int = 500_000
    """The share of failures among the calls of this minute and the one before."""
    open_s: int = 30
    open_most_s: int = 600
    forget_s: int = 600
    probe_s: int = 30
    """How long a probe has until another one may be sent."""
    limited_s: int = 30
    """How long a channel is left alone that says "too many calls" without saying until when."""


DECLARED = Thresholds()
_MINUTE = timedelta(minutes=1)
_FAILURES = frozenset({OutcomeKind.TIMEOUT, OutcomeKind.ERROR, OutcomeKind.DECLINED})


def standing(health: Health, now: datetime) -> str:
    """up | half_open (one call may try) | down | rate_limited."""
    if health.is_open:
        assert health.until_at is not None, "an open breaker says until when"
        return "down" if now < health.until_at else "half_open"
    return "rate_limited" if is_limited(health, now) else "up"


def is_limited(health: Health, now: datetime) -> bool:
    """Whether the channel asked for a pause that lasts."""
    return health.limited_until_at is not None and now < health.limited_until_at


def minute_of(at: datetime) -> datetime:
    """The beginning of the minute in which an instant lies."""
    return at.replace(second=0, microsecond=0)


def after(
    before: Health, outcomes: Iterable[Outcome], minutes: Iterable[Minute], now: datetime, by: Thresholds = DECLARED
) -> Health:
    """The breaker after these outcomes; `minutes` are the counters with them added in."""
    health = before
    for outcome in sorted(outcomes, key=lambda each: each.at):
        health = _heard(health, outcome, by)
    if health.is_open:
        return health
    if health.failed_in_row >= by.in_row_count or (health.failed_in_row and _mostly_failing(health, minutes, now, by)):
        return _opened(health, now, by)
    return health


def _heard(health: Health, outcome: Outcome, by: Thresholds) -> Health:
    if outcome.kind is OutcomeKind.LIMITED:
        return _limited(health, outcome, by)
    due = health.until_at is None or outcome.at >= health.until_at
    if outcome.kind not in _FAILURES:
        if health.is_open:
            return Health(closed_at=outcome.at, limited_until_at=health.limited_until_at) if due else health
        return replace(health, failed_in_row=0) if health.failed_in_row else health
    if health.is_open:
        return _opened(health, outcome.at, by) if due else health
    goes_on = health.failed_at is not None and outcome.at - health.failed_at <= timedelta(seconds=by.forget_s)
    return replace(health, failed_in_row=health.failed_in_row + 1 if goes_on else 1, failed_at=outcome.at)


def _limited(health: Health, outcome: Outcome, by: Thresholds) -> Health:
    """The pause that the channel asks for; one that lasts already is not drawn out by calls that were under way."""
    if outcome.until_at is None and is_limited(health, outcome.at):
        return health
    until_at = outcome.until_at or outcome.at + timedelta(seconds=by.limited_s)
    longest = until_at if health.limited_until_at is None else max(until_at, health.limited_until_at)
    return replace(health, limited_until_at=longest)


def _opened(health: Health, at: datetime, by: Thresholds) -> Health:
    opens = health.opens + 1
    open_s = min(by.open_most_s, by.open_s << min(opens - 1, 16))
    return replace(
        health, is_open=True, opened_at=at, until_at=at + timedelta(seconds=open_s), opens=opens, probe_at=None
    )


def _mostly_failing(health: Health, minutes: Iterable[Minute], now: datetime, by: Thresholds) -> bool:
    """Whether most calls of this minute and the one before failed; what led to an earlier opening doesn't count."""
    counted = [
        each
        for each in minutes
        if each.minute_at >= minute_of(now) - _MINUTE
        and (health.closed_at is None or each.minute_at > health.closed_at)
    ]
    failed = sum(each.failed_count for each in counted)
    calls = failed + sum(each.ok_count for each in counted)
    return failed >= by.least_count and failed * 1_000_000 >= calls * by.failing_ppm


def probe_is_due(health: Health, now: datetime, by: Thresholds = DECLARED) -> bool:
    """Whether an open breaker may let one call through now, nobody else's being under way."""
    free = health.probe_at is None or now - health.probe_at >= timedelta(seconds=by.probe_s)
    return standing(health, now) == "half_open" and free
