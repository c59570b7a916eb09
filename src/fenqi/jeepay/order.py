"""Pay orders and refunds under a partner's own numbers: a number is claimed by the first request that names it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.jeepay import store
from fenqi.jeepay.model import PayOrder, RefundOrder
from fenqi.kernel.refusal import Conflict, NotFound


async def claim_order(tx: Tx, new: PayOrder) -> PayOrder:
    """The pay order of this number: the new one, or the first. Refuses MCH_ORDER_NO_TAKEN for anything else asked."""
    if await store.insert_order(tx, new):
        return new
    there = await get_order(tx, new.merchant_id, new.pay_order_id)
    if there.asked_hash != new.asked_hash:
        raise Conflict("MCH_ORDER_NO_TAKEN", "this mchOrderNo stands for another pay order")
    return there


async def get_order(tx: Tx, merchant_id: UUID, pay_order_id: UUID, *, lock: bool = False) -> PayOrder:
    """The partner's pay order; NotFound (PAY_ORDER_UNKNOWN)."""
    found = await store.order(tx, merchant_id, pay_order_id, lock=lock)
    if found is None:
        raise NotFound("PAY_ORDER_UNKNOWN", "no such pay order")
    return found


async def of_orders(tx: Tx, keys: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], PayOrder]:
    """Pay orders by the (merchant id, order id) that was placed for them, in one statement; others are left out."""
    return {(one.merchant_id, one.order_id): one for one in await store.of_orders(tx, keys)} if keys else {}


async def take_order(tx: Tx, merchant_id: UUID, pay_order_id: UUID, consumer_id: UUID, at: datetime) -> PayOrder:
    """Let a buyer pay it, who alone can do so from now on; a repeat changes nothing.

    Refuses PAY_ORDER_UNKNOWN, PAY_ORDER_TAKEN by another buyer, PAY_ORDER_CLOSED once closed or past its time.
    """
    found = await get_order(tx, merchant_id, pay_order_id, lock=True)
    if found.consumer_id == consumer_id:
        return found
    if found.consumer_id is not None:
        raise Conflict("PAY_ORDER_TAKEN", "somebody else is paying it")
    if found.closed_at is not None or found.pay_by_at <= at:
        raise Conflict("PAY_ORDER_CLOSED", "it can't be paid any more")
    await store.take_order(tx, merchant_id, pay_order_id, consumer_id)
    return msgspec.structs.replace(found, consumer_id=consumer_id)


async def close_untaken(tx: Tx, merchant_id: UUID, pay_order_id: UUID, at: datetime) -> PayOrder:
    """Close a pay order that nobody has taken yet; one that somebody has is returned as it is."""
    found = await get_order(tx, merchant_id, pay_order_id, lock=True)
    if found.consumer_id is not None or found.closed_at is not None:
        return found
    await store.close_order(tx, merchant_id, pay_order_id, at)
    return msgspec.structs.replace(found, closed_at=at)


async def claim_refund(tx: Tx, new: RefundOrder) -> RefundOrder:
    """The refund of this number: the new one, or the first. Refuses MCH_REFUND_NO_TAKEN for anything else asked."""
    if await store.insert_refund(tx, new):
        return new
    there = await get_refund(tx, new.merchant_id, new.refund_id)
    if there.asked_hash != new.asked_hash:
        raise Conflict("MCH_REFUND_NO_TAKEN", "this mchRefundNo stands for another refund")
    return there


async def get_refund(tx: Tx, merchant_id: UUID, refund_id: UUID) -> RefundOrder:
    """The partner's refund; NotFound (REFUND_ORDER_UNKNOWN)."""
    found = await store.refund(tx, merchant_id, refund_id)
    if found is None:
        raise NotFound("REFUND_ORDER_UNKNOWN", "no such refund")
    return found


async def find_refund(tx: Tx, merchant_id: UUID, refund_id: UUID) -> RefundOrder | None:
    """The partner's refund of this id, None when it came another way."""
    return await store.refund(tx, merchant_id, refund_id)
