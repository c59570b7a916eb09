"""Telling merchants: events are numbered within their payment and put on their way to every endpoint that wants them.

A merchant without endpoints is told nothing and nothing is kept for it: its events begin with its first endpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.merchant import store
from fenqi.merchant.share import check_page
from fenqi.merchant.webhook import endpoint_of
from fenqi.merchant.webhook_model import Delivery, Endpoint, EndpointState, Event, NewEvent, Try

REPLAY_MOST = 10_000


async def tell(tx: Tx, new: Sequence[NewEvent]) -> list[Event]:
    """Keep events for merchants that have endpoints, and let them be sent; those that are new, in order.

    Events of one payment come in their order, one caller at a time (the relay's); a repeat changes nothing.
    """
    if not new:
        return []
    endpoints: dict[UUID, list[Endpoint]] = {}
    for endpoint in await store.endpoint.of_merchants(tx, sorted({one.merchant_id for one in new})):
        endpoints.setdefault(endpoint.merchant_id, []).append(endpoint)
    fresh = await _fresh(tx, [one for one in new if one.merchant_id in endpoints])
    if not fresh:
        return []
    events = await _numbered(tx, fresh)
    await store.event.insert(tx, events)
    wanted = [
        (endpoint.endpoint_id, event)
        for event in events
        for endpoint in endpoints[event.merchant_id]
        if endpoint.state is EndpointState.ACTIVE and endpoint.wants(event.type)
    ]
    if wanted:
        await store.delivery.insert(tx, wanted)
    return events


async def tell_one(tx: Tx, endpoint: Endpoint, new: NewEvent) -> Event:
    """Keep an event that belongs to no payment, for one endpoint alone (a test); refuses WEBHOOK_DISABLED."""
    _check_active(endpoint)
    event = Event(new.merchant_id, new.event_id, new.type, None, 1, new.made_at, new.body)
    await store.event.insert(tx, [event])
    await store.delivery.insert(tx, [(endpoint.endpoint_id, event)])
    return event


async def replay_events(tx: Tx, merchant_id: UUID, endpoint_id: UUID, event_ids: Sequence[UUID], by: By) -> list[UUID]:
    """Send these events to an endpoint again, under the ids that they have, whatever its topics; their ids.

    Refuses WEBHOOK_UNKNOWN, WEBHOOK_DISABLED, and EVENT_UNKNOWN for an event that is not the merchant's.
    """
    endpoint = await _ready(tx, merchant_id, endpoint_id, by)
    events = await store.event.events(tx, merchant_id, event_ids)
    if len(events) != len(set(event_ids)):
        raise NotFound("EVENT_UNKNOWN", "no such event")
    return await _send_again(tx, endpoint, events, by, {"events": [str(one.event_id) for one in events][:100]})


async def replay_range(
    tx: Tx, merchant_id: UUID, endpoint_id: UUID, from_at: datetime, to_at: datetime, by: By
) -> list[UUID]:
    """Send what happened in [from, to) to an endpoint again, as far as it wants such events; their ids.

    Refuses WEBHOOK_UNKNOWN, WEBHOOK_DISABLED, RANGE_INVALID, and REPLAY_TOO_LARGE beyond 10,000 events.
    """
    endpoint = await _ready(tx, merchant_id, endpoint_id, by)
    if from_at >= to_at:
        raise Refusal("RANGE_INVALID", "from_at comes before to_at")
    events = await store.event.between(tx, merchant_id, from_at, to_at, REPLAY_MOST + 1)
    if len(events) > REPLAY_MOST:
        raise Refusal("REPLAY_TOO_LARGE", f"at most {REPLAY_MOST} events at once: take a shorter range")
    wanted = [one for one in events if endpoint.wants(one.type)]
    detail = {"from_at": from_at.isoformat(), "to_at": to_at.isoformat(), "count": len(wanted)}
    return await _send_again(tx, endpoint, wanted, by, detail)


async def events_of(tx: Tx, merchant_id: UUID, before_id: UUID | None = None, limit: int = 20) -> list[Event]:
    """The merchant's events, newest first, older than the event `before_id`; at most 100 (PAGE_INVALID)."""
    check_page(limit)
    return await store.event.before(tx, merchant_id, before_id, limit)


async def event_of(tx: Tx, merchant_id: UUID, event_id: UUID) -> tuple[Event, list[Delivery], list[Try]]:
    """An event, its way to each endpoint, and every try; NotFound (EVENT_UNKNOWN)."""
    found = await store.event.events(tx, merchant_id, [event_id])
    if not found:
        raise NotFound("EVENT_UNKNOWN", "no such event")
    deliveries = await store.delivery.of_event(tx, merchant_id, event_id)
    return found[0], deliveries, await store.delivery.tries(tx, merchant_id, event_id)


async def deliveries_of(
    tx: Tx, merchant_id: UUID, endpoint_id: UUID, before_id: UUID | None = None, limit: int = 20
) -> list[Delivery]:
    """What is or was on its way to an endpoint, newest first, older than the event `before_id`; at most 100."""
    check_page(limit)
    await endpoint_of(tx, merchant_id, endpoint_id)
    return await store.delivery.of_endpoint(tx, merchant_id, endpoint_id, before_id, limit)


async def _fresh(tx: Tx, new: Sequence[NewEvent]) -> list[NewEvent]:
    """Those that are not kept yet, each once."""
    by_key = {(one.merchant_id, one.event_id): one for one in new}
    there = await store.event.there(tx, list(by_key)) if by_key else set()
    return [one for key, one in by_key.items() if key not in there]


async def _numbered(tx: Tx, fresh: Sequence[NewEvent]) -> list[Event]:
    """With their place within their payment."""
    keys = sorted({(one.merchant_id, one.payment_id) for one in fresh if one.payment_id is not None})
    last = await store.event.last_seqs(tx, keys) if keys else {}
    events = []
    for one in fresh:
        seq = 1
        if one.payment_id is not None:
            key = (one.merchant_id, one.payment_id)
            seq = last[key] = last.get(key, 0) + 1
        events.append(Event(one.merchant_id, one.event_id, one.type, one.payment_id, seq, one.made_at, one.body))
    return events


async def _ready(tx: Tx, merchant_id: UUID, endpoint_id: UUID, by: By) -> Endpoint:
    check_why(by.why)
    endpoint = await endpoint_of(tx, merchant_id, endpoint_id)
    _check_active(endpoint)
    return endpoint


def _check_active(endpoint: Endpoint) -> None:
    if endpoint.state is not EndpointState.ACTIVE:
        raise Conflict("WEBHOOK_DISABLED", "the webhook is disabled: enable it first", state=str(endpoint.state))


async def _send_again(
    tx: Tx, endpoint: Endpoint, events: Sequence[Event], by: By, detail: dict[str, object]
) -> list[UUID]:
    """Deliveries that are there start again, those that are not are made."""
    ids = [one.event_id for one in events]
    if ids:
        due = [msgspec.structs.replace(one, made_at=by.at) for one in events]
        await store.delivery.insert(tx, [(endpoint.endpoint_id, one) for one in due])
        await store.delivery.send_again(tx, endpoint.merchant_id, endpoint.endpoint_id, ids, by.at)
    await store.endpoint.insert_change(
        tx, endpoint.merchant_id, endpoint.endpoint_id, "replay", by, from_state=endpoint.state,
        to_state=endpoint.state, detail=detail,
    )  # fmt: skip
    return ids
