"""Who may call what: staff by role and with a reason that is kept, merchants by key and scope, each their own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests import world
from tests.api.door import PASSWORD, new_key, no

from fenqi import merchant, staff
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.merchant import Scope
from fenqi.staff import Role


@pytest.fixture(scope="module")
def team(door):
    """Staff by role."""

    async def hired():
        by = By("system:test", "the team", door.ctx.now())
        async with door.ctx.database.transaction() as tx:
            for role in Role:
                await staff.hire(tx, new_id(), f"api.{role}", f"Api {role}", PASSWORD, [role], by)

    door.run(hired())


@pytest.fixture
def of_role(door, team):
    def token(role):
        return door.post("/v1/staff/sessions", {"name": f"api.{role}", "password": PASSWORD})["access_token"]

    return token


@pytest.fixture(scope="module")
def buyers(door):
    async def made():
        found = await world.people(door.ctx, 2, skip=7)
        for consumer_id in found:
            await world.give_line(door.ctx, consumer_id)
            await world.step_up(door.ctx, consumer_id)
        return found

    return door.run(made())


@pytest.fixture
def decided(door, buyers):
    """A quote and a payment of the first buyer: their order and both decisions."""
    token = door.token_of(buyers[0])
    order = door.order(token)
    offers = door.post(f"/v1/checkouts/{order['checkout_id']}/offers", {}, token)
    press = {"checkout_id": order["checkout_id"], "method": "credit", "plan": "pay_later"}
    paid = door.post("/v1/payments", press, token, key=new_key())
    return order, offers["decision_id"], paid["decision_id"]


def test_staff_read_a_decision_for_an_audience_and_say_why(door, buyers, decided, of_role):
    support = of_role(Role.SUPPORT)
    for decision_id in decided[1:]:
        path = f"/v1/consumers/{buyers[0]}/decisions/{decision_id}"
        no(door.call("GET", path, None, support), 422, "WHY_REQUIRED")
        no(door.call("GET", f"{path}?why=x&audience=press", None, support), 422, "AUDIENCE_UNKNOWN")
        told = door.get(f"{path}?why=the buyer called&audience=support", support)
        assert told["identical"] and told["facts"] is None
        assert (told["kind"] == "offers") == bool(told["offers"]) == (not told["verdicts"])
    assert door.run(audits(door, decided[2]))[0].why == "the buyer called"


async def audits(door, decision_id):
    async with door.ctx.database.snapshot() as tx:
        return await staff.audits(tx, f"decision:{decision_id}")


def test_hidden_reasons_and_facts_are_for_the_risk_desk(door, buyers, decided, of_role):
    path = f"/v1/consumers/{buyers[0]}/decisions/{decided[1]}?why=an appeal&audience=risk"
    no(door.call("GET", path, None, of_role(Role.SUPPORT)), 403, "NOT_ALLOWED")
    facts = door.get(path, of_role(Role.RISK))["facts"]
    assert facts["order"]["order_id"] == decided[0]["order_id"]
    assert "name" not in facts["consumer"] and "phone" not in facts["consumer"]


def test_a_decision_is_found_under_its_own_consumer_only(door, buyers, decided, of_role):
    path = f"/v1/consumers/{buyers[1]}/decisions/{decided[1]}?why=a slip"
    no(door.call("GET", path, None, of_role(Role.SUPPORT)), 404, "DECISION_UNKNOWN")


def test_buyers_and_merchants_are_no_staff(door, buyers, decided):
    path = f"/v1/consumers/{buyers[0]}/decisions/{decided[1]}?why=curious"
    no(door.call("GET", path, None, door.token_of(buyers[0])), 403, "FORBIDDEN")
    no(door.call("GET", path, None, door.run(key_for(door, Scope.PAYMENTS_READ))), 403, "FORBIDDEN")


def test_many_payments_at_once_are_the_operators(door, buyers, of_role):
    orders = [door.order(door.token_of(consumer_id)) for consumer_id in buyers]
    payments = [
        {"consumer_id": str(c), "key": f"bulk {n}", "checkout_id": o["checkout_id"], "method": "credit", "plan": plan}
        for n, (c, o, plan) in enumerate(zip(buyers, orders, ("pay_later", "instalment_999"), strict=True))
    ]
    unknown = {**payments[0], "key": "bulk 9", "checkout_id": str(new_id())}
    no(door.call("POST", "/v1/payments:bulk", {"payments": payments}, of_role(Role.SUPPORT)), 403, "FORBIDDEN")
    operator = of_role(Role.OPERATOR)
    answers = door.post("/v1/payments:bulk", {"payments": [*payments, unknown]}, operator)
    assert [answer["key"] for answer in answers] == ["bulk 0", "bulk 1", "bulk 9"]
    assert [a["payment"] and a["payment"]["outcome"] for a in answers] == ["succeeded", "refused", None]
    assert answers[2]["problem_code"] == "CHECKOUT_UNKNOWN"
    assert door.post("/v1/payments:bulk", {"payments": [*payments, unknown]}, operator) == answers
    for bad in ([], [payments[0]] * 1_001, [{**payments[0], "key": ""}], [{**payments[0], "key": "x" * 256}]):
        no(door.call("POST", "/v1/payments:bulk", {"payments": bad}, operator), 422, "REQUEST_MALFORMED")
    assert door.run(world.settle(door.ctx)) == []


def test_a_session_of_staff_ends(door, of_role):
    token = of_role(Role.OPERATOR)
    assert door.post("/v1/staff/sessions:end", {}, token) == {}
    no(door.call("POST", "/v1/staff/sessions:end", {}, token), 401, "UNAUTHENTICATED")
    token = of_role(Role.OPERATOR)
    door.clock.advance(timedelta(hours=8))
    no(door.call("POST", "/v1/staff/sessions:end", {}, token), 401, "UNAUTHENTICATED")


def test_staff_are_blocked_after_five_wrong_passwords(door, team):
    wrong = {"name": f"api.{Role.ACCOUNTANT}", "password": "guess"}
    for _ in range(5):
        no(door.call("POST", "/v1/staff/sessions", wrong), 401, "SIGN_IN_FAILED")
    no(door.call("POST", "/v1/staff/sessions", {**wrong, "password": PASSWORD}), 429, "SIGN_IN_BLOCKED")


async def key_for(door, *scopes, merchant_id=None):
    by = By("system:test", "a key for the till", door.ctx.now())
    async with door.ctx.database.transaction() as tx:
        if merchant_id is None:
            merchant_id = sorted(door.ctx.reference.newest.sellers)[0]
        return await merchant.create_api_key(tx, merchant_id, "till", scopes, by)


def test_a_merchant_reads_their_own_statement(door, buyers):
    token = door.token_of(buyers[0])
    order = door.order(token)
    seller_id = world.UUID(order["lines"][0]["merchant_id"])
    press = {"checkout_id": order["checkout_id"], "method": "money_account", "plan": "full"}
    door.post("/v1/payments", press, token, key=new_key())
    assert door.run(world.settle(door.ctx)) == []
    read = door.run(key_for(door, Scope.PAYMENTS_READ, merchant_id=seller_id))
    own = door.get("/v1/merchant/statement", read)
    line = next(one for one in own["lines"] if one["reference"] == order["order_id"])
    assert (line["kind"], line["amount_minor"]) == ("purchase", order["payable_minor"])
    assert own["closing_minor"] == own["opening_minor"] + sum(one["amount_minor"] for one in own["lines"])
    other_id = next(one for one in sorted(door.ctx.reference.newest.sellers) if one != seller_id)
    other = door.get("/v1/merchant/statement", door.run(key_for(door, Scope.PAYMENTS_READ, merchant_id=other_id)))
    assert order["order_id"] not in {one["reference"] for one in other["lines"]}
    no(door.call("GET", "/v1/merchant/statement?from_on=yesterday", None, read), 422, "DATE_INVALID")
    no(door.call("GET", "/v1/merchant/statement?from_on=2027-01-01&to_on=2026-01-01", None, read), 422, "DATE_INVALID")


def test_a_key_does_what_its_scopes_say_until_it_is_revoked(door, buyers):
    write = door.run(key_for(door, Scope.PAYMENTS_WRITE))
    problem = no(door.call("GET", "/v1/merchant/statement", None, write), 403, "SCOPE_MISSING")
    assert problem["scope"] == "payments:read"
    no(door.call("GET", "/v1/orders", None, write), 403, "FORBIDDEN")
    no(door.call("GET", "/v1/merchant/statement", None, door.token_of(buyers[0])), 403, "FORBIDDEN")
    read = door.run(key_for(door, Scope.PAYMENTS_READ))
    door.get("/v1/merchant/statement", read)

    async def revoked():
        async with door.ctx.database.transaction() as tx:
            await merchant.revoke_api_key(tx, read, By("system:test", "lost", door.ctx.now()))

    door.run(revoked())
    no(door.call("GET", "/v1/merchant/statement", None, read), 401, "UNAUTHENTICATED")
    no(door.call("GET", "/v1/merchant/statement", None, f"{read[:-1]}x"), 401, "UNAUTHENTICATED")
