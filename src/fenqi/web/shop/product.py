"""A product: its variants, who sells it where, what it costs in instalments, and its picture."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.responses import Response

from fenqi import catalog, texts
from fenqi.catalog import Item, Offer, Product
from fenqi.flows.reference import Reference
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import parse_id
from fenqi.kernel.refusal import NotFound
from fenqi.web.page import Visit, get
from fenqi.web.shop.browse import SCENES, reference_of, scene_of
from fenqi.web.shop.plan_price import best_of, plans_for, schedule_of, takes_credit
from fenqi.web.template import own

_WEEK_S = 7 * 86_400


async def product(visit: Visit) -> Response:
    """GET /goods/{goods_id}?sku=&scene=."""
    ref, scene = await reference_of(visit), scene_of(visit)
    async with visit.context.database.autocommit() as tx:
        found = await catalog.product(tx, visit.id("goods_id"), scene)
    item = _item(found, parse_id(visit.query("sku")))
    sellers = [_seller(visit, ref, found, offer, item, scene) for offer in found.offers if offer.sku_id == item.sku_id]
    sellers.sort(key=lambda one: (not one["free"], one["offer"].price_minor))
    offer = sellers[0]["offer"] if sellers else None
    now = visit.context.now()
    priced = [] if offer is None else plans_for(ref, scene, item.category, offer.merchant_id, offer.price_minor, now)
    best = best_of(priced)
    shown = best or (priced[-1] if priced else None)
    return visit.render(
        "shop/product.html",
        item=item,
        variants=found.items,
        scene=scene,
        scenes=SCENES,
        crumbs=_crumbs(visit, ref, item),
        sellers=sellers,
        offer=offer,
        offer_free=bool(sellers and sellers[0]["free"]),
        best=best,
        shown_plan=shown.plan if shown is not None else "",
        shown_cost=shown.cost if shown is not None else None,
        plans=[(one.plan, one.cost, schedule_of(one, business_date(now))) for one in priced],
    )


def _item(found: Product, wanted: UUID | None) -> Item:
    """The variant asked for; without one, the first that somebody sells here."""
    for item in found.items:
        if item.sku_id == wanted:
            return item
    sold = {offer.sku_id for offer in found.offers}
    return next((item for item in found.items if item.sku_id in sold), found.items[0])


def _seller(visit: Visit, ref: Reference, found: Product, offer: Offer, item: Item, scene: str) -> dict[str, Any]:
    on = business_date(visit.context.now())
    ways = [texts.word("delivery", way, visit.locale) for way in offer.deliveries]
    return {
        "offer": offer,
        "merchant": ref.sellers[offer.merchant_id].merchant,
        "free": found.free.get((offer.sku_id, offer.merchant_id), 0),
        "takes_credit": takes_credit(ref, scene, item.category, offer.merchant_id, on),
        "deliveries": ("、" if visit.locale is texts.Locale.ZH_CN else ", ").join(ways),
    }


def _crumbs(visit: Visit, ref: Reference, item: Item) -> list[tuple[str | None, str]]:
    path = [ref.tree.get(code) for code in reversed(ref.tree.path(item.category))]
    links: list[tuple[str | None, str]] = [("/", texts.t("site.home", visit.locale))]
    links += [(f"/category/{one.code}", own(one, "name", visit.locale)) for one in path]
    return [*links, (None, own(item, "name", visit.locale))]


async def picture(visit: Visit) -> Response:
    """GET /goods/pictures/{number}.svg."""
    ref, number = await reference_of(visit), visit.request.path_params["number"]
    item = next((one for one in ref.items.values() if one.number == number), None)
    if item is None:
        raise NotFound("GOODS_UNKNOWN", "no such goods")
    root = ref.tree.path(item.category)[-1]
    headers = {"Cache-Control": f"public, max-age={_WEEK_S}"}
    return Response(catalog.picture_svg(item, root), 200, headers, "image/svg+xml")


ROUTES = [get("/goods/pictures/{number}.svg", picture), get("/goods/{goods_id}", product)]
