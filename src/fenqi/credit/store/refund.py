"""SQL of refunds: one row each, with where the money went."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi.credit.model import RefundRow
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of

_COLUMNS = RefundRow.__struct_fields__
_LISTED = ", ".join(_COLUMNS)


async def insert_refund(tx: Tx, refund: RefundRow) -> None:
    """Keep a refund."""
    await tx.execute(
        f"INSERT INTO refund (bucket, {_LISTED}) VALUES (%s, {', '.join(['%s'] * len(_COLUMNS))})",
        (bucket_of(refund.consumer_id), *msgspec.structs.astuple(refund)),
    )


async def select_refunds(tx: Tx, consumer_id: UUID, order_id: UUID) -> list[RefundRow]:
    """The refunds of an order, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_LISTED} FROM refund WHERE bucket = %s AND consumer_id = %s AND order_id = %s"
        " ORDER BY refunded_at, refund_id",
        (bucket_of(consumer_id), consumer_id, order_id),
    )
    return [RefundRow(*row) for row in await cursor.fetchall()]
