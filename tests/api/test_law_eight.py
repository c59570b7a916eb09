"""Law 8 over HTTP: the same key with the same body gives the same bytes, with another body its own error."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests import world
from tests.api.door import new_key, no, ok

from fenqi import customer
from fenqi import order as purchases
from fenqi.database import idempotency
from fenqi.kernel.ids import bucket_of, id_for, new_id


@pytest.fixture(scope="module")
def crowd(door):
    async def made():
        found = await world.people(door.ctx, 4)
        for consumer_id in found:
            await world.give_line(door.ctx, consumer_id)
            await world.step_up(door.ctx, consumer_id)
        return found

    return door.run(made())


@pytest.fixture
def tokens(door, crowd):
    return [door.token_of(consumer_id) for consumer_id in crowd]


def press(order, plan="pay_later", method="credit"):
    return {"checkout_id": order["checkout_id"], "method": method, "plan": plan}


def bodies(door, token, order):
    """A keyed call of each kind that can be made now, with another body for the same key."""
    return {
        "/v1/orders": (
            {"scene": "instalment_mall", "lines": [door.offer("instalment_mall", "small_appliance", 40_000)]},
            {"scene": "mall", "lines": [door.offer("mall", "small_appliance", 40_000)]},
        ),
        "/v1/payments": (press(order), press(order, "full", "money_account")),
        "/v1/money-account/top-ups": ({"amount_minor": 1_000}, {"amount_minor": 1_001}),
        "/v1/money-account/withdrawals": ({"amount_minor": 10}, {"amount_minor": 11}),
        f"/v1/orders/{order['order_id']}/refunds": ({"amount_minor": 100}, {"amount_minor": 200}),
        "/v1/credit/repayments": ({"kind": "amount", "amount_minor": 50}, {"kind": "settle"}),
    }


def test_the_same_key_and_body_gives_the_same_bytes_and_moves_nothing_twice(door, tokens):
    token = tokens[0]
    order = door.order(token)
    for path, (body, other) in bodies(door, token, order).items():
        key = new_key()
        first = door.call("POST", path, body, token, key=key)
        assert first.status_code == 200, first.text
        before = door.counts()
        again = door.call("POST", path, body, token, key=key)
        assert (again.status_code, again.content) == (200, first.content), path
        no(door.call("POST", path, other, token, key=key), 409, "IDEMPOTENCY_KEY_REUSED")
        assert door.counts() == before, path
    assert door.run(world.settle(door.ctx)) == []


def test_a_refusal_is_an_answer_too(door, tokens):
    token = tokens[1]
    too_much = {"amount_minor": 9_000_000_000}
    first = door.call("POST", "/v1/money-account/withdrawals", too_much, token, key="dream")
    no(first, 422, "BALANCE_INSUFFICIENT")
    door.post("/v1/money-account/top-ups", too_much, token, key=new_key())
    again = door.call("POST", "/v1/money-account/withdrawals", too_much, token, key="dream")
    assert (again.status_code, again.content) == (422, first.content)
    assert (
        door.post("/v1/money-account/withdrawals", too_much, token, key="a new press")["amount_minor"] == 9_000_000_000
    )


def test_a_refused_payment_stays_refused_under_its_key_and_a_new_key_pays_after_the_cure(door, tokens):
    token = tokens[1]
    order = door.order(token)
    door.post("/v1/credit:lock", {}, token)
    first = door.call("POST", "/v1/payments", press(order), token, key="while locked")
    assert first.status_code == 402
    assert [reason["code"] for reason in first.json()["reasons"]] == ["CREDIT_SELF_LOCKED"]
    door.clock.advance(timedelta(minutes=2))
    token = door.token_of(door.run(owner(door, order)))
    assert door.post("/v1/credit:unlock", {"lock": "self_locked"}, token)["needed"]["sms_sent"]
    code = door.get("/v1/phone/messages", token)[0]["text"].split()[1]
    assert door.post("/v1/credit:unlock", {"lock": "self_locked", "sms_code": code}, token)["done"]
    again = door.call("POST", "/v1/payments", press(order), token, key="while locked")
    assert (again.status_code, again.content) == (402, first.content)
    assert door.post("/v1/payments", press(order), token, key="a new press")["outcome"] == "succeeded"


async def owner(door, order):
    async with door.ctx.database.snapshot() as tx:
        return (await purchases.find(tx, order["number"]))[0]


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/payments", "/v1/money-account/top-ups"])
def test_many_at_once_with_one_key_get_one_answer(door, tokens, path):
    token = tokens[2]
    body = bodies(door, token, door.order(token))[path][0]
    before = door.counts()

    async def race():
        return await asyncio.gather(*(door.send("POST", path, body, token, key=f"race {path}") for _ in range(8)))

    answers = door.run(race())
    assert {answer.status_code for answer in answers} == {200}, [a.text for a in answers]
    assert len({answer.content for answer in answers}) == 1
    after = door.counts()
    assert after["journal"] - before["journal"] == (0 if path == "/v1/orders" else 1)
    assert after["orders"] - before["orders"] == (1 if path == "/v1/orders" else 0)


def test_one_key_in_two_hands_is_two_keys(door, crowd, tokens):
    """A merchant's side keeps mirrors by journal: the same id from two buyers would swallow the second's money."""
    shared = str(new_id())
    paid = []
    for token in tokens[2:4]:
        order = door.order(token)
        paid.append(door.post("/v1/payments", press(order), token, key=shared))
    assert paid[0]["payment_id"] != paid[1]["payment_id"]
    assert door.run(world.settle(door.ctx)) == []
    assert id_for(crowd[0], "order", shared) != id_for(crowd[0], "payment", shared)
    assert id_for(crowd[0], "order", shared).bytes[:6] == bytes.fromhex(shared.replace("-", ""))[:6]


def test_a_killed_process_leaves_a_key_that_a_repeat_takes_over(door, crowd, tokens, monkeypatch):
    """A claim without an answer makes others wait and then refuses them; a minute later it is done again."""
    consumer_id, token = crowd[3], tokens[3]
    path, body = "/v1/money-account/top-ups", {"amount_minor": 500}
    first = ok(door.call("POST", path, body, token, key="killed"))

    async def unanswered():
        async with door.ctx.database.transaction() as tx:
            await tx.execute(
                "UPDATE idempotency SET status = NULL, answer = NULL, answered_at = NULL"
                " WHERE bucket = %s AND consumer_id = %s AND key = %s",
                [bucket_of(consumer_id), consumer_id, "killed"],
            )

    door.run(unanswered())
    monkeypatch.setattr(idempotency, "WAIT_S", 0.2)
    waiting = door.call("POST", path, body, token, key="killed")
    no(waiting, 409, "IDEMPOTENCY_KEY_IN_USE")
    assert waiting.headers["retry-after"] == "2"
    door.clock.advance(timedelta(minutes=2))
    token = customer.issue_access_token(door.ctx.keys, consumer_id, door.ctx.now())
    again = ok(door.call("POST", path, body, token, key="killed"))
    assert again == {**first, "repeated": True}


def test_keys_are_asked_for_and_looked_at(door, tokens):
    body = {"amount_minor": 100}
    path = "/v1/money-account/top-ups"
    no(door.call("POST", path, body, tokens[0]), 400, "IDEMPOTENCY_KEY_MISSING")
    for key in ("", "x" * 256, "tab\there"):
        no(door.call("POST", path, body, tokens[0], key=key), 400, "IDEMPOTENCY_KEY_INVALID")
