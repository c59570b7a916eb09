"""The outbox: events leave in the transaction that makes them, and a relay hands them on, at least once.

Events of one consumer are handed on in the order of their ids; across consumers there is no order. One relay at a
time works on a range of buckets (a row of `job_range`, claimed with SKIP LOCKED), so any number of processes may run
`relay_once`. A handler that fails parks its event with the reason and holds up nobody but that consumer.
"""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fenqi.database import packing, ranges
from fenqi.database.pool import Database, Tx
from fenqi.kernel.ids import bucket_of

JOB = "outbox"
_FIRST_RETRY = timedelta(seconds=1)
_LAST_RETRY = timedelta(hours=1)
_REASON_KEPT = 2000
_FIRST = str(UUID(int=0))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a consumer's things. `payload` is JSON; make `event_id` (time-ordered) inside the
    transaction, after the consumer's rows are locked, so that ids follow the order of what happened."""

    event_id: UUID
    consumer_id: UUID
    topic: str
    payload: bytes
    written_at: datetime


Handler = Callable[[Tx, Sequence[Event]], Awaitable[None]]
"""Takes events of one topic in one transaction of the receiver's; drops repeats by event id (`inbox.accept`)."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """One round's outcome: how many events were handed on, how many were parked, and whether more are waiting."""

    delivered: int = 0
    parked: int = 0
    more: bool = False


async def append(tx: Tx, events: Sequence[Event]) -> None:
    """Write events in the caller's transaction."""
    await tx.execute(
        "INSERT INTO outbox (bucket, consumer_id, event_id, topic, payload, written_at)"
        " SELECT * FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::text[], %b::bytea[], %b::timestamptz[])",
        [
            packing.pack_int2([bucket_of(event.consumer_id) for event in events]),
            packing.pack_uuid([event.consumer_id for event in events]),
            packing.pack_uuid([event.event_id for event in events]),
            packing.pack_text([event.topic for event in events]),
            packing.pack_bytea([event.payload for event in events]),
            packing.pack_timestamp([event.written_at for event in events]),
        ],
    )


async def relay_once(
    database: Database, handlers: Mapping[str, Handler], at: datetime, limit: int = 1000
) -> Relayed | None:
    """Hand on up to `limit` events of the range of buckets that has waited longest; None when none is free or due.

    `at` decides which parked events are due again. The range stays locked until its events are handled; a crash
    before the end hands them on again.
    """
    async with database.transaction() as tx:
        span = await ranges.claim(tx, JOB)
        if span is None:
            return None
        events = await _due(tx, span, at, limit)
        failures = await _hand_on(database, handlers, events)
        await _delete(tx, [event for event in events if event.event_id not in failures])
        held = await _park(tx, events, failures, at)
        full = len(events) == limit
        await ranges.release(tx, span, at, json.dumps(_key(events[-1])) if full else None)
        return Relayed(len(events) - held, sum(1 for reason in failures.values() if reason), full)


async def relay_until(
    database: Database,
    handlers: Mapping[str, Handler],
    now: Callable[[], datetime],
    stop: asyncio.Event,
    idle_s: float = 0.2,
) -> None:
    """Relay until `stop` is set; while nothing is due, look again every `idle_s`, by one cheap question."""
    while not stop.is_set():
        done = await _anything_due(database, now()) and await drain(database, handlers, now(), stop)
        if not done:
            await _pause(stop, idle_s)


async def drain(
    database: Database, handlers: Mapping[str, Handler], at: datetime, stop: asyncio.Event | None = None
) -> int:
    """Relay until a full round over all ranges finds nothing due, or `stop` is set: how many were handed on."""
    total = quiet = 0
    while quiet < ranges.COUNT and not (stop is not None and stop.is_set()):
        done = await relay_once(database, handlers, at)
        count = done.delivered if done is not None else 0
        total, quiet = total + count, 0 if count else quiet + 1
    return total


async def backlog(tx: Tx) -> tuple[int, int]:
    """How many events wait, and how many of them are parked after a failure."""
    rows = await tx.execute("SELECT count(*), count(*) FILTER (WHERE attempts > 0) FROM outbox")
    row = await rows.fetchone()
    assert row is not None
    return row[0], row[1]


