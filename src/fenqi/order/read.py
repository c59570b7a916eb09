"""Reading orders: one, many at once, a consumer's own, by number, and an order's history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.order.model import Bought, Order, OrderMove
from fenqi.order.store import bought as store_bought
from fenqi.order.store import directory, rows


async def get(tx: Tx, consumer_id: UUID, order_id: UUID) -> Order:
    """The consumer's order; NotFound (ORDER_UNKNOWN) for no order and for somebody else's."""
    key = (consumer_id, order_id)
    found = await rows.load(tx, [key])
    if key not in found:
        raise NotFound("ORDER_UNKNOWN", "no such order")
    return found[key]


async def get_many(tx: Tx, keys: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Order]:
    """Orders by (consumer id, order id) in a fixed number of statements; unknown keys are left out."""
    return await rows.load(tx, keys)


async def of_consumer(tx: Tx, consumer_id: UUID, before_order_id: UUID | None = None, limit: int = 20) -> list[Order]:
    """The consumer's orders, newest first, older than `before_order_id`; at most 100 (PAGE_INVALID)."""
    if not 1 <= limit <= 100:
        raise Refusal("PAGE_INVALID", "1 to 100 orders a page")
    keys = await rows.of_consumer(tx, consumer_id, before_order_id, limit)
    found = await rows.load(tx, keys)
    return [found[key] for key in keys]


async def find(tx: Tx, number: str) -> tuple[UUID, UUID]:
    """(consumer id, order id) of a short number as people write it; NotFound (ORDER_UNKNOWN) otherwise.

    Who asks must be checked by the caller: the directory knows no owner's rights.
    """
    key = await directory.find(tx, number.strip().upper())
    if key is None:
        raise NotFound("ORDER_UNKNOWN", "no such order")
    return key


async def find_partner_number(tx: Tx, merchant_id: UUID, number: str) -> tuple[UUID, UUID]:
    """(consumer id, order id) of a partner's own number; NotFound (ORDER_UNKNOWN) otherwise."""
    key = await directory.find(tx, f"{merchant_id}/{number}")
    if key is None:
        raise NotFound("ORDER_UNKNOWN", "no such order")
    return key


async def moves(tx: Tx, consumer_id: UUID, order_id: UUID) -> list[OrderMove]:
    """Every change of the order with who, when and why, oldest first."""
    return await rows.moves(tx, consumer_id, order_id)


async def bought(tx: Tx, consumer_id: UUID, since_at: datetime, recent_at: datetime) -> list[Bought]:
    """What the consumer has paid since, by seller; of it apart what was paid since a later instant."""
    return await store_bought.bought(tx, consumer_id, since_at, recent_at)
