"""怎么回事 over the API: to the buyer of the thing, to the merchant of the goods, to staff who say why they look."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from tests import world
from tests.api.door import PASSWORD, new_key, no

from fenqi import merchant, staff
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.reason import CODES
from fenqi.merchant import Scope
from fenqi.staff import Role


@pytest.fixture(scope="module")
def buyers(door):
    async def made():
        found = await world.people(door.ctx, 2, skip=23)
        for consumer_id in found:
            await world.give_line(door.ctx, consumer_id)
            await world.step_up(door.ctx, consumer_id)
        return found

    return door.run(made())


@pytest.fixture(scope="module")
def gold(door, buyers):
    """An order of gold, pressed with credit and refused: the order, the payment, the seller."""
    token = door.token_of(buyers[0])
    line = door.offer("mall", "gold", 500_000)
    order = door.post("/v1/orders", {"scene": "mall", "lines": [line]}, token, key=new_key())
    press = {"checkout_id": order["checkout_id"], "method": "credit", "plan": "instalment_12"}
    refused = door.call("POST", "/v1/payments", press, token, key=new_key())
    assert refused.status_code == 402
    return order, refused.json(), line["merchant_id"]


def test_a_buyer_reads_why_of_an_order_and_of_a_press(door, buyers, gold):
    order, paid, _ = gold
    token = door.token_of(buyers[0])
    for path in (f"/v1/orders/{order['order_id']}/why", f"/v1/payments/{paid['payment_id']}/why"):
        told = door.get(path, token)
        assert [one["code"] for one in told["reasons"]] == ["GOODS_CATEGORY_EXCLUDED"]
        assert (told["method"], told["plan"]) == ("credit", "instalment_12")
        assert "Gold jewellery can't be bought with Fenqi Credit" in told["narrative"]
        assert told["proof"]["identical"] and all(one["identical"] for one in told["decisions"])
        assert {one["facts_sha256"] for one in told["decisions"]} == {""}
        assert any(one["available"] for one in told["now"])
        assert not any(one["why"] for one in told["timeline"])
    zh = door.get(f"/v1/orders/{order['order_id']}/why", token, headers={"Accept-Language": "zh-CN"})
    assert "黄金首饰不能用白条购买" in zh["narrative"]


def test_nobody_reads_why_of_another_buyers_things(door, buyers, gold):
    order, paid, _ = gold
    other = door.token_of(buyers[1])
    no(door.call("GET", f"/v1/orders/{order['order_id']}/why", None, other), 404, "ORDER_UNKNOWN")
    no(door.call("GET", f"/v1/payments/{paid['payment_id']}/why", None, other), 404, "SUBJECT_UNKNOWN")
    for kind in ("payments", "refunds", "applications"):
        no(door.call("GET", f"/v1/{kind}/{uuid4()}/why", None, other), 404, "SUBJECT_UNKNOWN")
    no(door.call("GET", f"/v1/payments/{paid['payment_id']}/hold/why", None, other), 404, "SUBJECT_UNKNOWN")


def test_the_line_and_its_application(door, buyers):
    token = door.token_of(buyers[0])
    line = door.get("/v1/credit/why", token)
    assert "Your Fenqi Credit limit is ¥50,000.00" in line["narrative"]
    applied = [one for one in line["timeline"] if one["name"] == "applied_approved"]
    assert len(applied) == 1


def test_a_merchant_reads_what_concerns_it(door, gold):
    order, _, seller = gold

    async def keys():
        by = By("system:test", "a test's keys", door.ctx.now())
        found = []
        sellers = [row.merchant.merchant_id for row in door.ctx.reference.newest.sellers.values()]
        other = next(one for one in sellers if str(one) != seller)
        for merchant_id in (seller, other):
            async with door.ctx.database.transaction() as tx:
                merchant_uuid = UUID(str(merchant_id))
                found.append(await merchant.create_api_key(tx, merchant_uuid, "why", [Scope.PAYMENTS_READ], by))
        return found

    own, other = door.run(keys())
    path = f"/v1/merchant/orders/{order['number']}/why"
    told = door.get(path, own)
    assert [one["code"] for one in told["reasons"]] == ["GOODS_CATEGORY_EXCLUDED"]
    assert told["now"] == [] and told["checkout_id"] is None
    no(door.call("GET", path, None, other), 404, "SUBJECT_UNKNOWN")


def test_staff_say_why_and_hidden_reasons_are_for_the_risk_desk(door, gold):
    order, _, _ = gold

    async def hired():
        by = By("system:test", "the team", door.ctx.now())
        async with door.ctx.database.transaction() as tx:
            for role in (Role.SUPPORT, Role.RISK):
                await staff.hire(tx, new_id(), f"why.{role}", f"Why {role}", PASSWORD, [role], by)

    door.run(hired())
    tokens = {
        role: door.post("/v1/staff/sessions", {"name": f"why.{role}", "password": PASSWORD})["access_token"]
        for role in (Role.SUPPORT, Role.RISK)
    }
    path = f"/v1/why?number={order['number']}"
    no(door.call("GET", path, None, tokens[Role.SUPPORT]), 422, "WHY_REQUIRED")
    no(door.call("GET", f"{path}&why=x&audience=risk", None, tokens[Role.SUPPORT]), 403, "NOT_ALLOWED")
    no(door.call("GET", "/v1/why?number=ZZZZ&why=x", None, tokens[Role.SUPPORT]), 404, "SUBJECT_UNKNOWN")
    for role, audience in ((Role.SUPPORT, "support"), (Role.RISK, "risk")):
        told = door.get(f"{path}&why=the buyer called&audience={audience}", tokens[role])
        assert {one["code"] for one in told["reasons"]} <= CODES.keys()
        assert all(len(one["facts_sha256"]) == 64 for one in told["decisions"])
        assert any(one["name"] == "pressed_refused" for one in told["timeline"])
