"""Confirming an order: the cart's lines (or the one just chosen), how they come, and the order placed."""

from __future__ import annotations

from uuid import UUID

from starlette.responses import Response

from fenqi.flows import shop
from fenqi.flows.device import address_id
from fenqi.flows.shop import Wish
from fenqi.kernel.ids import parse_id
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.shop.browse import scene_of
from fenqi.web.shop.cart import Shown, shown_lines


async def checkout(visit: Visit) -> Response:
    """GET /checkout?scene=&sku=&seller=: all that can be ordered of the cart, or one line of it."""
    scene = scene_of(visit)
    one = parse_id(visit.query("sku")), parse_id(visit.query("seller"))
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, visit.context.now())
        lines = await shown_lines(tx, ref, visit.consumer_id, scene)
    lines = _chosen(lines, one)
    if not lines:
        return visit.redirect("/cart", scene=scene)
    deposits = [line.offer.deposit_minor for line in lines if line.offer is not None and line.offer.deposit_minor]
    return visit.render(
        "shop/checkout.html",
        scene=scene,
        lines=lines,
        deliveries=_deliveries(lines),
        total_minor=sum(line.amount_minor for line in lines),
        deposit_minor=sum(deposits),
        blocked=any(line.trouble for line in lines),
    )


def _chosen(lines: list[Shown], one: tuple[UUID | None, UUID | None]) -> list[Shown]:
    if one[0] is None:
        return lines
    return [line for line in lines if (line.item.sku_id, line.merchant.merchant_id) == one]


def _deliveries(lines: list[Shown]) -> list[str]:
    """The ways in which every line can come, in the first line's order."""
    ways = [set(line.offer.deliveries) for line in lines if line.offer is not None]
    first = lines[0].offer.deliveries if lines[0].offer is not None else ()
    common = [way for way in first if all(way in some for some in ways)]
    return common or ["express"]


async def place(visit: Visit) -> Response:
    """POST /orders: place what the page showed; the page's order id makes a second click the same order."""
    form = visit.form
    scene = form.text("scene")
    pairs = [tuple(parse_id(part) for part in text.split("/")) for text in form.many("line")]
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, visit.context.now())
        lines = await shown_lines(tx, ref, visit.consumer_id, scene)
    wishes = [
        Wish(line.item.sku_id, line.merchant.merchant_id, line.quantity)
        for line in lines
        if (line.item.sku_id, line.merchant.merchant_id) in pairs
    ]
    order_id = visit.key("order_id", "order")
    if not wishes:
        return visit.redirect(f"/orders/{order_id}")
    placed = await shop.place_order(
        visit.context, visit.consumer_id, order_id, scene, wishes, form.text("delivery") or "express",
        address_id=address_id(visit.context.keys, form.text("address", 200)),
    )  # fmt: skip
    return visit.redirect(f"/cashier/{placed.intent_id}")


ROUTES = [get("/checkout", checkout, Who.CONSUMER), post("/orders", place)]
