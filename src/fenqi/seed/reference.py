"""Everything that changes rarely, in one go: merchants, categories, goods with offers and stock, the first policy."""

from __future__ import annotations

from datetime import datetime

from fenqi import catalog
from fenqi import policy as policies
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.seed.goods import stocked
from fenqi.seed.house_rules import with_house_rules
from fenqi.seed.ident import seed_id
from fenqi.seed.shops import BY_CODE, SPONSOR, let_shops_be, seed_shops
from fenqi.seed.tree import categories

POLICY_NUMBER = "2026-1"


async def reference(
    tx: Tx,
    at: datetime,
    owner_hashes: tuple[bytes, ...] = (),
    *,
    as_of: datetime | None = None,
    with_states: bool = True,
) -> None:
    """Seed reference data as of `at`; `owner_hashes` are the persons who own the self-dealing shop.

    What has an end of its own (frozen shops, the presale) counts from `as_of`, when the demo's past ends later than
    it begins. Without `with_states` all shops are active until `let_shops_be`. A second call finds the policy there
    and changes nothing but owners and states.
    """
    by = By("system:seed", "the demo's first data", at)
    await seed_shops(tx, by, owner_hashes)
    if with_states:
        await let_shops_be(tx, By(by.actor, by.why, as_of or at))
    if any(version.number == POLICY_NUMBER for version in await policies.versions(tx)):
        return
    await catalog.add_categories(tx, categories(), by)
    shelves = stocked(at, presale_from=as_of or at)
    await catalog.add_goods(tx, shelves.goods, shelves.skus, by)
    await catalog.put_offers(tx, shelves.offers, by)
    for merchant_id, quantities in shelves.stock.items():
        await catalog.receive(tx, merchant_id, quantities, by)
    await _policy(tx, at)


async def _policy(tx: Tx, at: datetime) -> None:
    codes = policies.Known({category.code for category in categories()})
    policy_id = seed_id("policy", POLICY_NUMBER)
    document = with_house_rules(policies.default_document(at, BY_CODE[SPONSOR].merchant_id))
    maker = By("system:seed-maker", "the first policy", at)
    checker = By("system:seed-checker", "checked against the dictionary", at)
    await policies.draft(tx, policy_id, POLICY_NUMBER, document, maker)
    await policies.submit(tx, policy_id, 1, codes, maker)
    await policies.publish(tx, policy_id, 1, at, codes, checker)
