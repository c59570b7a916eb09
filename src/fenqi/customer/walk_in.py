"""Buyers who walk in: they pay one order at a partner's, through a channel, and leave no name, phone or account.

Their row exists for the placement alone: an order, its attempts, journals and refunds lie with their consumer. There is
no person beside it and nothing in the directory, so nobody can ever sign in to it, and no two orders share one.
"""

from __future__ import annotations

from uuid import UUID

from fenqi.customer.store import record
from fenqi.database.pool import Tx
from fenqi.kernel.by import By


async def add_walk_in(tx: Tx, consumer_id: UUID, by: By) -> None:
    """A buyer without an account, under the caller's id; a repeat changes nothing."""
    if await record.insert_walk_in(tx, consumer_id, by.at):
        await record.insert_history(tx, consumer_id, "walk_in", by)
