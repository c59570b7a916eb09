"""Webhooks of merchants: kept in order, and delivered: claim, send outside any transaction, record what was heard.

Any number of processes deliver side by side. One that is killed between sending and recording leaves a lease that
runs out, and the event is sent again under the same id: merchants drop repeats by `webhook-id`.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from fenqi import merchant
from fenqi.channels import webhook
from fenqi.channels.http import Http
from fenqi.flows import notify_merchant
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.clock import SystemClock, epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.merchant import Claimed, Endpoint, EventType, Heard, NewEvent

AT_ONCE = 64
"""How many sends one process has under way."""
EACH = 8
"""How many of them go to one endpoint, so that a slow one holds up nobody else."""
OVERLAP = timedelta(days=1)

_RECEIVERS = SystemClock()
"""Receivers compare a signature's moment with their own clocks, which nobody steers with ours."""


async def register(ctx: Context, merchant_id: UUID, url: str, topics: Sequence[str], by: By) -> tuple[Endpoint, str]:
    """A new endpoint, and its secret in clear, this once. No topics: every one.

    Refuses WEBHOOK_URL_INVALID, WEBHOOK_TOPIC_UNKNOWN, WEBHOOK_TOO_MANY.
    """
    webhook.check_url(url, allow_local=ctx.settings.demo)
    endpoint_id, secret = new_id(epoch_ms(by.at)), webhook.new_secret()
    sealed = ctx.keys.seal(secret, endpoint_id)
    async with ctx.database.transaction() as tx:
        found = await merchant.register_endpoint(tx, merchant_id, endpoint_id, url, topics, sealed, by)
    return found, secret


async def change(
    ctx: Context, merchant_id: UUID, endpoint_id: UUID, url: str, topics: Sequence[str], by: By
) -> Endpoint:
    """Another address or other topics. Refuses as `register`, and WEBHOOK_UNKNOWN."""
    webhook.check_url(url, allow_local=ctx.settings.demo)
    async with ctx.database.transaction() as tx:
        return await merchant.change_endpoint(tx, merchant_id, endpoint_id, url, topics, by)


async def rotate(ctx: Context, merchant_id: UUID, endpoint_id: UUID, by: By, overlap: timedelta = OVERLAP) -> str:
    """The new secret in clear, this once; for `overlap` what is sent carries the old one's signature as well."""
    secret = webhook.new_secret()
    async with ctx.database.transaction() as tx:
        await merchant.rotate_secret(tx, merchant_id, endpoint_id, ctx.keys.seal(secret, endpoint_id), overlap, by)
    return secret


async def send_test(ctx: Context, merchant_id: UUID, endpoint_id: UUID, by: By) -> UUID:
    """Let a `webhook.test` be sent to an endpoint; the event's id. Refuses WEBHOOK_UNKNOWN, WEBHOOK_DISABLED."""
    event_id = new_id(epoch_ms(by.at))
    raw = notify_merchant.body(EventType.TEST, by.at, {"endpoint_id": str(endpoint_id)})
    async with ctx.database.transaction() as tx:
        endpoint = await merchant.endpoint_of(tx, merchant_id, endpoint_id)
        await merchant.tell_one(tx, endpoint, NewEvent(merchant_id, event_id, EventType.TEST, None, by.at, raw))
    return event_id


async def replay(
    ctx: Context, merchant_id: UUID, endpoint_id: UUID, by: By, *,
    event_id: UUID | None = None, between: tuple[datetime, datetime] | None = None,
) -> list[UUID]:  # fmt: skip
    """Send one event, or what happened in [from, to), to an endpoint again under the same ids; the ids.

    Refuses WEBHOOK_UNKNOWN, WEBHOOK_DISABLED, EVENT_UNKNOWN, RANGE_INVALID, REPLAY_TOO_LARGE.
    """
    assert (event_id is None) != (between is None), "one event or a range"
    async with ctx.database.transaction() as tx:
        if event_id is not None:
            return await merchant.replay_events(tx, merchant_id, endpoint_id, [event_id], by)
        assert between is not None
        return await merchant.replay_range(tx, merchant_id, endpoint_id, *between, by)


async def deliver_due(ctx: Context, http: Http, limit: int = AT_ONCE) -> int:
    """One pass: try up to `limit` due deliveries side by side, and wait for all of them; how many were tried."""
    claimed = await _claim(ctx, limit, ())
    await asyncio.gather(*(_deliver(ctx, http, one) for one in claimed))
    return len(claimed)


async def deliver_until(ctx: Context, http: Http, stop: asyncio.Event, idle_s: float = 0.5) -> None:
    """Deliver what is due until `stop` is set, then wait for what is under way; looks again every `idle_s`."""
    running: dict[asyncio.Task[None], UUID] = {}
    try:
        while not stop.is_set():
            busy = [endpoint for endpoint, count in Counter(running.values()).items() if count >= EACH]
            claimed = await _claim(ctx, AT_ONCE - len(running), busy)
            for one in claimed:
                running[asyncio.create_task(_deliver(ctx, http, one))] = one.endpoint_id
            if not claimed:
                await _next(stop, running, idle_s)
            for task in [task for task in running if task.done()]:
                del running[task]
                task.result()
    finally:
        await asyncio.gather(*running, return_exceptions=True)


async def _next(stop: asyncio.Event, running: dict[asyncio.Task[None], UUID], idle_s: float) -> None:
    """Until `stop` is set, a send is done, or the time is over."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({stopped, *running}, timeout=idle_s, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()


async def _claim(ctx: Context, limit: int, but: Sequence[UUID]) -> list[Claimed]:
    """Lease up to `limit` due deliveries, one bucket after another, in no order that would favour any."""
    claimed: list[Claimed] = []
    if limit <= 0:
        return claimed
    async with ctx.database.autocommit() as tx:
        buckets = await merchant.webhook_buckets_due(tx, ctx.now())
    for bucket in random.sample(buckets, len(buckets)):
        if len(claimed) >= limit:
            break
        async with ctx.database.transaction() as tx:
            claimed += await merchant.claim_deliveries(tx, bucket, ctx.now(), limit - len(claimed), EACH, but)
    return claimed


async def _deliver(ctx: Context, http: Http, claimed: Claimed) -> None:
    """Try a claimed delivery, and record what came of it."""
    heard = Heard(None, 0, error="the endpoint was disabled")
    if claimed.is_open:
        heard = await _send(ctx, http, claimed)
    async with ctx.database.transaction() as tx:
        await merchant.record_try(tx, claimed, heard, ctx.now(), random.random())


async def _send(ctx: Context, http: Http, claimed: Claimed) -> Heard:
    secrets = tuple(ctx.keys.unseal(one, claimed.endpoint_id) for one in claimed.sealed)
    signed_at_s = epoch_ms(_RECEIVERS.now()) // 1000
    message = webhook.Message(claimed.url, str(claimed.event_id), signed_at_s, claimed.body, secrets)
    got = await webhook.send(http, message, allow_local=ctx.settings.demo)
    return Heard(got.status, got.latency_ms, got.answer, got.error)
