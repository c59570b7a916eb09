"""SQL of stock: rows of one seller, in that seller's bucket. Lock order: stock rows by SKU, then reservations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fenqi.catalog.model import Reservation, StockChange, Wanted
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of, new_id


async def lock(tx: Tx, merchant_id: UUID, sku_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Lock the seller's stock of these SKUs; the pieces free to reserve. SKUs without a row are left out."""
    cursor = await tx.execute(
        "SELECT sku_id, on_hand - reserved FROM stock WHERE bucket = %s AND merchant_id = %s AND sku_id = ANY(%s)"
        " ORDER BY sku_id FOR UPDATE",
        [bucket_of(merchant_id), merchant_id, list(sku_ids)],
    )
    return dict(await cursor.fetchall())


async def ensure(tx: Tx, merchant_id: UUID, sku_ids: Sequence[UUID]) -> None:
    """Make empty stock rows where there are none."""
    await tx.execute(
        "INSERT INTO stock (bucket, merchant_id, sku_id, on_hand) SELECT %s, %s, sku, 0 FROM unnest(%s::uuid[]) AS sku"
        " ORDER BY sku ON CONFLICT (bucket, merchant_id, sku_id) DO NOTHING",
        [bucket_of(merchant_id), merchant_id, list(sku_ids)],
    )


async def free(tx: Tx, pairs: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], int]:
    """Pieces free to reserve by (sku id, merchant id), without a lock: good enough to show."""
    cursor = await tx.execute(
        "SELECT s.sku_id, s.merchant_id, s.on_hand - s.reserved FROM stock s"
        " JOIN unnest(%s::smallint[], %s::uuid[], %s::uuid[]) AS w (bucket, merchant_id, sku_id)"
        " USING (bucket, merchant_id, sku_id)",
        [[bucket_of(m) for _, m in pairs], [m for _, m in pairs], [s for s, _ in pairs]],
    )
    return {(row[0], row[1]): row[2] for row in await cursor.fetchall()}


async def reservations(tx: Tx, merchant_id: UUID, line_ids: Sequence[UUID]) -> dict[UUID, Reservation]:
    """Reservations of these lines at the seller, by line id."""
    cursor = await tx.execute(
        "SELECT line_id, sku_id, quantity, state FROM stock_reservation"
        " WHERE bucket = %s AND merchant_id = %s AND line_id = ANY(%s)",
        [bucket_of(merchant_id), merchant_id, list(line_ids)],
    )
    return {row[0]: Reservation(*row) for row in await cursor.fetchall()}


async def expired(tx: Tx, bucket: int, at: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """(merchant id, line id) of held reservations in a bucket whose expiry has passed, oldest first."""
    cursor = await tx.execute(
        "SELECT merchant_id, line_id FROM stock_reservation"
        " WHERE bucket = %s AND state = 'held' AND expires_at <= %s ORDER BY expires_at LIMIT %s",
        [bucket, at, limit],
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def buckets_due(tx: Tx, at: datetime) -> list[int]:
    """Buckets with held reservations whose expiry has passed: a look over all of them, for the clockwork."""
    cursor = await tx.execute(
        "SELECT DISTINCT bucket FROM stock_reservation"
        " WHERE bucket BETWEEN 0 AND 255 AND state = 'held' AND expires_at <= %s ORDER BY bucket",
        [at],
    )
    return [row[0] for row in await cursor.fetchall()]


async def hold(tx: Tx, merchant_id: UUID, wanted: Sequence[Wanted], expires_at: datetime) -> None:
    """Write reservations as held; a released one of the same line is taken up again."""
    cursor = await tx.execute(
        "INSERT INTO stock_reservation AS r (bucket, merchant_id, line_id, sku_id, quantity, state, expires_at)"
        " SELECT %s, %s, line_id, sku_id, quantity, 'held', %s"
        " FROM unnest(%s::uuid[], %s::uuid[], %s::integer[]) AS w (line_id, sku_id, quantity)"
        " ON CONFLICT (bucket, merchant_id, line_id) DO UPDATE SET state = 'held', sku_id = excluded.sku_id,"
        " quantity = excluded.quantity, expires_at = excluded.expires_at WHERE r.state = 'released'",
        [
            bucket_of(merchant_id),
            merchant_id,
            expires_at,
            [w.line_id for w in wanted],
            [w.sku_id for w in wanted],
            [w.quantity for w in wanted],
        ],
    )
    assert cursor.rowcount == len(wanted)


async def set_reservations(tx: Tx, merchant_id: UUID, line_ids: Sequence[UUID], state: str) -> None:
    """Give reservations under the stock lock a new state."""
    cursor = await tx.execute(
        "UPDATE stock_reservation SET state = %s WHERE bucket = %s AND merchant_id = %s AND line_id = ANY(%s)",
        [state, bucket_of(merchant_id), merchant_id, list(line_ids)],
    )
    assert cursor.rowcount == len(set(line_ids))


async def change(tx: Tx, merchant_id: UUID, changes: Sequence[StockChange], by: By) -> None:
    """Apply changes to locked stock rows, summed by SKU, and keep each of them."""
    totals: dict[UUID, list[int]] = {}
    for one in changes:
        total = totals.setdefault(one.sku_id, [0, 0])
        total[0] += one.on_hand
        total[1] += one.reserved
    bucket = bucket_of(merchant_id)
    cursor = await tx.execute(
        "UPDATE stock s SET on_hand = s.on_hand + c.on_hand, reserved = s.reserved + c.reserved"
        " FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) AS c (sku_id, on_hand, reserved)"
        " WHERE s.bucket = %s AND s.merchant_id = %s AND s.sku_id = c.sku_id",
        [list(totals), [t[0] for t in totals.values()], [t[1] for t in totals.values()], bucket, merchant_id],
    )
    assert cursor.rowcount == len(totals)
    await (tx.cursor()).executemany(
        "INSERT INTO stock_move (bucket, merchant_id, move_id, sku_id, verb, on_hand_change, reserved_change,"
        " line_id, actor, why, at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [(bucket, merchant_id, new_id(), c.sku_id, c.verb, c.on_hand, c.reserved, c.line_id, *by) for c in changes],
    )
