"""The cart of a scene: what is in it at today's prices, changed by one form a line."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from starlette.responses import Response

from fenqi import catalog, order
from fenqi.catalog import Item, Offer
from fenqi.database.pool import Tx
from fenqi.flows.reference import Reference
from fenqi.merchant import Merchant
from fenqi.order import CartLine
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.shop.browse import SCENES, scene_of
from fenqi.web.shop.plan_price import best_of, plans_for


class Shown(NamedTuple):
    """A line of the cart as it is shown; `trouble` is off_sale, short or empty."""

    item: Item
    merchant: Merchant
    offer: Offer | None
    quantity: int
    amount_minor: int
    trouble: str


async def cart(visit: Visit) -> Response:
    """GET /cart?scene=."""
    scene = scene_of(visit)
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, visit.context.now())
        if not visit.query("scene"):
            scene = await _filled(tx, visit.consumer_id) or scene
        lines = await shown_lines(tx, ref, visit.consumer_id, scene)
    total_minor = sum(line.amount_minor for line in lines if not line.trouble)
    first = next((line for line in lines if not line.trouble), None)
    priced = []
    if first is not None and total_minor:
        now = visit.context.now()
        priced = plans_for(ref, scene, first.item.category, first.merchant.merchant_id, total_minor, now)
    return visit.render(
        "shop/cart.html",
        scene=scene,
        scenes=SCENES,
        lines=lines,
        pieces=sum(line.quantity for line in lines),
        total_minor=total_minor,
        best=best_of(priced),
    )


async def _filled(tx: Tx, consumer_id: UUID) -> str | None:
    """The first scene in whose cart there is something."""
    for scene in SCENES:
        if await order.cart(tx, consumer_id, scene):
            return scene
    return None


async def shown_lines(tx: Tx, ref: Reference, consumer_id: UUID, scene: str) -> list[Shown]:
    """The cart's lines with goods, seller and price of now, and what stands in the way of ordering them."""
    kept = await order.cart(tx, consumer_id, scene)
    free = await catalog.free(tx, [(line.sku_id, line.merchant_id) for line in kept]) if kept else {}
    return [_shown(ref, scene, line, free.get((line.sku_id, line.merchant_id), 0)) for line in kept]


def _shown(ref: Reference, scene: str, line: CartLine, free: int) -> Shown:
    offer = ref.offers.get((line.sku_id, line.merchant_id))
    on_sale = offer is not None and offer.state == "on_sale" and scene in offer.scenes
    unit_minor = offer.price_minor if offer is not None else 0
    trouble = "" if on_sale and free >= line.quantity else "short" if on_sale else "off_sale"
    merchant = ref.sellers[line.merchant_id].merchant
    return Shown(ref.items[line.sku_id], merchant, offer, line.quantity, unit_minor * line.quantity, trouble)


async def change(visit: Visit) -> Response:
    """POST /cart/lines: so many pieces of a SKU from a seller; `then` says where to go."""
    form = visit.form
    scene, sku_id, merchant_id = form.text("scene"), form.id("sku_id"), form.id("merchant_id")
    quantity, then = form.count("quantity"), form.text("then")
    async with visit.context.database.transaction() as tx:
        await order.put_in_cart(tx, visit.consumer_id, scene, sku_id, merchant_id, quantity, visit.context.now())
    if then == "checkout":
        return visit.redirect("/checkout", scene=scene, sku=str(sku_id), seller=str(merchant_id))
    return visit.redirect("/cart", scene=scene, notice="in_cart" if quantity else "cart_changed")


ROUTES = [get("/cart", cart, Who.CONSUMER), post("/cart/lines", change)]
