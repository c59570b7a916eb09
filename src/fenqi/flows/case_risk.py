"""Cases and the risk database: what people decide becomes known there, and an appeal that is upheld lifts lists."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fenqi import risk
from fenqi.database.pool import Tx
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.risk import Subject


def _consumer(consumer_id: UUID) -> Subject:
    return Subject("consumer", consumer_id)


async def cleared(
    tx: Tx,
    consumer_id: UUID,
    about: str,
    until_at: datetime | None,
    case_id: UUID,
    by: By,
    most_minor: int | None = None,
) -> None:
    """A person found nothing against it; `about` is the order, or the consumer for everything until then, up to the
    amount that was looked at where it was one."""
    await risk.record_review(tx, consumer_id, about, "cleared", until_at, by, most_minor)
    await risk.record_outcome(tx, _consumer(consumer_id), "cleared", by, str(case_id))


async def confirmed(tx: Tx, consumer_id: UUID, about: str, case_id: UUID, by: By) -> None:
    """A person confirmed the suspicion: a fraud, as far as the risk database goes."""
    await risk.record_review(tx, consumer_id, about, "confirmed", None, by)
    await risk.record_outcome(tx, _consumer(consumer_id), "fraud", by, str(case_id))


async def complaint_upheld(tx: Tx, subject: Subject, case_id: UUID, by: By) -> None:
    """A complaint was right: known of the seller, where it is about one."""
    await risk.record_outcome(tx, subject, "complaint_upheld", by, str(case_id))


async def lift_blocks(tx: Tx, consumer_id: UUID, by: By) -> int:
    """Take the consumer off the lists that stop or watch them; from how many."""
    held = [one for one in await risk.lists.listed(tx, [consumer_id]) if one.list in ("block", "watch")]
    for one in held:
        await risk.lists.remove(tx, _consumer(consumer_id), one.list, by)
    return len(held)


async def lists_of(ctx: Context, tx: Tx, consumer_id: UUID) -> tuple[str, ...]:
    """The lists that the consumer is on now."""
    now = ctx.now()
    return tuple(sorted(one.list for one in await risk.lists.listed(tx, [consumer_id]) if one.holds(now)))
