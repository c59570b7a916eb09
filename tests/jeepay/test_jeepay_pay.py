"""A shop that spoke to Jeepay yesterday: it orders, its buyer pays, it asks, is told, refunds; nothing is lost."""

from __future__ import annotations

import json

import pytest

from fenqi import customer

WAYS = [
    ("ALI_PC", "alipay", "payurl", "/alipay/"),
    ("ALI_WAP", "alipay", "payurl", "/alipay/"),
    ("ALI_QR", "alipay", "codeUrl", "http"),
    ("ALI_APP", "alipay", "aliapp", "app_id="),
    ("WX_NATIVE", "wechat_pay", "codeUrl", "/wechat_pay/q/"),
    ("WX_H5", "wechat_pay", "payurl", "http"),
    ("WX_APP", "wechat_pay", "wxapp", "prepayid"),
]


@pytest.mark.parametrize(("way", "channel", "kind", "piece"), WAYS)
def test_each_way_leads_the_buyer_to_its_channel(partner, run, way, channel, kind, piece):
    async def story():
        made = await partner.order(wayCode=way)
        assert (made["orderState"], made["payDataType"]) == (1, kind), made
        assert piece in made["payData"]
        [begun] = await partner.tries(made["mchOrderNo"])
        assert (begun.method, begun.amount_minor, begun.state) == (channel, 68_000, "pending")

    run(story())


def test_wechats_sheet_is_opened_for_the_openid_that_the_shop_names(partner, run):
    async def story():
        openid = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
        made = await partner.order(wayCode="WX_JSAPI", channelExtra=json.dumps({"openid": openid}))
        assert made["payDataType"] == "wxapp"
        sheet = json.loads(made["payData"])
        assert set(sheet) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
        [begun] = await partner.tries(made["mchOrderNo"])
        assert begun.instrument == openid

    run(story())


@pytest.mark.parametrize(("wanted", "kind", "begins"), [
    ("form", "form", '<form name="pay" method="get" action="http'),
    ("codeImgUrl", "codeImgUrl", "data:image/png;base64,"),
])  # fmt: skip
def test_the_shop_chooses_how_it_is_handed_the_address(partner, run, wanted, kind, begins):
    async def story():
        made = await partner.order(wayCode="ALI_PC", channelExtra=json.dumps({"payDataType": wanted}))
        assert made["payDataType"] == kind and made["payData"].startswith(begins)

    run(story())


def test_an_order_is_paid_told_asked_for_and_refunded(partner, run):
    async def story():
        url = partner.server.url("/notify?shop=7")
        made = await partner.order(wayCode="WX_NATIVE", notifyUrl=url, extParam="till 3")
        assert await partner.tell() == 0
        await partner.pay(made, "wechat_pay")
        found = (await partner.client.query(mchOrderNo=made["mchOrderNo"]))["data"]
        assert found | {"channelOrderNo": 0, "successTime": 0, "createdAt": 0} == {
            "payOrderId": made["payOrderId"], "mchNo": partner.mch_no, "appId": partner.app.number,
            "mchOrderNo": made["mchOrderNo"], "ifCode": "wxpay", "wayCode": "WX_NATIVE", "amount": 68_000,
            "currency": "cny", "state": 2, "clientIp": "210.73.10.148", "subject": "登机箱", "body": "20寸",
            "extParam": "till 3", "channelOrderNo": 0, "successTime": 0, "createdAt": 0,
        }  # fmt: skip
        assert len(made["payOrderId"]) <= 30 and found["channelOrderNo"]
        by_ours = await partner.client.query(payOrderId=made["payOrderId"])
        assert by_ours["data"] == found

        assert await partner.tell() == 1
        told = partner.heard()
        assert partner.server.got[-1].path == "/notify" and told.pop("shop") == "7"
        assert partner.is_signed(told)
        assert {k: told[k] for k in found} == {k: str(v) for k, v in found.items()}
        assert set(told) == {*found, "reqTime", "sign"}
        assert await partner.tell() == 0

        again = await partner.client.unified_order(
            mchOrderNo=made["mchOrderNo"], amount=68_000, wayCode="WX_NATIVE", notifyUrl=url, extParam="till 3"
        )
        assert (again["data"]["orderState"], again["data"]["payDataType"]) == (2, "none")
        closing = await partner.client.close(payOrderId=made["payOrderId"])
        assert (closing["code"], closing["data"]["errCode"]) == (9999, "STATE_CONFLICT")
        await refunds(partner, made)

    run(story())


async def refunds(partner, made):
    """First a part, then more than is left, then the rest."""
    client, asked = partner.client, {"payOrderId": made["payOrderId"], "notifyUrl": partner.server.url("/refunds")}
    number = "r1" + made["mchOrderNo"]
    first = (await client.refund(mchRefundNo=number, refundAmount=8_000, **asked))["data"]
    assert (first["state"], first["refundAmount"], first["payAmount"]) == (1, 8_000, 68_000), "WeChat takes its time"
    await partner.mall.later(1_300)
    same = (await client.refund(mchRefundNo=number, refundAmount=8_000, **asked))["data"]
    assert same == first | {"state": 2, "channelOrderNo": same["channelOrderNo"]}
    other = await client.refund(mchRefundNo="r1" + made["mchOrderNo"], refundAmount=9_000, **asked)
    assert (other["code"], other["data"]["errCode"]) == (9999, "MCH_REFUND_NO_TAKEN")
    over = await client.refund(mchRefundNo="r2" + made["mchOrderNo"], refundAmount=60_001, **asked)
    assert (over["code"], over["data"]["errCode"], over["msg"]) == (11, "REFUND_TOO_LARGE", "退款金额超出可退余额。")
    rest = (await client.refund(mchRefundNo="r2" + made["mchOrderNo"], refundAmount=60_000, **asked))["data"]
    for seconds in (61, 1_300, 4_000):
        await partner.mall.later(seconds)
    found = (await client.query_refund(mchRefundNo="r2" + made["mchOrderNo"]))["data"]
    assert (found["state"], found["refundOrderId"], found["refundAmount"]) == (2, rest["refundOrderId"], 60_000)
    assert (await client.query_refund(refundOrderId=rest["refundOrderId"]))["data"] == found
    assert (await client.query(mchOrderNo=made["mchOrderNo"]))["data"]["state"] == 5
    before = len(partner.server.got)
    assert await partner.tell() == 2
    told = sorted((partner.heard(place) for place in (before, before + 1)), key=lambda one: one["refundAmount"])
    assert [(one["mchRefundNo"], one["state"]) for one in told] == [
        ("r2" + made["mchOrderNo"], "2"), ("r1" + made["mchOrderNo"], "2")
    ]  # fmt: skip
    assert all(partner.is_signed(one) for one in told)


