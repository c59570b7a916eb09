"""The whole way: a buyer pays two sellers, each is told of its own share and no more, and gives back its own part."""

from __future__ import annotations

from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook
from tests import world
from tests.api.door import new_key, no
from tests.webhooks.receiver import Receiver
from tests.webhooks.shop import key_of

from fenqi.database import outbox
from fenqi.flows import events, webhook
from fenqi.flows.shop import Wish
from fenqi.merchant import Scope


@pytest.fixture(scope="module")
def server(run):
    made = run(Receiver().start())
    yield made
    run(made.stop())


@pytest.fixture
def receiver(server):
    """The sellers' server, which has forgotten what came before."""
    server.got.clear()
    return server


@pytest.fixture(scope="module")
def buyer(door):
    return door.run(world.people(door.ctx, 1))[0]


async def relay(ctx):
    return await outbox.drain(ctx.database, events.handlers(ctx), ctx.now())


def two_offers(ref):
    """Goods of two sellers, not dear, in the mall."""
    found = {}
    for offer in sorted(ref.offers.values(), key=lambda one: one.price_minor):
        odd = offer.is_gift or offer.is_subscription or offer.is_cross_border or offer.is_trade_in_subsidised
        fits = "mall" in offer.scenes and offer.state == "on_sale" and offer.deposit_minor is None
        sells = ref.sellers[offer.merchant_id].merchant.state == "active"
        if fits and sells and not odd and offer.price_minor > 1_000:
            found.setdefault(offer.merchant_id, offer)
    return list(found.values())[:2]


@pytest.fixture(scope="module")
def sold(door, buyer):
    """An order of two sellers' goods that is placed and not paid, with both sellers' keys."""
    offers = two_offers(door.ctx.reference.newest)
    wishes = [Wish(one.sku_id, one.merchant_id) for one in offers]
    placed = door.run(world.buy(door.ctx, buyer, wishes, "mall"))
    keys = {one.merchant_id: door.run(key_of(door, one.merchant_id)) for one in offers}
    return placed, {one.merchant_id: one.price_minor for one in offers}, keys


def test_a_payment_of_two_sellers_is_told_to_each(door, buyer, sold, receiver):
    placed, prices, keys = sold
    hooks = {}
    for seller_id, key in keys.items():
        asked = {"url": receiver.url(f"/{seller_id}"), "why": "for the warehouse"}
        hooks[seller_id] = door.post("/v1/merchant/webhooks", asked, key)
    press = {"checkout_id": str(placed.intent_id), "method": "money_account", "plan": "full"}
    paid = door.post("/v1/payments", press, door.token_of(buyer), key=new_key())
    assert paid["outcome"] == "succeeded"
    door.run(relay(door.ctx))
    assert door.run(webhook.deliver_due(door.ctx, door.ctx.http)) == 2
    for got in receiver.got:
        seller_id = world.UUID(got.path[1:])
        told = Webhook(hooks[seller_id]["secret"]).verify(got.body, got.headers)
        assert told == {
            "type": "payment.succeeded",
            "timestamp": "2026-08-24T01:00:00Z",
            "data": {
                "payment_id": paid["payment_id"], "order_id": str(placed.order.order_id),
                "order_number": placed.order.number, "amount_minor": prices[seller_id], "currency": "CNY",
            },
        }  # fmt: skip
        assert str(buyer) not in got.body.decode()
        assert world.UUID(got.id).version == 7
        (mine,) = door.get("/v1/merchant/payments", keys[seller_id])
        assert mine == door.get(f"/v1/merchant/payments/{paid['payment_id']}", keys[seller_id])
        assert (mine["amount_minor"], mine["refunded_minor"], mine["order_number"]) == (
            prices[seller_id], 0, placed.order.number,
        )  # fmt: skip
        assert "consumer_id" not in mine


