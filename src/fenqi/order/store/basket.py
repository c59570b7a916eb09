"""SQL of carts."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.order.model import CartLine


async def put_cart_line(tx: Tx, consumer_id: UUID, scene: str, line: CartLine) -> None:
    """Put goods into the cart, or give them another quantity."""
    await tx.execute(
        "INSERT INTO cart_line (bucket, consumer_id, scene, sku_id, merchant_id, quantity, added_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (bucket, consumer_id, scene, sku_id, merchant_id) DO UPDATE SET quantity = excluded.quantity",
        [bucket_of(consumer_id), consumer_id, scene, line.sku_id, line.merchant_id, line.quantity, line.added_at],
    )


async def delete_cart_lines(tx: Tx, consumer_id: UUID, scene: str, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Take goods, by (sku id, merchant id), out of the cart."""
    await tx.execute(
        "DELETE FROM cart_line c USING unnest(%s::uuid[], %s::uuid[]) AS k (sku_id, merchant_id)"
        " WHERE c.bucket = %s AND c.consumer_id = %s AND c.scene = %s"
        " AND c.sku_id = k.sku_id AND c.merchant_id = k.merchant_id",
        [[s for s, _ in pairs], [m for _, m in pairs], bucket_of(consumer_id), consumer_id, scene],
    )


async def cart(tx: Tx, consumer_id: UUID, scene: str) -> list[CartLine]:
    """The cart of a scene, in the order in which it was filled."""
    cursor = await tx.execute(
        "SELECT sku_id, merchant_id, quantity, added_at FROM cart_line"
        " WHERE bucket = %s AND consumer_id = %s AND scene = %s ORDER BY added_at, sku_id, merchant_id",
        [bucket_of(consumer_id), consumer_id, scene],
    )
    return [CartLine(*row) for row in await cursor.fetchall()]
