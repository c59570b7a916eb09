"""The home page: what the shop is, its categories, and a shelf of each of the first of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.responses import Response

from fenqi import catalog
from fenqi.catalog import Listed
from fenqi.web.page import Visit, get
from fenqi.web.shop.browse import ICONS, SCENES, bests, reference_of
from fenqi.web.shop.plan_price import Priced

_SHELVES = 4
_CARDS = 4
_TILES = 8
_LOOK = 12


async def home(visit: Visit) -> Response:
    """GET /."""
    ref = await reference_of(visit)
    scene = SCENES[0]
    roots = ref.tree.children()
    found: dict[UUID, Priced] = {}
    shelves: list[dict[str, Any]] = []
    for root in roots[:_TILES]:
        cards = await _cards(visit, ref.tree.below(root.code))
        found |= bests(visit, ref, cards, scene)
        payable = [card for card in cards if card.item.sku_id in found][:_CARDS]
        if len(payable) == _CARDS and len(shelves) < _SHELVES:
            shelves.append({"category": root, "cards": payable})
    sample = shelves[0]["cards"][0] if shelves else None
    return visit.render(
        "shop/home.html",
        categories=roots[:_TILES],
        first_category=roots[0].code if roots else "",
        icons=ICONS,
        shelves=shelves,
        bests=found,
        scene=scene,
        sample=None if sample is None else {"listed": sample, "plan": found[sample.item.sku_id]},
    )


async def _cards(visit: Visit, codes: tuple[str, ...]) -> list[Listed]:
    """Goods to choose a shelf's cards from: those that can be paid in instalments are shown."""
    async with visit.context.database.autocommit() as tx:
        return await catalog.listing(tx, SCENES[0], codes, limit=_LOOK)


ROUTES = [get("/", home)]
