"""SQL of categories, goods, variants and offers: reference data, read whole into caches or by key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from fenqi.catalog.model import Category, Goods, Item, Listed, Offer, OfferState, Sku
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id

_ITEM = (
    "s.sku_id, g.goods_id, s.number, g.category_code, g.name_zh, g.name_en, g.about_zh, g.about_en,"
    " s.variant_zh, s.variant_en, s.colour, g.is_virtual"
)
_OFFER = (
    "sku_id, merchant_id, state, price_minor, scenes, deliveries, is_gift, is_cross_border, is_subscription,"
    " is_trade_in_subsidised, deposit_minor, tail_from_at, version"
)


def _offer(row: Sequence[Any]) -> Offer:
    return Offer(row[0], row[1], OfferState(row[2]), row[3], tuple(row[4]), tuple(row[5]), *row[6:])


async def insert_categories(tx: Tx, categories: Sequence[Category]) -> None:
    """New nodes, parents before children; nodes that are there already are left as they are."""
    await (tx.cursor()).executemany(
        "INSERT INTO category (code, parent_code, name_zh, name_en, position) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (code) DO NOTHING",
        [(c.code, c.parent_code, c.name_zh, c.name_en, c.position) for c in categories],
    )


async def categories(tx: Tx) -> list[Category]:
    """All nodes."""
    cursor = await tx.execute("SELECT code, parent_code, name_zh, name_en, position FROM category ORDER BY position")
    return [Category(*row) for row in await cursor.fetchall()]


async def insert_goods(tx: Tx, goods: Sequence[Goods]) -> None:
    """New goods; known ids are left as they are."""
    await (tx.cursor()).executemany(
        "INSERT INTO goods (goods_id, category_code, name_zh, name_en, about_zh, about_en, is_virtual, added_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (goods_id) DO NOTHING",
        [
            (g.goods_id, g.category, g.name_zh, g.name_en, g.about_zh, g.about_en, g.is_virtual, g.added_at)
            for g in goods
        ],
    )


async def insert_skus(tx: Tx, skus: Sequence[Sku]) -> None:
    """New variants; known ids are left as they are."""
    await (tx.cursor()).executemany(
        "INSERT INTO sku (sku_id, goods_id, number, variant_zh, variant_en, colour, position)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (sku_id) DO NOTHING",
        [(s.sku_id, s.goods_id, s.number, s.variant_zh, s.variant_en, s.colour, s.position) for s in skus],
    )


async def upsert_offers(tx: Tx, offers: Sequence[Offer]) -> None:
    """New offers, or new terms of known ones (their version grows)."""
    await (tx.cursor()).executemany(
        f"INSERT INTO offer AS o ({_OFFER}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1)"
        " ON CONFLICT (sku_id, merchant_id) DO UPDATE SET state = excluded.state,"
        " price_minor = excluded.price_minor, scenes = excluded.scenes, deliveries = excluded.deliveries,"
        " is_gift = excluded.is_gift, is_cross_border = excluded.is_cross_border,"
        " is_subscription = excluded.is_subscription, is_trade_in_subsidised = excluded.is_trade_in_subsidised,"
        " deposit_minor = excluded.deposit_minor, tail_from_at = excluded.tail_from_at, version = o.version + 1",
        [
            (
                o.sku_id,
                o.merchant_id,
                o.state,
                o.price_minor,
                list(o.scenes),
                list(o.deliveries),
                o.is_gift,
                o.is_cross_border,
                o.is_subscription,
                o.is_trade_in_subsidised,
                o.deposit_minor,
                o.tail_from_at,
            )
            for o in offers
        ],
    )


async def offer(tx: Tx, sku_id: UUID, merchant_id: UUID, *, lock: bool = False) -> Offer | None:
    """One offer, its row locked for change when asked."""
    cursor = await tx.execute(
        f"SELECT {_OFFER} FROM offer WHERE sku_id = %s AND merchant_id = %s" + (" FOR UPDATE" if lock else ""),
        [sku_id, merchant_id],
    )
    row = await cursor.fetchone()
    return _offer(row) if row else None


async def set_offer(tx: Tx, offer: Offer) -> None:
    """New price and state of a locked offer."""
    cursor = await tx.execute(
        "UPDATE offer SET price_minor = %s, state = %s, version = version + 1 WHERE sku_id = %s AND merchant_id = %s",
        [offer.price_minor, offer.state, offer.sku_id, offer.merchant_id],
    )
    assert cursor.rowcount == 1


async def offers(tx: Tx, sku_ids: Sequence[UUID] | None) -> list[Offer]:
    """Offers of these SKUs, or all (None), cheapest first."""
    where = "" if sku_ids is None else " WHERE sku_id = ANY(%s)"
    cursor = await tx.execute(
        f"SELECT {_OFFER} FROM offer{where} ORDER BY sku_id, price_minor, merchant_id",
        [] if sku_ids is None else [list(sku_ids)],
    )
    return [_offer(row) for row in await cursor.fetchall()]


async def items(tx: Tx, sku_ids: Sequence[UUID] | None) -> list[Item]:
    """These SKUs with their goods, or all (None)."""
    where = "" if sku_ids is None else " WHERE s.sku_id = ANY(%s)"
    cursor = await tx.execute(
        f"SELECT {_ITEM} FROM sku s JOIN goods g USING (goods_id){where} ORDER BY s.number",
        [] if sku_ids is None else [list(sku_ids)],
    )
    return [Item(*row) for row in await cursor.fetchall()]


async def variants(tx: Tx, goods_id: UUID) -> list[Item]:
    """All variants of goods, in their order."""
    cursor = await tx.execute(
        f"SELECT {_ITEM} FROM sku s JOIN goods g USING (goods_id) WHERE g.goods_id = %s ORDER BY s.position, s.number",
        [goods_id],
    )
    return [Item(*row) for row in await cursor.fetchall()]


async def listing(
    tx: Tx, scene: str, categories: Sequence[str] | None, pattern: str | None, limit: int, offset: int
) -> list[Listed]:
    """Goods on sale in a scene, each by its cheapest offer, newest goods first."""
    cursor = await tx.execute(
        f"""
        SELECT * FROM (
            SELECT DISTINCT ON (g.goods_id) {_ITEM}, o.merchant_id, o.price_minor,
                   (SELECT count(*) FROM sku v WHERE v.goods_id = g.goods_id), g.added_at
            FROM goods g JOIN sku s USING (goods_id) JOIN offer o USING (sku_id)
            WHERE o.state = 'on_sale' AND NOT o.is_gift AND %(scene)s = ANY (o.scenes)
              AND (%(categories)s::text[] IS NULL OR g.category_code = ANY (%(categories)s))
              AND (%(pattern)s::text IS NULL OR g.name_zh ILIKE %(pattern)s OR g.name_en ILIKE %(pattern)s
                   OR s.variant_zh ILIKE %(pattern)s OR s.number = upper(trim('%%' FROM %(pattern)s)))
            ORDER BY g.goods_id, o.price_minor, o.merchant_id
        ) AS cheapest ORDER BY added_at DESC, goods_id LIMIT %(limit)s OFFSET %(offset)s""",
        {
            "scene": scene,
            "categories": None if categories is None else list(categories),
            "pattern": pattern,
            "limit": limit,
            "offset": offset,
        },
    )
    return [Listed(Item(*row[:12]), row[12], row[13], row[14]) for row in await cursor.fetchall()]


async def insert_history(
    tx: Tx, verb: str, by: By, rows: Sequence[tuple[UUID | None, UUID | None, dict[str, Any]]]
) -> None:
    """Keep changes of the catalogue: (sku id, merchant id, what changed)."""
    await (tx.cursor()).executemany(
        "INSERT INTO catalogue_history (history_id, sku_id, merchant_id, verb, detail, actor, why, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [(new_id(), sku, merchant, verb, Jsonb(detail), by.actor, by.why, by.at) for sku, merchant, detail in rows],
    )
