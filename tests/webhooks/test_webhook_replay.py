"""Sending again, and looking after endpoints: what is kept, what is refused, and by whom and why it was done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.webhooks.receiver import OK

from fenqi import merchant
from fenqi.flows import webhook
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.merchant import DeliveryState, EndpointState, EventType


def test_one_event_is_replayed_under_its_own_id(shop, receiver, run):
    endpoint, _ = run(shop.register(receiver.url()))
    (event,) = run(shop.tell())
    run(shop.deliver())
    again = run(webhook.replay(shop.ctx, shop.merchant_id, endpoint.endpoint_id, shop.by, event_id=event.event_id))
    assert again == [event.event_id]
    assert run(shop.deliver()) == 1
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body) == (str(event.event_id), event.body)
    delivery, tries = run(shop.story(event))
    assert (delivery.state, delivery.tries, delivery.rung, len(tries)) == (DeliveryState.DELIVERED, 2, 1, 2)


def test_what_was_given_up_climbs_the_whole_ladder_again(shop, receiver, run):
    endpoint, _ = run(shop.register(receiver.url()))
    receiver.answer = lambda _: 500
    (event,) = run(shop.tell())
    for _ in range(10):
        run(shop.deliver())
        shop.advance(days=1.3)
    assert run(shop.story(event))[0].state in (DeliveryState.GIVEN_UP, DeliveryState.FAILED)

    async def enabled():
        async with shop.ctx.database.transaction() as tx:
            return await merchant.enable_endpoint(tx, shop.merchant_id, endpoint.endpoint_id, shop.by)

    assert run(enabled()).state is EndpointState.ACTIVE
    run(webhook.replay(shop.ctx, shop.merchant_id, endpoint.endpoint_id, shop.by, event_id=event.event_id))
    run(shop.deliver())
    delivery, _ = run(shop.story(event))
    assert (delivery.state, delivery.rung) == (DeliveryState.PENDING, 1)
    receiver.answer = lambda _: OK
    shop.advance(seconds=6)
    run(shop.deliver())
    assert run(shop.story(event))[0].state is DeliveryState.DELIVERED


def test_a_range_is_replayed_in_order_to_an_endpoint_that_missed_it(shop, receiver, run):
    """As far as it wants such events; those before and after stay."""
    run(shop.register(receiver.url("/first")))
    payment_id = new_id()
    run(shop.tell(payment_id))
    shop.advance(minutes=1)
    began_at = shop.ctx.now()
    told = []
    for event_type in (EventType.REFUND_CREATED, EventType.PAYMENT_CLOSED, EventType.REFUND_SUCCEEDED):
        told += run(shop.tell(payment_id, event_type=event_type))
        shop.advance(minutes=1)
    ended_at = shop.ctx.now()
    run(shop.tell(payment_id, event_type=EventType.REFUND_FAILED))
    run(shop.deliver())
    late, _ = run(shop.register(receiver.url("/late"), ["refund.succeeded", "refund.created"]))
    receiver.got.clear()
    sent = run(webhook.replay(shop.ctx, shop.merchant_id, late.endpoint_id, shop.by, between=(began_at, ended_at)))
    assert sent == [told[0].event_id, told[2].event_id]
    assert run(shop.deliver()) == 2
    assert [(one.path, one.id) for one in receiver.got] == [("/late", str(event_id)) for event_id in sent]
    changes = run(changes_of(shop, late))
    assert (changes[-1].verb, changes[-1].actor, changes[-1].why) == ("replay", "merchant:test", "a test")
    assert changes[-1].detail["count"] == 2


async def changes_of(shop, endpoint):
    async with shop.ctx.database.snapshot() as tx:
        return await merchant.changes_of(tx, shop.merchant_id, endpoint.endpoint_id)


def test_what_can_not_be_replayed(shop, receiver, run):
    endpoint, _ = run(shop.register(receiver.url()))
    (event,) = run(shop.tell())
    run(shop.deliver())
    at, later = shop.ctx.now(), shop.ctx.now() + timedelta(days=1)

    async def no(error, code, endpoint_id=endpoint.endpoint_id, merchant_id=shop.merchant_id, **what):
        with pytest.raises(error, match=code):
            await webhook.replay(shop.ctx, merchant_id, endpoint_id, shop.by, **what)

    run(no(NotFound, "EVENT_UNKNOWN", event_id=new_id()))
    run(no(NotFound, "WEBHOOK_UNKNOWN", endpoint_id=new_id(), event_id=event.event_id))
    run(no(NotFound, "WEBHOOK_UNKNOWN", merchant_id=new_id(), event_id=event.event_id))
    run(no(Refusal, "RANGE_INVALID", between=(later, at)))

    async def disabled():
        async with shop.ctx.database.transaction() as tx:
            await merchant.disable_endpoint(tx, shop.merchant_id, endpoint.endpoint_id, shop.by)

    run(disabled())
    run(no(Conflict, "WEBHOOK_DISABLED", event_id=event.event_id))
    assert run(shop.deliver()) == 0


def test_topics_choose_what_is_sent_and_all_is_kept(shop, receiver, run):
    run(shop.register(receiver.url(), ["refund.failed", "refund.created", "refund.failed"]))
    payment_id = new_id()
    for event_type in (EventType.PAYMENT_SUCCEEDED, EventType.REFUND_CREATED):
        run(shop.tell(payment_id, event_type=event_type))
    run(shop.deliver())
    assert [got.told["type"] for got in receiver.got] == ["refund.created"]

    async def kept():
        async with shop.ctx.database.snapshot() as tx:
            found = await merchant.events_of(tx, shop.merchant_id)
            (endpoint,) = await merchant.endpoints_of(tx, [shop.merchant_id])
            return {(one.type, one.seq) for one in found}, endpoint.topics

    assert run(kept()) == ({("payment.succeeded", 1), ("refund.created", 2)}, ("refund.created", "refund.failed"))


def test_telling_again_changes_nothing(shop, receiver, run):
    run(shop.register(receiver.url()))
    news = shop.news(new_id(), EventType.PAYMENT_SUCCEEDED)

    async def told():
        async with shop.ctx.database.transaction() as tx:
            return len(await merchant.tell(tx, [news, news]))

    assert [run(told()) for _ in range(3)] == [1, 0, 0]
    assert run(shop.deliver()) == 1


def test_without_an_endpoint_nothing_is_kept(shop, run):
    assert run(shop.tell()) == []


def test_a_test_goes_to_one_endpoint_alone(shop, receiver, run):
    run(shop.register(receiver.url("/other")))
    endpoint, _ = run(shop.register(receiver.url("/this"), ["refund.failed"]))
    event_id = run(webhook.send_test(shop.ctx, shop.merchant_id, endpoint.endpoint_id, shop.by))
    run(shop.deliver())
    (got,) = receiver.got
    assert (got.path, got.id, got.told["type"]) == ("/this", str(event_id), "webhook.test")
    assert got.told["data"] == {"endpoint_id": str(endpoint.endpoint_id)}


def test_every_change_is_kept_with_who_when_and_why(shop, receiver, run):
    endpoint, _ = run(shop.register(receiver.url("/a")))
    shop.advance(hours=1)
    run(
        webhook.change(shop.ctx, shop.merchant_id, endpoint.endpoint_id, receiver.url("/b"), ["refund.failed"], shop.by)
    )
    run(
        webhook.change(shop.ctx, shop.merchant_id, endpoint.endpoint_id, receiver.url("/b"), ["refund.failed"], shop.by)
    )
    run(webhook.rotate(shop.ctx, shop.merchant_id, endpoint.endpoint_id, shop.by))

    async def removed():
        async with shop.ctx.database.transaction() as tx:
            await merchant.remove_endpoint(tx, shop.merchant_id, endpoint.endpoint_id, shop.by)

    run(removed())
    changes = run(changes_of(shop, endpoint))
    assert [(one.verb, one.from_state, one.to_state) for one in changes] == [
        ("register", None, "active"),
        ("change", "active", "active"),
        ("rotate_secret", "active", "active"),
        ("remove", "active", "removed"),
    ]
    assert changes[1].detail["url"] == [receiver.url("/a"), receiver.url("/b")]
    assert {one.at - changes[0].at for one in changes[1:]} == {timedelta(hours=1)}
    with pytest.raises(NotFound, match="WEBHOOK_UNKNOWN"):
        run(shop.endpoint(endpoint.endpoint_id))


@pytest.mark.parametrize(
    ("url", "topics", "code"),
    [
        ("ftp://shop.example/", [], "WEBHOOK_URL_INVALID"),
        ("https://user@shop.example/", [], "WEBHOOK_URL_INVALID"),
        ("https://shop.example/", ["payment.lost"], "WEBHOOK_TOPIC_UNKNOWN"),
        ("https://shop.example/", ["webhook.test"], "WEBHOOK_TOPIC_UNKNOWN"),
    ],
)
def test_what_can_not_be_registered(shop, run, url, topics, code):
    with pytest.raises(Refusal, match=code):
        run(shop.register(url, topics))
    assert run(shop.tell()) == []


def test_twenty_endpoints_are_enough(shop, run):
    for n in range(20):
        run(shop.register(f"https://shop.example/{n}"))
    with pytest.raises(Conflict, match="WEBHOOK_TOO_MANY"):
        run(shop.register("https://shop.example/20"))
