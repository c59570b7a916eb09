"""Goods made from the shelves: the same every time for the same seed, at log-normal prices that end as prices end."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from fenqi.catalog import Goods, Offer, OfferState, Sku
from fenqi.seed.ident import seed_id
from fenqi.seed.shelf import BRANDS, SHELVES, Shelf, Words
from fenqi.seed.shops import BY_CODE

SEED = 20_260_101
_COLOURS = (
    "#2f6f73", "#a8453a", "#3b5b92", "#8a6d3b", "#5b7f4a", "#7a4b7c",
    "#c07a3e", "#41535f", "#b0576f", "#2e7d9a", "#6b6f2a", "#4e5aa8",
)  # fmt: skip
_GOLD = "#c9a227"
_NAMED = {
    "雾白": "#a9b4b6", "岩黑": "#3d434a", "湖蓝": "#2e7d9a", "燕麦色": "#c3ab84", "苔绿": "#66743f",
    "01 枫叶": "#b0472f", "02 豆沙": "#b07578",
}  # fmt: skip
"""Variants that are named after a colour have it."""


class Stocked(NamedTuple):
    """The mall's shelves, filled."""

    goods: tuple[Goods, ...]
    skus: tuple[Sku, ...]
    offers: tuple[Offer, ...]
    stock: dict[UUID, dict[UUID, int]]
    """merchant id → sku id → pieces."""


def stocked(at: datetime, seed: int = SEED, pieces: int = 5_000, *, presale_from: datetime | None = None) -> Stocked:
    """All goods with variants, offers and stock; new ones were added over the year before `at`.

    The presale's final payment opens two weeks after `presale_from`.
    """
    rng = random.Random(seed)
    goods: list[Goods] = []
    skus: list[Sku] = []
    offers: list[Offer] = []
    for place, shelf in enumerate(SHELVES):
        for number in range(shelf.goods):
            one = _goods(shelf, f"{place}/{number}", number, at - timedelta(hours=rng.randrange(1, 8_000)), rng)
            variants = _skus(shelf, one, f"{place:02d}{number:02d}", rng)
            goods.append(one)
            skus += variants
            offers += _offers(shelf, number, variants, rng)
    for extra in _special(at, presale_from or at):
        goods.append(extra[0])
        skus.append(extra[1])
        offers.append(extra[2])
    return Stocked(tuple(goods), tuple(skus), tuple(offers), _stock(offers, pieces, rng))


def _goods(shelf: Shelf, key: str, number: int, added_at: datetime, rng: random.Random) -> Goods:
    brand, line = rng.choice(BRANDS), shelf.lines[number % len(shelf.lines)]
    model = 1 + number // len(shelf.lines)
    zh = f"{brand[0]} {line[0]} {model} {shelf.noun[0]}"
    en = f"{brand[1]} {line[1]} {model} {shelf.noun[1]}"
    about = _about(shelf.noun, brand)
    return Goods(seed_id("goods", key), shelf.category, zh, en, *about, "virtual" in shelf.flags, added_at)


def _about(noun: Words, brand: Words) -> Words:
    return (
        f"{brand[0]}出品的{noun[0]}，演示商品，支持七天无理由退货（虚拟商品除外）。",
        f"{noun[1].capitalize()} by {brand[1]}. Demonstration goods, returns within seven days (not virtual ones).",
    )


def _skus(shelf: Shelf, goods: Goods, number: str, rng: random.Random) -> list[Sku]:
    own = _GOLD if shelf.category in ("gold_bar", "jewellery") else rng.choice(_COLOURS)
    return [
        Sku(
            seed_id("sku", f"{goods.goods_id}/{place}"),
            goods.goods_id,
            f"SKU{number}{place}",
            *variant,
            _NAMED.get(variant[0], own),
            place,
        )
        for place, variant in enumerate(shelf.variants)
    ]