def test_a_number_stands_for_one_order(partner, run):
    async def story():
        asked = {"mchOrderNo": partner.number(), "wayCode": "ALI_QR", "amount": 1_000}
        first, again = await partner.order(**asked), await partner.order(**asked)
        assert first == again
        assert len(await partner.tries(asked["mchOrderNo"])) == 1
        other = await partner.client.unified_order(**asked | {"amount": 1_001})
        assert (other["code"], other["data"]["errCode"]) == (9999, "MCH_ORDER_NO_TAKEN")

    run(story())


def test_an_order_is_closed_at_its_channel_first(partner, run):
    async def story():
        made = await partner.order(wayCode="WX_NATIVE")
        assert await partner.client.close(mchOrderNo=made["mchOrderNo"]) | {"sign": 0} == {
            "code": 0, "msg": "SUCCESS", "data": {}, "sign": 0,
        }  # fmt: skip
        [begun] = await partner.tries(made["mchOrderNo"])
        seen = partner.mall.control.find("wechat_pay", begun.attempt_no)
        assert (begun.state, seen.trade.state) == ("closed", "closed")
        assert (await partner.client.query(mchOrderNo=made["mchOrderNo"]))["data"]["state"] == 6
        assert (await partner.client.close(mchOrderNo=made["mchOrderNo"]))["code"] == 0

    run(story())


def test_a_trade_that_is_not_paid_in_time_is_closed(partner, run):
    async def story():
        made = await partner.order(wayCode="WX_NATIVE", expiredTime=60)
        await partner.mall.later(61)
        assert (await partner.client.query(mchOrderNo=made["mchOrderNo"]))["data"]["state"] == 6
        assert (await partner.tries(made["mchOrderNo"]))[0].state == "closed"

    run(story())


def test_who_pays_by_the_link_of_a_closed_order_gets_the_money_back(partner, run):
    async def story():
        made = await partner.order(wayCode="ALI_PC", notifyUrl=partner.server.url("/notify"))
        assert (await partner.client.close(mchOrderNo=made["mchOrderNo"]))["code"] == 0, "Alipay knows of no trade yet"
        await partner.pay(made, "alipay")
        assert (await partner.client.query(mchOrderNo=made["mchOrderNo"]))["data"]["state"] == 6
        assert await partner.tell() == 0
        for seconds in (5, 1_300):
            await partner.mall.later(seconds)
        found = await partner.found(made["mchOrderNo"])
        [back] = await partner.mall.refunds(found.consumer_id, found.order_id)
        assert (back.state, back.cause, back.amount_minor) == ("succeeded", "late", 68_000)
        assert await partner.mall.faults() == []

    run(story())


def test_a_try_that_nobody_pays_lasts_a_quarter_of_an_hour(partner, run):
    async def story():
        made = await partner.order(wayCode="ALI_PC")
        await partner.mall.later(14 * 60)
        assert (await partner.client.query(mchOrderNo=made["mchOrderNo"]))["data"]["state"] == 1
        await partner.mall.later(2 * 60)
        assert (await partner.client.query(mchOrderNo=made["mchOrderNo"]))["data"]["state"] == 6

    run(story())


def test_while_nobody_knows_a_pay_order_is_under_way(partner, run):
    async def story():
        control = partner.mall.control
        control.set_fault("wechat_pay", "down", "*", -1)
        control.set_fault("wechat_pay", "timeout_after", "pay", 1, seconds="5")
        made = await partner.order(wayCode="WX_NATIVE", expiredTime=60)
        assert (made["orderState"], made["payDataType"]) == (1, "none")
        await partner.mall.later(120)
        assert (await partner.client.query(mchOrderNo=made["mchOrderNo"]))["data"]["state"] == 1
        closing = await partner.client.close(mchOrderNo=made["mchOrderNo"])
        assert (closing["code"], closing["data"]["errCode"]) == (10, "PAYMENT_IN_PROGRESS")
        control.clear_faults()
        await partner.mall.later(600)
        assert (await partner.client.query(mchOrderNo=made["mchOrderNo"]))["data"]["state"] == 6
        assert await partner.mall.faults() == []

    run(story())


def test_a_walk_in_leaves_nothing_but_the_order(partner, run):
    async def story():
        made = await partner.order(wayCode="ALI_QR")
        found = await partner.found(made["mchOrderNo"])
        async with partner.mall.ctx.database.snapshot() as tx:
            buyer = await customer.get(tx, found.consumer_id)
            [row] = await customer.get_history(tx, found.consumer_id)
        assert (buyer.kind, buyer.real_name, buyer.phone_reachable) == ("walk_in", "none", False)
        assert (row.verb, row.actor) == ("walk_in", f"merchant:{partner.merchant_id}")

    run(story())
