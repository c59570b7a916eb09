"""Payments through channels by the API: pending with a handover, unknown, cancelled, refused, given back."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from tests import world
from tests.api.door import Door, new_key, no
from tests.charging.mall import Mall

from fenqi.flows import janitor
from fenqi.kernel.ids import new_id
from fenqi.main import create_app


@pytest.fixture(scope="module")
def mall(database, run, tmp_path_factory):
    made = Mall(database, tmp_path_factory.mktemp("gateway"), timeout_s=1.0)
    made.ctx.settings = replace(made.ctx.settings, secret=world.SECRET)
    run(made.open())
    yield made
    run(made.close())


@pytest.fixture(scope="module")
def shop(mall, run, urls):
    """The API over the mall, its clock standing."""
    app = create_app(mall.ctx.settings, mall.clock, with_jobs=False)
    app.state.context = mall.ctx
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://fenqi.test")
    yield Door(run, client, mall.ctx, app, mall.clock, urls)
    run(client.aclose())


@pytest.fixture(scope="module")
def buyers(mall, run):
    return run(world.people(mall.ctx, 3))


@pytest.fixture
def press(shop, buyers):
    """Places an order and pays it: (answer, order, token)."""

    def of(buyer=0, key=None, **body):
        token = shop.token_of(buyers[buyer])
        line = shop.offer("mall", "phone", 400_000)
        order = shop.post("/v1/orders", {"scene": "mall", "lines": [line]}, token, key=new_key())
        body = {"checkout_id": order["checkout_id"], "plan": "full"} | body
        return shop.call("POST", "/v1/payments", body, token, key=key or new_key()), order, token

    return of


def paid_at_wallet(mall, payment):
    mall.pay_at_wallet(payment["channel"], payment["attempts"][-1]["attempt_id"].replace("-", ""))


def test_a_pending_payment_comes_with_its_handover_and_is_read_until_it_is_paid(shop, mall, press, run):
    key = new_key()
    answer, order, token = press(method="wechat_pay", key=key)
    assert answer.status_code == 202
    pending = answer.json()
    assert (pending["outcome"], pending["channel"]) == ("pending", "wechat_pay")
    assert pending["handover"]["kind"] == "qr" and pending["handover"]["url"].startswith("http")
    assert pending["expires_at"] == "2026-08-24T01:15:00Z"
    [tried] = pending["attempts"]
    assert (tried["state"], tried["channel"], tried["amount_minor"], tried["is_returned"]) == (
        "pending", "wechat_pay", order["payable_minor"], False,
    )  # fmt: skip
    assert shop.get(f"/v1/payments/{pending['payment_id']}", token) == pending
    again = {"checkout_id": order["checkout_id"], "method": "wechat_pay", "plan": "full"}
    assert shop.call("POST", "/v1/payments", again, token, key=key).json() == pending
    other = {**again, "client": "wap"}
    no(shop.call("POST", "/v1/payments", other, token, key=key), 409, "IDEMPOTENCY_KEY_REUSED")
    paid_at_wallet(mall, pending)
    run(mall.later(70))
    paid = shop.get(f"/v1/payments/{pending['payment_id']}", token)
    mall.clock.set(world.AT)
    assert (paid["outcome"], paid["handover"], paid["expires_at"]) == ("succeeded", None, None)
    assert paid["attempts"][0]["state"] == "succeeded"
    assert shop.call("POST", "/v1/payments", again, token, key=key).status_code == 200


def test_the_client_decides_the_handover(press, shop):
    for client, kind in (("web", "redirect"), ("wap", "redirect"), ("app", "app")):
        answer, _, _ = press(method="alipay", client=client)
        assert (answer.status_code, answer.json()["handover"]["kind"]) == (202, kind)
    answer, _, _ = press(method="alipay", client="wechat")
    assert answer.status_code == 402
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["CLIENT_UNSUPPORTED"]


def test_a_card_is_charged_at_once_and_must_be_ones_own(press, shop, buyers):
    answer, _, token = press(method="bank_card")
    assert (answer.status_code, answer.json()["outcome"]) == (200, "succeeded")
    card = shop.get("/v1/cards", token)[0]["card_id"]
    answer, _, _ = press(method="bank_card", card_id=card)
    assert answer.status_code == 200
    answer, _, _ = press(1, method="bank_card", card_id=card)
    no(answer, 404, "CARD_UNKNOWN")


def test_a_declined_card_is_a_refusal_that_hides_what_is_hidden(press, mall, shop):
    mall.control.set_fault("bank_card", "error", "pay", 1, code="61", message="[1000041]")
    answer, _, token = press(2, method="bank_card")
    mall.control.clear_faults()
    assert answer.status_code == 402
    refused = answer.json()
    shown = shop.get(f"/v1/payments/{refused['payment_id']}", token)
    assert shown == refused and refused["attempts"][0]["state"] == "declined"
    assert refused["attempts"][0]["reason"] == refused["reasons"][0]["code"] != "CARD_LOST_STOLEN"


def test_silence_is_unknown_and_says_so(press, mall, shop):
    mall.control.set_fault("wechat_pay", "timeout_after", "pay", 1, seconds="5")
    answer, _, _ = press(method="wechat_pay")
    mall.control.clear_faults()
    unknown = answer.json()
    assert (answer.status_code, unknown["outcome"], unknown["handover"]) == (202, "unknown", None)
    assert unknown["expires_at"] is not None


def test_a_pending_payment_is_cancelled(press, shop, mall, buyers):
    answer, order, token = press(method="wechat_pay")
    pending = answer.json()
    path = f"/v1/payments/{pending['payment_id']}:cancel"
    no(shop.call("POST", path, {}, shop.token_of(buyers[1])), 404, "PAYMENT_UNKNOWN")
    closed = shop.post(path, {}, token)
    assert (closed["outcome"], closed["attempts"][0]["state"]) == ("closed", "closed")
    assert shop.post(path, {}, token) == closed
    assert shop.get(f"/v1/orders/{order['order_id']}", token)["state"] == "awaiting_payment"
    no(shop.call("POST", f"/v1/payments/{new_id()}:cancel", {}, token), 404, "PAYMENT_UNKNOWN")


def test_whoever_paid_before_the_cancellation_has_paid(press, shop, mall):
    answer, _, token = press(method="wechat_pay")
    paid_at_wallet(mall, answer.json())
    assert shop.post(f"/v1/payments/{answer.json()['payment_id']}:cancel", {}, token)["outcome"] == "succeeded"


def test_a_refund_tells_how_far_the_channel_is(press, shop, mall, run):
    answer, order, token = press(method="bank_card")
    assert answer.status_code == 200
    path = f"/v1/orders/{order['order_id']}/refunds"
    planned = shop.post(f"{path}:preview", {"amount_minor": 10_000}, token)
    assert planned["to_channel_minor"] == 10_000
    asked = shop.post(path, {"amount_minor": 10_000}, token, key=new_key())
    assert (asked["to_channel_minor"], asked["to_limit_minor"], asked["to_money_account_minor"]) == (10_000, 0, 0)
    [part] = asked["channel_refunds"]
    assert (part["channel"], part["amount_minor"], part["state"], part["usual_days"]) == (
        "bank_card", 10_000, "created", [1, 10],
    )  # fmt: skip
    run(janitor.settle(mall.ctx))
    for _ in range(4):
        run(mall.later(3600))
    mall.clock.set(world.AT)
    [row] = shop.get(path, token)
    assert row["channel_refunds"][0]["state"] == "succeeded"
    assert row["channel_refunds"][0]["finished_at"] is not None


def test_a_top_up_is_taken_and_read(shop, buyers, mall):
    token = shop.token_of(buyers[1])
    mall.control.set_fault("bank_card", "timeout_after", "pay", 1, seconds="5")
    asked = shop.call("POST", "/v1/money-account/top-ups", {"amount_minor": 5_000}, token, key=new_key())
    mall.control.clear_faults()
    moved = asked.json()
    assert (asked.status_code, moved["state"]) in ((202, "unknown"), (200, "succeeded"))
    tried = shop.get(f"/v1/money-account/attempts/{moved['attempt_id']}", token)
    assert (tried["channel"], tried["amount_minor"]) == ("bank_card", 5_000)
    other = shop.token_of(buyers[0])
    no(shop.call("GET", f"/v1/money-account/attempts/{moved['attempt_id']}", None, other), 404, "ATTEMPT_UNKNOWN")


def test_nothing_is_wrong_with_the_books(mall, run):
    assert run(mall.faults()) == []
