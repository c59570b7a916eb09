"""The whole story over HTTP: refused with every reason, cured, paid in twelve, the loan looked at, the first repaid."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from tests import world
from tests.api.door import PASSWORD, new_key, no


@pytest.fixture(scope="module")
def person(grown_ups):
    return grown_ups[-1]


@pytest.fixture(scope="module")
def token(door, person):
    """Somebody who has just registered and signed in."""
    new = {"sign_in_name": "story.teller", "phone": person.phone, "password": PASSWORD}
    made = door.post("/v1/consumers", new)
    signed_in = door.post("/v1/sessions", {"name": "story.teller", "password": PASSWORD})
    assert signed_in["consumer_id"] == made["consumer_id"]
    return signed_in["access_token"]


def sms_code(door, token):
    """The newest code on the demo's phone, a minute later, so that the next one may be asked for."""
    text = door.get("/v1/phone/messages", token)[0]["text"]
    door.clock.advance(timedelta(seconds=61))
    return re.search(r"\d{6}", text).group()


def test_a_phone_is_refused_cured_bought_in_twelve_and_its_first_instalment_repaid(door, person, token):
    goods = door.get("/v1/goods?scene=instalment_mall&category=phone&limit=5")["goods"]
    assert goods and all(one["price_minor"] > 0 for one in goods)
    line = door.offer("instalment_mall", "phone", 600_000)
    order = door.post("/v1/orders", {"scene": "instalment_mall", "lines": [line]}, token, key=new_key())
    price = order["payable_minor"]

    # refused, with every reason
    offers = door.post(f"/v1/checkouts/{order['checkout_id']}/offers", {}, token)
    twelve = offer_of(offers, "credit", "instalment_12")
    assert not twelve["available"]
    assert {reason["code"] for reason in twelve["reasons"]} >= {
        "CREDIT_NOT_OPENED",
        "REALNAME_REQUIRED",
        "PHONE_NOT_REACHABLE",
        "PAY_PASSWORD_NOT_SET",
        "STEP_UP_REQUIRED",
        "LIMIT_INSUFFICIENT",
    }
    assert all(reason["title"] and reason["text"] for reason in twelve["reasons"])
    assert "apply" in {route["route"]["kind"] for route in twelve["routes"]}, twelve["routes"]
    wallet = offer_of(offers, "money_account", "full")
    assert {reason["code"] for reason in wallet["reasons"]} >= {"NO_INSTRUMENT", "REALNAME_REQUIRED"}

    # who one is, a phone, a card, a pay password
    name = {"name": person.name, "id_number": person.id_number, "document_until_on": "2035-01-31"}
    assert door.post("/v1/identity/real-name", name, token)["done"]
    assert door.post("/v1/identity/phone:send-code", {}, token)["needed"]["sms_sent"]
    assert door.post("/v1/identity/phone:verify", {"sms_code": sms_code(door, token)}, token)["done"]
    asked = door.post("/v1/cards", {"card_number": person.card_number}, token, key=new_key())
    assert door.post(f"/v1/cards/{asked['card_id']}:bind", {"sms_code": sms_code(door, token)}, token)["done"]
    assert len(door.get("/v1/cards", token)) == 1
    assert door.post("/v1/pay-password", {"new_pay_password": world.PAY_PASSWORD}, token)["done"]
    identity = door.get("/v1/identity", token)
    assert (identity["real_name"], identity["phone_reachable"], identity["pay_password"]) == ("verified", True, "set")
    assert person.name not in str(identity) and person.phone not in str(identity)

    # the line: applied for, approved
    before = door.get("/v1/credit", token)
    application = {"income_minor": 2_000_000, "consents": before["consents_required"]}
    decided = door.post("/v1/credit/applications", application, token, key=new_key())
    assert (decided["outcome"], decided["line_state"]) == ("approved", "not_activated"), decided

    # refused still, with a remedy now: carried out, it makes the plan payable
    offers = door.post(f"/v1/checkouts/{order['checkout_id']}/offers", {}, token)
    twelve = offer_of(offers, "credit", "instalment_12")
    assert "CREDIT_NOT_ACTIVATED" in {reason["code"] for reason in twelve["reasons"]}
    remedy = twelve["remedies"][0]
    outcome = door.post(f"/v1/remedies/{remedy['id']}:apply", {}, token)
    given = {}
    while not outcome["done"]:
        assert outcome["needed"]["names"] == ["pay_password"]
        given["pay_password"] = world.PAY_PASSWORD
        outcome = door.post(f"/v1/remedies/{remedy['id']}:apply", {"inputs": given}, token)
    plan = outcome["plan"]

    # paid in twelve
    offers = door.post(f"/v1/checkouts/{order['checkout_id']}/offers", {}, token)
    twelve = offer_of(offers, "credit", plan)
    assert twelve["available"] and plan == "instalment_12"
    press = {
        "checkout_id": order["checkout_id"],
        "method": "credit",
        "plan": plan,
        "decision_id": offers["decision_id"],
    }
    paid = door.post("/v1/payments", press, token, key="press-1")
    assert paid["outcome"] == "succeeded"
    assert paid["tenders"] == [{"method": "credit", "plan": plan, "amount_minor": price}]
    assert door.get(f"/v1/payments/{paid['payment_id']}", token) == paid
    assert door.get(f"/v1/orders/{order['order_id']}", token)["state"] == "paid"

    # the loan: its schedule adds up, its cost is the offer's
    loan = door.get(f"/v1/credit/loans/{paid['loan_id']}", token)
    schedule = loan["schedule"]
    assert [row["n"] for row in schedule] == list(range(1, 13))
    assert sum(row["owed"]["principal_minor"] for row in schedule) == price
    assert loan["loan"]["outstanding_minor"] == sum(row["outstanding_minor"] for row in schedule)
    assert loan["loan"]["outstanding_minor"] == twelve["cost"]["total_minor"]
    of_plan = twelve["cost"]["annual_cost_ppm"]  # before rounding to fen
    assert abs(loan["annual_cost_ppm"] - of_plan) <= 5

    # the first instalment
    first = schedule[0]["outstanding_minor"]
    door.post("/v1/money-account:open", {}, token)
    pay_first = {"kind": "instalment", "loan_id": paid["loan_id"], "n": 1}
    no(door.call("POST", "/v1/credit/repayments", pay_first, token, key="too-poor"), 422, "BALANCE_INSUFFICIENT")
    assert (
        door.post("/v1/money-account/top-ups", {"amount_minor": 100_000}, token, key="top-up")["balance_minor"]
        == 100_000
    )
    planned = door.post("/v1/credit/repayments:preview", pay_first, token)
    assert planned["total_minor"] == first
    repaid = door.post("/v1/credit/repayments", pay_first, token, key="repay-1")
    assert repaid["total_minor"] == first
    after = door.get(f"/v1/credit/loans/{paid['loan_id']}", token)
    assert after["schedule"][0]["outstanding_minor"] == 0
    assert after["loan"]["instalments_left"] == 11
    assert door.get("/v1/money-account", token)["balance_minor"] == 100_000 - first
    line = door.get("/v1/credit", token)
    general = next(one for one in line["limits"] if one["kind"] == "fixed")
    assert general["used_minor"] == price - schedule[0]["owed"]["principal_minor"]

    # what was decided is kept, and evaluates to the same again
    for decision_id in (offers["decision_id"], paid["decision_id"]):
        assert door.post(f"/v1/decisions/{decision_id}:replay", {}, token)["identical"]
    assert door.run(world.settle(door.ctx)) == []


def offer_of(offers, method, plan):
    return next(one for one in offers["offers"] if (one["method"], one["plan"]) == (method, plan))
