"""Bad input over HTTP: typed problems, the right status, and nothing written."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from tests import world
from tests.api.door import new_key, no

from fenqi import catalog, customer
from fenqi.credit.schedule import document
from fenqi.kernel.by import By
from fenqi.web.api import resource
from fenqi.web.api.plan import PlanTerms


@pytest.fixture(scope="module")
def crowd(door):
    async def made():
        found = await world.people(door.ctx, 3, skip=4)
        for consumer_id in found[:2]:
            await world.give_line(door.ctx, consumer_id)
            await world.step_up(door.ctx, consumer_id)
        return found

    return door.run(made())


@pytest.fixture
def token(door, crowd):
    return door.token_of(crowd[0])


@pytest.fixture
def stranger(door, crowd):
    return door.token_of(crowd[1])


@pytest.fixture
def untouched(door):
    """Nothing is written by the test, whatever it asks for."""
    before = door.counts()
    yield
    assert door.counts() == before


@pytest.fixture(scope="module")
def standing_order(door, crowd):
    return door.order(door.token_of(crowd[0]))


# what is asked for with a key leaves its record, and nothing else
KEPT = {"idempotency"}


def refuses(door, path, body, token, status, code):
    """Refused, and nothing but the key's record written."""
    before = door.counts()
    problem = no(door.call("POST", path, body, token, key=new_key()), status, code)
    after = door.counts()
    assert {name for name in after if after[name] != before[name]} <= KEPT
    return problem


@pytest.mark.parametrize("amount", [0, -1, -(10**18), 10_000_000_001, 10**18, 10**40])
@pytest.mark.parametrize("path", ["/v1/money-account/top-ups", "/v1/money-account/withdrawals"])
def test_amounts_that_are_none(door, token, path, amount):
    refuses(door, path, {"amount_minor": amount}, token, 422, "AMOUNT_INVALID")


@pytest.mark.parametrize("amount", [1.5, 0.1, 1e2, "100", "NaN", True, None, [], {}, "1.00"])
def test_fractions_of_fen_and_wrong_types(door, token, amount, untouched):
    problem = no(
        door.call("POST", "/v1/money-account/top-ups", {"amount_minor": amount}, token, key=new_key()),
        422,
        "REQUEST_MALFORMED",
    )
    assert "$.amount_minor" in problem["detail"]


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b'{"amount_minor": NaN}', 400, "JSON_MALFORMED"),
        (b'{"amount_minor": Infinity}', 400, "JSON_MALFORMED"),
        (b'{"amount_minor": 1', 400, "JSON_MALFORMED"),
        (b"amount_minor=1", 400, "JSON_MALFORMED"),
        (b"\xff\xfe", 400, "JSON_MALFORMED"),
        (b'{"amount_minor": "\xff"}', 422, "REQUEST_MALFORMED"),
        (b'{"\xff": 1}', 400, "JSON_MALFORMED"),
        (b"[" * 100_000, 422, "REQUEST_MALFORMED"),
        (b'{"x": ' + b"[" * 100_000, 422, "REQUEST_MALFORMED"),
        (b"null", 422, "REQUEST_MALFORMED"),
        (b"", 422, "REQUEST_MALFORMED"),
        (b'{"amount_minor": 1, "amount_major": 1}', 422, "REQUEST_MALFORMED"),
    ],
)
def test_bodies_that_are_no_request(door, token, raw, status, code, untouched):
    no(door.call("POST", "/v1/money-account/top-ups", None, token, key=new_key(), content=raw), status, code)


@pytest.mark.parametrize("text", ["a\0b", "\0"])
def test_text_that_no_column_holds(door, text, untouched):
    no(door.call("POST", "/v1/sessions", {"name": text, "password": "x"}), 422, "REQUEST_MALFORMED")
    no(door.call("GET", "/v1/goods", params={"search": text}), 422, "REQUEST_MALFORMED")


