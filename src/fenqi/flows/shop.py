"""Placing an order: offers looked up, stock held at each seller, the order written with its checkout, the cart emptied.

The order id is the caller's and makes every step repeatable: a second call with it returns the first order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from fenqi import cashier, catalog, order
from fenqi.catalog import Wanted
from fenqi.flows import charge
from fenqi.flows.context import Context
from fenqi.flows.reference import Reference
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.order import NewLine, NewOrder, Order

PAY_WINDOW = timedelta(minutes=30)
"""How long an order waits for its payment."""
_STOCK_GRACE = timedelta(minutes=5)
"""Stock is held longer than the order can be paid, so that a payment in time always finds it."""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something to be bought: so many pieces of a SKU from a seller."""

    sku_id: UUID
    merchant_id: UUID
    quantity: int = 1


class Placed(msgspec.Struct, frozen=True):
    """An order with the checkout at which it is paid."""

    order: Order
    intent_id: UUID


async def place_order(
    ctx: Context,
    consumer_id: UUID,
    order_id: UUID,
    scene: str,
    wishes: Sequence[Wish],
    delivery: str = "express",
    *,
    buyer_kind: str = "person",
    coupons: tuple[order.Coupon, ...] = (),
    made_from: UUID | None = None,
    pay_window: timedelta = PAY_WINDOW,
    address_id: UUID | None = None,
) -> Placed:
    """Place an order and open its checkout; it waits for its payment as long as `pay_window`.

    Refuses goods that aren't on sale in the scene (OFFER_UNKNOWN), OUT_OF_STOCK with what there is, and what
    `order.place` refuses. What was held is given back when the order can't be placed.
    """
    async with ctx.database.autocommit() as tx:
        reference = await ctx.reference.current(tx, ctx.now())
    by = ctx.by_consumer(consumer_id, "placed an order")
    new = _new_order(reference, consumer_id, order_id, scene, wishes, delivery, by.at, buyer_kind, coupons, made_from)
    new = msgspec.structs.replace(new, pay_by_at=by.at + pay_window, address_id=address_id)
    order.check_order(new, by.at)
    async with ctx.database.transaction() as tx:
        await order.claim_number(tx, consumer_id, order_id, by.at)
    held: list[UUID] = []
    try:
        for merchant_id in sorted({line.merchant_id for line in new.lines}):
            await hold_stock(ctx, merchant_id, new.lines, new.pay_by_at, by)
            held.append(merchant_id)
        return await _place(ctx, new, wishes, by)
    except Refusal:
        await _give_back(ctx, new, held, by)
        raise


async def hold_stock(ctx: Context, merchant_id: UUID, lines: Sequence[NewLine], pay_by_at: datetime, by: By) -> None:
    """Hold one seller's stock for those of the lines that are its."""
    wanted = [Wanted(x.line_id, x.sku_id, x.quantity) for x in lines if x.merchant_id == merchant_id]
    async with ctx.database.transaction() as tx:
        await catalog.reserve(tx, merchant_id, wanted, pay_by_at + _STOCK_GRACE, by)


async def close_order(ctx: Context, consumer_id: UUID, order_id: UUID, why: str = "the buyer closed it") -> Order:
    """Close an unpaid order and give its stock back; attempts under way are closed at their channels first.

    Refuses ORDER_UNKNOWN, STATE_CONFLICT once it is paid, and PAYMENT_IN_PROGRESS while a channel can't say.
    """
    by = ctx.by_consumer(consumer_id, why)
    await charge.withdraw(ctx, consumer_id, order_id, by)
    async with ctx.database.transaction() as tx:
        closed = await order.close(tx, consumer_id, order_id, by)
    for merchant_id in sorted({line.merchant_id for line in closed.lines}):
        ids = [line.line_id for line in closed.lines if line.merchant_id == merchant_id]
        async with ctx.database.transaction() as tx:
            await catalog.release(tx, merchant_id, ids, by)
    return closed


async def _place(ctx: Context, new: NewOrder, wishes: Sequence[Wish], by: By) -> Placed:
    bucket = bucket_of(new.consumer_id)
    async with ctx.database.transaction() as tx:
        placed = await order.place(tx, new, by)
        intent_id = await cashier.open_checkout(tx, bucket, new.consumer_id, new_id(), new.order_id, by.at)
        pairs = [(wish.sku_id, wish.merchant_id) for wish in wishes]
        await order.take_out_of_cart(tx, new.consumer_id, new.scene, pairs)
    return Placed(placed, intent_id)


async def _give_back(ctx: Context, new: NewOrder, held: Sequence[UUID], by: By) -> None:
    """Give back what was held, unless an earlier call with this id placed the order after all."""
    async with ctx.database.transaction() as tx:
        if await order.get_many(tx, [(new.consumer_id, new.order_id)]):
            return
    for merchant_id in held:
        async with ctx.database.transaction() as tx:
            ids = [line.line_id for line in new.lines if line.merchant_id == merchant_id]
            await catalog.release(tx, merchant_id, ids, by)


def _new_order(
    reference: Reference, consumer_id: UUID, order_id: UUID, scene: str, wishes: Sequence[Wish], delivery: str,
    at: datetime, buyer_kind: str, coupons: tuple[order.Coupon, ...], made_from: UUID | None,
) -> NewOrder:  # fmt: skip
    lines = tuple(
        new_line(reference, wish, scene, line_id_of(order_id, place)) for place, wish in enumerate(wishes, start=1)
    )
    deposits = [reference.offers[wish.sku_id, wish.merchant_id] for wish in wishes]
    presale = any(offer.deposit_minor for offer in deposits)
    if presale and len(wishes) > 1:
        raise Refusal("PRESALE_ALONE", "presale goods are ordered on their own")
    return NewOrder(
        consumer_id=consumer_id,
        order_id=order_id,
        scene=scene,
        lines=lines,
        pay_by_at=at + PAY_WINDOW,
        delivery="virtual" if all(line.is_virtual for line in lines) else delivery,
        buyer_kind=buyer_kind,
        presale_stage="deposit" if presale else None,
        tail_from_at=deposits[0].tail_from_at if presale else None,
        coupons=coupons,
        made_from_order_id=made_from,
    )


def new_line(reference: Reference, wish: Wish, scene: str, line_id: UUID) -> NewLine:
    """A line at the offer's price of now (in a presale: its deposit); refuses what isn't on sale in the scene."""
    offer = reference.offers.get((wish.sku_id, wish.merchant_id))
    if offer is None or offer.state != "on_sale" or scene not in offer.scenes:
        raise NotFound("OFFER_UNKNOWN", "these goods are not on sale here", sku_id=str(wish.sku_id))
    item = reference.items[wish.sku_id]
    return NewLine(
        line_id=line_id,
        sku_id=wish.sku_id,
        merchant_id=wish.merchant_id,
        category=item.category,
        title_zh=item.title_zh,
        title_en=item.title_en,
        quantity=wish.quantity,
        unit_price_minor=offer.deposit_minor or offer.price_minor,
        is_gift=offer.is_gift,
        is_virtual=item.is_virtual,
        is_cross_border=offer.is_cross_border,
        is_subscription=offer.is_subscription,
        is_trade_in_subsidised=offer.is_trade_in_subsidised,
    )


def line_id_of(order_id: UUID, place: int) -> UUID:
    """The id of an order's n-th line, the same at each repeat."""
    digest = hashlib.sha256(order_id.bytes + place.to_bytes(2, "big")).digest()
    return UUID(bytes=digest[:16], version=4)
