"""Changing an order before it is paid, with the stock that goes with it: split, seller, scene, delivery, price, again.

Stock is taken before the order changes and given back after, so that a stop between two steps only leaves a hold that
lapses by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fenqi import cashier, catalog, order
from fenqi.flows import shop
from fenqi.flows.context import Context
from fenqi.flows.shop import Placed, Wish
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import NotFound
from fenqi.order import Line, Order


async def take_out(
    ctx: Context, consumer_id: UUID, order_id: UUID, line_ids: Sequence[UUID], new_order_id: UUID
) -> None:
    """Take lines out: into an order of their own, or, where they cost nothing, for good. A repeat changes nothing."""
    async with ctx.database.snapshot() as tx:
        before = await order.get(tx, consumer_id, order_id)
    out = [line for line in before.lines if line.line_id in set(line_ids)]
    if any(line.amount_minor for line in out):
        await split(ctx, consumer_id, order_id, line_ids, new_order_id)
    elif out:
        await _leave_out(ctx, consumer_id, order_id, out)


async def _leave_out(ctx: Context, consumer_id: UUID, order_id: UUID, lines: Sequence[Line]) -> None:
    by = ctx.by_consumer(consumer_id, "did without a free gift")
    async with ctx.database.transaction() as tx:
        await order.leave_out(tx, consumer_id, order_id, [line.line_id for line in lines], by)
    for merchant_id in sorted({line.merchant_id for line in lines}):
        async with ctx.database.transaction() as tx:
            mine = [line.line_id for line in lines if line.merchant_id == merchant_id]
            await catalog.release(tx, merchant_id, mine, by)


async def split(ctx: Context, consumer_id: UUID, order_id: UUID, line_ids: Sequence[UUID], new_order_id: UUID) -> UUID:
    """Take lines out into an order of their own, with a checkout of its own: its intent id. A repeat returns it."""
    by = ctx.by_consumer(consumer_id, "split the order")
    async with ctx.database.transaction() as tx:
        await order.claim_number(tx, consumer_id, new_order_id, by.at)
    async with ctx.database.transaction() as tx:
        _, taken = await order.split(tx, consumer_id, order_id, line_ids, new_order_id, by)
        return await cashier.open_checkout(tx, bucket_of(consumer_id), consumer_id, new_id(), taken.order_id, by.at)


async def change_seller(ctx: Context, consumer_id: UUID, order_id: UUID, line_id: UUID, merchant_id: UUID) -> Order:
    """Buy a line's goods from another seller; a repeat changes nothing. Refuses OFFER_UNKNOWN and OUT_OF_STOCK."""
    by = ctx.by_consumer(consumer_id, "chose another seller")
    async with ctx.database.snapshot() as tx:
        ref = await ctx.reference.current(tx, by.at)
        before = await order.get(tx, consumer_id, order_id)
    old = _line(before, line_id)
    if old.merchant_id == merchant_id:
        return before
    wish = Wish(old.sku_id, merchant_id, old.quantity)
    new = shop.new_line(ref, wish, before.scene, line_id)
    await shop.hold_stock(ctx, merchant_id, [new], before.pay_by_at, by)
    async with ctx.database.transaction() as tx:
        after = await order.change_seller(tx, consumer_id, order_id, new, by)
    async with ctx.database.transaction() as tx:
        await catalog.release(tx, old.merchant_id, [line_id], by)
    return after


async def accept_price(ctx: Context, consumer_id: UUID, order_id: UUID) -> Order:
    """Take the prices of now for every line."""
    by = ctx.by_consumer(consumer_id, "accepted the price of now")
    async with ctx.database.transaction() as tx:
        ref = await ctx.reference.current(tx, by.at)
        before = await order.get(tx, consumer_id, order_id)
        prices = {}
        for line in before.lines:
            offer = ref.offers.get((line.sku_id, line.merchant_id))
            if offer is not None:
                prices[line.line_id] = offer.deposit_minor or offer.price_minor
        if all(line.unit_price_minor == prices.get(line.line_id, line.unit_price_minor) for line in before.lines):
            return before
        return await order.accept_price(tx, consumer_id, order_id, prices, by)


async def change_delivery(ctx: Context, consumer_id: UUID, order_id: UUID, delivery: str) -> Order:
    """Take another way of delivery."""
    by = ctx.by_consumer(consumer_id, "chose another delivery")
    async with ctx.database.transaction() as tx:
        return await order.change_delivery(tx, consumer_id, order_id, delivery, by)


async def change_scene(ctx: Context, consumer_id: UUID, order_id: UUID, scene: str) -> Order:
    """Move the order to another scene in which every line is sold."""
    by = ctx.by_consumer(consumer_id, "moved the order to another scene")
    async with ctx.database.transaction() as tx:
        ref = await ctx.reference.current(tx, by.at)
        before = await order.get(tx, consumer_id, order_id)
        for line in before.lines:
            offer = ref.offers.get((line.sku_id, line.merchant_id))
            if offer is None or scene not in offer.scenes:
                raise NotFound("OFFER_UNKNOWN", "these goods are not on sale there", sku_id=str(line.sku_id))
        return await order.change_scene(tx, consumer_id, order_id, scene, by)


async def remove_coupon(ctx: Context, consumer_id: UUID, order_id: UUID, coupon_id: UUID) -> Order:
    """Do without a discount."""
    by = ctx.by_consumer(consumer_id, "did without a coupon")
    async with ctx.database.transaction() as tx:
        return await order.remove_coupon(tx, consumer_id, order_id, coupon_id, by)


async def reorder(ctx: Context, consumer_id: UUID, order_id: UUID, new_order_id: UUID) -> Placed:
    """Place the order of an expired or closed one again, at the prices of now; a repeat returns the first."""
    async with ctx.database.snapshot() as tx:
        old = await order.get(tx, consumer_id, order_id)
    wishes = [Wish(line.sku_id, line.merchant_id, line.quantity) for line in old.lines]
    return await shop.place_order(
        ctx, consumer_id, new_order_id, old.scene, wishes, old.delivery,
        buyer_kind=old.buyer_kind, coupons=old.coupons, made_from=order_id, address_id=old.address_id,
    )  # fmt: skip


def _line(found: Order, line_id: UUID) -> Line:
    for line in found.lines:
        if line.line_id == line_id:
            return line
    raise NotFound("LINE_UNKNOWN", "the order has no such line")