def test_an_escaped_backslash_is_no_nul(door):
    raw = rb'{"name": "\\u0000", "password": "x"}'
    no(door.call("POST", "/v1/sessions", content=raw), 401, "SIGN_IN_FAILED")


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/payments", "/v1/sessions", "/v1/credit/plans:preview"])
def test_huge_bodies_are_not_read(door, token, path, untouched):
    huge = b'{"scene": "' + b"x" * resource.MAX_BODY_BYTES + b'"}'
    no(door.call("POST", path, None, token, key=new_key(), content=huge), 413, "BODY_TOO_LARGE")


def test_a_huge_body_without_a_length_is_cut_off(door, token, untouched):
    async def endless():
        while True:
            yield b" " * 65_536

    no(door.call("POST", "/v1/orders", None, token, key=new_key(), content=endless()), 413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("quantity", [0, -1, 10**6, 10**12, 10**30])
def test_quantities_that_are_none(door, token, quantity):
    line = {**door.offer("instalment_mall", "small_appliance", 40_000), "quantity": quantity}
    refuses(door, "/v1/orders", {"scene": "instalment_mall", "lines": [line]}, token, 422, "QUANTITY_INVALID")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"scene": "moon"}, 404, "OFFER_UNKNOWN"),
        ({"lines": []}, 422, "LINES_INVALID"),
        ({"lines": [{"sku_id": str(uuid4()), "merchant_id": str(uuid4())}] * 51}, 404, "OFFER_UNKNOWN"),
        ({"delivery": "teleport"}, 422, "DELIVERY_INVALID"),
        ({"delivery": "virtual"}, 422, "DELIVERY_INVALID"),
        ({"lines": [{"sku_id": str(uuid4()), "merchant_id": str(uuid4())}]}, 404, "OFFER_UNKNOWN"),
    ],
)
def test_orders_that_are_none(door, token, change, status, code):
    good = {"scene": "instalment_mall", "lines": [door.offer("instalment_mall", "small_appliance", 40_000)]}
    refuses(door, "/v1/orders", {**good, **change}, token, status, code)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"method": "cowries"}, 422, "METHOD_UNKNOWN"),
        ({"checkout_id": str(uuid4())}, 404, "CHECKOUT_UNKNOWN"),
        ({"part_by": {"method": "money_account", "amount_minor": 0}}, 422, "AMOUNT_INVALID"),
        ({"part_by": {"method": "money_account", "amount_minor": 10**9}}, 422, "AMOUNT_INVALID"),
        ({"part_by": {"method": "credit", "amount_minor": 1}}, 422, "METHOD_TWICE"),
        ({"plan": 12}, 422, "REQUEST_MALFORMED"),
        ({"checkout_id": "1"}, 422, "REQUEST_MALFORMED"),
    ],
)
def test_payments_that_are_none(door, token, standing_order, change, status, code, untouched):
    press = {"checkout_id": standing_order["checkout_id"], "method": "credit", "plan": "pay_later"}
    no(door.call("POST", "/v1/payments", {**press, **change}, token, key=new_key()), status, code)


def test_a_plan_that_is_not_offered_is_refused_with_its_reason(door, token, standing_order):
    press = {"checkout_id": standing_order["checkout_id"], "method": "credit", "plan": "instalment_999"}
    answer = door.call("POST", "/v1/payments", press, token, key=new_key())
    assert answer.status_code == 402
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["PLAN_TERM_NOT_OFFERED"]


@pytest.mark.parametrize("amount", [0, -5, 10**12, 10**30])
def test_refunds_and_repayments_of_nothing(door, token, amount):
    order = door.order(token)
    door.post(
        "/v1/payments", {"checkout_id": order["checkout_id"], "method": "credit", "plan": "pay_later"}, token,
        key=new_key(),
    )  # fmt: skip
    refused = door.call(
        "POST", f"/v1/orders/{order['order_id']}/refunds", {"amount_minor": amount}, token, key=new_key()
    )
    assert (refused.status_code, refused.json()["code"]) in [(422, "AMOUNT_INVALID"), (422, "REFUND_TOO_LARGE")]
    asked = {"kind": "amount", "amount_minor": amount}
    refused = door.call("POST", "/v1/credit/repayments", asked, token, key=new_key())
    assert (refused.status_code, refused.json()["code"]) in [(422, "AMOUNT_INVALID"), (422, "REPAYMENT_TOO_LARGE")]
    assert door.run(world.settle(door.ctx)) == []


