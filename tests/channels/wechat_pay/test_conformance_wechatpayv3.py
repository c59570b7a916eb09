"""A client that nobody here wrote, the Python package wechatpayv3, drives our gateway and judges what we sign and seal.

It refuses answers whose signature does not hold, and sets the address of its gateway by a private name only.
"""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.channels.wechat_pay.shop import OPENID, Shop
from tests.channels.wechat_pay.test_bills import DAY_ON, MORNING, NEXT
from tests.channels.wechat_pay.test_notices import paid_notices
from wechatpayv3 import SignType, WeChatPay, WeChatPayType

from fenqi.channels.contract import Incoming, Paid, Pending, RefundPending
from fenqi.channels.wechat_pay import CHANNEL, fund_flow
from fenqi.channels.wechat_pay.sign import certificates
from fenqi.kernel.ids import new_id


def client(shop: Shop, cert_dir: Path | None = None) -> WeChatPay:
    """The client in public-key mode; with a folder, in the mode of the certificates that it holds."""
    values = shop.values
    mode = (
        {"public_key": values["public_key"], "public_key_id": values["public_key_id"]}
        if cert_dir is None
        else {"cert_dir": str(cert_dir)}
    )
    made = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE, mchid=values["mchid"], private_key=values["private_key"],
        cert_serial_no=values["serial_no"], appid=values["appid"], apiv3_key=values["api_v3_key"],
        notify_url=shop.heard.url, **mode,
    )  # fmt: skip
    made._core._gate_way = shop.passage.endpoint
    return made


def told(answer: tuple[int, Any]) -> dict[str, Any]:
    """The answer's JSON; wechatpayv3 has verified its signature."""
    status, body = answer
    assert status == 200, body
    said: dict[str, Any] = json.loads(body)
    return said


def callback(made: WeChatPay, incoming: Incoming) -> dict[str, Any]:
    found: dict[str, Any] = made.callback(incoming.headers, incoming.body)
    assert found, "wechatpayv3 does not believe this notice"
    return found


def test_it_sells_closes_and_refunds_here(shop: Shop) -> None:
    theirs, out_no, out_refund_no = client(shop), new_id().hex, new_id().hex
    amount = {"total": 12_345, "currency": "CNY"}
    order = told(theirs.pay("一部手机", out_no, amount))
    assert order["code_url"].startswith(f"{shop.passage.endpoint}/q/wx")
    assert told(theirs.query(out_trade_no=out_no))["trade_state"] == "NOTPAY"
    assert shop.query(out_no) == Pending()
    shop.gateway.control.pay(shop.trade(out_no).trade_no, OPENID)
    paid = told(theirs.query(out_trade_no=out_no))
    assert (paid["trade_state"], paid["amount"]["total"], paid["payer"]["openid"]) == ("SUCCESS", 12_345, OPENID)
    assert told(theirs.query(transaction_id=paid["transaction_id"])) == paid
    status, body = theirs.close(out_no)
    assert (status, json.loads(body)["code"]) == (400, "ORDER_PAID")
    back = told(theirs.refund(out_refund_no, {"refund": 345, **amount}, out_trade_no=out_no, reason="退货"))
    assert (back["status"], back["amount"]["refund"]) == ("PROCESSING", 345)
    assert told(theirs.query_refund(out_refund_no)) == back
    assert told(theirs.query(out_trade_no=out_no))["trade_state"] == "REFUND"


def test_it_closes_what_was_not_paid(shop: Shop) -> None:
    theirs, out_no = client(shop), new_id().hex
    told(theirs.pay("x", out_no, {"total": 1}))
    assert theirs.close(out_no)[0] == 204
    assert told(theirs.query(out_trade_no=out_no))["trade_state"] == "CLOSED"


def test_both_sign_jsapi_alike(shop: Shop) -> None:
    theirs, out_no = client(shop), new_id().hex
    expiry = (datetime.now().astimezone() + timedelta(minutes=5)).isoformat(timespec="seconds")
    order = told(
        theirs.pay("x", out_no, {"total": 1}, {"openid": OPENID}, time_expire=expiry, pay_type=WeChatPayType.JSAPI)
    )  # fmt: skip
    ours = shop.pay(shop.charge(way="jsapi", payer=OPENID))
    assert isinstance(ours, Pending) and ours.handover is not None and order["prepay_id"].startswith("wx")
    fields = ours.handover.fields
    parts = [fields[name] for name in ("appId", "timeStamp", "nonceStr", "package")]
    assert theirs.sign(parts, SignType.RSA_SHA256) == fields["paySign"]


