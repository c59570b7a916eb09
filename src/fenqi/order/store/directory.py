"""SQL of the directory that finds an order by its short number or by a partner's own number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.order.store.rows import Key


async def claim_number(tx: Tx, number: str, consumer_id: UUID, order_id: UUID, at: datetime) -> Key:
    """Claim a number in the directory; whose it is now (somebody else's when it was taken before)."""
    await tx.execute(
        "INSERT INTO order_directory (number, consumer_id, order_id, claimed_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (number) DO NOTHING",
        [number, consumer_id, order_id, at],
    )
    owner = await find(tx, number)
    assert owner is not None
    return owner


async def find(tx: Tx, number: str) -> Key | None:
    """(consumer id, order id) by number."""
    cursor = await tx.execute("SELECT consumer_id, order_id FROM order_directory WHERE number = %s", [number])
    row = await cursor.fetchone()
    return (row[0], row[1]) if row else None


async def claims(tx: Tx, since_at: datetime, until_at: datetime, limit: int) -> list[tuple[str, UUID, UUID]]:
    """(number, consumer id, order id) claimed in [since, until), oldest first: a report over the directory."""
    cursor = await tx.execute(
        "SELECT number, consumer_id, order_id FROM order_directory WHERE claimed_at >= %s AND claimed_at < %s"
        " ORDER BY claimed_at, number LIMIT %s",
        [since_at, until_at, limit],
    )
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]


async def give_up_numbers(tx: Tx, numbers: Sequence[str]) -> int:
    """Take claims back; how many there were."""
    cursor = await tx.execute("DELETE FROM order_directory WHERE number = ANY(%s)", [list(numbers)])
    return cursor.rowcount
