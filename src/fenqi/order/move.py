"""The states of an order: paid in batches, closed by its buyer, expired by the clock, placed again afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.kernel import state
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.order.model import MOVES, LockedOrder, NewLine, NewOrder, Order, OrderState, PaidOrder
from fenqi.order.place import place
from fenqi.order.read import get
from fenqi.order.store import rows

LOOK_BACK = timedelta(days=7)
"""How far behind now the janitor looks for orders whose deadline has passed."""


async def close(tx: Tx, consumer_id: UUID, order_id: UUID, by: By) -> Order:
    """The order closed; closing a closed one changes nothing.

    Refuses ORDER_UNKNOWN, STATE_CONFLICT once paid, and PAYMENT_IN_PROGRESS while a channel may still take money.
    """
    if not await rows.lock(tx, consumer_id, order_id):
        raise NotFound("ORDER_UNKNOWN", "no such order")
    before = await get(tx, consumer_id, order_id)
    if before.state is OrderState.CLOSED:
        return before
    to_state = state.move(MOVES, before.state, OrderState.CLOSED)
    if before.attempts_open:
        raise Conflict("PAYMENT_IN_PROGRESS", "a payment is under way at a channel", retry_after_s=3)
    after = msgspec.structs.replace(before, state=to_state, version=before.version + 1)
    await rows.update_order(tx, before, after)
    await rows.insert_move(tx, after, "close", before.state, by)
    return after


async def expire_due(tx: Tx, bucket: int, by: By, limit: int = 500) -> list[tuple[UUID, UUID]]:
    """Expire a bucket's unpaid orders whose deadline passed by `by.at`, at most `limit`; (consumer id, order id).

    Rows that a payment holds at this moment are left for the next pass.
    """
    return await rows.expire(tx, bucket, by.at - LOOK_BACK, by, limit)


async def buckets_due(tx: Tx, at: datetime) -> list[int]:
    """The buckets in which `expire_due` has something to do."""
    return await rows.buckets_due(tx, at - LOOK_BACK, at)


async def lock_for_payment(tx: Tx, keys: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], LockedOrder]:
    """Lock a batch's orders, by (consumer id, order id), in one statement in the order of their keys.

    What the batch compares comes back by key; unknown keys are left out.
    """
    return {(row.consumer_id, row.order_id): row for row in await rows.lock_for_payment(tx, keys)}


async def mark_paid(tx: Tx, paid: Sequence[PaidOrder]) -> None:
    """Move a batch's orders, locked by `lock_for_payment` and found awaiting payment, to paid: one statement."""
    if paid:
        moved = await rows.mark_paid(tx, paid)
        assert moved == len(paid), f"{moved} of {len(paid)} orders could be marked as paid"


async def attempt_begins(tx: Tx, consumer_id: UUID, order_id: UUID, by: By) -> None:
    """Count one more open attempt on a locked order that awaits payment: from now on it neither changes nor lapses."""
    await _count(tx, (consumer_id, order_id), +1, "attempt", by)


async def attempt_ends(tx: Tx, consumer_id: UUID, order_id: UUID, by: By) -> None:
    """Count one open attempt less on a locked order, whatever its state."""
    await _count(tx, (consumer_id, order_id), -1, "attempt_ended", by)


async def _count(tx: Tx, key: tuple[UUID, UUID], change: int, verb: str, by: By) -> None:
    found = await rows.count_attempt(tx, key, change, verb, by)
    assert found == 1, "the order was locked"


async def revive(tx: Tx, consumer_id: UUID, order_id: UUID, pay_by_at: datetime, by: By) -> Order:
    """A locked order that was closed or has expired, awaiting payment again: its money has come after all."""
    before = await get(tx, consumer_id, order_id)
    to_state = state.move(MOVES, before.state, OrderState.AWAITING_PAYMENT)
    after = msgspec.structs.replace(before, state=to_state, pay_by_at=pay_by_at, version=before.version + 1)
    await rows.update_order(tx, before, after)
    await rows.insert_move(tx, after, "revive", before.state, by)
    return after


async def reorder(
    tx: Tx,
    consumer_id: UUID,
    order_id: UUID,
    new_order_id: UUID,
    lines: Sequence[NewLine],
    pay_by_at: datetime,
    by: By,
) -> Order:
    """Place a closed or expired order again under a new id, with the offers of now (`lines`: the same goods).

    Line ids are made anew and coupons kept. A repeat returns the first. Refuses ORDER_UNKNOWN, ORDER_PAID,
    ORDER_OPEN (the old one can still be paid), LINES_INVALID (other goods than the old order's), and what `place`
    refuses.
    """
    old = await get(tx, consumer_id, order_id)
    if old.state is OrderState.PAID:
        raise Conflict("ORDER_PAID", "the order is paid")
    if old.state is OrderState.AWAITING_PAYMENT and by.at < old.pay_by_at:
        raise Conflict("ORDER_OPEN", "the order can still be paid")
    if sorted((x.sku_id, x.quantity) for x in lines) != sorted((x.sku_id, x.quantity) for x in old.lines):
        raise Refusal("LINES_INVALID", "ordering again takes the same goods")
    new = NewOrder(
        consumer_id=consumer_id,
        order_id=new_order_id,
        scene=old.scene,
        lines=tuple(msgspec.structs.replace(line, line_id=new_id()) for line in lines),
        pay_by_at=pay_by_at,
        delivery=old.delivery,
        currency=old.currency,
        buyer_kind=old.buyer_kind,
        presale_stage=old.presale_stage,
        tail_from_at=old.tail_from_at,
        coupons=old.coupons,
        made_from_order_id=order_id,
        address_id=old.address_id,
    )
    return await place(tx, new, by)