def test_a_misspelt_name_does_not_settle_everything(door, token, untouched):
    asked = {"kind": "settle", "loanid": str(uuid4())}
    no(door.call("POST", "/v1/credit/repayments", asked, token, key=new_key()), 422, "REQUEST_MALFORMED")


def test_other_peoples_things_do_not_exist(door, token, stranger, crowd, standing_order, untouched):
    order_id, checkout_id = standing_order["order_id"], standing_order["checkout_id"]
    no(door.call("GET", f"/v1/orders/{order_id}", None, stranger), 404, "ORDER_UNKNOWN")
    no(door.call("POST", f"/v1/orders/{order_id}:close", {}, stranger), 404, "ORDER_UNKNOWN")
    no(door.call("POST", "/v1/checkouts", {"order_id": order_id}, stranger), 404, "ORDER_UNKNOWN")
    no(door.call("POST", f"/v1/checkouts/{checkout_id}/offers", {}, stranger), 404, "CHECKOUT_UNKNOWN")
    press = {"checkout_id": checkout_id, "method": "money_account", "plan": "full"}
    no(door.call("POST", "/v1/payments", press, stranger, key=new_key()), 404, "CHECKOUT_UNKNOWN")


def test_other_peoples_payments_loans_decisions_and_refunds_do_not_exist(door, token, stranger):
    order = door.order(token)
    offers = door.post(f"/v1/checkouts/{order['checkout_id']}/offers", {}, token)
    press = {"checkout_id": order["checkout_id"], "method": "credit", "plan": "pay_later"}
    paid = door.post("/v1/payments", press, token, key=new_key())
    for path, code in [
        (f"/v1/payments/{paid['payment_id']}", "PAYMENT_UNKNOWN"),
        (f"/v1/credit/loans/{paid['loan_id']}", "LOAN_UNKNOWN"),
        (f"/v1/decisions/{paid['decision_id']}", "DECISION_UNKNOWN"),
    ]:
        door.get(path, token)
        no(door.call("GET", path, None, stranger), 404, code)
    no(door.call("POST", f"/v1/decisions/{offers['decision_id']}:replay", {}, stranger), 404, "DECISION_UNKNOWN")
    no(
        door.call("POST", f"/v1/orders/{order['order_id']}/refunds", {}, stranger, key=new_key()),
        404,
        "ORDER_UNKNOWN",
    )
    settle = {"kind": "settle", "loan_id": paid["loan_id"]}
    no(door.call("POST", "/v1/credit/repayments", settle, stranger, key=new_key()), 404, "LOAN_UNKNOWN")
    remedy = f"{offers['decision_id'].replace('-', '')}.credit.pay_later.0"
    no(door.call("POST", f"/v1/remedies/{remedy}:apply", {}, stranger), 404, "REMEDY_UNKNOWN")


NOBODYS = "01a20571b7427dd0a56e881613da61ee.credit.pay_later.0"


@pytest.mark.parametrize("remedy", ["x", "a.b.c", NOBODYS, "....", "%00.a.b.1"])
def test_remedies_that_nobody_offered(door, token, remedy, untouched):
    no(door.call("POST", f"/v1/remedies/{remedy}:apply", {}, token), 404, "REMEDY_UNKNOWN")


