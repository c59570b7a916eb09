"""Telling a partner: a notice is leased to one process, sent, and moved on by what was heard.

A lease that runs out (its process was killed, or is stuck) lets another process send it again: at least once. Told as
often as the ladder has rungs, it is given up; the partner can still ask.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.jeepay import store
from fenqi.jeepay.model import LADDER, LEASE, SAID_MOST, Claimed, NewNotice, Notice, NoticeState


async def tell(tx: Tx, new: NewNotice) -> None:
    """Let it be sent, at once; a repeat changes nothing."""
    await store.insert_notice(tx, new)


async def notices_of(tx: Tx, merchant_id: UUID, subject_id: UUID) -> list[Notice]:
    """What was or is to be told of a pay order or a refund, oldest first."""
    return await store.notices_of(tx, merchant_id, subject_id)


async def notice_buckets_due(tx: Tx, at: datetime) -> list[int]:
    """Buckets of partners for whom something is due."""
    return await store.buckets_due(tx, at)


async def claim_notices(tx: Tx, bucket: int, at: datetime, limit: int) -> list[Claimed]:
    """Lease up to `limit` due notices of a bucket."""
    return await store.claim(tx, bucket, at, at + LEASE, limit)


async def record_notice(
    tx: Tx, claimed: Claimed, is_taken: bool, at: datetime, status: int | None, said: str
) -> NoticeState:
    """Keep what a try came to: taken, due again after the ladder's wait, or given up."""
    to_state, next_at = NoticeState.TAKEN, at
    if not is_taken:
        goes_on = claimed.try_no < len(LADDER)
        to_state = NoticeState.PENDING if goes_on else NoticeState.GIVEN_UP
        next_at = at + LADDER[claimed.try_no] if goes_on else at
    await store.settle(tx, claimed, to_state, at, next_at, status, said.replace("\0", "")[:SAID_MOST])
    return to_state
