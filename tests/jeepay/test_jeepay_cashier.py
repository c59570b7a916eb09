"""Our cashier for a partner's pay order: a signed-in buyer takes it, and pays it by whatever they have, credit too."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import pytest
from tests import world
from tests.web.conftest import Browser

from fenqi import customer, jeepay
from fenqi.flows import jeepay as flow
from fenqi.flows import pay
from fenqi.flows.request import PayRequest
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict
from fenqi.web.jeepay.asked import Asked


@pytest.fixture(scope="module")
def buyers(partner, run):
    found = run(world.people(partner.mall.ctx, 2))
    run(world.give_line(partner.mall.ctx, found[0]))
    return found


def walk(partner, run, consumer_id):
    """The buyer's browser, signed in."""

    async def name_of():
        async with partner.mall.ctx.database.snapshot() as tx:
            return (await customer.person(tx, partner.mall.ctx.keys, consumer_id)).sign_in_name

    browser = Browser(partner.web, run)
    browser.sign_in(run(name_of()))
    return browser


def test_a_signed_in_buyer_pays_on_credit(partner, run, buyers):
    url = partner.server.url("/notify")
    made = run(partner.order(wayCode="QR_CASHIER", notifyUrl=url, amount=12_000))
    assert (made["orderState"], made["payDataType"]) == (0, "payurl")
    path = urlsplit(made["payData"]).path
    assert made["payOrderId"] not in path

    stranger = Browser(partner.web, run).get(path)
    assert stranger.path == "/sign-in" and "登机箱" not in stranger.text
    browser = walk(partner, run, buyers[0])
    page = browser.get(path)
    assert "登机箱" in page.text and "¥120.00" in page.text and "Far Hills Luggage" in page.text
    cashier = browser.send(page, path)
    assert cashier.path.startswith("/cashier/") and cashier.status == 200
    assert run(partner.client.query(mchOrderNo=made["mchOrderNo"]))["data"]["state"] == 0
    assert browser.send(browser.get(path), path).path == cashier.path, "a second click leads to the same checkout"

    other = walk(partner, run, buyers[1])
    assert other.send(other.get(path), path).status == 409

    async def press():
        intent_id = cashier.path.rpartition("/")[2]
        request = PayRequest(buyers[0], new_id(), UUID(intent_id), "credit", "pay_later", b"body")
        return await pay.pay(partner.mall.ctx, request)

    paid = run(press())
    assert paid.outcome == "succeeded", paid.reasons
    found = run(partner.client.query(mchOrderNo=made["mchOrderNo"]))["data"]
    assert (found["state"], found["ifCode"], "channelOrderNo" in found) == (2, "fenqi", False)
    assert run(partner.tell()) == 1 and partner.heard()["state"] == "2"
    back = run(partner.client.refund(mchOrderNo=made["mchOrderNo"], mchRefundNo="qr-1", refundAmount=12_000))["data"]
    assert back["state"] == 2
    assert run(partner.client.query(mchOrderNo=made["mchOrderNo"]))["data"]["state"] == 5
    assert "can&#39;t be paid any more" in browser.get(path).text
    assert run(partner.mall.faults()) == []


def test_one_that_nobody_took_is_closed_or_lapses(partner, run, buyers):
    async def story():
        ctx = partner.mall.ctx
        closed, late = await partner.order(wayCode="QR_CASHIER"), await partner.order(wayCode="QR_CASHIER")
        assert (await partner.client.close(mchOrderNo=closed["mchOrderNo"]))["code"] == 0
        assert (await partner.client.close(mchOrderNo=closed["mchOrderNo"]))["code"] == 0
        assert (await partner.client.query(mchOrderNo=closed["mchOrderNo"]))["data"]["state"] == 6
        again = await partner.order(wayCode="QR_CASHIER", mchOrderNo=closed["mchOrderNo"])
        assert again["orderState"] == 6 and "payData" not in again
        await partner.mall.later(7_200)
        assert (await partner.client.query(mchOrderNo=late["mchOrderNo"]))["data"]["state"] == 6
        for made in (closed, late):
            found = await partner.found(made["mchOrderNo"])
            with pytest.raises(Conflict, match="PAY_ORDER_CLOSED"):
                await flow.take(ctx, buyers[0], partner.merchant_id, found.order_id)

    run(story())


def test_back_from_the_channel_the_shop_gets_a_signed_word(partner, run):
    made = run(partner.order(wayCode="ALI_PC", returnUrl="https://shop.example/thanks?x=1"))
    found = run(partner.found(made["mchOrderNo"]))
    page = f"/jeepay/{partner.merchant_id.hex}/{found.order_id.hex}/return"
    assert page in unquote(made["payData"])
    gone = Browser(partner.web, run).get(page, follow=False)
    assert gone.status == 303 and gone.where.startswith("https://shop.example/thanks?x=1&payOrderId=")
    told = {name: values[0] for name, values in parse_qs(urlsplit(gone.where).query).items()}
    assert told["state"] == "1" and partner.is_signed(told, "x")
    assert Browser(partner.web, run).get(page.replace(found.order_id.hex, new_id().hex)).status == 404


def test_the_same_request_ten_times_at_once_is_one_trade(partner, run):
    async def story():
        asked = {"mchOrderNo": partner.number(), "wayCode": "WX_NATIVE", "amount": 2_500}
        answers = await asyncio.gather(*(partner.client.unified_order(**asked) for _ in range(10)))
        assert {one["code"] for one in answers} == {0}
        assert len({one["data"]["payData"] for one in answers}) == 1
        assert len(await partner.tries(asked["mchOrderNo"])) == 1

    run(story())


def test_a_request_that_died_after_its_claim_is_made_up_for_by_the_next(partner, run):
    async def story():
        ctx = partner.mall.ctx
        number = partner.number()
        body = partner.client.signed({"currency": "cny", "subject": "登机箱", "body": "20寸",
                                      "clientIp": "210.73.10.148", "mchOrderNo": number, "amount": 100,
                                      "wayCode": "WX_NATIVE"})  # fmt: skip
        wanted = flow.Asked(number, "WX_NATIVE", 100, "cny", "登机箱", "20寸", Asked(body).digest, "210.73.10.148")
        async with ctx.database.transaction() as tx:
            await jeepay.claim_order(tx, flow._new(ctx, partner.app, wanted, walks_in=True))
        assert (await partner.client.query(mchOrderNo=number))["data"]["state"] == 0
        answer = (await partner.http.post("/api/pay/unifiedOrder", json=body)).json()
        assert (answer["code"], answer["data"]["orderState"]) == (0, 1), answer

    run(story())
