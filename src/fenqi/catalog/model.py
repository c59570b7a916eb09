"""The catalogue: categories, goods and their variants (SKU), offers of sellers, and the sellers' stock.

Goods are what people search, a SKU is what they get, an offer is what a merchant asks for it in which scenes.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class OfferState(StrEnum):
    """Whether an offer can be bought."""

    ON_SALE = "on_sale"
    OFF_SALE = "off_sale"


class Category(msgspec.Struct, frozen=True):
    """A node of the category tree."""

    code: str
    parent_code: str | None
    name_zh: str
    name_en: str
    position: int


class Goods(msgspec.Struct, frozen=True):
    """Goods as people search them, whatever the variant and the seller."""

    goods_id: UUID
    category: str
    name_zh: str
    name_en: str
    about_zh: str
    about_en: str
    is_virtual: bool
    added_at: datetime


class Sku(msgspec.Struct, frozen=True):
    """One variant of goods. `colour` is "#rrggbb"; `number` is what people see."""

    sku_id: UUID
    goods_id: UUID
    number: str
    variant_zh: str
    variant_en: str
    colour: str
    position: int


class Item(msgspec.Struct, frozen=True):
    """A SKU together with its goods."""

    sku_id: UUID
    goods_id: UUID
    number: str
    category: str
    name_zh: str
    name_en: str
    about_zh: str
    about_en: str
    variant_zh: str
    variant_en: str
    colour: str
    is_virtual: bool

    @property
    def title_zh(self) -> str:
        """Name and variant, as an order line shows it."""
        return f"{self.name_zh} {self.variant_zh}".strip()

    @property
    def title_en(self) -> str:
        """Name and variant in English."""
        return f"{self.name_en}, {self.variant_en}" if self.variant_en else self.name_en


class Offer(msgspec.Struct, frozen=True):
    """A SKU from a merchant: the price of one piece, in which scenes, delivered how, and what is special about it."""

    sku_id: UUID
    merchant_id: UUID
    state: OfferState
    price_minor: int
    scenes: tuple[str, ...]
    deliveries: tuple[str, ...] = ("express",)
    is_gift: bool = False
    is_cross_border: bool = False
    is_subscription: bool = False
    is_trade_in_subsidised: bool = False
    deposit_minor: int | None = None
    """In a presale: the part of the price due now; the tail from `tail_from_at`."""
    tail_from_at: datetime | None = None
    version: int = 1


class Listed(msgspec.Struct, frozen=True):
    """A card in a list of goods: its cheapest offer and how many variants there are."""

    item: Item
    merchant_id: UUID
    price_minor: int
    variants: int


class Product(msgspec.Struct, frozen=True):
    """Everything a product page shows: the goods' variants, the offers on sale in the scene, and pieces free to buy."""

    items: tuple[Item, ...]
    offers: tuple[Offer, ...]
    free: dict[tuple[UUID, UUID], int]
    """(sku id, merchant id) → pieces that can be reserved now."""


class Wanted(msgspec.Struct, frozen=True):
    """Stock wanted for an order line."""

    line_id: UUID
    sku_id: UUID
    quantity: int


class Reservation(msgspec.Struct, frozen=True):
    """Stock held for an order line."""

    line_id: UUID
    sku_id: UUID
    quantity: int
    state: str
    """held | consumed | released"""


class StockChange(msgspec.Struct, frozen=True):
    """One change of a seller's stock of a SKU."""

    sku_id: UUID
    verb: str
    on_hand: int
    reserved: int
    line_id: UUID | None = None
