"""What the door refuses, and how: a code for the kind, ours in `errCode`, a sentence; never a bare 9999."""

from __future__ import annotations

import pytest
from tests.charging.mall import BY

from fenqi import jeepay, merchant
from fenqi.flows import jeepay as flow
from fenqi.kernel.refusal import Refusal
from fenqi.merchant import MerchantState
from fenqi.seed.shops import BY_CODE

GOOD = {"amount": 1_000, "wayCode": "ALI_QR"}


@pytest.mark.parametrize(("change", "code", "err_code", "msg"), [
    ({"amount": 0}, 11, "AMOUNT_INVALID", "金额有误：请填大于0的整数，单位为分。"),
    ({"amount": "12.5"}, 11, "PARAMETER_INVALID", "参数有误：amount。"),
    ({"amount": None}, 11, "PARAMETER_INVALID", "参数有误：amount。"),
    ({"subject": ""}, 11, "PARAMETER_INVALID", "参数有误：subject。"),
    ({"currency": "usd"}, 11, "PARAMETER_INVALID", "参数有误：currency。"),
    ({"mchOrderNo": "x" * 65}, 11, "PARAMETER_INVALID", "参数有误：mchOrderNo。"),
    ({"expiredTime": 0}, 11, "PARAMETER_INVALID", "参数有误：expiredTime。"),
    ({"channelExtra": "[1]"}, 11, "PARAMETER_INVALID", "参数有误：channelExtra。"),
    ({"returnUrl": "javascript:alert(1)"}, 11, "PARAMETER_INVALID", "参数有误：returnUrl。"),
    ({"notifyUrl": "ftp://a.example/"}, 11, "WEBHOOK_URL_INVALID", "异步通知地址不可用：须为公网的https地址。"),
    ({"wayCode": "ALI_BAR"}, 11, "WAY_UNSUPPORTED", "不支持的支付方式。"),
    ({"wayCode": "WX_JSAPI"}, 11, "PARAMETER_INVALID", "参数有误：channelExtra。"),
    ({"signType": "RSA2"}, 11, "PARAMETER_INVALID", "参数有误：signType。"),
])  # fmt: skip
def test_wrong_parameters(partner, run, change, code, err_code, msg):
    async def story():
        asked = {"mchOrderNo": partner.number()} | GOOD | change
        body = partner.client.signed({"currency": "cny", "subject": "包", "body": "包"} | asked)
        answer = (await partner.http.post("/api/pay/unifiedOrder", json=body)).json()
        assert (answer["code"], answer["data"]) == (code, {"errCode": err_code, "errMsg": msg})
        assert answer["msg"] == msg
        if change.keys() != {"signType"}:
            partner.client.checked(answer)

    run(story())


def test_others_and_forgers_are_turned_away(partner, run):
    async def story():
        client = partner.client
        body = client.signed({"mchOrderNo": "x"})
        for change in ({"sign": "0" * 32}, {"mchOrderNo": "y"}, {"extra": "1"}):
            answer = (await partner.http.post("/api/pay/query", json=body | change)).json()
            assert (answer["code"], answer["data"]["errCode"], "sign" in answer) == (5004, "SIGN_INVALID", False)
        for change in ({"mchNo": "M0"}, {"appId": "0" * 32}, {"appId": "é"}):
            answer = (
                await partner.http.post("/api/pay/query", json=client.signed({"mchOrderNo": "x"} | change))
            ).json()
            assert (answer["code"], answer["data"]["errCode"]) == (5004, "APP_UNKNOWN")
        unknown = await client.query(mchOrderNo="nobody's")
        assert (unknown["code"], unknown["msg"]) == (5003, "支付订单不存在。")
        assert (await client.query_refund(mchRefundNo="nobody's"))["code"] == 5003
        assert (await client.query())["data"]["errCode"] == "PARAMETER_INVALID"
        assert (await client.refund(mchOrderNo="nobody's", mchRefundNo="1", refundAmount=1))["code"] == 5003

    run(story())


@pytest.mark.parametrize(("kind", "body"), [
    ("application/json", b"{"),
    ("application/json", b"[]"),
    ("application/json", b'{"mchNo": {"a": 1}}'),
    ("application/json", b'{"mchNo": "\\ud800"}'),
    ("application/json", b'{"mchNo": "a\\u0000"}'),
    ("application/json", b"[" * 60_000),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(200))),
    ("application/json", b" " * 70_000),
    ("", b""),
])  # fmt: skip
def test_what_is_no_request(partner, run, kind, body):
    async def story():
        got = await partner.http.post("/api/pay/unifiedOrder", content=body, headers={"content-type": kind})
        assert (got.status_code, got.json()["code"]) == (200, 11)

    run(story())