def test_a_seller_gives_back_its_own_share_and_never_anothers(door, sold, receiver):
    _, prices, keys = sold
    (seller, other), (key, other_key) = list(prices), list(keys.values())
    (paid,) = door.get("/v1/merchant/payments", key)
    path = f"/v1/merchant/payments/{paid['payment_id']}/refunds"
    door.clock.advance(timedelta(minutes=1))
    again = new_key()
    given = door.post(path, {"amount_minor": 300, "why": "a scratch"}, key, key=again)
    assert (given["amount_minor"], given["payment_id"]) == (300, paid["payment_id"])
    assert door.post(path, {"amount_minor": 300, "why": "a scratch"}, key, key=again) == given
    no(door.call("POST", path, {"amount_minor": 301}, key, key=again), 409, "IDEMPOTENCY_KEY_REUSED")
    left = prices[seller] - 300
    no(door.call("POST", path, {"amount_minor": left + 1}, key, key=new_key()), 422, "REFUND_TOO_LARGE")
    no(door.call("POST", path, {"amount_minor": 0}, key, key=new_key()), 422, "AMOUNT_INVALID")
    door.run(relay(door.ctx))
    door.run(webhook.deliver_due(door.ctx, door.ctx.http))
    door.run(webhook.deliver_due(door.ctx, door.ctx.http))
    assert [(got.path, got.told["type"], got.told["data"]["amount_minor"]) for got in receiver.got] == [
        (f"/{seller}", "refund.created", 300), (f"/{seller}", "refund.succeeded", 300),
    ]  # fmt: skip
    (row,) = door.get(path, key)
    assert (row["refund_id"], row["state"], row["amount_minor"]) == (given["refund_id"], "succeeded", 300)
    assert door.get("/v1/merchant/refunds", key) == [row]
    assert door.get(f"/v1/merchant/refunds/{row['refund_id']}", key) == row
    no(door.call("GET", f"/v1/merchant/refunds/{row['refund_id']}", None, other_key), 404, "REFUND_UNKNOWN")
    assert door.get(path, other_key) == []
    assert door.get(f"/v1/merchant/payments/{paid['payment_id']}", key)["refunded_minor"] == 300
    assert door.get(f"/v1/merchant/payments/{paid['payment_id']}", other_key)["refunded_minor"] == 0
    rest = door.post(path, {}, key, key=new_key())
    assert rest["amount_minor"] == left
    no(door.call("POST", path, {}, key, key=new_key()), 409, "REFUND_TOO_LARGE")
    assert door.run(world.settle(door.ctx)) == []
    assert other in prices


def test_events_are_listed_with_every_try_and_replayed(door, sold, receiver):
    _, prices, keys = sold
    seller, key = next(iter(keys.items()))
    (hook,) = door.get("/v1/merchant/webhooks", key)
    path = f"/v1/merchant/webhooks/{hook['webhook_id']}"
    door.get(path, key)
    door.run(webhook.deliver_due(door.ctx, door.ctx.http))
    door.run(webhook.deliver_due(door.ctx, door.ctx.http))
    told = door.get("/v1/merchant/events", key)
    types = ["payment.succeeded", *["refund.created", "refund.succeeded"] * 2]
    assert [one["type"] for one in reversed(told)] == types
    first = told[-1]
    door.call("PUT", path, {"url": receiver.url("/moved"), "topics": ["payment.succeeded"]}, key)
    again = door.post(f"{path}:replay", {"event_id": first["event_id"]}, key)
    assert again == {"event_ids": [first["event_id"]]}
    receiver.got.clear()
    door.run(webhook.deliver_due(door.ctx, door.ctx.http))
    (got,) = receiver.got
    assert (got.path, got.id, got.told) == ("/moved", first["event_id"], first["body"])
    story = door.get(f"/v1/merchant/events/{first['event_id']}", key)
    assert [one["status"] for one in story["tries"]] == [200, 200]
    assert (story["deliveries"][0]["state"], story["deliveries"][0]["tries"]) == ("delivered", 2)
    assert story["tries"][0]["answer"] == "thank you"
    span = {"from_at": "2026-08-24T00:00:00Z", "to_at": "2026-08-24T01:00:01Z"}
    assert door.post(f"{path}:replay", span, key)["event_ids"] == [first["event_id"]]
    for bad in ({}, {"from_at": span["from_at"]}, {**span, "event_id": first["event_id"]}):
        no(door.call("POST", f"{path}:replay", bad, key), 422, "REPLAY_INVALID")
    history = door.get(f"{path}/history", key)
    assert [one["verb"] for one in history] == ["register", "change", "replay", "replay"]
    assert (history[0]["actor"], history[0]["why"]) == (f"merchant:{seller}", "for the warehouse")
    deliveries = door.get(f"{path}/deliveries?limit=1", key)
    assert len(deliveries) == 1
    assert prices[seller] == first["body"]["data"]["amount_minor"]


