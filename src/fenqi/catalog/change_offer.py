"""Filling and changing the catalogue: categories, goods with variants, offers, prices. Each change is kept."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from fenqi.catalog.model import Category, Goods, Offer, OfferState, Sku
from fenqi.catalog.store import shelf
from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.kernel.by import By, check_why
from fenqi.kernel.money import check_amount_minor
from fenqi.kernel.refusal import NotFound, Refusal

SCENES = ("mall", "instalment_mall", "partner_store", "scan_to_pay")
DELIVERIES = ("express", "pick_up", "cash_on_delivery", "virtual")


async def add_categories(tx: Tx, categories: Sequence[Category], by: By) -> None:
    """Add nodes, parents before children; known codes are left as they are."""
    check_why(by.why)
    await shelf.insert_categories(tx, categories)
    await shelf.insert_history(tx, "add_categories", by, [(None, None, {"codes": [c.code for c in categories]})])
    await raise_epoch(tx, "catalogue")


async def add_goods(tx: Tx, goods: Sequence[Goods], skus: Sequence[Sku], by: By) -> None:
    """Add goods and their variants; known ids are left as they are."""
    check_why(by.why)
    await shelf.insert_goods(tx, goods)
    await shelf.insert_skus(tx, skus)
    await shelf.insert_history(tx, "add_goods", by, [(sku.sku_id, None, {"number": sku.number}) for sku in skus])
    await raise_epoch(tx, "catalogue")


async def put_offers(tx: Tx, offers: Sequence[Offer], by: By) -> None:
    """Put offers on the shelf, or give known ones new terms. Refuses terms that make no sense (OFFER_INVALID)."""
    check_why(by.why)
    for offer in offers:
        _check(offer)
    await shelf.upsert_offers(tx, offers)
    rows = [(o.sku_id, o.merchant_id, {"price_minor": o.price_minor, "state": o.state}) for o in offers]
    await shelf.insert_history(tx, "put_offer", by, rows)
    await raise_epoch(tx, "catalogue")


def _check(offer: Offer) -> None:
    if not (offer.is_gift and offer.price_minor == 0):
        check_amount_minor(offer.price_minor)
    if not offer.scenes or not set(offer.scenes) <= set(SCENES):
        raise Refusal("OFFER_INVALID", f"scenes must be among {', '.join(SCENES)}")
    if not offer.deliveries or not set(offer.deliveries) <= set(DELIVERIES):
        raise Refusal("OFFER_INVALID", f"deliveries must be among {', '.join(DELIVERIES)}")
    if (offer.deposit_minor is None) != (offer.tail_from_at is None):
        raise Refusal("OFFER_INVALID", "a presale has a deposit and the instant from which its tail is due")
    if offer.deposit_minor is not None and not 0 < offer.deposit_minor < offer.price_minor:
        raise Refusal("OFFER_INVALID", "the deposit is a part of the price")


async def change_price(tx: Tx, sku_id: UUID, merchant_id: UUID, price_minor: int, by: By) -> None:
    """Give an offer another price. Refuses an unknown offer (OFFER_UNKNOWN) and absurd amounts (AMOUNT_INVALID)."""
    check_amount_minor(price_minor)
    before = await _locked(tx, sku_id, merchant_id, by)
    await _set(tx, before, msgspec.structs.replace(before, price_minor=price_minor), "change_price", by)


async def set_on_sale(tx: Tx, sku_id: UUID, merchant_id: UUID, on_sale: bool, by: By) -> None:
    """Put an offer on the shelf or take it off. Refuses an unknown offer (OFFER_UNKNOWN)."""
    before = await _locked(tx, sku_id, merchant_id, by)
    state = OfferState.ON_SALE if on_sale else OfferState.OFF_SALE
    await _set(tx, before, msgspec.structs.replace(before, state=state), "set_on_sale", by)


async def _locked(tx: Tx, sku_id: UUID, merchant_id: UUID, by: By) -> Offer:
    check_why(by.why)
    offer = await shelf.offer(tx, sku_id, merchant_id, lock=True)
    if offer is None:
        raise NotFound("OFFER_UNKNOWN", "the seller doesn't offer these goods")
    return offer


async def _set(tx: Tx, before: Offer, after: Offer, verb: str, by: By) -> None:
    if after == before:
        return
    await shelf.set_offer(tx, after)
    detail = {"from": [before.price_minor, before.state], "to": [after.price_minor, after.state]}
    await shelf.insert_history(tx, verb, by, [(after.sku_id, after.merchant_id, detail)])
    await raise_epoch(tx, "catalogue")
