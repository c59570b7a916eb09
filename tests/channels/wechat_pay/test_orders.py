"""Orders over sockets: four ways in, what becomes of them, closing, and what a repeat of the same number does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.channels.wechat_pay.shop import OPENID, Shop

from fenqi.channels.contract import Declined, Paid, Pending, Unknown
from fenqi.channels.wechat_pay import CHANNEL
from fenqi.channels.wechat_pay.sign import jsapi_text, sign

replace = msgspec.structs.replace


def test_a_qr_leads_to_the_wallet_and_is_paid(shop: Shop) -> None:
    charge = shop.charge()
    pending = shop.pay(charge)
    assert isinstance(pending, Pending) and pending.handover is not None
    assert pending.handover.kind == "qr"
    assert pending.handover.url.startswith(f"{shop.passage.endpoint}/q/wx")
    assert shop.query(charge.attempt_no) == Pending()
    trade = shop.trade(charge.attempt_no)
    shop.gateway.control.pay(trade.trade_no, OPENID)
    paid = shop.query(charge.attempt_no)
    assert isinstance(paid, Paid)
    assert (paid.channel_no, paid.amount_minor, paid.currency) == (trade.trade_no, 12_345, "CNY")
    assert paid.payer_hint == "oUpF…eS6o"
    assert abs(paid.paid_at - datetime.now(UTC)) < timedelta(minutes=1) and paid.paid_at.tzinfo is UTC
    assert len(paid.channel_no) == 28 and paid.channel_no.startswith("4200")


def test_jsapi_hands_over_signed_parameters(shop: Shop) -> None:
    pending = shop.pay(shop.charge(way="jsapi", payer=OPENID))
    assert isinstance(pending, Pending) and pending.handover is not None
    fields = pending.handover.fields
    assert set(fields) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert fields["appId"] == shop.values["appid"] and fields["package"].startswith("prepay_id=wx")
    text = jsapi_text(fields["appId"], fields["timeStamp"], fields["nonceStr"], fields["package"])
    assert fields["paySign"] == sign(shop.values["private_key"], text)


def test_an_app_gets_its_own_parameters(shop: Shop) -> None:
    pending = shop.pay(shop.charge(way="app"))
    assert isinstance(pending, Pending) and pending.handover is not None
    assert pending.handover.kind == "app" and pending.handover.fields["partnerid"] == shop.values["mchid"]


def test_h5_redirects_and_knows_the_way_back(shop: Shop) -> None:
    charge = shop.charge(way="wap")
    pending = shop.pay(charge)
    assert isinstance(pending, Pending) and pending.handover is not None
    url = pending.handover.url
    assert pending.handover.kind == "redirect"
    assert url.endswith("&redirect_url=http%3A%2F%2F127.0.0.1%3A8460%2Fback%3Forder%3D7")
    answer = shop.gateway.ask(shop.gateway.http.send("GET", url))
    trade = shop.trade(charge.attempt_no)
    assert (answer.status, trade.return_url) == (303, charge.return_url)
    assert answer.headers["location"].endswith(f"/wechat_pay/wallet/{trade.trade_no}")


def test_the_order_ends_when_the_charge_says(shop: Shop) -> None:
    charge = shop.charge()
    shop.pay(charge)
    assert shop.trade(charge.attempt_no).expires_at == charge.expires_at
    shop.gateway.control.steer(15 * 60 + 1)
    late = shop.query(charge.attempt_no)
    assert late == Declined("CLOSED", "ORDER_CLOSED", "订单已关闭", "closed")


def test_closing_is_for_good_and_can_be_repeated(shop: Shop) -> None:
    charge = shop.charge()
    shop.pay(charge)
    first, again = shop.close(charge.attempt_no), shop.close(charge.attempt_no)
    assert first == again == Declined("CLOSED", "ORDER_CLOSED", "", "closed")
    assert shop.query(charge.attempt_no) == Declined("CLOSED", "ORDER_CLOSED", "订单已关闭", "closed")
    assert shop.pay(charge) == Declined("ORDER_CLOSED", "ORDER_CLOSED", "该订单已关闭", "closed")


def test_closing_too_late_says_paid(shop: Shop) -> None:
    charge = shop.charge()
    shop.pay(charge)
    shop.fault("close_says_paid", "close")
    closed = shop.close(charge.attempt_no)
    assert isinstance(closed, Paid) and closed.amount_minor == 12_345
    assert shop.trade(charge.attempt_no).state == "paid"


def test_what_is_not_there_is_absent(shop: Shop) -> None:
    nobody = "f" * 32
    assert shop.query(nobody) == Declined("ORDER_NOT_EXIST", "ORDER_CLOSED", "订单不存在", "absent")
    assert shop.close(nobody) == Declined("ORDER_NOT_EXIST", "ORDER_CLOSED", "订单不存在", "absent")


def test_a_repeat_is_the_same_order(shop: Shop) -> None:
    charge = shop.charge()
    assert shop.pay(charge) == shop.pay(charge)


def test_a_repeat_after_payment_says_paid(shop: Shop) -> None:
    charge, paid = shop.sell()
    assert shop.pay(charge) == paid


def test_a_number_used_otherwise_is_asked_after(shop: Shop) -> None:
    charge = shop.charge()
    shop.pay(charge)
    other = replace(charge, amount_minor=1)
    waiting = shop.pay(other)
    assert isinstance(waiting, Unknown) and waiting.why.startswith("OUT_TRADE_NO_USED")
    shop.close(charge.attempt_no)
    assert shop.pay(other) == Declined("OUT_TRADE_NO_USED", "UNKNOWN", "商户订单号重复", "closed", "caller")
    sold, paid = shop.sell()
    assert shop.pay(replace(sold, way="app")) == paid


def test_a_refused_buyer_may_try_again(shop: Shop) -> None:
    charge = shop.charge()
    shop.pay(charge)
    trade_no = shop.trade(charge.attempt_no).trade_no
    shop.gateway.control.decline(trade_no, "NOT_ENOUGH")
    assert shop.query(charge.attempt_no) == Pending()
    shop.gateway.control.pay(trade_no, OPENID)
    assert isinstance(shop.query(charge.attempt_no), Paid)


def test_the_money_is_there_though_it_was_refunded(shop: Shop) -> None:
    charge, paid = shop.sell()
    shop.refund(shop.repayable(charge, paid, 12_345))
    said = shop.call("GET", f"/v3/pay/transactions/out-trade-no/{charge.attempt_no}?mchid={shop.values['mchid']}")
    assert b'"trade_state":"REFUND"' in said.body
    assert shop.query(charge.attempt_no) == paid


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, ()),
        ({"amount_minor": 0}, ("AMOUNT_BELOW_MIN",)),
        ({"amount_minor": 10_000_000_001}, ("AMOUNT_ABOVE_MAX",)),
        ({"currency": "USD"}, ("CURRENCY_NOT_SUPPORTED",)),
        ({"way": "page"}, ("CLIENT_UNSUPPORTED",)),
        ({"way": "jsapi"}, ("CLIENT_UNSUPPORTED",)),
        ({"way": "jsapi", "payer": OPENID}, ()),
        ({"instalments": 3}, ("PLAN_TERM_NOT_OFFERED",)),
    ],
)
def test_what_stands_against_a_charge(shop: Shop, changes: dict[str, object], codes: tuple[str, ...]) -> None:
    assert shop.channel.precheck(shop.charge(**changes), shop.passage) == codes


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amount_minor=st.integers(1, 10_000_000_000),
    subject=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200),
    way=st.sampled_from(["qr", "wap", "app", "jsapi"]),
    lives_s=st.integers(60, 7 * 86_400),
)
def test_any_charge_arrives_as_it_was_meant(
    shop: Shop, amount_minor: int, subject: str, way: str, lives_s: int
) -> None:
    charge = shop.charge(amount_minor=amount_minor, subject=subject, way=way, payer=OPENID if way == "jsapi" else None)
    charge = replace(charge, expires_at=charge.made_at + timedelta(seconds=lives_s))
    assert isinstance(shop.pay(charge), Pending)
    trade = shop.trade(charge.attempt_no)
    assert (trade.amount_minor, trade.subject, trade.way) == (amount_minor, subject[:127], way)
    assert (trade.expires_at, trade.notify_url) == (charge.expires_at, charge.notify_url)
    shop.gateway.control.pay(trade.trade_no, OPENID)
    paid = shop.query(charge.attempt_no)
    assert isinstance(paid, Paid) and paid.amount_minor == amount_minor


def test_a_probe_knows_whether_it_is_there(shop: Shop) -> None:
    assert shop.gateway.ask(CHANNEL.probe(shop.gateway.http, shop.passage)) is True
    shop.fault("down", "query")
    assert shop.gateway.ask(CHANNEL.probe(shop.gateway.http, shop.passage)) is False
    nowhere = replace(shop.passage, endpoint="http://127.0.0.1:9")
    assert shop.gateway.ask(CHANNEL.probe(shop.gateway.http, nowhere)) is False
