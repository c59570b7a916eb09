"""Orders of the consumer who asks: placing, reading, closing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import cashier, order
from fenqi.flows import shop
from fenqi.flows.device import address_id
from fenqi.flows.shop import Wish
from fenqi.kernel.ids import bucket_of, parse_id
from fenqi.kernel.refusal import Refusal
from fenqi.order import Order
from fenqi.web.api.resource import Call, Nothing, resource


class NewOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be bought, in which scene."""

    scene: str
    lines: tuple[Wish, ...]
    delivery: str = "express"
    address: str = ""
    """Where it is to be delivered; kept as a keyed hash only."""


class LineView(msgspec.Struct, frozen=True):
    """A line of an order; amounts in minor units."""

    line_id: UUID
    sku_id: UUID
    merchant_id: UUID
    category: str
    title_zh: str
    title_en: str
    quantity: int
    unit_price_minor: int
    amount_minor: int


class OrderView(msgspec.Struct, frozen=True):
    """An order; `checkout_id` is where it is paid."""

    order_id: UUID
    number: str
    checkout_id: UUID | None
    scene: str
    state: str
    currency: str
    payable_minor: int
    placed_at: datetime
    pay_by_at: datetime
    paid_at: datetime | None
    lines: tuple[LineView, ...]


def view(found: Order, intent_id: UUID | None) -> OrderView:
    """The order as the API shows it."""
    return OrderView(
        found.order_id,
        found.number,
        intent_id,
        found.scene,
        str(found.state),
        found.currency,
        found.payable_minor,
        found.placed_at,
        found.pay_by_at,
        found.paid_at,
        tuple(
            LineView(
                x.line_id, x.sku_id, x.merchant_id, x.category, x.title_zh, x.title_en, x.quantity,
                x.unit_price_minor, x.amount_minor,
            )
            for x in found.lines
        ),
    )  # fmt: skip


def whole(call: Call, name: str, default: int) -> int:
    """A whole number of the query; refuses anything else (PAGE_INVALID)."""
    text = call.query.get(name, str(default))
    if not text.isdecimal() or not text.isascii() or len(text) > 6:
        raise Refusal("PAGE_INVALID", f"{name} is a whole number")
    return int(text)


@resource("POST", "/v1/orders", body=NewOrder, answer=OrderView, keyed=True, problems=(404, 409))
async def place(call: Call) -> OrderView:
    """Place an order from offers on sale; its goods are held until it is paid or expires."""
    new, order_id = call.body, call.id_of_key("order")
    placed = await shop.place_order(
        call.context, call.actor.consumer_id, order_id, new.scene, new.lines, new.delivery,
        address_id=address_id(call.context.keys, new.address[:500]),
    )  # fmt: skip
    return view(placed.order, placed.intent_id)


@resource("GET", "/v1/orders", answer=tuple[OrderView, ...], query=("limit", "before"), problems=(422,))
async def mine(call: Call) -> tuple[OrderView, ...]:
    """The consumer's orders, newest first: at most `limit`, older than the order `before`."""
    consumer_id = call.actor.consumer_id
    limit, before = whole(call, "limit", 20), call.query.get("before")
    before_id = None if before is None else parse_id(before)
    if before is not None and before_id is None:
        raise Refusal("PAGE_INVALID", "before is the id of an order")
    async with call.context.database.snapshot() as tx:
        found = await order.of_consumer(tx, consumer_id, before_id, limit)
        intents = await cashier.checkouts_of(tx, bucket_of(consumer_id), consumer_id, [o.order_id for o in found])
    return tuple(view(o, intents.get(o.order_id)) for o in found)


@resource("GET", "/v1/orders/{order}", answer=OrderView)
async def read(call: Call) -> OrderView:
    """One order of the consumer."""
    consumer_id = call.actor.consumer_id
    async with call.context.database.snapshot() as tx:
        found = await order.get(tx, consumer_id, call.id("order"))
        intents = await cashier.checkouts_of(tx, bucket_of(consumer_id), consumer_id, [found.order_id])
    return view(found, intents.get(found.order_id))


@resource("POST", "/v1/orders/{order}:close", body=Nothing, answer=OrderView, problems=(409,))
async def close(call: Call) -> OrderView:
    """Close an unpaid order; closing it again changes nothing."""
    return view(await shop.close_order(call.context, call.actor.consumer_id, call.id("order")), None)
