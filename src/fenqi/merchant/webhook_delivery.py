"""Carrying events to endpoints: a delivery is leased to one process, tried, and moved on by what was heard.

A lease that runs out (its process was killed, or is stuck) lets another process try again: at least once, never
less. What a late process still has to say counts only when it is that the receiver has the event.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.merchant import store
from fenqi.merchant.webhook import give_up_endpoint
from fenqi.merchant.webhook_model import (
    DISABLED_AFTER,
    LEASE,
    Claimed,
    Delivery,
    DeliveryState,
    Heard,
    next_wait,
)


async def webhook_buckets_due(tx: Tx, at: datetime) -> list[int]:
    """Buckets of merchants for whom something is due."""
    return await store.delivery.buckets_due(tx, at)


async def claim_deliveries(
    tx: Tx, bucket: int, at: datetime, limit: int, most_each: int, but: Sequence[UUID] = ()
) -> list[Claimed]:
    """Lease up to `limit` due deliveries of a bucket, at most `most_each` for one endpoint, none for those in `but`.

    A later event of a payment waits until the earlier one was delivered or given up.
    """
    return await store.delivery.claim(tx, bucket, at, at + LEASE, limit, most_each, but)


async def record_try(tx: Tx, claimed: Claimed, heard: Heard, at: datetime, chance: float) -> DeliveryState:
    """Keep what a try came to, and where the delivery stands now. `chance` in [0, 1) spreads the next try."""
    if heard.taken:
        await store.endpoint.note_success(tx, claimed.merchant_id, claimed.endpoint_id)
    elif claimed.is_open:
        await _failed(tx, claimed, heard, at)
    delivery = await store.delivery.lock(tx, claimed.merchant_id, claimed.endpoint_id, claimed.event_id)
    assert delivery is not None, "a delivery is never deleted"
    await store.delivery.end_try(tx, claimed, heard, at)
    to_state, next_at = _after(delivery, claimed, heard, at, chance)
    if to_state is not None:
        await store.delivery.settle(tx, delivery, to_state, at, next_at, heard.status)
    return to_state or delivery.state


def _after(
    delivery: Delivery, claimed: Claimed, heard: Heard, at: datetime, chance: float
) -> tuple[DeliveryState | None, datetime]:
    """Where a delivery goes from here, and when it is due again; None: nowhere, another's word stands."""
    if delivery.state is DeliveryState.DELIVERED:
        return None, at
    if heard.taken:
        return DeliveryState.DELIVERED, at
    if claimed.try_no != delivery.tries:
        return None, at
    if delivery.state is not DeliveryState.PENDING:
        return delivery.state, at
    if not claimed.is_open:
        return DeliveryState.FAILED, at
    wait = next_wait(delivery.rung, chance)
    return (DeliveryState.GIVEN_UP, at) if wait is None else (DeliveryState.PENDING, at + wait)


async def _failed(tx: Tx, claimed: Claimed, heard: Heard, at: datetime) -> None:
    """Note since when the endpoint fails; give it up when it is gone, or has failed for days."""
    await store.endpoint.note_failure(tx, claimed.merchant_id, claimed.endpoint_id, at)
    why = "the endpoint answered 410 Gone"
    if not heard.gone:
        endpoint = await store.endpoint.endpoint(tx, claimed.merchant_id, claimed.endpoint_id)
        since_at = None if endpoint is None else endpoint.failing_since_at
        if since_at is None or at - since_at < DISABLED_AFTER:
            return
        why = f"nothing has succeeded since {since_at:%Y-%m-%d %H:%M} UTC"
    by = By("system:webhook", why, at)
    await give_up_endpoint(tx, claimed.merchant_id, claimed.endpoint_id, by)
