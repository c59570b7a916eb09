"""Delivering to a server that fails in every way: the ladder, the order within a payment, giving up, coming back."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook
from tests.webhooks.receiver import DRIP, DROP, HANG, OK, Receiver

from fenqi import merchant
from fenqi.channels import webhook as channel
from fenqi.flows import webhook
from fenqi.kernel.ids import new_id
from fenqi.merchant import LADDER, LEASE, DeliveryState, EndpointState, EventType
from fenqi.merchant.webhook_model import DISABLED_AFTER, next_wait

_SECONDS = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)


def test_the_ladder_is_the_suggested_one_with_jitter():
    assert tuple(wait.total_seconds() for wait in LADDER) == _SECONDS
    assert [next_wait(rung, 0.0) for rung in range(1, 10)] == list(LADDER[1:])
    assert next_wait(2, 0.5) == timedelta(seconds=330)
    assert next_wait(10, 0.0) is None


def test_a_try_is_kept_with_what_was_answered(shop, receiver, run):
    endpoint, _ = run(shop.register(receiver.url()))
    receiver.said = b"\xff" + b"y" * 2_000
    (event,) = run(shop.tell())
    assert run(shop.deliver()) == 1
    delivery, (only,) = run(shop.story(event))
    assert (delivery.state, delivery.tries, delivery.last_status) == (DeliveryState.DELIVERED, 1, 200)
    assert delivery.finished_at == shop.ctx.now()
    assert (only.endpoint_id, only.try_no, only.status, only.error) == (endpoint.endpoint_id, 1, 200, "")
    assert only.answer == b"\xff" + b"y" * 1_023
    assert only.latency_ms is not None and only.ended_at == shop.ctx.now()
    assert run(shop.deliver()) == 0


@pytest.mark.parametrize(
    ("way", "status", "error"),
    [
        (500, 500, ""),
        (404, 404, ""),
        (302, 302, ""),
        (429, 429, ""),
        (HANG, None, "ReadTimeout"),
        (DROP, None, "R"),  # ReadError or RemoteProtocolError, as it happens
    ],
)
def test_whatever_is_no_2xx_is_tried_again(shop, receiver, run, way, status, error):
    run(shop.register(receiver.url()))
    receiver.answer = lambda _: way if len(receiver.got) == 1 else OK
    (event,) = run(shop.tell())
    assert run(shop.deliver()) == 1
    delivery, (first,) = run(shop.story(event))
    assert (delivery.state, first.status, first.error[: len(error)]) == (DeliveryState.PENDING, status, error)
    assert timedelta(seconds=5) <= delivery.next_at - shop.ctx.now() < timedelta(seconds=6)
    shop.advance(seconds=6)
    assert run(shop.deliver()) == 1
    delivery, tries = run(shop.story(event))
    assert (delivery.state, [one.status for one in tries]) == (DeliveryState.DELIVERED, [status, 200])
    assert [one.path for one in receiver.got] == ["/hook", "/hook"]  # a redirect is not followed
    assert len({one.id for one in receiver.got}) == len({one.body for one in receiver.got}) == 1


def test_nobody_there_is_tried_again(shop, run):
    gone = run(Receiver().start())
    run(shop.register(gone.url()))
    run(gone.stop())
    (event,) = run(shop.tell())
    assert run(shop.deliver()) == 1
    delivery, (only,) = run(shop.story(event))
    assert (delivery.state, only.status, only.error.split(":")[0]) == (DeliveryState.PENDING, None, "ConnectError")


def test_an_answer_without_end_is_cut_off(shop, receiver, run):
    run(shop.register(receiver.url()))
    receiver.answer = lambda _: DRIP
    (event,) = run(shop.tell())
    assert run(shop.deliver()) == 1
    delivery, (only,) = run(shop.story(event))
    assert (delivery.state, only.answer) == (DeliveryState.DELIVERED, b"x" * 1_024)


def test_a_try_ends_when_its_time_is_over(shop, receiver, run, monkeypatch):
    """However the server spins it out."""
    monkeypatch.setattr(channel, "TRY_S", 0.2)
    run(shop.register(receiver.url()))
    receiver.answer = lambda _: HANG
    (event,) = run(shop.tell())
    run(shop.deliver())
    _, (only,) = run(shop.story(event))
    assert (only.status, only.error) == (None, "no answer within 0.2 s")


def test_after_ten_tries_it_is_given_up_and_the_next_event_goes(shop, receiver, run):
    endpoint, _ = run(shop.register(receiver.url()))
    payment_id = new_id()
    (first,) = run(shop.tell(payment_id))
    (second,) = run(shop.tell(payment_id, event_type=EventType.REFUND_CREATED))
    receiver.answer = lambda got: 503 if got.id == str(first.event_id) else OK
    began_at = shop.ctx.now()
    for rung in range(1, 10):
        assert run(shop.deliver()) == 1
        delivery, tries = run(shop.story(first))
        assert (delivery.state, delivery.tries, len(tries)) == (DeliveryState.PENDING, rung, rung)
        wait = delivery.next_at - shop.ctx.now()
        assert LADDER[rung] <= wait < LADDER[rung] * 1.2
        assert (run(shop.endpoint(endpoint.endpoint_id))).failing_since_at == began_at
        shop.ctx.clock.set(delivery.next_at)
    assert run(shop.deliver()) == 2  # the tenth, and then the event behind it
    assert [run(shop.story(one))[0].state for one in (first, second)] == ["given_up", "delivered"]
    assert Counter(receiver.ids) == {str(first.event_id): 10, str(second.event_id): 1}
    found = run(shop.endpoint(endpoint.endpoint_id))
    assert (found.state, found.failing_since_at) == (EndpointState.ACTIVE, None)


def test_410_disables_at_once_and_the_merchant_is_told(shop, receiver, run):
    endpoint, _ = run(shop.register(receiver.url()))
    receiver.answer = lambda _: 410
    (first,), (second,) = run(shop.tell()), run(shop.tell())
    assert run(webhook.deliver_due(shop.ctx, shop.http, limit=1)) == 1
    assert run(shop.endpoint(endpoint.endpoint_id)).state is EndpointState.DISABLED
    assert {run(shop.story(one))[0].state for one in (first, second)} == {DeliveryState.FAILED}
    assert run(shop.deliver()) == 0

    async def told():
        async with shop.ctx.database.snapshot() as tx:
            return await merchant.notices_of(tx, shop.merchant_id), await merchant.changes_of(
                tx, shop.merchant_id, endpoint.endpoint_id
            )

    (notice,), changes = run(told())
    assert notice.kind == "webhook_disabled"
    assert notice.detail == {
        "endpoint_id": str(endpoint.endpoint_id), "url": receiver.url(), "why": "the endpoint answered 410 Gone",
    }  # fmt: skip
    last = changes[-1]
    assert (last.verb, last.from_state, last.to_state, last.actor) == (
        "disable", "active", "disabled", "system:webhook",
    )  # fmt: skip


def test_five_days_without_a_success_disable(shop, receiver, run):
    endpoint, _ = run(shop.register(receiver.url()))
    receiver.answer = lambda _: 500
    run(shop.tell())
    run(shop.deliver())
    shop.advance(seconds=DISABLED_AFTER.total_seconds() - 1)
    (late,) = run(shop.tell())
    run(shop.deliver())
    assert run(shop.endpoint(endpoint.endpoint_id)).state is EndpointState.ACTIVE
    shop.advance(seconds=10)
    run(shop.deliver())
    assert run(shop.endpoint(endpoint.endpoint_id)).state is EndpointState.DISABLED
    assert run(shop.story(late))[0].state is DeliveryState.FAILED


def test_one_success_forgets_the_failures(shop, receiver, run):
    endpoint, _ = run(shop.register(receiver.url()))
    receiver.answer = lambda _: 500
    run(shop.tell())
    run(shop.deliver())
    assert run(shop.endpoint(endpoint.endpoint_id)).failing_since_at == shop.ctx.now()
    receiver.answer = lambda _: OK
    shop.advance(days=4)
    run(shop.deliver())
    assert run(shop.endpoint(endpoint.endpoint_id)).failing_since_at is None


def test_nothing_is_sent_to_what_was_disabled_after_the_claim(shop, receiver, run):
    endpoint, _ = run(shop.register(receiver.url()))
    (event,) = run(shop.tell())

    async def disabled():
        async with shop.ctx.database.transaction() as tx:
            await merchant.disable_endpoint(tx, shop.merchant_id, endpoint.endpoint_id, shop.by)
            await tx.execute("UPDATE webhook_delivery SET state = 'pending' WHERE event_id = %s", [event.event_id])

    run(disabled())  # as the relay leaves it that wrote its delivery a moment later
    assert run(shop.deliver()) == 1
    delivery, (only,) = run(shop.story(event))
    assert (delivery.state, only.error, receiver.got) == (DeliveryState.FAILED, "the endpoint was disabled", [])


def test_events_of_one_payment_come_one_after_another_under_concurrency(shop, receiver, run):
    """Twenty payments of five events, four workers, every other request refused: no later one overtakes."""
    run(shop.register(receiver.url()))
    payments = [new_id() for _ in range(20)]
    for _ in range(5):
        run(shop.tell(*payments))
    seen: Counter[str] = Counter()

    def moody(got):
        seen[got.id] += 1
        return 500 if seen[got.id] == 1 else OK

    receiver.answer = moody

    async def side_by_side():
        while any(await asyncio.gather(*(webhook.deliver_due(shop.ctx, shop.http, 16) for _ in range(4)))):
            pass

    for _ in range(5):
        run(side_by_side())
        shop.advance(seconds=6)
    run(side_by_side())
    assert set(seen.values()) == {2} and len(seen) == 100
    order = {}
    for got in receiver.got:
        order.setdefault(got.told["data"]["payment_id"], []).append(got.id)
    assert len(order) == 20
    for ids in order.values():
        assert ids == [each for each in dict.fromkeys(ids) for _ in range(2)]  # each twice, in one go
    assert run(kept(shop)) == {event_id: seq for ids in order.values() for seq, event_id in enumerate(ids[::2], 1)}


async def kept(shop):
    """The number of each event within its payment."""
    async with shop.ctx.database.snapshot() as tx:
        return {str(one.event_id): one.seq for one in await merchant.events_of(tx, shop.merchant_id, None, 100)}


def test_a_slow_server_holds_up_nobody_else(shop, receiver, run):
    """A loop of deliveries goes on with others while one endpoint keeps all the requests that it may have."""
    slow = run(Receiver().start())
    slow.slow = asyncio.Event()
    run(shop.register(slow.url(), ["payment.succeeded"]))
    run(shop.register(receiver.url(), ["refund.created"]))
    run(shop.tell(*[new_id() for _ in range(3 * webhook.EACH)]))
    run(shop.tell(*[new_id() for _ in range(50)], event_type=EventType.REFUND_CREATED))

    async def until():
        stop = asyncio.Event()
        loop = asyncio.create_task(webhook.deliver_until(shop.ctx, shop.http, stop, idle_s=0.01))
        await receiver.wait_for(50)
        waiting = len(slow.got)
        slow.slow.set()
        stop.set()
        await loop
        return waiting

    shop.http._client.timeout = 10
    assert webhook.EACH <= run(until()) < 2 * webhook.EACH
    run(slow.stop())


def test_a_lease_that_ran_out_is_taken_over_and_a_late_success_counts(shop, receiver, run):
    run(shop.register(receiver.url()))
    (event,) = run(shop.tell())

    async def overtaken():
        (first,) = await webhook._claim(shop.ctx, 1, ())
        assert await webhook._claim(shop.ctx, 1, ()) == []
        shop.advance(seconds=LEASE.total_seconds())
        (second,) = await webhook._claim(shop.ctx, 1, ())
        assert (first.try_no, second.try_no) == (1, 2)
        receiver.answer = lambda _: 500
        await webhook._deliver(shop.ctx, shop.http, first)  # late, and failed: the second's word counts
        late, _ = await shop.story(event)
        assert (late.state, late.leased_until_at) == (DeliveryState.PENDING, shop.ctx.now() + LEASE)
        receiver.answer = lambda _: OK
        await webhook._deliver(shop.ctx, shop.http, second)
        return await shop.story(event)

    delivery, tries = run(overtaken())
    assert (delivery.state, [one.status for one in tries]) == (DeliveryState.DELIVERED, [500, 200])


def test_a_rotated_secret_signs_beside_the_new_one_for_a_while(shop, receiver, run):
    endpoint, old = run(shop.register(receiver.url()))
    new = run(webhook.rotate(shop.ctx, shop.merchant_id, endpoint.endpoint_id, shop.by, timedelta(hours=1)))
    run(shop.tell())
    run(shop.deliver())
    shop.advance(hours=1)
    run(shop.tell())
    run(shop.deliver())
    during, after = receiver.got
    assert len(during.headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        Webhook(secret).verify(during.body, during.headers)
    assert len(after.headers["webhook-signature"].split()) == 1
    Webhook(new).verify(after.body, after.headers)


def test_secrets_are_sealed_at_rest(shop, receiver, run):
    _, secret = run(shop.register(receiver.url()))

    async def stored():
        async with shop.ctx.database.snapshot() as tx:
            rows = await tx.execute("SELECT sealed FROM webhook_secret WHERE merchant_id = %s", [shop.merchant_id])
            return [row[0] for row in await rows.fetchall()]

    (sealed,) = run(stored())
    assert secret.encode() not in sealed and secret.removeprefix("whsec_").encode() not in sealed
