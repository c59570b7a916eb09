"""SQL of what is observed of passages. Lock order: health rows by (bucket, passage_id), nothing after them but the
reference epoch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.passage.model import Health, HealthChange, Minute

_HEALTH = "state, opened_at, until_at, closed_at, opens, failed_in_row, failed_at, probe_at, limited_until_at"
_COUNTS = (
    "minute_at, ok_count, timeout_count, error_count, declined_count, limited_count, latency_sum_ms, latency_most_ms"
)
_KEYS = "(bucket, passage_id) IN (SELECT * FROM unnest(%s::smallint[], %s::uuid[]))"


def _keys(passage_ids: Sequence[UUID]) -> list[Any]:
    return [[bucket_of(each) for each in passage_ids], list(passage_ids)]


def _health(row: Sequence[Any]) -> Health:
    return Health(row[0] == "open", *row[1:])


def _values(health: Health) -> list[Any]:
    return [
        "open" if health.is_open else "closed", health.opened_at, health.until_at, health.closed_at, health.opens,
        health.failed_in_row, health.failed_at, health.probe_at, health.limited_until_at,
    ]  # fmt: skip


async def insert_health(tx: Tx, passage_id: UUID) -> None:
    """A sound breaker for a new passage."""
    await tx.execute(
        "INSERT INTO passage_health (bucket, passage_id, state) VALUES (%s, %s, 'closed')"
        " ON CONFLICT (bucket, passage_id) DO NOTHING",
        [bucket_of(passage_id), passage_id],
    )


async def healths(tx: Tx, passage_ids: Sequence[UUID] | None = None) -> dict[UUID, Health]:
    """The breakers of these passages, or of all."""
    where = "" if passage_ids is None else f" WHERE {_KEYS}"
    values = [] if passage_ids is None else _keys(passage_ids)
    cursor = await tx.execute(f"SELECT passage_id, {_HEALTH} FROM passage_health{where}", values)
    return {row[0]: _health(row[1:]) for row in await cursor.fetchall()}


async def lock_healths(tx: Tx, passage_ids: Sequence[UUID]) -> dict[UUID, Health]:
    """The same with their rows locked for change, in the order of their keys."""
    cursor = await tx.execute(
        f"SELECT passage_id, {_HEALTH} FROM passage_health WHERE {_KEYS} ORDER BY bucket, passage_id FOR UPDATE",
        _keys(passage_ids),
    )
    return {row[0]: _health(row[1:]) for row in await cursor.fetchall()}


async def set_health(tx: Tx, passage_id: UUID, health: Health) -> None:
    """Write a locked breaker."""
    await tx.execute(
        f"UPDATE passage_health SET ({_HEALTH}) = (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " WHERE bucket = %s AND passage_id = %s",
        [*_values(health), bucket_of(passage_id), passage_id],
    )


async def claim_probe(tx: Tx, passage_id: UUID, now: datetime, before: datetime) -> bool:
    """Set out to try an open passage whose time has come, unless somebody did so after `before`."""
    cursor = await tx.execute(
        "UPDATE passage_health SET probe_at = %s WHERE bucket = %s AND passage_id = %s"
        " AND state = 'open' AND until_at <= %s AND (probe_at IS NULL OR probe_at <= %s)",
        [now, bucket_of(passage_id), passage_id, now, before],
    )
    return cursor.rowcount == 1


async def add_counts(tx: Tx, rows: Sequence[tuple[UUID, Minute]]) -> None:
    """Add to the counters, one row a passage and minute."""
    async with tx.cursor() as cursor:
        await cursor.executemany(
            f"INSERT INTO passage_outcome AS o (bucket, passage_id, {_COUNTS})"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (bucket, passage_id, minute_at) DO UPDATE SET"
            " ok_count = o.ok_count + excluded.ok_count,"
            " timeout_count = o.timeout_count + excluded.timeout_count,"
            " error_count = o.error_count + excluded.error_count,"
            " declined_count = o.declined_count + excluded.declined_count,"
            " limited_count = o.limited_count + excluded.limited_count,"
            " latency_sum_ms = o.latency_sum_ms + excluded.latency_sum_ms,"
            " latency_most_ms = greatest(o.latency_most_ms, excluded.latency_most_ms)",
            [[bucket_of(passage_id), passage_id, *minute] for passage_id, minute in rows],
        )


async def minutes(tx: Tx, passage_ids: Sequence[UUID], since_at: datetime) -> dict[UUID, list[Minute]]:
    """The counters of these passages from a minute on, oldest first."""
    cursor = await tx.execute(
        f"SELECT passage_id, {_COUNTS} FROM passage_outcome WHERE {_KEYS} AND minute_at >= %s ORDER BY minute_at",
        [*_keys(passage_ids), since_at],
    )
    found: dict[UUID, list[Minute]] = {}
    for row in await cursor.fetchall():
        found.setdefault(row[0], []).append(Minute(*row[1:]))
    return found


async def delete_minutes(tx: Tx, before_at: datetime) -> int:
    """Forget counters of before an instant; how many rows there were."""
    cursor = await tx.execute("DELETE FROM passage_outcome WHERE minute_at < %s", [before_at])
    return cursor.rowcount


async def insert_change(tx: Tx, passage_id: UUID, change: HealthChange) -> None:
    """Keep what a breaker did."""
    await tx.execute(
        "INSERT INTO passage_health_change (bucket, passage_id, change_id, from_state, to_state, until_at, why, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [bucket_of(passage_id), passage_id, new_id(), *change],
    )


async def changes(tx: Tx, passage_id: UUID, limit: int) -> list[HealthChange]:
    """What a breaker did, the newest first."""
    cursor = await tx.execute(
        "SELECT from_state, to_state, until_at, why, at FROM passage_health_change"
        " WHERE bucket = %s AND passage_id = %s ORDER BY at DESC, change_id DESC LIMIT %s",
        [bucket_of(passage_id), passage_id, limit],
    )
    return [HealthChange(*row) for row in await cursor.fetchall()]
