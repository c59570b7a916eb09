"""SQL of what a consumer has bought, by seller."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.order.model import Bought


async def bought(tx: Tx, consumer_id: UUID, since_at: datetime, recent_at: datetime) -> list[Bought]:
    """What a consumer has paid since, by seller; of it apart what was paid since a later instant."""
    cursor = await tx.execute(
        "SELECT l.merchant_id, count(DISTINCT o.order_id), sum(l.amount_minor)::bigint,"
        " count(DISTINCT o.order_id) FILTER (WHERE o.paid_at > %b),"
        " coalesce(sum(l.amount_minor) FILTER (WHERE o.paid_at > %b), 0)::bigint"
        " FROM orders o JOIN order_line l USING (bucket, consumer_id, order_id)"
        " WHERE o.bucket = %b AND o.consumer_id = %b AND o.state = 'paid' AND o.paid_at > %b GROUP BY l.merchant_id",
        [recent_at, recent_at, bucket_of(consumer_id), consumer_id, since_at],
    )
    return [Bought(*row) for row in await cursor.fetchall()]
