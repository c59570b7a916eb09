"""The process's copy of reference data: merchants, offers, categories, passages and the policy in force.

It is renewed by its epochs. That of the channels moves by itself (a breaker opens or closes), so only what rests on it
is read again then.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from uuid import UUID

from fenqi import catalog, credit, merchant, passage
from fenqi import policy as policies
from fenqi.catalog import CategoryTree, Item, Offer
from fenqi.credit import CreditProduct
from fenqi.database import reference_epoch
from fenqi.database.pool import Tx
from fenqi.merchant import Seller
from fenqi.passage import Health, Passage
from fenqi.policy import PolicyBook


@dataclass(frozen=True)
class Canary:
    """A version that decides for a share of the consumers."""

    book: PolicyBook
    share_ppm: int

    def has(self, consumer_id: UUID) -> bool:
        """Whether it decides for this consumer."""
        return policies.is_in_share(self.book.number, consumer_id, self.share_ppm)


@dataclass(frozen=True)
class Reference:
    """One consistent copy. `until_at` is when other versions of the policy decide: one that waits, or a canary."""

    epoch: int
    until_at: datetime | None
    policy: PolicyBook
    """The version that decides for everybody whom no canary decides for."""
    sellers: dict[UUID, Seller]
    offers: dict[tuple[UUID, UUID], Offer]
    items: dict[UUID, Item]
    tree: CategoryTree
    passages: tuple[Passage, ...] = ()
    healths: dict[UUID, Health] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    """The counters that `epoch` is the sum of."""
    product: CreditProduct = credit.PRODUCT
    canary: Canary | None = None
    """The version that decides for a share of the consumers just now."""

    def seen_by(self, consumer_id: UUID) -> Reference:
        """The copy with the policy that decides for this consumer."""
        if self.canary is None or not self.canary.has(consumer_id):
            return self
        return self._with_canary

    def policy_for(self, consumer_id: UUID) -> PolicyBook:
        """The version that decides for this consumer."""
        return self.seen_by(consumer_id).policy

    @cached_property
    def _with_canary(self) -> Reference:
        assert self.canary is not None
        return replace(self, policy=self.canary.book, canary=None)

    @cached_property
    def passages_of(self) -> dict[str, tuple[Passage, ...]]:
        """The passages of each channel that has any."""
        names = {each.channel for each in self.passages}
        return {name: tuple(each for each in self.passages if each.channel == name) for name in names}

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
    _compared_s: float = float("-inf")
    """When the copy was last compared with the epochs, on the monotonic clock."""

    def decides(self, number: str, consumer_id: UUID, now: datetime) -> bool:
        """Whether, as far as this process knows, a version is still the one that decides for a consumer."""
        kept = self.newest
        if kept is None or (kept.until_at is not None and now >= kept.until_at):
            return False
        return kept.policy_for(consumer_id).number == number

    @property
    def product(self) -> CreditProduct:
        """The credit product that new loans are made under."""
        return credit.PRODUCT if self.newest is None else self.newest.product

    async def current(self, tx: Tx, now: datetime) -> Reference:
        """The copy, read again when the epochs have moved on or another policy has come into force."""
        asked_s = time.monotonic()
        epochs = await reference_epoch.read_epochs(tx)
        current = await self._renewed(tx, now, epochs)
        self._compared_s = asked_s
        return current

    def read_within(self, seconds: float) -> Reference | None:
        """The copy, if it was the current one so recently."""
        return self.newest if time.monotonic() - self._compared_s <= seconds else None

    async def _renewed(self, tx: Tx, now: datetime, epochs: dict[str, int]) -> Reference:
        kept = self.newest
        if kept is None or (kept.until_at is not None and now >= kept.until_at):
            return await self._read(tx, now, epochs)
        moved = {kind for kind, epoch in epochs.items() if kept.epochs.get(kind) != epoch}
        if moved - {"channel", "risk"}:
            return await self._read(tx, now, epochs)
        if moved == {"risk"}:  # nothing of it is kept here: only what rests on the epoch is stale
            self.newest = replace(kept, epoch=sum(epochs.values()), epochs=epochs)
            return self.newest
        if moved:
            passages, healths = tuple(await passage.get_all(tx)), await passage.healths(tx)
            epoch = sum(epochs.values())
            self.newest = replace(kept, epoch=epoch, epochs=epochs, passages=passages, healths=healths)
            return self.newest
        return kept

    async def _read(self, tx: Tx, now: datetime, epochs: dict[str, int]) -> Reference:
        trial = await policies.canary_at(tx, now)
        self.newest = Reference(
            sum(epochs.values()),
            await policies.next_change_at(tx, now),
            PolicyBook(await policies.in_force(tx, now)),
            await merchant.sellers(tx),
            await catalog.offers(tx),
            await catalog.items(tx),
            await catalog.tree(tx),
            tuple(await passage.get_all(tx)),
            await passage.healths(tx),
            epochs,
            canary=None if trial is None or trial.share is None else Canary(PolicyBook(trial), trial.share.share_ppm),
        )
        return self.newest