def test_tokens_missing_forged_expired_and_of_the_wrong_kind(door, token, crowd, untouched):
    for header in ("", "Bearer", "Bearer ", f"Basic {token}", "Bearer fqa.x.y", f"Bearer {token}x", "Bearer fqa.é.é"):
        answer = door.call("GET", "/v1/orders", headers={"Authorization": header.encode("latin-1")})
        no(answer, 401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer"
    other_keys = customer.Keys(b"another secret of nobody")
    forged = customer.issue_access_token(other_keys, crowd[0], door.ctx.now())
    no(door.call("GET", "/v1/orders", None, forged), 401, "UNAUTHENTICATED")
    old = customer.issue_access_token(door.ctx.keys, crowd[0], door.ctx.now() - customer.ACCESS_TTL)
    no(door.call("GET", "/v1/orders", None, old), 401, "UNAUTHENTICATED")
    no(door.call("POST", "/v1/payments:bulk", {"payments": []}, token), 403, "FORBIDDEN")


def test_a_token_ends_with_its_quarter_of_an_hour(door, crowd):
    token = door.token_of(crowd[2])
    door.get("/v1/orders", token)
    door.clock.advance(timedelta(minutes=15))
    no(door.call("GET", "/v1/orders", None, token), 401, "UNAUTHENTICATED")


def test_guessing_passwords_is_slowed_down(door):
    wrong = {"name": "nobody.at.all", "password": "guess"}
    for _ in range(10):
        no(door.call("POST", "/v1/sessions", wrong), 401, "SIGN_IN_FAILED")
    blocked = door.call("POST", "/v1/sessions", wrong)
    no(blocked, 429, "SIGN_IN_BLOCKED")
    assert blocked.headers["retry-after"] == "900"


def test_an_order_past_its_time_is_not_paid(door, crowd):
    order = door.order(door.token_of(crowd[0]))
    door.clock.advance(timedelta(minutes=31))
    token = door.token_of(crowd[0])
    press = {"checkout_id": order["checkout_id"], "method": "money_account", "plan": "full"}
    refused = door.call("POST", "/v1/payments", press, token, key=new_key())
    assert refused.status_code == 402
    assert "ORDER_EXPIRED" in {reason["code"] for reason in refused.json()["reasons"]}
    assert refused.json()["tenders"] == []
    assert door.run(world.settle(door.ctx)) == []
    assert door.get(f"/v1/orders/{order['order_id']}", token)["state"] == "expired"


def test_a_changed_price_is_told_and_its_acceptance_is_the_remedy(door, crowd):
    token = door.token_of(crowd[0])
    line = door.offer("instalment_mall", "small_appliance", 39_000)
    order = door.post("/v1/orders", {"scene": "instalment_mall", "lines": [line]}, token, key=new_key())
    price = order["payable_minor"]

    async def dearer(by_minor):
        key = UUID(line["sku_id"]), UUID(line["merchant_id"])
        async with door.ctx.database.transaction() as tx:
            by = By("staff:test", "a new price", door.ctx.now())
            await catalog.change_price(tx, *key, door.ctx.reference.newest.offers[key].price_minor + by_minor, by)

    door.run(dearer(700))
    press = {"checkout_id": order["checkout_id"], "method": "money_account", "plan": "full"}
    refused = door.call("POST", "/v1/payments", press, token, key=new_key())
    assert refused.status_code == 402
    assert [reason["code"] for reason in refused.json()["reasons"]] == ["AMOUNT_CHANGED"]
    offers = door.post(f"/v1/checkouts/{order['checkout_id']}/offers", {}, token)
    full = next(one for one in offers["offers"] if one["method"] == "money_account")
    remedy = full["remedies"][0]
    assert [step["action"]["kind"] for step in remedy["steps"]] == ["accept_price"]
    assert door.post(f"/v1/remedies/{remedy['id']}:apply", {}, token)["done"]
    paid = door.post("/v1/payments", press, token, key=new_key())
    assert paid["amount_minor"] == price + 700
    door.run(dearer(-700))


def test_a_double_click_pays_once(door, token):
    press = {"checkout_id": door.order(token)["checkout_id"], "method": "money_account", "plan": "full"}

    async def clicks():
        return await asyncio.gather(
            *(door.send("POST", "/v1/payments", press, token, key=new_key()) for _ in range(2)),
        )

    before = door.counts()["journal"]
    answers = door.run(clicks())
    assert sorted(answer.status_code for answer in answers) == [200, 402]
    refused = next(answer for answer in answers if answer.status_code == 402)
    assert {reason["code"] for reason in refused.json()["reasons"]} == {"ORDER_PAID"}
    assert door.counts()["journal"] == before + 1


def test_what_is_not_there(door, token, untouched):
    no(door.call("GET", "/v1/nothing", None, token), 404, "NOT_FOUND")
    no(door.call("GET", "/v1/", None, token), 404, "NOT_FOUND")
    no(door.call("GET", "/v1/orders/not-an-id", None, token), 404, "NOT_FOUND")
    wrong = door.call("DELETE", "/v1/orders", None, token)
    no(wrong, 405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["allow"] == "GET, POST"
    no(door.call("GET", f"/v1/orders/{uuid4()}:close", None, token), 405, "METHOD_NOT_ALLOWED")
    assert door.call("HEAD", "/v1/goods").status_code == 200


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=-1", "limit=٣", "before=x", "limit=9999999"]
)
def test_pages_that_are_none(door, token, query, untouched):
    no(door.call("GET", f"/v1/orders?{query}", None, token), 422, "PAGE_INVALID")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"principal": "-1"}, "PRINCIPAL_NOT_POSITIVE", "principal"),
        ({"principal": "0.001"}, "TOO_MANY_DECIMALS", "principal"),
        ({"principal": "NaN"}, "NOT_A_NUMBER", "principal"),
        ({"principal": "1e30"}, "AMOUNT_ABSURD", "principal"),
        ({"instalments": 0}, "COUNT_INVALID", "instalments"),
        ({"instalments": 1.5}, "COUNT_INVALID", "instalments"),
        ({"rate_monthly": "0.01"}, "RATE_NOT_ONE", "rate_annual"),
        ({"rate_annual": "-0.1"}, "RATE_NEGATIVE", "rate_annual"),
        ({"method": "magic"}, "CHOICE_UNKNOWN", "method"),
        ({"disbursed_on": "2026-02-30"}, "NOT_A_DATE", "disbursed_on"),
    ],
)
def test_terms_that_make_no_plan(door, change, code, field, untouched):
    good = {"principal": "1200.00", "instalments": 12, "rate_annual": "0.12"}
    assert len(door.post("/v1/credit/plans:preview", good)["rows"]) == 12
    problem = no(door.call("POST", "/v1/credit/plans:preview", {**good, **change}), 422, code)
    assert problem["field"] == field


