"""Looking around: the tree, lists by category and search, one product; and whole reads for the process's cache."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fenqi.catalog.model import Item, Listed, Offer, OfferState, Product
from fenqi.catalog.store import pieces, shelf
from fenqi.catalog.tree import CategoryTree
from fenqi.database.pool import Tx
from fenqi.kernel.refusal import NotFound, Refusal

_PAGE_MAX = 100


async def tree(tx: Tx) -> CategoryTree:
    """The category tree."""
    return CategoryTree(await shelf.categories(tx))


async def listing(
    tx: Tx,
    scene: str,
    categories: Sequence[str] | None = None,
    search: str | None = None,
    limit: int = 24,
    offset: int = 0,
) -> list[Listed]:
    """Goods on sale in `scene`: in these categories (pass a subtree's codes), whose names contain `search`.

    Newest first, one entry per goods with its cheapest offer. Refuses pages beyond 100 entries (PAGE_INVALID).
    """
    if not 1 <= limit <= _PAGE_MAX or not 0 <= offset <= 100_000:
        raise Refusal("PAGE_INVALID", f"1 to {_PAGE_MAX} entries a page")
    words = (search or "").strip()[:60]
    pattern = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%" if words else None
    return await shelf.listing(tx, scene, categories, pattern, limit, offset)


async def product(tx: Tx, goods_id: UUID, scene: str) -> Product:
    """Variants, offers on sale in `scene` and free pieces of goods; NotFound (GOODS_UNKNOWN) without any variant."""
    variants = await shelf.variants(tx, goods_id)
    if not variants:
        raise NotFound("GOODS_UNKNOWN", "no such goods")
    found = await shelf.offers(tx, [item.sku_id for item in variants])
    on_sale = tuple(o for o in found if o.state is OfferState.ON_SALE and scene in o.scenes)
    free = await pieces.free(tx, [(o.sku_id, o.merchant_id) for o in on_sale])
    return Product(tuple(variants), on_sale, free)


async def items(tx: Tx, sku_ids: Sequence[UUID] | None = None) -> dict[UUID, Item]:
    """SKUs with their goods by id: those asked for, or all."""
    return {item.sku_id: item for item in await shelf.items(tx, sku_ids)}


async def offers(tx: Tx, sku_ids: Sequence[UUID] | None = None) -> dict[tuple[UUID, UUID], Offer]:
    """Offers by (sku id, merchant id), of the SKUs asked for or all, whatever their state; cheapest first per SKU."""
    return {(offer.sku_id, offer.merchant_id): offer for offer in await shelf.offers(tx, sku_ids)}
