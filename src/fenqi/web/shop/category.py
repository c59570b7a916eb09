"""Lists of goods: a category or a search, in a chosen order, below a price, in stock only when asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from fenqi import catalog, texts
from fenqi.catalog import Category, Listed
from fenqi.flows.reference import Reference
from fenqi.web.page import Visit, get
from fenqi.web.shop.browse import bests, reference_of, scene_of
from fenqi.web.template import own

PAGE = 24
ORDERS = ("newest", "cheapest", "dearest")
CEILINGS_YUAN = (0, 100, 500, 1000, 3000, 5000, 10000)
_MOST = 100
_BATCHES = 4


@dataclass(frozen=True)
class Chosen:
    """How the reader wants the list."""

    scene: str
    order: str
    at_most: int
    in_stock: bool
    page: int

    def query(self, words: str, **changes: Any) -> str:
        """The address' query for this list with some choices changed."""
        other = replace(self, **({"page": 1} | changes))
        fields: dict[str, str] = {"scene": other.scene, "order": other.order}
        if other.at_most:
            fields["at_most"] = str(other.at_most)
        if other.in_stock:
            fields["in_stock"] = "1"
        if other.page > 1:
            fields["page"] = str(other.page)
        return "?" + urlencode(({"q": words} if words else {}) | fields)


async def category(visit: Visit) -> Response:
    """GET /category/{code}."""
    ref = await reference_of(visit)
    found = ref.tree.get(visit.request.path_params["code"])
    path = [ref.tree.get(code) for code in reversed(ref.tree.path(found.code))]
    links: list[tuple[str | None, str]] = [("/", texts.t("site.home", visit.locale))]
    links += [(f"/category/{one.code}", own(one, "name", visit.locale)) for one in path[:-1]]
    links.append((None, own(found, "name", visit.locale)))
    children = ref.tree.children(found.code) or (ref.tree.children(found.parent_code) if found.parent_code else ())
    return await _list(visit, ref, own(found, "name", visit.locale), ref.tree.below(found.code), "", links, children)


async def search(visit: Visit) -> Response:
    """GET /search?q=."""
    ref = await reference_of(visit)
    words = visit.query("q", 60)
    key = "category.search_title" if words else "category.all_goods"
    heading = texts.t(key, visit.locale, words=words)
    links: list[tuple[str | None, str]] = [("/", texts.t("site.home", visit.locale)), (None, heading)]
    return await _list(visit, ref, heading, None, words, links, ())


async def _list(
    visit: Visit,
    ref: Reference,
    heading: str,
    codes: tuple[str, ...] | None,
    words: str,
    crumbs: list[tuple[str | None, str]],
    children: tuple[Category, ...],
) -> Response:
    chosen = _chosen(visit)
    found = _sorted(_kept(await _all(visit, codes, words, chosen.scene), chosen), chosen.order)
    if chosen.in_stock:
        found = await _in_stock(visit, found)
    pages = max(1, -(-len(found) // PAGE))
    chosen = replace(chosen, page=min(chosen.page, pages))
    cards = found[(chosen.page - 1) * PAGE : chosen.page * PAGE]
    return visit.render(
        "shop/category.html",
        heading=heading,
        words=words,
        crumbs=crumbs,
        children=children,
        category_code=codes[0] if codes else "",
        count=len(found),
        chosen=chosen,
        orders=ORDERS,
        ceilings=CEILINGS_YUAN,
        query=lambda **changes: chosen.query(words, **changes),
        cards=cards,
        bests=bests(visit, ref, cards, chosen.scene),
        pages=pages,
    )


def _chosen(visit: Visit) -> Chosen:
    order, ceiling, page = visit.query("order"), visit.query("at_most", 6), visit.query("page", 4)
    return Chosen(
        scene_of(visit),
        order if order in ORDERS else ORDERS[0],
        int(ceiling) if ceiling.isascii() and ceiling.isdigit() and int(ceiling) in CEILINGS_YUAN else 0,
        visit.query("in_stock", 1) == "1",
        max(1, int(page)) if page.isascii() and page.isdigit() else 1,
    )


async def _all(visit: Visit, codes: tuple[str, ...] | None, words: str, scene: str) -> list[Listed]:
    """All goods that match, as the catalogue lists them; a category holds some hundreds at most."""
    found: list[Listed] = []
    async with visit.context.database.autocommit() as tx:
        for batch in range(_BATCHES):
            some = await catalog.listing(tx, scene, codes, words or None, limit=_MOST, offset=batch * _MOST)
            found += some
            if len(some) < _MOST:
                break
    return found


def _kept(cards: list[Listed], chosen: Chosen) -> list[Listed]:
    return [card for card in cards if not chosen.at_most or card.price_minor <= chosen.at_most * 100]


def _sorted(cards: list[Listed], order: str) -> list[Listed]:
    if order == "newest":
        return cards
    return sorted(cards, key=lambda card: card.price_minor, reverse=order == "dearest")


async def _in_stock(visit: Visit, cards: list[Listed]) -> list[Listed]:
    pairs: list[tuple[UUID, UUID]] = [(card.item.sku_id, card.merchant_id) for card in cards]
    async with visit.context.database.autocommit() as tx:
        free = await catalog.free(tx, pairs) if pairs else {}
    return [card for card in cards if free.get((card.item.sku_id, card.merchant_id), 0) > 0]


ROUTES = [get("/category/{code}", category), get("/search", search)]
