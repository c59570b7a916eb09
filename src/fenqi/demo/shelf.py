"""What can be bought where, as the simulation looks for it: offers on sale by scene and category."""

from __future__ import annotations

import random
from collections.abc import Sequence

from fenqi.catalog import Offer
from fenqi.demo.assumptions import CATEGORIES, SECOND_LINE, TWO_PIECES, Taste
from fenqi.flows.reference import Reference
from fenqi.flows.shop import Wish


class Shelf:
    """The offers that people choose from; made once for the whole simulation."""

    def __init__(self, reference: Reference) -> None:
        self._offers: dict[tuple[str, str], list[Offer]] = {}
        for offer in sorted(reference.offers.values(), key=lambda each: (each.sku_id, each.merchant_id)):
            if offer.state != "on_sale" or offer.deposit_minor is not None or offer.is_gift:
                continue
            if reference.policy.has_forbidden_word(reference.items[offer.sku_id].title_zh):
                continue
            for scene in offer.scenes:
                self._offers.setdefault((scene, reference.items[offer.sku_id].category), []).append(offer)

    def wishes(self, scene: str, rng: random.Random) -> list[Wish]:
        """One kind of goods or two of the same scene, mostly a single piece."""
        first = self._pick(scene, rng)
        chosen = [first]
        if rng.random() < SECOND_LINE:
            second = self._pick(scene, rng)
            if (second.sku_id, second.merchant_id) != (first.sku_id, first.merchant_id):
                chosen.append(second)
        return [Wish(o.sku_id, o.merchant_id, 2 if rng.random() < TWO_PIECES else 1) for o in chosen]

    def _pick(self, scene: str, rng: random.Random) -> Offer:
        tastes = [taste for taste in CATEGORIES if (scene, taste.name) in self._offers]
        return rng.choice(self._offers[scene, chosen(tastes, rng)])


def chosen(tastes: Sequence[Taste], rng: random.Random) -> str:
    """One of the names, by weight."""
    return rng.choices([taste.name for taste in tastes], [taste.weight for taste in tastes])[0]
