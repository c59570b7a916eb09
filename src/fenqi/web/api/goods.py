"""Goods on sale, for anyone."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi import catalog
from fenqi.catalog import Listed, Product
from fenqi.catalog.change_offer import SCENES
from fenqi.kernel.refusal import Refusal
from fenqi.web.api.order import whole
from fenqi.web.api.resource import Call, resource


class ListedGoods(msgspec.Struct, frozen=True):
    """A page of goods."""

    scene: str
    goods: tuple[Listed, ...]


class OnSale(msgspec.Struct, frozen=True):
    """One seller's offer of one variant, with the pieces that can be bought now."""

    sku_id: UUID
    merchant_id: UUID
    price_minor: int
    free: int


class ProductView(msgspec.Struct, frozen=True):
    """Goods with their variants and who sells them."""

    goods_id: UUID
    items: tuple[catalog.Item, ...]
    offers: tuple[OnSale, ...]


def _scene(call: Call) -> str:
    scene = call.query.get("scene", SCENES[0])
    if scene not in SCENES:
        raise Refusal("SCENE_INVALID", f"one of {', '.join(SCENES)}")
    return scene


@resource(
    "GET", "/v1/goods", answer=ListedGoods, who=(), query=("scene", "category", "search", "limit", "offset"),
    problems=(404, 422),
)  # fmt: skip
async def listing(call: Call) -> ListedGoods:
    """Goods on sale in a scene, newest first, each with its cheapest offer."""
    scene, code = _scene(call), call.query.get("category")
    async with call.context.database.snapshot() as tx:
        ref = await call.context.reference.current(tx, call.context.now())
        codes = None if code is None else ref.tree.below(code)
        found = await catalog.listing(
            tx, scene, codes, call.query.get("search"), whole(call, "limit", 24), whole(call, "offset", 0)
        )
    return ListedGoods(scene, tuple(found))


@resource("GET", "/v1/goods/{goods}", answer=ProductView, who=(), query=("scene",))
async def read(call: Call) -> ProductView:
    """Variants and offers of one product in a scene."""
    async with call.context.database.snapshot() as tx:
        found: Product = await catalog.product(tx, call.id("goods"), _scene(call))
    offers = tuple(
        OnSale(o.sku_id, o.merchant_id, o.price_minor, found.free.get((o.sku_id, o.merchant_id), 0))
        for o in found.offers
    )
    return ProductView(found.items[0].goods_id, found.items, offers)
