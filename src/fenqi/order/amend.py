"""Changing an order that awaits payment: seller, delivery, scene, prices, coupons, and splitting it in two.

Every change is one more version of the order and one more row of its history; a payment evaluated against an older
version is evaluated again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import short_number
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.order.amount import Shares, check_line, payable_minor, price_lines, reprice, share_coupons
from fenqi.order.model import DELIVERIES, SCENES, Coupon, Line, NewLine, Order, OrderState
from fenqi.order.store import rows


async def change_seller(tx: Tx, consumer_id: UUID, order_id: UUID, line: NewLine, by: By) -> Order:
    """Buy a line's goods from another seller: `line` keeps its `line_id` and quantity, the rest is the new offer's.

    Refuses LINE_UNKNOWN, QUANTITY_INVALID (a quantity other than the line's), and what `open_order` refuses.
    """
    check_line(line)
    before = await open_order(tx, consumer_id, order_id, by)
    old = _line(before, line.line_id)
    if line.quantity != old.quantity:
        raise Refusal("QUANTITY_INVALID", "another seller, the same quantity")
    new = price_lines([line], {})[0]
    lines = [msgspec.structs.replace(new, position=old.position) if x is old else x for x in before.lines]
    detail = {
        "line_id": str(line.line_id),
        "from": [str(old.merchant_id), old.unit_price_minor],
        "to": [str(line.merchant_id), line.unit_price_minor],
    }
    return await _save(tx, before, "change_seller", by, detail, lines=lines)


async def change_delivery(tx: Tx, consumer_id: UUID, order_id: UUID, delivery: str, by: By) -> Order:
    """Take another way of delivery; refuses DELIVERY_INVALID and what `open_order` refuses."""
    before = await open_order(tx, consumer_id, order_id, by)
    touchable = not all(line.is_virtual for line in before.lines)
    if delivery not in DELIVERIES or (delivery == "virtual" and touchable):
        raise Refusal("DELIVERY_INVALID", "not a way in which these goods are delivered")
    return await _save(tx, before, "change_delivery", by, {"from": before.delivery}, delivery=delivery)


async def change_scene(tx: Tx, consumer_id: UUID, order_id: UUID, scene: str, by: By) -> Order:
    """Place the same order in another scene. That every line is sold there at this price is the caller's check."""
    before = await open_order(tx, consumer_id, order_id, by)
    if scene not in SCENES:
        raise Refusal("SCENE_INVALID", f"one of {', '.join(SCENES)}")
    return await _save(tx, before, "change_scene", by, {"from": before.scene}, scene=scene)


async def accept_price(tx: Tx, consumer_id: UUID, order_id: UUID, prices_minor: dict[UUID, int], by: By) -> Order:
    """Accept the price of one piece as it is now, by line id; refuses LINE_UNKNOWN and what `open_order` refuses."""
    before = await open_order(tx, consumer_id, order_id, by)
    for line_id in prices_minor:
        _line(before, line_id)
    lines = [reprice(x, unit_price_minor=prices_minor.get(x.line_id, x.unit_price_minor)) for x in before.lines]
    for line in lines:
        check_line(line)
    return await _save(tx, before, "accept_price", by, {"payable_minor": before.payable_minor}, lines=lines)


async def remove_coupon(tx: Tx, consumer_id: UUID, order_id: UUID, coupon_id: UUID, by: By) -> Order:
    """Do without a discount; refuses COUPON_UNKNOWN and what `open_order` refuses."""
    before = await open_order(tx, consumer_id, order_id, by)
    coupons = tuple(coupon for coupon in before.coupons if coupon.coupon_id != coupon_id)
    if coupons == before.coupons:
        raise NotFound("COUPON_UNKNOWN", "the order has no such coupon")
    detail = {"coupon_id": str(coupon_id), "payable_minor": before.payable_minor}
    return await _save(tx, before, "remove_coupon", by, detail, coupons=coupons)


async def split(
    tx: Tx, consumer_id: UUID, order_id: UUID, line_ids: Sequence[UUID], new_order_id: UUID, by: By
) -> tuple[Order, Order]:
    """Take lines out into an order of their own: (what stays, what went). Lines keep ids, prices and discounts.

    A repeat with the same `new_order_id` returns what the first made. Refuses LINES_INVALID unless some lines go
    and some stay, AMOUNT_INVALID when one half would cost nothing, and what `open_order` refuses.
    """
    done = await rows.load(tx, [(consumer_id, order_id), (consumer_id, new_order_id)])
    if len(done) == 2 and done[consumer_id, new_order_id].made_from_order_id == order_id:
        return done[consumer_id, order_id], done[consumer_id, new_order_id]
    before = await open_order(tx, consumer_id, order_id, by)
    chosen = set(line_ids)
    out = tuple(line for line in before.lines if line.line_id in chosen)
    kept = tuple(line for line in before.lines if line.line_id not in chosen)
    if len(out) != len(chosen) or not out or not kept:
        raise Refusal("LINES_INVALID", "some of the order's lines go, some stay")
    return await _split(tx, before, kept, out, new_order_id, by)


async def leave_out(tx: Tx, consumer_id: UUID, order_id: UUID, line_ids: Sequence[UUID], by: By) -> Order:
    """Do without lines that cost nothing, such as free gifts: an order of their own would have nothing to pay.

    A repeat changes nothing. Refuses LINES_INVALID for lines that cost something or are all there are, and what
    `open_order` refuses.
    """
    before = await open_order(tx, consumer_id, order_id, by)
    chosen = set(line_ids)
    out = [line for line in before.lines if line.line_id in chosen]
    if not out:
        return before
    if any(line.amount_minor for line in out) or len(out) == len(before.lines):
        raise Refusal("LINES_INVALID", "only what costs nothing can be left out, and something stays")
    kept = tuple(line for line in before.lines if line.line_id not in chosen)
    await rows.delete_coupons(tx, consumer_id, order_id, [line.line_id for line in before.lines])
    await rows.delete_lines(tx, consumer_id, order_id, [line.line_id for line in out])
    detail = {"line_ids": [str(line.line_id) for line in out]}
    return await _save(tx, before, "leave_out", by, detail, lines=kept)


async def _split(
    tx: Tx, before: Order, kept: tuple[Line, ...], out: tuple[Line, ...], new_order_id: UUID, by: By
) -> tuple[Order, Order]:
    shares = await rows.shares(tx, before.consumer_id, [line.line_id for line in before.lines])
    await rows.delete_coupons(tx, before.consumer_id, before.order_id, [line.line_id for line in before.lines])
    stays = _half(before, kept, shares, version=before.version + 1)
    goes = _half(
        before,
        out,
        shares,
        version=1,
        order_id=new_order_id,
        number=short_number(new_order_id),
        made_from_order_id=before.order_id,
        placed_at=by.at,
    )
    await rows.update_order(tx, before, stays)
    if not await rows.insert_order(tx, goes):
        raise Conflict("ORDER_EXISTS", "another order has this id")
    await rows.upsert_lines(tx, goes.consumer_id, goes.order_id, goes.lines)
    for half in (stays, goes):
        mine = _shares_of(shares, half.lines)
        await rows.insert_coupons(tx, half.consumer_id, half.order_id, half.coupons, mine)
    detail = {"line_ids": [str(line.line_id) for line in out]}
    await rows.insert_move(tx, stays, "split", before.state, by, detail | {"to_order_id": str(new_order_id)})
    await rows.insert_move(tx, goes, "place", None, by, detail | {"from_order_id": str(before.order_id)})
    return stays, goes


def _half(before: Order, lines: tuple[Line, ...], shares: Shares, **changes: Any) -> Order:
    mine = _shares_of(shares, lines)
    coupons = tuple(
        msgspec.structs.replace(coupon, amount_minor=sum(mine[coupon.coupon_id].values()))
        for coupon in before.coupons
        if mine.get(coupon.coupon_id)
    )
    return msgspec.structs.replace(before, lines=lines, coupons=coupons, payable_minor=payable_minor(lines), **changes)


def _shares_of(shares: Shares, lines: Sequence[Line]) -> Shares:
    ids = {line.line_id for line in lines}
    return {
        coupon: {line: amount for line, amount in by_line.items() if line in ids} for coupon, by_line in shares.items()
    }


async def open_order(tx: Tx, consumer_id: UUID, order_id: UUID, by: By) -> Order:
    """The consumer's order, locked, that can still be changed and paid.

    Refuses ORDER_UNKNOWN; ORDER_PAID, ORDER_CLOSED and ORDER_EXPIRED by its state or its deadline;
    PAYMENT_IN_PROGRESS while a channel may still take money for it as it is.
    """
    if not await rows.lock(tx, consumer_id, order_id):
        raise NotFound("ORDER_UNKNOWN", "no such order")
    order = (await rows.load(tx, [(consumer_id, order_id)]))[consumer_id, order_id]
    if order.state is not OrderState.AWAITING_PAYMENT:
        raise Conflict(f"ORDER_{order.state.upper()}", f"the order is {order.state}")
    if by.at >= order.pay_by_at:
        raise Conflict("ORDER_EXPIRED", "the order's deadline has passed")
    if order.attempts_open:
        raise Conflict("PAYMENT_IN_PROGRESS", "a payment is under way at a channel", retry_after_s=3)
    return order


def _line(order: Order, line_id: UUID) -> Line:
    for line in order.lines:
        if line.line_id == line_id:
            return line
    raise NotFound("LINE_UNKNOWN", "the order has no such line")


async def _save(
    tx: Tx,
    before: Order,
    verb: str,
    by: By,
    detail: dict[str, Any],
    lines: Sequence[Line] | None = None,
    coupons: tuple[Coupon, ...] | None = None,
    **changes: Any,
) -> Order:
    """Write the order as changed; where lines or coupons change, discounts are shared anew."""
    after = msgspec.structs.replace(before, version=before.version + 1, **changes)
    if lines is not None or coupons is not None:
        after = await _share_anew(tx, after, before.lines if lines is None else lines, coupons)
    await rows.update_order(tx, before, after)
    await rows.insert_move(tx, after, verb, before.state, by, detail)
    return after


async def _share_anew(tx: Tx, order: Order, lines: Sequence[Line], coupons: tuple[Coupon, ...] | None) -> Order:
    kept = order.coupons if coupons is None else coupons
    shares = share_coupons(lines, kept)
    priced = tuple(
        msgspec.structs.replace(line, discount_minor=sum(by_line.get(line.line_id, 0) for by_line in shares.values()))
        for line in lines
    )
    if order.coupons:
        await rows.delete_coupons(tx, order.consumer_id, order.order_id, [line.line_id for line in lines])
    await rows.upsert_lines(tx, order.consumer_id, order.order_id, priced)
    if kept:
        await rows.insert_coupons(tx, order.consumer_id, order.order_id, kept, shares)
    return msgspec.structs.replace(order, lines=priced, coupons=kept, payable_minor=payable_minor(priced))