def _offers(shelf: Shelf, number: int, skus: list[Sku], rng: random.Random) -> list[Offer]:
    base_yuan = shelf.median_yuan * math.exp(rng.gauss(0, 1) * shelf.sigma)
    offers = []
    for place, sku in enumerate(skus):
        yuan = base_yuan * (1 + shelf.step * place)
        for rank, code in enumerate(shelf.sellers):
            if rank and (number + rank) % 2:
                continue
            offers.append(_offer(shelf, sku, code, yuan * (1 + rng.uniform(-0.03, 0.03) * rank), rank))
    return offers


def _offer(shelf: Shelf, sku: Sku, code: str, yuan: float, rank: int) -> Offer:
    virtual = "virtual" in shelf.flags
    scan = "scan_to_pay" in shelf.scenes
    return Offer(
        sku.sku_id,
        BY_CODE[code].merchant_id,
        OfferState.ON_SALE,
        price_minor(yuan),
        shelf.scenes,
        ("virtual",) if virtual else ("pick_up",) if scan else ("express", "pick_up", "cash_on_delivery"),
        is_cross_border="cross_border" in shelf.flags,
        is_subscription="subscription" in shelf.flags,
        is_trade_in_subsidised="trade_in" in shelf.flags and rank == 0,
    )


def price_minor(yuan: float) -> int:
    """A price as shops write it, in fen: …99 yuan from 1,000 on, …9 from 100 on, …9 jiao below."""
    if yuan >= 1_000:
        return max(999, round(yuan / 100) * 100 - 1) * 100
    if yuan >= 100:
        return max(99, round(yuan / 10) * 10 - 1) * 100
    return max(1, round(yuan)) * 100 - 10


def _special(at: datetime, presale_from: datetime) -> list[tuple[Goods, Sku, Offer]]:
    """Goods that only exist for a rule: a presale, a free gift, a title that channels block, one that is sold out."""
    tail_from_at = presale_from + timedelta(days=14)
    phone, gift = (
        ("澄屿 未来 1 手机（预售）", "Chengyu Next 1 phone (presale)"),
        ("澄屿 手机壳（赠品）", "Chengyu phone case (gift)"),
    )
    word, gone = (
        ("补差价专拍（代付返现）", "Price difference (cash back)"),
        ("鹿吟 绝响 1 降噪耳机", "Luyin Swansong 1 headphones"),
    )
    return [
        _one("presale", "phone", phone, "xingye", 459_900, at, deposit_minor=20_000, tail_from_at=tail_from_at),
        _one("gift", "phone", gift, "fenqi", 0, at, is_gift=True),
        _one("word", "audio", word, "xingye", 4_990, at),
        _one("gone", "audio", gone, "fenqi", 89_900, at),
    ]


def _one(
    key: str, category: str, name: Words, code: str, price: int, at: datetime, *, is_gift: bool = False,
    deposit_minor: int | None = None, tail_from_at: datetime | None = None,
) -> tuple[Goods, Sku, Offer]:  # fmt: skip
    goods = Goods(seed_id("goods", key), category, *name, "演示商品。", "Demonstration goods.", False, at)
    sku = Sku(seed_id("sku", key), goods.goods_id, f"SKU9{key.upper()}", "", "", _COLOURS[len(key)], 0)
    offer = Offer(
        sku.sku_id, BY_CODE[code].merchant_id, OfferState.ON_SALE, price, ("mall", "instalment_mall"),
        is_gift=is_gift, deposit_minor=deposit_minor, tail_from_at=tail_from_at,
    )  # fmt: skip
    return goods, sku, offer


SOLD_OUT = seed_id("sku", "gone")
PRESALE = seed_id("sku", "presale")
GIFT = seed_id("sku", "gift")
BLOCKED_TITLE = seed_id("sku", "word")


def _stock(offers: list[Offer], pieces: int, rng: random.Random) -> dict[UUID, dict[UUID, int]]:
    stock: dict[UUID, dict[UUID, int]] = {}
    for offer in offers:
        if offer.sku_id != SOLD_OUT:
            stock.setdefault(offer.merchant_id, {})[offer.sku_id] = pieces + rng.randrange(100)
    return stock
