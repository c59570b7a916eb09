"""Health as it is observed: outcomes counted a minute, and a circuit breaker a passage that several processes share.

Only what changes a passage's standing raises the reference epoch, so that every process's copy is as fresh as the
last opening, closing or pause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.passage import breaker
from fenqi.passage.model import Health, HealthChange, Minute, Outcome, OutcomeKind
from fenqi.passage.store import observed

_K = OutcomeKind
_KEPT = timedelta(days=7)


async def record(tx: Tx, outcomes: Sequence[Outcome], now: datetime) -> dict[UUID, Health]:
    """Count a batch of outcomes and let the breakers hear of them: the breakers that changed their standing.

    Hand in what has been observed since the last time, in a transaction of its own: never in a payment's.
    """
    by_passage: dict[UUID, list[Outcome]] = {}
    for outcome in outcomes:
        by_passage.setdefault(outcome.passage_id, []).append(outcome)
    if not by_passage:
        return {}
    before = await observed.lock_healths(tx, sorted(by_passage))
    known = {passage_id: some for passage_id, some in by_passage.items() if passage_id in before}
    await observed.add_counts(tx, sorted(_counts(known)))
    since_at = breaker.minute_of(now) - timedelta(minutes=1)
    minutes = await observed.minutes(tx, sorted(known), since_at)
    moved: dict[UUID, Health] = {}
    for passage_id, some in known.items():
        health = breaker.after(before[passage_id], some, minutes.get(passage_id, ()), now)
        if health != before[passage_id]:
            await observed.set_health(tx, passage_id, health)
        change = _change(before[passage_id], health, some, now)
        if change is not None:
            await observed.insert_change(tx, passage_id, change)
            moved[passage_id] = health
    if moved:
        await raise_epoch(tx, "channel")
    return moved


def _counts(by_passage: dict[UUID, list[Outcome]]) -> Iterable[tuple[UUID, Minute]]:
    for passage_id, some in by_passage.items():
        by_minute: dict[datetime, list[Outcome]] = {}
        for outcome in some:
            by_minute.setdefault(breaker.minute_of(outcome.at), []).append(outcome)
        for minute_at, these in by_minute.items():
            count = Counter(each.kind for each in these)
            latencies = [each.latency_ms for each in these]
            yield passage_id, Minute(
                minute_at, count[_K.OK], count[_K.TIMEOUT], count[_K.ERROR], count[_K.DECLINED], count[_K.LIMITED],
                sum(latencies), max(latencies),
            )  # fmt: skip


def _change(before: Health, after: Health, outcomes: Sequence[Outcome], now: datetime) -> HealthChange | None:
    """What others must hear of: the breaker opened (again), closed, or the channel asked for a (longer) pause."""
    if after.is_open and after.until_at != before.until_at:
        failed = sorted({str(each.kind) for each in outcomes} - {_K.OK})
        why = f"{after.failed_in_row} failures in a row: {', '.join(failed)}"
        return HealthChange("half_open" if before.is_open else "closed", "open", after.until_at, why, now)
    if before.is_open and not after.is_open:
        return HealthChange("half_open", "closed", None, "a call was answered", now)
    if after.limited_until_at != before.limited_until_at:
        return HealthChange("closed", "rate_limited", after.limited_until_at, "the channel says: too many calls", now)
    return None


async def healths(tx: Tx) -> dict[UUID, Health]:
    """The breakers of all passages."""
    return await observed.healths(tx)


async def claim_probe(tx: Tx, passage_id: UUID, now: datetime) -> bool:
    """Whether the caller may be the one who tries a passage that is half open; the outcome is to be recorded."""
    before = now - timedelta(seconds=breaker.DECLARED.probe_s)
    return await observed.claim_probe(tx, passage_id, now, before)


async def claim_probes(tx: Tx, now: datetime) -> list[UUID]:
    """All passages that are half open and that nobody is trying: now the caller's to try."""
    found = await observed.healths(tx)
    due = sorted(passage_id for passage_id, health in found.items() if breaker.probe_is_due(health, now))
    return [passage_id for passage_id in due if await claim_probe(tx, passage_id, now)]


async def minutes(tx: Tx, passage_ids: Sequence[UUID], since_at: datetime) -> dict[UUID, list[Minute]]:
    """What was observed of these passages, minute by minute, oldest first; kept for a week."""
    return await observed.minutes(tx, passage_ids, breaker.minute_of(since_at))


async def changes(tx: Tx, passage_id: UUID, limit: int = 50) -> list[HealthChange]:
    """What a passage's breaker did, the newest first."""
    return await observed.changes(tx, passage_id, limit)


async def forget(tx: Tx, now: datetime) -> int:
    """Let go of counters older than a week; how many rows."""
    return await observed.delete_minutes(tx, now - _KEPT)
