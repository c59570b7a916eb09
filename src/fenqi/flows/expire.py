"""The clockwork: orders past their deadline expire, what is held for nobody goes back, temporary limits lapse."""

from __future__ import annotations

from contextlib import suppress

from fenqi import catalog, credit, order
from fenqi.flows import manage_line
from fenqi.flows.context import Context
from fenqi.kernel.ids import BUCKETS
from fenqi.kernel.refusal import Conflict
from fenqi.ledger import holds


async def tick(ctx: Context) -> int:
    """One pass over all buckets; how many orders, reservations and limits lapsed. Any number of processes may tick."""
    by = ctx.by_system("clockwork", "the deadline has passed")
    async with ctx.database.snapshot() as tx:
        with_orders, with_stock = await order.buckets_due(tx, by.at), await catalog.buckets_due(tx, by.at)
    lapsed = 0
    for bucket in with_orders:
        async with ctx.database.transaction() as tx:
            lapsed += len(await order.expire_due(tx, bucket, by))
    for bucket in with_stock:
        async with ctx.database.transaction() as tx:
            lapsed += await catalog.release_expired(tx, bucket, by)
    lapsed += await _release_holds(ctx)
    return lapsed + await manage_line.expire_limits(ctx, 0, BUCKETS - 1)


async def _release_holds(ctx: Context) -> int:
    """Give back what authorisations hold that nobody has settled by the day that buyers are told."""
    now = ctx.now()
    async with ctx.database.snapshot() as tx:
        stale = await holds.stale(tx, now - credit.HOLD)
    for consumer_id, hold_id in stale:
        with suppress(Conflict):  # settled this moment
            async with ctx.database.transaction() as tx:
                await holds.release(tx, consumer_id, hold_id, now)
    return len(stale)
