"""SQL of deliveries and their tries. Lock order: the endpoint, then its deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from fenqi.database import packing
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.merchant.webhook_model import Claimed, Delivery, DeliveryState, Event, Heard, Try

_DELIVERY = (
    "merchant_id, endpoint_id, event_id, payment_id, seq, state, rung, tries, next_at, leased_until_at, last_status,"
    " finished_at"
)
_TRY = "endpoint_id, event_id, try_no, begun_at, ended_at, latency_ms, status, error, answer"
_THIS = "bucket = %s AND merchant_id = %s AND endpoint_id = %s AND event_id = %s"
_DUE = "state = 'pending' AND next_at <= %(at)s AND (leased_until_at IS NULL OR leased_until_at <= %(at)s)"


def _delivery(row: Sequence[Any]) -> Delivery:
    return Delivery(row[0], row[1], row[2], row[3], row[4], DeliveryState(row[5]), *row[6:])


async def insert(tx: Tx, wanted: Sequence[tuple[UUID, Event]]) -> None:
    """Let each (endpoint, event) be sent; what is kept already is left as it is."""
    await tx.execute(
        "INSERT INTO webhook_delivery"
        " (bucket, merchant_id, endpoint_id, event_id, payment_id, seq, next_at, state)"
        " SELECT new.*, 'pending' FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[],"
        " %b::integer[], %b::timestamptz[]) AS new ON CONFLICT DO NOTHING",
        [
            packing.pack_int2([bucket_of(event.merchant_id) for _, event in wanted]),
            packing.pack_uuid([event.merchant_id for _, event in wanted]),
            packing.pack_uuid([endpoint_id for endpoint_id, _ in wanted]),
            packing.pack_uuid([event.event_id for _, event in wanted]),
            packing.pack_uuid([event.payment_id for _, event in wanted]),
            packing.pack_int4([event.seq for _, event in wanted]),
            packing.pack_timestamp([event.made_at for _, event in wanted]),
        ],
    )


async def send_again(tx: Tx, merchant_id: UUID, endpoint_id: UUID, event_ids: Sequence[UUID], at: datetime) -> None:
    """Put deliveries back to the foot of the ladder, due now; one that is being sent is left to its try."""
    await tx.execute(
        "UPDATE webhook_delivery SET state = 'pending', rung = 0, next_at = %s, finished_at = NULL"
        " WHERE bucket = %s AND merchant_id = %s AND endpoint_id = %s AND event_id = ANY(%s)"
        " AND (leased_until_at IS NULL OR leased_until_at <= %s)",
        [at, bucket_of(merchant_id), merchant_id, endpoint_id, list(event_ids), at],
    )


async def buckets_due(tx: Tx, at: datetime) -> list[int]:
    """Buckets in which something is due: a report over all of them."""
    cursor = await tx.execute(f"SELECT DISTINCT bucket FROM webhook_delivery WHERE {_DUE} ORDER BY bucket", {"at": at})
    return [row[0] for row in await cursor.fetchall()]


async def claim(
    tx: Tx, bucket: int, at: datetime, until_at: datetime, limit: int, most_each: int, but: Sequence[UUID]
) -> list[Claimed]:
    """Lease due deliveries of a bucket: the first open one of each payment, at most `most_each` an endpoint.

    `but` are endpoints to leave alone. Counts the try and writes its row, so that a killed one is seen.
    """
    cursor = await tx.execute(
        f"""
        WITH due AS (
            SELECT merchant_id, endpoint_id, event_id, next_at,
                   row_number() OVER (PARTITION BY merchant_id, endpoint_id ORDER BY next_at, event_id) AS place
            FROM (
                SELECT merchant_id, endpoint_id, event_id, next_at FROM webhook_delivery AS d
                WHERE bucket = %(bucket)s AND {_DUE} AND endpoint_id <> ALL(%(but)s)
                  AND NOT EXISTS (
                    SELECT 1 FROM webhook_delivery AS earlier
                    WHERE earlier.bucket = d.bucket AND earlier.merchant_id = d.merchant_id
                      AND earlier.endpoint_id = d.endpoint_id AND earlier.payment_id = d.payment_id
                      AND earlier.seq < d.seq AND earlier.state = 'pending')
                ORDER BY next_at LIMIT %(window)s) AS oldest
        ), chosen AS (
            SELECT d.merchant_id, d.endpoint_id, d.event_id FROM webhook_delivery AS d
            JOIN due USING (merchant_id, endpoint_id, event_id)
            WHERE d.bucket = %(bucket)s AND due.place <= %(most_each)s
              AND d.state = 'pending' AND d.next_at <= %(at)s
              AND (d.leased_until_at IS NULL OR d.leased_until_at <= %(at)s)
            ORDER BY due.next_at, d.event_id LIMIT %(limit)s FOR UPDATE OF d SKIP LOCKED
        )
        UPDATE webhook_delivery AS d
        SET leased_until_at = %(until_at)s, tries = tries + 1, rung = rung + 1
        FROM chosen
        WHERE d.bucket = %(bucket)s AND d.merchant_id = chosen.merchant_id AND d.endpoint_id = chosen.endpoint_id
          AND d.event_id = chosen.event_id
        RETURNING d.merchant_id, d.endpoint_id, d.event_id, d.tries, d.rung
        """,
        {
            "bucket": bucket,
            "at": at,
            "until_at": until_at,
            "limit": limit,
            "most_each": most_each,
            "but": list(but),
            "window": 8 * limit,
        },
    )
    rows = await cursor.fetchall()
    if not rows:
        return []
    await _begin_tries(tx, bucket, rows, at)
    return await _claimed(tx, bucket, rows, at)


async def _begin_tries(tx: Tx, bucket: int, rows: Sequence[Sequence[Any]], at: datetime) -> None:
    await tx.execute(
        "INSERT INTO webhook_try (bucket, merchant_id, endpoint_id, event_id, try_no, begun_at)"
        " SELECT %b, new.*, %b FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::integer[]) AS new",
        [bucket, at, [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows]],
    )


async def _claimed(tx: Tx, bucket: int, rows: Sequence[Sequence[Any]], at: datetime) -> list[Claimed]:
    """What sending them takes: addresses, bodies, and the secrets that sign at this instant, newest first."""
    owners, endpoints, events = [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]
    cursor = await tx.execute(
        "SELECT endpoint_id, url, state = 'active' FROM webhook_endpoint"
        " WHERE bucket = %s AND merchant_id = ANY(%s) AND endpoint_id = ANY(%s)",
        [bucket, owners, endpoints],
    )
    addresses = {row[0]: (row[1], row[2]) for row in await cursor.fetchall()}
    cursor = await tx.execute(
        "SELECT merchant_id, event_id, body FROM webhook_event"
        " WHERE bucket = %s AND merchant_id = ANY(%s) AND event_id = ANY(%s)",
        [bucket, owners, events],
    )
    bodies = {(row[0], row[1]): row[2] for row in await cursor.fetchall()}
    cursor = await tx.execute(
        "SELECT endpoint_id, sealed FROM webhook_secret"
        " WHERE bucket = %s AND merchant_id = ANY(%s) AND endpoint_id = ANY(%s)"
        " AND (ends_at IS NULL OR ends_at > %s) ORDER BY made_at DESC, secret_id DESC",
        [bucket, owners, endpoints, at],
    )
    sealed: dict[UUID, list[bytes]] = {}
    for endpoint_id, one in await cursor.fetchall():
        sealed.setdefault(endpoint_id, []).append(one)
    claimed = []
    for merchant_id, endpoint_id, event_id, try_no, rung in rows:
        url, is_open = addresses[endpoint_id]
        body, secrets = bodies[(merchant_id, event_id)], tuple(sealed.get(endpoint_id, ()))
        claimed.append(Claimed(merchant_id, endpoint_id, event_id, try_no, rung, url, is_open, body, secrets))
    return claimed


async def lock(tx: Tx, merchant_id: UUID, endpoint_id: UUID, event_id: UUID) -> Delivery | None:
    """One delivery, locked."""
    cursor = await tx.execute(
        f"SELECT {_DELIVERY} FROM webhook_delivery WHERE {_THIS} FOR UPDATE",
        [bucket_of(merchant_id), merchant_id, endpoint_id, event_id],
    )
    row = await cursor.fetchone()
    return _delivery(row) if row else None


async def end_try(tx: Tx, claimed: Claimed, heard: Heard, at: datetime) -> None:
    """Write down what a try came to."""
    cursor = await tx.execute(
        f"UPDATE webhook_try SET ended_at = %s, latency_ms = %s, status = %s, error = %s, answer = %s"
        f" WHERE {_THIS} AND try_no = %s AND ended_at IS NULL",
        [
            at,
            heard.latency_ms,
            heard.status,
            heard.error,
            heard.answer,
            bucket_of(claimed.merchant_id),
            claimed.merchant_id,
            claimed.endpoint_id,
            claimed.event_id,
            claimed.try_no,
        ],
    )
    assert cursor.rowcount == 1


async def settle(
    tx: Tx, delivery: Delivery, to_state: DeliveryState, at: datetime, next_at: datetime, status: int | None
) -> None:
    """Move a locked delivery on, or let it wait for `next_at`; its lease ends."""
    finished_at = None if to_state is DeliveryState.PENDING else at
    cursor = await tx.execute(
        "UPDATE webhook_delivery"
        " SET state = %s, next_at = %s, leased_until_at = NULL, last_status = %s, finished_at = %s"
        f" WHERE {_THIS} AND state = %s",
        [
            to_state,
            next_at,
            status,
            finished_at,
            bucket_of(delivery.merchant_id),
            delivery.merchant_id,
            delivery.endpoint_id,
            delivery.event_id,
            delivery.state,
        ],
    )
    assert cursor.rowcount == 1


async def fail_pending(tx: Tx, merchant_id: UUID, endpoint_id: UUID, at: datetime) -> int:
    """Give up whatever still waits for an endpoint that takes nothing any more; how many there were."""
    cursor = await tx.execute(
        "UPDATE webhook_delivery SET state = 'failed', finished_at = %s, leased_until_at = NULL"
        " WHERE bucket = %s AND merchant_id = %s AND endpoint_id = %s AND state = 'pending'",
        [at, bucket_of(merchant_id), merchant_id, endpoint_id],
    )
    return cursor.rowcount


async def of_event(tx: Tx, merchant_id: UUID, event_id: UUID) -> list[Delivery]:
    """An event on its way to every endpoint."""
    cursor = await tx.execute(
        f"SELECT {_DELIVERY} FROM webhook_delivery WHERE bucket = %s AND merchant_id = %s AND event_id = %s"
        " ORDER BY endpoint_id",
        [bucket_of(merchant_id), merchant_id, event_id],
    )
    return [_delivery(row) for row in await cursor.fetchall()]


async def of_endpoint(
    tx: Tx, merchant_id: UUID, endpoint_id: UUID, before_id: UUID | None, limit: int
) -> list[Delivery]:
    """The deliveries to an endpoint, the newest events first, older than the event `before_id`."""
    older = "" if before_id is None else " AND event_id < %s"
    cursor = await tx.execute(
        f"SELECT {_DELIVERY} FROM webhook_delivery WHERE bucket = %s AND merchant_id = %s AND endpoint_id = %s{older}"
        " ORDER BY event_id DESC LIMIT %s",
        [bucket_of(merchant_id), merchant_id, endpoint_id, *([before_id] if before_id is not None else []), limit],
    )
    return [_delivery(row) for row in await cursor.fetchall()]


async def tries(tx: Tx, merchant_id: UUID, event_id: UUID) -> list[Try]:
    """Every try of an event at every endpoint, in time."""
    cursor = await tx.execute(
        f"SELECT {_TRY} FROM webhook_try WHERE bucket = %s AND merchant_id = %s AND event_id = %s"
        " ORDER BY begun_at, endpoint_id, try_no",
        [bucket_of(merchant_id), merchant_id, event_id],
    )
    return [Try(*row) for row in await cursor.fetchall()]
