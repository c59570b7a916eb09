"""The demo's reference data stands in a real database: every kind and state, and twice is the same as once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from fenqi import catalog, merchant, seed
from fenqi import policy as policies
from fenqi.database.reference_epoch import read_epoch
from fenqi.merchant import MerchantKind, MerchantState

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)


def test_reference_is_seeded_once(fresh_database, run):
    async def verb():
        async with fresh_database.transaction() as tx:
            await seed.reference(tx, AT)
            first = await read_epoch(tx)
        async with fresh_database.transaction() as tx:
            await seed.reference(tx, AT)
            merchants = await merchant.get_all(tx)
            items = await catalog.items(tx)
            offers = await catalog.offers(tx)
            policy = await policies.in_force(tx, AT)
            return first, await read_epoch(tx), merchants, items, offers, policy

    first, second, merchants, items, offers, policy = run(verb())
    assert first == second
    assert {m.state for m in merchants} == set(MerchantState)
    assert {m.kind for m in merchants} == set(MerchantKind)
    assert len(merchants) == len(seed.SHOPS) == 22
    assert len(items) == 368
    assert max(Counter(sku for sku, _ in offers).values()) == 2
    assert policy.number == "2026-1"
    assert policies.faults(policy.document, {c.code for c in seed.categories()}) == []
