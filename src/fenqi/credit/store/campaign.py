"""SQL about what others paid so that buyers pay no fee."""

from __future__ import annotations

from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of


async def uses(tx: Tx, consumer_id: UUID) -> dict[str, int]:
    """How many of the consumer's loans somebody else pays the fee of, by plan."""
    rows = await tx.execute(
        "SELECT plan, count(*) FROM loan WHERE bucket = %s AND consumer_id = %s AND subsidy_minor > 0 GROUP BY plan",
        [bucket_of(consumer_id), consumer_id],
    )
    return {row[0]: row[1] for row in await rows.fetchall()}


async def spent(tx: Tx) -> dict[str, int]:
    """What has been paid in all instead of buyers, by plan: a report over all consumers."""
    rows = await tx.execute("SELECT plan, sum(subsidy_minor)::bigint FROM loan WHERE subsidy_minor > 0 GROUP BY plan")
    return {row[0]: row[1] for row in await rows.fetchall()}