def test_a_form_and_a_query_do_as_well(partner, run):
    async def story():
        made = await partner.order(wayCode="ALI_QR")
        asked = {"mchOrderNo": made["mchOrderNo"]}
        assert (await partner.client.post("/api/pay/query", asked, form=True))["data"]["state"] == 1
        got = await partner.http.get("/api/pay/query", params=partner.client.signed(asked))
        assert partner.client.checked(got.json())["data"]["state"] == 1
        assert (await partner.http.get("/api/pay/close", params=partner.client.signed(asked))).status_code == 405

    run(story())


def test_the_evaluator_says_why_a_payment_is_refused(partner, run):
    async def story():
        answer = await partner.client.unified_order(mchOrderNo=partner.number(), amount=1_000, wayCode="UP_PC")
        assert (answer["code"], answer["data"]["orderState"]) == (0, 3)
        assert answer["data"]["errCode"] == "NO_INSTRUMENT"
        assert answer["msg"] == answer["data"]["errMsg"] and len(answer["msg"]) > 5
        assert "payData" not in answer["data"]
        found = (await partner.client.query(payOrderId=answer["data"]["payOrderId"]))["data"]
        assert (found["state"], found["errCode"], found["errMsg"]) == (3, "NO_INSTRUMENT", answer["msg"])

    run(story())


def test_a_frozen_merchant_hears_that_it_is(partner, run):
    async def story():
        ctx, client = partner.mall.ctx, await other(partner, "jiejiao", "coffee")
        assert (await client.unified_order(mchOrderNo="1", **GOOD))["data"]["orderState"] == 1
        async with ctx.database.transaction() as tx:
            await merchant.change_state(tx, BY_CODE["jiejiao"].merchant_id, MerchantState.FROZEN, BY)
        answer = await client.unified_order(mchOrderNo="2", **GOOD)
        assert (answer["data"]["orderState"], answer["data"]["errCode"]) == (3, "SELLER_STATUS_ABNORMAL")
        assert (await client.query(mchOrderNo="1"))["data"]["state"] == 1

    run(story())


async def other(partner, code, category):
    """A client of another shop's."""
    app, secret = await flow.open_app(partner.mall.ctx, BY_CODE[code].merchant_id, "till", "bag", BY)
    number = partner.mall.ctx.reference.newest.sellers[app.merchant_id].merchant.number
    return type(partner.client)(partner.http, number, app.number, secret)


def test_numbers_are_each_shops_own(partner, run):
    async def story():
        made = await partner.order(wayCode="ALI_QR")
        client = await other(partner, "bianli", "snack")
        for asked in ({"payOrderId": made["payOrderId"]}, {"mchOrderNo": made["mchOrderNo"]}):
            assert (await client.query(**asked))["code"] == 5003
            assert (await client.close(**asked))["code"] == 5003
        own = await client.unified_order(mchOrderNo=made["mchOrderNo"], **GOOD)
        assert own["code"] == 0 and own["data"]["payOrderId"] != made["payOrderId"]

    run(story())


def test_apps_are_for_shops_outside_and_can_be_revoked(partner, run):
    async def story():
        ctx = partner.mall.ctx
        for code, category in (("fenqi", "bag"), ("yuanshan", "nothing of the kind")):
            with pytest.raises(Refusal, match="APP_INVALID"):
                await flow.open_app(ctx, BY_CODE[code].merchant_id, "till", category, BY)
        app, secret = await flow.open_app(ctx, partner.merchant_id, "kiosk", "bag", BY)
        client = type(partner.client)(partner.http, partner.mch_no, app.number, secret)
        assert (await client.query(mchOrderNo="none"))["code"] == 5003
        async with ctx.database.transaction() as tx:
            await jeepay.revoke_app(tx, partner.merchant_id, app.app_id, BY)
            labels = {one.label: one.revoked_at for one in await jeepay.apps_of(tx, partner.merchant_id)}
            assert labels == {"till": None, "kiosk": BY.at}
        body = client.signed({"mchOrderNo": "none"})
        assert (await partner.http.post("/api/pay/query", json=body)).json()["code"] == 5004

    run(story())


def test_a_spare_passage_takes_over_and_a_channel_that_declines_says_so(partner, run):
    async def story():
        control, asked = partner.mall.control, {"amount": 1_000, "wayCode": "WX_NATIVE"}
        control.set_fault("wechat_pay", "error", "pay", 1, code="RULE_LIMIT")
        made = await partner.order(**asked)
        assert made["orderState"] == 1 and "/wechat_pay/q/" in made["payData"]
        assert {one.state for one in await partner.tries(made["mchOrderNo"])} == {"declined", "pending"}
        control.set_fault("wechat_pay", "error", "pay", -1, code="NOT_ENOUGH")
        made = await partner.order(**asked)
        control.clear_faults()
        assert (made["orderState"], made["errCode"]) == (3, "BALANCE_INSUFFICIENT"), made
        assert len(made["errMsg"]) > 5 and "payData" not in made

    run(story())
