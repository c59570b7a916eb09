"""The order in which the ledger takes its locks; whoever follows it never deadlocks with another.

1. what the caller locks before (orders, loans: the flow's own order)
2. `limit_hold` rows of one hold, in order of path            (`hold_rows`)
3. `journal` claims, in order of (bucket, consumer, journal)   (the door; a claim under way elsewhere is waited for)
4. `limit_account` rows, in order of (bucket, consumer, path)  (the door, `accounts`)
5. what is only inserted afterwards: entries, outbox

One call of the door a transaction: a second one would claim journals (3) while holding limits (4). It is safe only
where nobody else can claim the same journal ids or hold the same consumer's limits first.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.ledger.limit import LimitAccount


async def hold_rows(tx: Tx, consumer_id: UUID, hold_id: UUID, *, lock: bool = True) -> list[tuple[str, int, str]]:
    """Lock a hold: (path, amount_minor, state) of its rows, in order of path; empty when there is no such hold."""
    rows = await tx.execute(
        "SELECT path, amount_minor, state FROM limit_hold WHERE bucket = %s AND consumer_id = %s AND hold_id = %s"
        " ORDER BY path" + (" FOR NO KEY UPDATE" if lock else ""),
        [bucket_of(consumer_id), consumer_id, hold_id],
    )
    return [(path, amount_minor, state) for path, amount_minor, state in await rows.fetchall()]


async def accounts(tx: Tx, consumer_id: UUID, paths: Sequence[str]) -> dict[str, LimitAccount]:
    """Lock limit accounts of one consumer in order of path; those that exist, by path."""
    rows = await tx.execute(
        "SELECT path, balance_minor, reserved_minor, ceiling_minor, day_on, day_minor, month_on, month_minor, version"
        " FROM limit_account WHERE bucket = %s AND consumer_id = %s AND path = ANY(%s)"
        " ORDER BY path FOR NO KEY UPDATE",
        [bucket_of(consumer_id), consumer_id, list(paths)],
    )
    return {row[0]: LimitAccount(*row) for row in await rows.fetchall()}
