"""The process's copy of reference data: merchants, offers, categories, passages and the policy in force.

It is renewed by its epoch, which a breaker that opens or closes raises, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from uuid import UUID

from fenqi import catalog, credit, merchant, passage, risk
from fenqi.catalog import CategoryTree, Item, Offer
from fenqi.credit import CreditProduct
from fenqi.database import reference_epoch
from fenqi.database.pool import Tx
from fenqi.merchant import Seller
from fenqi.passage import Health, Passage
from fenqi.risk import PolicyBook


@dataclass(frozen=True)
class Reference:
    """One consistent copy. `until_at` is when a policy that waits takes over."""

    epoch: int
    until_at: datetime | None
    policy: PolicyBook
    sellers: dict[UUID, Seller]
    offers: dict[tuple[UUID, UUID], Offer]
    items: dict[UUID, Item]
    tree: CategoryTree
    passages: tuple[Passage, ...] = ()
    healths: dict[UUID, Health] = field(default_factory=dict)
    product: CreditProduct = credit.PRODUCT

    @cached_property
    def offers_of_sku(self) -> dict[UUID, tuple[Offer, ...]]:
        """Every offer of a SKU, cheapest first."""
        found: dict[UUID, list[Offer]] = {}
        for offer in self.offers.values():
            found.setdefault(offer.sku_id, []).append(offer)
        return {sku: tuple(sorted(some, key=lambda o: o.price_minor)) for sku, some in found.items()}


@dataclass
class ReferenceCache:
    """The newest copy this process has."""

    newest: Reference | None = field(default=None)

    @property
    def product(self) -> CreditProduct:
        """The credit product that new loans are made under."""
        return credit.PRODUCT if self.newest is None else self.newest.product

    @property
    def late_success(self) -> str:
        """return | revive: the policy for a channel's money that comes for an order that has lapsed."""
        return "return" if self.newest is None else self.newest.policy.numbers.late_success

    async def current(self, tx: Tx, now: datetime) -> Reference:
        """The copy, read again when the epoch has moved on or another policy has come into force."""
        epoch = await reference_epoch.read_epoch(tx)
        kept = self.newest
        if kept is not None and kept.epoch == epoch and (kept.until_at is None or now < kept.until_at):
            return kept
        self.newest = Reference(
            epoch,
            await risk.next_effective_at(tx, now),
            PolicyBook(await risk.in_force(tx, now)),
            await merchant.sellers(tx),
            await catalog.offers(tx),
            await catalog.items(tx),
            await catalog.tree(tx),
            tuple(await passage.get_all(tx)),
            await passage.healths(tx),
        )
        return self.newest
