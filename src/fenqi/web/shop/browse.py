"""What the shop's lists share: the reference copy, cards of goods with their price per period, the category icons."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from fenqi.catalog import Listed
from fenqi.flows.reference import Reference
from fenqi.web.page import Visit
from fenqi.web.shop.plan_price import Priced, best_of, plans_for

SCENES = ("instalment_mall", "mall", "partner_store", "scan_to_pay")
"""In the order in which the shop shows them; the first is where one starts."""

ICONS = {
    "digital": "phone",
    "appliance": "appliance",
    "small_appliance": "kitchen",
    "furniture": "sofa",
    "home_improvement": "home",
    "apparel": "shirt",
    "beauty": "beauty",
    "baby": "baby",
    "sport": "sport",
    "grocery": "food",
    "gold": "gold",
    "gift_card": "gift",
    "topup": "topup",
    "virtual": "topup",
}
"""By the code of a root category; another one gets a box."""


async def reference_of(visit: Visit) -> Reference:
    """The process's copy of reference data, as of now, with the policy that decides for whoever looks."""
    async with visit.context.database.autocommit() as tx:
        ref = await visit.context.reference.current(tx, visit.context.now())
    return ref if visit.consumer is None else ref.seen_by(visit.consumer_id)


def scene_of(visit: Visit) -> str:
    """The scene that the address names; the instalment mall otherwise."""
    chosen = visit.query("scene")
    return chosen if chosen in SCENES else SCENES[0]


def bests(visit: Visit, ref: Reference, cards: Iterable[Listed], scene: str) -> dict[UUID, Priced]:
    """By SKU, the plan shown on its card."""
    now = visit.context.now()
    priced = {
        card.item.sku_id: best_of(plans_for(ref, scene, card.item.category, card.merchant_id, card.price_minor, now))
        for card in cards
    }
    return {sku: best for sku, best in priced.items() if best is not None}
