"""The clockwork: orders past their deadline expire, stock held for nobody goes back, temporary limits lapse."""

from __future__ import annotations

from fenqi import catalog, order
from fenqi.flows import manage_line
from fenqi.flows.context import Context
from fenqi.kernel.ids import BUCKETS


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
    return lapsed + await manage_line.expire_limits(ctx, 0, BUCKETS - 1)
