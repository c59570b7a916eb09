"""Sellers as the evaluation sees them, and the buyers' wish that a seller would enable a method."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.merchant import store
from fenqi.merchant.model import Seller
from fenqi.merchant.register import get


async def sellers(tx: Tx, merchant_ids: Sequence[UUID] | None = None) -> dict[UUID, Seller]:
    """Merchants with contracts and related persons by id: those asked for, or all (for the process's cache)."""
    return await store.shop.sellers(tx, merchant_ids)


async def ask(tx: Tx, merchant_id: UUID, method: str, consumer_id: UUID, scene: str, at: datetime) -> int:
    """A buyer asks the seller to enable `method`; how many different buyers have asked so far. Repeats count once."""
    await get(tx, merchant_id)
    await store.shop.insert_ask(tx, merchant_id, method, consumer_id, scene, at)
    return (await store.shop.asked_counts(tx, [merchant_id], method))[merchant_id]


async def asked_counts(tx: Tx, merchant_ids: Sequence[UUID], method: str) -> dict[UUID, int]:
    """How many buyers asked each of these merchants; those that nobody asked are left out."""
    return await store.shop.asked_counts(tx, merchant_ids, method)