def test_the_plan_of_the_api_takes_the_engines_fields():
    assert {field.name for field in msgspec.structs.fields(PlanTerms)} == document.FIELDS


def test_an_unknown_field_of_terms(door, untouched):
    good = {"principal": "1200.00", "instalments": 12, "rate_annual": "0.12", "colour": "red"}
    no(door.call("POST", "/v1/credit/plans:preview", good), 422, "REQUEST_MALFORMED")


@pytest.mark.parametrize("seconds", [0, -1, 10**9, 10**30])
def test_the_clock_takes_no_odd_steps(door, seconds, untouched):
    no(door.call("POST", "/v1/clock:advance", {"seconds": seconds}), 422, "CLOCK_STEP_INVALID")


def test_the_clock_moves_forward_in_the_demo_only(door, monkeypatch):
    before = door.get("/v1/clock")
    after = door.post("/v1/clock:advance", {"seconds": 90})
    moved = datetime.fromisoformat(after["now"]) - datetime.fromisoformat(before["now"])
    assert (moved, after["steerable"]) == (timedelta(seconds=90), True)
    monkeypatch.setattr(door.ctx, "settings", replace(door.ctx.settings, demo=False))
    no(door.call("POST", "/v1/clock:advance", {"seconds": 1}), 404, "NOT_FOUND")