async def _anything_due(database: Database, at: datetime) -> bool:
    async with database.autocommit() as connection:
        rows = await connection.execute(
            "SELECT EXISTS (SELECT FROM outbox WHERE not_before IS NULL OR not_before <= %s)", [at]
        )
        row = await rows.fetchone()
    return row is not None and bool(row[0])


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def _due(tx: Tx, span: ranges.Range, at: datetime, limit: int) -> list[Event]:
    """The next events in key order, past where the last round stopped; a consumer with a parked event waits whole."""
    bucket, consumer, event = json.loads(span.resume_after or "null") or [span.bucket_from, _FIRST, _FIRST]
    rows = await tx.execute(
        """
        SELECT event_id, consumer_id, topic, payload, written_at FROM outbox AS event
        WHERE bucket BETWEEN %s AND %s AND (bucket, consumer_id, event_id) > (%s, %s, %s)
          AND NOT EXISTS (
            SELECT 1 FROM outbox AS parked
            WHERE parked.bucket = event.bucket AND parked.consumer_id = event.consumer_id
              AND parked.event_id <= event.event_id AND parked.not_before > %s)
        ORDER BY bucket, consumer_id, event_id LIMIT %s
        """,
        [span.bucket_from, span.bucket_to, bucket, UUID(consumer), UUID(event), at, limit],
    )
    return [Event(*row) for row in await rows.fetchall()]


def _key(event: Event) -> list[Any]:
    return [bucket_of(event.consumer_id), str(event.consumer_id), str(event.event_id)]


def runs(events: Sequence[Event]) -> list[list[Event]]:
    """Events grouped by topic into as few runs as the order of each consumer's events allows. Pure."""
    grouped: list[list[Event]] = []
    newest_of_topic: dict[str, int] = {}
    last_of_consumer: dict[UUID, int] = {}
    for event in events:
        index = newest_of_topic.get(event.topic, -1)
        if index < last_of_consumer.get(event.consumer_id, 0):
            index = newest_of_topic[event.topic] = len(grouped)
            grouped.append([])
        grouped[index].append(event)
        last_of_consumer[event.consumer_id] = index
    return grouped


async def _hand_on(database: Database, handlers: Mapping[str, Handler], events: Sequence[Event]) -> dict[UUID, str]:
    """Call the handlers run by run. The failures by event id; an empty reason means held back behind a failed one."""
    failures: dict[UUID, str] = {}
    failed: set[UUID] = set()
    for run in runs(events):
        ready = [event for event in run if event.consumer_id not in failed]
        if not await _handled(database, handlers, ready):
            continue
        for event in ready:  # the batch failed: find out whose fault it is
            if event.consumer_id not in failed and (reason := await _handled(database, handlers, [event])):
                failures[event.event_id] = reason
                failed.add(event.consumer_id)
    broken = {event.consumer_id: event.event_id for event in events if event.event_id in failures}
    held = (event for event in events if event.consumer_id in broken and event.event_id > broken[event.consumer_id])
    return failures | {event.event_id: "" for event in held}


async def _handled(database: Database, handlers: Mapping[str, Handler], events: Sequence[Event]) -> str | None:
    """Run one topic's handler on the events in a transaction of its own; the reason where it fails."""
    if not events:
        return None
    handler = handlers.get(events[0].topic)
    if handler is None:
        return f"no handler for topic {events[0].topic}"
    (outcome,) = await asyncio.gather(_in_transaction(database, handler, events), return_exceptions=True)
    if outcome is None:
        return None
    return "".join(traceback.format_exception(outcome))[-_REASON_KEPT:]


async def _in_transaction(database: Database, handler: Handler, events: Sequence[Event]) -> None:
    async with database.transaction() as tx:
        await handler(tx, events)


async def _delete(tx: Tx, events: Sequence[Event]) -> None:
    if events:
        await tx.execute(
            "DELETE FROM outbox USING unnest(%b::smallint[], %b::uuid[], %b::uuid[])"
            " AS done(bucket, consumer_id, event_id)"
            " WHERE (outbox.bucket, outbox.consumer_id, outbox.event_id)"
            " = (done.bucket, done.consumer_id, done.event_id)",
            [
                packing.pack_int2([bucket_of(event.consumer_id) for event in events]),
                packing.pack_uuid([event.consumer_id for event in events]),
                packing.pack_uuid([event.event_id for event in events]),
            ],
        )


async def _park(tx: Tx, events: Sequence[Event], failures: Mapping[UUID, str], at: datetime) -> int:
    """Put failed events off, each time twice as long up to an hour; how many events stay in all."""
    for event in events:
        if reason := failures.get(event.event_id):
            await tx.execute(
                "UPDATE outbox SET attempts = attempts + 1, error = %s, not_before = %s + least(%s * 2 ^ attempts, %s)"
                " WHERE bucket = %s AND consumer_id = %s AND event_id = %s",
                [
                    reason,
                    at,
                    _FIRST_RETRY,
                    _LAST_RETRY,
                    bucket_of(event.consumer_id),
                    event.consumer_id,
                    event.event_id,
                ],
            )
    return len(failures)