def test_a_webhook_is_looked_after_by_its_merchant_alone(door, sold, receiver):
    _, _, keys = sold
    key, other_key = keys.values()
    made = door.post("/v1/merchant/webhooks", {"url": receiver.url()}, key)
    path = f"/v1/merchant/webhooks/{made['webhook_id']}"
    for call in (("GET", path, None), ("PUT", path, {"url": receiver.url()}), ("POST", f"{path}:rotate", {}),
                 ("POST", f"{path}:disable", {}), ("POST", f"{path}:test", {}), ("POST", f"{path}:remove", {}),
                 ("GET", f"{path}/history", None), ("GET", f"{path}/deliveries", None)):  # fmt: skip
        no(door.call(*call, other_key), 404, "WEBHOOK_UNKNOWN")
    (event,) = door.get("/v1/merchant/events?limit=1", key)
    no(door.call("GET", f"/v1/merchant/events/{event['event_id']}", None, other_key), 404, "EVENT_UNKNOWN")
    assert door.post(f"{path}:disable", {}, key)["state"] == "disabled"
    no(door.call("POST", f"{path}:test", {}, key), 409, "WEBHOOK_DISABLED")
    assert door.post(f"{path}:enable", {"why": "repaired"}, key)["state"] == "active"
    assert len(door.post(f"{path}:test", {}, key)["event_ids"]) == 1
    assert door.post(f"{path}:rotate", {"overlap_s": 0}, key)["secret"] != made["secret"]
    no(door.call("POST", f"{path}:rotate", {"overlap_s": 604_801}, key), 422, "REQUEST_MALFORMED")
    assert door.post(f"{path}:remove", {}, key) == {}
    no(door.call("GET", path, None, key), 404, "WEBHOOK_UNKNOWN")
    assert door.get("/v1/merchant/notices", key) == []


SCOPED = [
    ("GET", "/v1/merchant/statement", None, Scope.PAYMENTS_READ),
    ("GET", "/v1/merchant/payments", None, Scope.PAYMENTS_READ),
    ("GET", "/v1/merchant/refunds", None, Scope.PAYMENTS_READ),
    ("POST", "/v1/merchant/payments/{}/refunds", {}, Scope.REFUNDS_WRITE),
    ("GET", "/v1/merchant/webhooks", None, Scope.WEBHOOKS_MANAGE),
    ("POST", "/v1/merchant/webhooks", {"url": "https://shop.example/"}, Scope.WEBHOOKS_MANAGE),
    ("GET", "/v1/merchant/events", None, Scope.WEBHOOKS_MANAGE),
    ("GET", "/v1/merchant/api-keys", None, Scope.KEYS_MANAGE),
    ("POST", "/v1/merchant/api-keys", {"label": "x", "scopes": ["orders:read"]}, Scope.KEYS_MANAGE),
]


@pytest.mark.parametrize(("method", "path", "body", "scope"), SCOPED)
def test_a_scope_that_is_missing_is_named(door, sold, method, path, body, scope):
    _, prices, keys = sold
    (paid,) = door.get("/v1/merchant/payments", next(iter(keys.values())))
    others = [one for one in Scope if one is not scope]
    key = door.run(key_of(door, next(iter(prices)), *others))
    problem = no(door.call(method, path.format(paid["payment_id"]), body, key, key=new_key()), 403, "SCOPE_MISSING")
    assert problem["scope"] == scope


def test_pages_of_a_merchants_things(door, sold):
    _, _, keys = sold
    key = next(iter(keys.values()))
    told = door.get("/v1/merchant/events", key)
    page = door.get(f"/v1/merchant/events?limit=2&before={told[0]['event_id']}", key)
    assert page == told[1:3]
    back = door.get("/v1/merchant/refunds", key)
    assert door.get(f"/v1/merchant/refunds?before={back[0]['refund_id']}", key) == back[1:]
    (paid,) = door.get("/v1/merchant/payments", key)
    assert door.get(f"/v1/merchant/payments?before={paid['payment_id']}", key) == []
    for bad in ("limit=0", "limit=101", "before=x"):
        no(door.call("GET", f"/v1/merchant/events?{bad}", None, key), 422, "PAGE_INVALID")
