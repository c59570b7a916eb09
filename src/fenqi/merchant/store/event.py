"""SQL of webhook events: what merchants are told, numbered within each payment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fenqi.database import packing
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.merchant.webhook_model import Event

_COLUMNS = "merchant_id, event_id, type, payment_id, seq, made_at, body"


async def there(tx: Tx, keys: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Those of these (merchant, event) pairs that are kept already."""
    cursor = await tx.execute(
        "SELECT merchant_id, event_id FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[])"
        " AS asked(bucket, merchant_id, event_id) JOIN webhook_event USING (bucket, merchant_id, event_id)",
        [
            packing.pack_int2([bucket_of(merchant_id) for merchant_id, _ in keys]),
            packing.pack_uuid([merchant_id for merchant_id, _ in keys]),
            packing.pack_uuid([event_id for _, event_id in keys]),
        ],
    )
    return {(row[0], row[1]) for row in await cursor.fetchall()}


async def last_seqs(tx: Tx, keys: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], int]:
    """The number of the last event by (merchant, payment); those without any are left out."""
    cursor = await tx.execute(
        "SELECT merchant_id, payment_id, max(seq) FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[])"
        " AS asked(bucket, merchant_id, payment_id) JOIN webhook_event USING (bucket, merchant_id, payment_id)"
        " GROUP BY merchant_id, payment_id",
        [
            packing.pack_int2([bucket_of(merchant_id) for merchant_id, _ in keys]),
            packing.pack_uuid([merchant_id for merchant_id, _ in keys]),
            packing.pack_uuid([payment_id for _, payment_id in keys]),
        ],
    )
    return {(row[0], row[1]): row[2] for row in await cursor.fetchall()}


async def insert(tx: Tx, events: Sequence[Event]) -> None:
    """Keep new events."""
    await tx.execute(
        f"INSERT INTO webhook_event (bucket, {_COLUMNS})"
        " SELECT * FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::text[], %b::uuid[], %b::integer[],"
        " %b::timestamptz[], %b::bytea[])",
        [
            packing.pack_int2([bucket_of(one.merchant_id) for one in events]),
            packing.pack_uuid([one.merchant_id for one in events]),
            packing.pack_uuid([one.event_id for one in events]),
            packing.pack_text([one.type for one in events]),
            packing.pack_uuid([one.payment_id for one in events]),
            packing.pack_int4([one.seq for one in events]),
            packing.pack_timestamp([one.made_at for one in events]),
            packing.pack_bytea([one.body for one in events]),
        ],
    )


async def events(tx: Tx, merchant_id: UUID, event_ids: Sequence[UUID]) -> list[Event]:
    """Those of these events that are the merchant's."""
    cursor = await tx.execute(
        f"SELECT {_COLUMNS} FROM webhook_event WHERE bucket = %s AND merchant_id = %s AND event_id = ANY(%s)"
        " ORDER BY made_at, seq, event_id",
        [bucket_of(merchant_id), merchant_id, list(event_ids)],
    )
    return [Event(*row) for row in await cursor.fetchall()]


async def between(tx: Tx, merchant_id: UUID, from_at: datetime, to_at: datetime, limit: int) -> list[Event]:
    """The merchant's first events made in [from, to), oldest first."""
    cursor = await tx.execute(
        f"SELECT {_COLUMNS} FROM webhook_event WHERE bucket = %s AND merchant_id = %s"
        " AND made_at >= %s AND made_at < %s ORDER BY made_at, seq, event_id LIMIT %s",
        [bucket_of(merchant_id), merchant_id, from_at, to_at, limit],
    )
    return [Event(*row) for row in await cursor.fetchall()]


async def before(tx: Tx, merchant_id: UUID, before_id: UUID | None, limit: int) -> list[Event]:
    """The newest events, or those older than one of them."""
    owner = [bucket_of(merchant_id), merchant_id]
    older = (
        ""
        if before_id is None
        else " AND (made_at, seq, event_id) < (SELECT made_at, seq, event_id FROM webhook_event"
        " WHERE bucket = %s AND merchant_id = %s AND event_id = %s)"
    )
    cursor = await tx.execute(
        f"SELECT {_COLUMNS} FROM webhook_event WHERE bucket = %s AND merchant_id = %s{older}"
        " ORDER BY made_at DESC, seq DESC, event_id DESC LIMIT %s",
        [*owner, *([*owner, before_id] if before_id is not None else []), limit],
    )
    return [Event(*row) for row in await cursor.fetchall()]
