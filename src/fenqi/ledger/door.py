"""The only way into the ledger: `post_batch` takes journals of any consumers and gives a verdict for each.

One call is one SQL function in the caller's transaction; see `migrations/versions/0002_ledger/post_batch.sql`.
"""

from __future__ import annotations

from collections.abc import Sequence

from fenqi.database.pool import Tx
from fenqi.ledger.batch import pack
from fenqi.ledger.model import Bound, Outcome, PostingItem, Verdict

_POSTED = Verdict(Outcome.POSTED)
_CALL = f"SELECT * FROM ledger_post_batch({', '.join(['%b'] * 22)})"


async def post_batch(tx: Tx, items: Sequence[PostingItem]) -> list[Verdict]:
    """Post the items in order of arrival, each as a whole or not at all; one verdict per item, in order.

    A refused item never aborts the others. Nothing is committed here. An item that is not a journal (it does not
    balance within each book, its legs are not those of its entries) is a bug: MalformedJournal is raised before
    anything is written. Locks rows, see `locks`; on a deadlock or a unique clash run the transaction again.
    """
    return await _call(tx, items, limits_elsewhere=False)


async def post(tx: Tx, item: PostingItem) -> Verdict:
    """A batch of one."""
    (verdict,) = await _call(tx, [item], limits_elsewhere=False)
    return verdict


async def post_held(tx: Tx, item: PostingItem) -> Verdict:
    """Post a journal whose limits a hold has set aside; only `holds.commit`, which moves them, may call this."""
    (verdict,) = await _call(tx, [item], limits_elsewhere=True)
    return verdict


async def _call(tx: Tx, items: Sequence[PostingItem], *, limits_elsewhere: bool) -> list[Verdict]:
    if not items:
        return []
    cursor = await tx.execute(_CALL, pack(items, limits_elsewhere=limits_elsewhere))
    verdicts = [_POSTED] * len(items)
    for item, repeated, outcome, path, bound, room_minor in await cursor.fetchall():
        verdicts[item - 1] = Verdict(Outcome(outcome), repeated, path, bound and Bound(bound), room_minor)
    return verdicts
