"""Telling partners by Jeepay's protocol: news of the outbox become notices, and notices are posted until `success`.

As the protocol's own server does: a form with the order's own fields, `reqTime` and `sign`; a pay order is told once it
is paid, a refund once it has succeeded or failed. What it was asked under is what it is signed with.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from fenqi import jeepay, order
from fenqi.channels import webhook
from fenqi.channels.http import Http
from fenqi.database.outbox import Event
from fenqi.database.pool import Tx
from fenqi.flows.context import Context
from fenqi.flows.jeepay import SCENE, merchant_number
from fenqi.flows.jeepay_standing import pay_fields, refund_fields, refunds, standing
from fenqi.flows.notify_merchant import PaymentNews, RefundNews
from fenqi.jeepay import Claimed, NewNotice, PayOrder, PayState, Value
from fenqi.kernel.clock import SystemClock, epoch_ms
from fenqi.kernel.ids import id_for

AT_ONCE = 32
"""How many sends one process has under way."""
REFUNDS = ("refund.succeeded", "refund.failed")
"""Outbox topics that end a refund."""
_FORM = {"content-type": "application/x-www-form-urlencoded", "accept-encoding": "identity", "user-agent": "fenqi"}
_JSON = msgspec.json.Encoder()
_RECEIVERS = SystemClock()
"""Receivers compare `reqTime` with their own clocks, which nobody steers with ours."""


async def tell_payments(tx: Tx, events: Sequence[Event]) -> None:
    """A handler of the relay, of `payment.succeeded`; handing an event on again changes nothing."""
    read = [(event, msgspec.json.decode(event.payload, type=PaymentNews).order_id) for event in events]
    orders = await order.get_many(tx, [(event.consumer_id, order_id) for event, order_id in read])
    there = [(one.lines[0].merchant_id, one.order_id) for one in orders.values() if one.scene == SCENE]
    asked = {one.order_id: one for one in (await jeepay.of_orders(tx, there)).values() if one.notify_url}
    for event, order_id in read:
        if order_id in asked:
            await _tell_payment(tx, event, asked[order_id])


async def _tell_payment(tx: Tx, event: Event, found: PayOrder) -> None:
    """What has been refunded meanwhile is told by the refund's own notice."""
    stands = msgspec.structs.replace(await standing(tx, found, event.written_at), state=PayState.SUCCESS)
    fields = pay_fields(stands, await merchant_number(tx, found.merchant_id))
    await jeepay.tell(tx, NewNotice(
        found.merchant_id, id_for(found.merchant_id, "jeepay notice", str(event.event_id)), found.app_id, "pay",
        found.pay_order_id, found.notify_url, _JSON.encode(fields), event.written_at,
    ))  # fmt: skip


async def tell_refund(tx: Tx, event: Event) -> None:
    """A handler of the relay, of `REFUNDS`; a refund that failed and then succeeds after all is told again."""
    news = msgspec.json.decode(event.payload, type=RefundNews)
    for merchant_id in news.shares:
        found = await jeepay.find_refund(tx, merchant_id, news.refund_id)
        if found is None or not found.notify_url:
            continue
        paid = await jeepay.get_order(tx, merchant_id, found.pay_order_id)
        stands = (await refunds(tx, event.consumer_id, news.order_id))[news.refund_id]
        fields = refund_fields(found, paid, stands, await merchant_number(tx, merchant_id))
        await jeepay.tell(tx, NewNotice(
            merchant_id, id_for(merchant_id, "jeepay notice", str(event.event_id)), found.app_id, "refund",
            found.refund_id, found.notify_url, _JSON.encode(fields), event.written_at,
        ))  # fmt: skip


async def deliver_due(ctx: Context, http: Http, limit: int = AT_ONCE) -> int:
    """One pass: send up to `limit` due notices side by side, and wait for all of them; how many there were."""
    claimed = await _claim(ctx, limit)
    await asyncio.gather(*(_deliver(ctx, http, one) for one in claimed))
    return len(claimed)


async def deliver_until(ctx: Context, http: Http, stop: asyncio.Event, idle_s: float = 0.5) -> None:
    """Send what is due until `stop` is set, then wait for what is under way; looks again every `idle_s`."""
    running: set[asyncio.Task[None]] = set()
    try:
        while not stop.is_set():
            claimed = await _claim(ctx, AT_ONCE - len(running))
            running |= {asyncio.create_task(_deliver(ctx, http, one)) for one in claimed}
            if not claimed:
                stopped = asyncio.create_task(stop.wait())
                await asyncio.wait({stopped, *running}, timeout=idle_s, return_when=asyncio.FIRST_COMPLETED)
                stopped.cancel()
            for task in [task for task in running if task.done()]:
                running.discard(task)
                task.result()
    finally:
        await asyncio.gather(*running, return_exceptions=True)


async def _claim(ctx: Context, limit: int) -> list[Claimed]:
    """Lease up to `limit` due notices, one bucket after another, in no order that would favour any."""
    claimed: list[Claimed] = []
    if limit <= 0:
        return claimed
    async with ctx.database.autocommit() as tx:
        buckets = await jeepay.notice_buckets_due(tx, ctx.now())
    for bucket in random.sample(buckets, len(buckets)):
        if len(claimed) >= limit:
            break
        async with ctx.database.transaction() as tx:
            claimed += await jeepay.claim_notices(tx, bucket, ctx.now(), limit - len(claimed))
    return claimed


async def _deliver(ctx: Context, http: Http, claimed: Claimed) -> None:
    """Send a leased notice, and record what was heard: `success`, in any case, takes it."""
    async with ctx.database.snapshot() as tx:
        app = await jeepay.get_app(tx, claimed.app_id)
    url, body = form(claimed.url, claimed.fields, ctx.keys.unseal(app.sealed, app.app_id), epoch_ms(_RECEIVERS.now()))
    got = await webhook.post(http, url, _FORM, body, allow_local=ctx.settings.demo)
    said = got.answer.decode("utf-8", "replace")
    is_taken = got.status is not None and 200 <= got.status < 300 and said.strip().lower() == "success"
    async with ctx.database.transaction() as tx:
        await jeepay.record_notice(tx, claimed, is_taken, ctx.now(), got.status, got.error or said)


def form(url: str, fields: bytes, secret: str, at_ms: int) -> tuple[str, bytes]:
    """The address and the form of a notice. As the protocol does it, the address's own query goes into the form."""
    told: dict[str, Value] = msgspec.json.decode(fields)
    signed = {name: value for name, value in told.items() if value is not None} | {"reqTime": at_ms}
    parts = urlsplit(url)
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *signed.items(), ("sign", jeepay.sign(signed, secret))]
    return urlunsplit(parts._replace(query="")), urlencode(pairs).encode()
