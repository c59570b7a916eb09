"""From outbox events to merchants' news: each topic, each share, nothing twice, nothing about the buyer."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from tests import world

from fenqi import merchant
from fenqi.database import outbox
from fenqi.database.outbox import Event
from fenqi.flows import events, notify_merchant, webhook
from fenqi.flows.notify_merchant import PaymentNews, RefundNews, refund_event
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.merchant import RefundState

BY = By("system:test", "a test", world.AT)


@pytest.fixture(scope="module")
def ordered(database, run):
    """An unpaid order of one seller, who has a webhook."""
    ctx = world.context(database)

    async def made():
        ref = await world.furnish(ctx)
        (buyer,) = await world.people(ctx, 1)
        placed = await world.buy(ctx, buyer, [world.wish(ref, "small_appliance", most_minor=40_000)])
        seller_id = placed.order.lines[0].merchant_id
        await webhook.register(ctx, seller_id, "http://127.0.0.1:9/", (), BY)
        return ctx, buyer, placed.order, seller_id

    return run(made())


async def told(ctx, seller_id, *made: Event):
    """What the seller is told when the relay hands these on, twice."""
    async with ctx.database.snapshot() as tx:
        before = {one.event_id for one in await merchant.events_of(tx, seller_id, None, 100)}
    async with ctx.database.transaction() as tx:
        await outbox.append(tx, made)
    assert await outbox.drain(ctx.database, events.handlers(ctx), ctx.now()) >= len(made)
    async with ctx.database.transaction() as tx:
        for one in made:
            await notify_merchant.tell(tx, [one])
        found = await merchant.events_of(tx, seller_id, None, 100)
    return [one for one in reversed(found) if one.event_id not in before]


@pytest.mark.parametrize("topic", ["payment.refused", "payment.closed"])
def test_a_payment_that_came_to_nothing(ordered, run, topic):
    ctx, buyer, order, seller_id = ordered
    news = PaymentNews(new_id(), order.order_id, "CARD_INSUFFICIENT_FUNDS")
    (one,) = run(told(ctx, seller_id, Event(new_id(), buyer, topic, msgspec.json.encode(news), ctx.now())))
    body = msgspec.json.decode(one.body)
    assert (one.type, one.seq, one.payment_id) == (topic, 1, news.payment_id)
    assert body["data"] == {
        "payment_id": str(news.payment_id), "order_id": str(order.order_id), "order_number": order.number,
        "amount_minor": order.payable_minor, "currency": "CNY",
    }  # fmt: skip
    assert str(buyer) not in str(body) and "INSUFFICIENT" not in str(body)


def test_a_refund_from_beginning_to_end(ordered, run):
    """It fails, is tried again, and succeeds; what was said already is not said again."""
    ctx, buyer, order, seller_id = ordered
    news = RefundNews(new_id(), new_id(), order.order_id, {seller_id: 700}, "")
    failed = msgspec.structs.replace(news, code="REFUND_UNFUNDED")
    steps = [("created", news), ("failed", failed), ("failed", failed), ("succeeded", news), ("failed", failed)]
    heard = []
    for minute, (step, what) in enumerate(steps):
        at = ctx.now() + timedelta(minutes=minute)
        heard += run(told(ctx, seller_id, refund_event(buyer, f"refund.{step}", what, at)))
    assert [(one.type, one.seq) for one in heard] == [
        ("refund.created", 1), ("refund.failed", 2), ("refund.succeeded", 3),
    ]  # fmt: skip
    codes = [msgspec.json.decode(one.body)["data"].get("code") for one in heard]
    assert codes == [None, "REFUND_UNFUNDED", None]

    async def kept():
        async with ctx.database.snapshot() as tx:
            return await merchant.refund_of(tx, seller_id, news.refund_id)

    found = run(kept())
    assert (found.state, found.amount_minor, found.made_at) == (RefundState.SUCCEEDED, 700, ctx.now())
    assert found.changed_at == ctx.now() + timedelta(minutes=3)


def test_what_happens_in_one_instant_keeps_its_order(ordered, run):
    """A refund without a channel is agreed and done at once."""
    ctx, buyer, order, seller_id = ordered
    for _ in range(10):
        news = RefundNews(new_id(), new_id(), order.order_id, {seller_id: 5}, "")
        made = [refund_event(buyer, topic, news, ctx.now()) for topic in ("refund.succeeded", "refund.created")]
        heard = run(told(ctx, seller_id, *made))
        assert [(one.type, one.seq) for one in heard] == [("refund.created", 1), ("refund.succeeded", 2)]


def test_every_topic_has_its_handler(ordered):
    ctx = ordered[0]
    assert set(notify_merchant.TOPICS) <= set(events.handlers(ctx))
    assert set(notify_merchant.TOPICS) == {str(one) for one in merchant.TOPICS}
