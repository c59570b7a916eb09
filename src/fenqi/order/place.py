"""Placing an order: the lines with their prices as agreed, discounts shared, a deadline, a number people can read."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import short_number
from fenqi.kernel.money import decimals_of
from fenqi.kernel.refusal import Conflict, Refusal
from fenqi.order.amount import check_line, payable_minor, price_lines, share_coupons
from fenqi.order.model import DELIVERIES, LINES_MAX, SCENES, NewOrder, Order, OrderState
from fenqi.order.store import directory, rows


async def claim_number(tx: Tx, consumer_id: UUID, order_id: UUID, at: datetime) -> str:
    """Claim the order's short number in the directory, before the order is placed; the number.

    Refuses with NUMBER_TAKEN in the one case in 2^50 that another order has it: take another order id.
    """
    number = short_number(order_id)
    if await directory.claim_number(tx, number, consumer_id, order_id, at) != (consumer_id, order_id):
        raise Conflict("NUMBER_TAKEN", "another order has this number")
    return number


async def claim_partner_number(
    tx: Tx, merchant_id: UUID, number: str, consumer_id: UUID, order_id: UUID, at: datetime
) -> tuple[UUID, UUID]:
    """Claim a partner's own number for an order; (consumer id, order id) that has it, the first one for ever."""
    if not 1 <= len(number) <= 64:
        raise Refusal("NUMBER_INVALID", "a partner's order number has 1 to 64 characters")
    return await directory.claim_number(tx, f"{merchant_id}/{number}", consumer_id, order_id, at)


async def sweep_numbers(tx: Tx, since_at: datetime, until_at: datetime, limit: int = 1_000) -> int:
    """Take back numbers claimed in [since, until) whose order was never placed; how many there were.

    `until_at` lies an hour or more in the past, so that nobody is between the claim and the order any more.
    """
    claims = await directory.claims(tx, since_at, until_at, limit)
    placed = await rows.existing(tx, [(consumer, order) for _, consumer, order in claims])
    orphans = [number for number, consumer, order in claims if (consumer, order) not in placed]
    return await directory.give_up_numbers(tx, orphans) if orphans else 0


async def place(tx: Tx, new: NewOrder, by: By) -> Order:
    """Place an order that awaits payment. A repeat with the same id and the same goods returns the first.

    Refuses: SCENE_INVALID, DELIVERY_INVALID, LINES_INVALID (1 to 50, each id once), QUANTITY_INVALID,
    AMOUNT_INVALID, CURRENCY_NOT_SUPPORTED, COUPON_TOO_LARGE, COUPON_TWICE, PAY_BY_INVALID, PRESALE_INVALID, and
    ORDER_EXISTS for another order under the same id.
    """
    _check(new, by.at)
    shares = share_coupons(new.lines, new.coupons)
    lines = price_lines(new.lines, shares)
    order = Order(
        new.consumer_id,
        new.order_id,
        short_number(new.order_id),
        new.scene,
        OrderState.AWAITING_PAYMENT,
        new.currency,
        payable_minor(lines),
        new.buyer_kind,
        new.delivery,
        new.presale_stage,
        new.tail_from_at,
        new.made_from_order_id,
        by.at,
        new.pay_by_at,
        None,
        None,
        1,
        address_id=new.address_id,
        lines=lines,
        coupons=new.coupons,
    )
    if not await rows.insert_order(tx, order):
        return await _same(tx, order)
    await rows.upsert_lines(tx, order.consumer_id, order.order_id, lines)
    if new.coupons:
        await rows.insert_coupons(tx, order.consumer_id, order.order_id, new.coupons, shares)
    await rows.insert_move(tx, order, "place", None, by)
    return order


def check_order(new: NewOrder, at: datetime) -> None:
    """Refuse, before anything is held or written, what `place` would refuse of the order itself."""
    _check(new, at)
    payable_minor(price_lines(new.lines, share_coupons(new.lines, new.coupons)))


def _check(new: NewOrder, at: datetime) -> None:
    if new.scene not in SCENES:
        raise Refusal("SCENE_INVALID", f"one of {', '.join(SCENES)}")
    if new.delivery not in DELIVERIES:
        raise Refusal("DELIVERY_INVALID", f"one of {', '.join(DELIVERIES)}")
    if new.delivery == "virtual" and not all(line.is_virtual for line in new.lines):
        raise Refusal("DELIVERY_INVALID", "goods that can be touched can't be delivered virtually")
    if not 1 <= len(new.lines) <= LINES_MAX or len({line.line_id for line in new.lines}) != len(new.lines):
        raise Refusal("LINES_INVALID", f"1 to {LINES_MAX} lines, each with an id of its own")
    if new.buyer_kind not in ("person", "enterprise"):
        raise Refusal("BUYER_INVALID", "person or enterprise")
    if new.pay_by_at <= at:
        raise Refusal("PAY_BY_INVALID", "the deadline lies in the future")
    if new.presale_stage not in (None, "deposit", "tail") or (new.presale_stage and new.tail_from_at is None):
        raise Refusal("PRESALE_INVALID", "deposit or tail, with the instant from which the tail is due")
    decimals_of(new.currency)
    for line in new.lines:
        check_line(line)


async def _same(tx: Tx, asked: Order) -> Order:
    key = (asked.consumer_id, asked.order_id)
    there = (await rows.load(tx, [key]))[key]
    if _gist(there) != _gist(asked):
        raise Conflict("ORDER_EXISTS", "another order has this id")
    return there


def _gist(order: Order) -> tuple[object, ...]:
    goods = [(line.sku_id, line.merchant_id, line.quantity, line.unit_price_minor) for line in order.lines]
    return order.scene, order.currency, order.payable_minor, tuple(goods)