def test_it_sees_what_we_sold_and_we_see_its_orders(shop: Shop) -> None:
    theirs, charge = client(shop), shop.charge()
    shop.pay(charge)
    assert told(theirs.query(out_trade_no=charge.attempt_no))["amount"]["total"] == charge.amount_minor
    told(theirs.pay("x", out_no := new_id().hex, {"total": 7}))
    shop.gateway.control.pay(shop.trade(out_no).trade_no, OPENID)
    ours = shop.query(out_no)
    assert isinstance(ours, Paid) and ours.amount_minor == 7


def test_it_believes_the_same_notices_as_we(shop: Shop) -> None:
    theirs = client(shop)
    charge, [incoming] = paid_notices(shop)
    found = callback(theirs, incoming)
    assert found["event_type"] == "TRANSACTION.SUCCESS"
    assert found["id"] == shop.channel.read_notice(shop.passage, incoming).notice_no
    assert (found["resource"]["out_trade_no"], found["resource"]["amount"]["total"]) == (charge.attempt_no, 12_345)
    spoilt = {**incoming.headers, "wechatpay-nonce": "0" * 32}
    assert not theirs.callback(spoilt, incoming.body)


def test_it_reads_the_notice_of_a_refund(shop: Shop) -> None:
    theirs = client(shop)
    charge, paid = shop.sell()
    asked = shop.repayable(charge, paid, 5)
    assert isinstance(shop.refund(asked), RefundPending)
    shop.gateway.control.steer(1_201)
    [incoming] = shop.notices(1, out_refund_no=asked.refund_no)
    found = callback(theirs, incoming)
    assert (found["event_type"], found["resource"]["out_refund_no"]) == ("REFUND.SUCCESS", asked.refund_no)
    assert found["resource"]["refund_status"] == "SUCCESS"


def test_it_does_not_believe_a_forgery(shop: Shop) -> None:
    shop.fault("forged_notice", "notice.payment", only="1")
    _, [forged] = paid_notices(shop)
    assert not client(shop).callback(forged.headers, forged.body)


def test_it_follows_a_rotated_certificate_by_itself(fresh_shop: Shop, tmp_path: Path) -> None:
    shop = fresh_shop
    [(serial, pem)] = certificates(shop.values["platform_certificates"]).items()
    (tmp_path / f"{serial}.pem").write_text(pem)
    theirs = client(shop, tmp_path)
    shop.passage = shop.with_values(public_key_id="", public_key="")
    shop.gateway.control.rotate("wechat_pay", shop.values["mchid"])
    told(theirs.pay("x", new_id().hex, {"total": 1}))
    assert len(list(tmp_path.glob("*.pem"))) == 2
    _, [incoming] = paid_notices(shop)
    assert incoming.headers["wechatpay-serial"] != serial
    assert callback(theirs, incoming)["resource"]["trade_state"] == "SUCCESS"


def test_its_bills_are_ours(fresh_shop: Shop) -> None:
    shop = fresh_shop
    shop.gateway.control.steer(at=MORNING)
    shop.sell()
    shop.gateway.control.steer(at=NEXT)
    theirs = client(shop)
    for address in (theirs.trade_bill(str(DAY_ON)), theirs.trade_bill(str(DAY_ON), tar_type="GZIP")):
        status, packed = theirs.download_bill(told(address)["download_url"])
        assert status == 200
        assert shop.gateway.ask(CHANNEL.download_bill(shop.gateway.http, shop.passage, DAY_ON)) == _unpacked(packed)
    status, packed = theirs.download_bill(told(theirs.fundflow_bill(str(DAY_ON)))["download_url"])
    assert status == 200 and fund_flow.parse(_unpacked(packed), DAY_ON).in_minor == 12_345


def _unpacked(packed: bytes) -> bytes:
    return gzip.decompress(packed)


@pytest.mark.parametrize("changed", ["private_key", "serial_no", "mchid"])
def test_it_is_refused_with_anothers_keys(shop: Shop, fresh_shop: Shop, changed: str) -> None:
    shop.passage, kept = shop.with_values(**{changed: fresh_shop.values[changed]}), shop.passage
    try:
        status, body = client(shop).query(out_trade_no="a" * 32)
    finally:
        shop.passage = kept
    assert (status, json.loads(body)["code"]) == (401, "SIGN_ERROR")
