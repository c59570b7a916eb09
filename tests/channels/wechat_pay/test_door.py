"""The gateway proves every part of a request, and signs whatever it answers to one that is proven."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from tests.channels.wechat_pay.shop import OPENID, Shop

from fenqi.channels.http import Answer
from fenqi.channels.wechat_pay.sign import answer_text, authorization, load_public_key, verify
from fenqi.kernel.ids import new_id

TARGET = "/v3/pay/transactions/native"


def order(shop: Shop, **changes: object) -> bytes:
    end = datetime.now(UTC) + timedelta(minutes=5)
    body = {
        "appid": shop.values["appid"],
        "mchid": shop.values["mchid"],
        "description": "手机",
        "notify_url": shop.heard.url,
        "out_trade_no": new_id().hex,
        "time_expire": end.isoformat(),
        "amount": {"total": 1, "currency": "CNY"},
    }
    return msgspec.json.encode({key: value for key, value in {**body, **changes}.items() if value is not None})


def said(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["code"]


def test_a_proven_request_gets_a_signed_answer(shop: Shop) -> None:
    answer = shop.call("POST", TARGET, order(shop))
    headers = answer.headers
    assert answer.status == 200 and list(json.loads(answer.body)) == ["code_url"]
    assert headers["wechatpay-signature-type"] == "WECHATPAY2-SHA256-RSA2048"
    assert headers["content-type"].startswith("application/json") and headers["request-id"]
    account = shop.gateway.house.book.account("wechat_pay", shop.values["mchid"])
    assert account is not None and headers["wechatpay-serial"] == account.values["certificate_serial"]
    text = answer_text(headers["wechatpay-timestamp"], headers["wechatpay-nonce"], answer.body)
    assert verify(load_public_key(account.values["certificate"]), text, headers["wechatpay-signature"])


def test_errors_are_signed_too(shop: Shop) -> None:
    answer = shop.call("GET", f"/v3/pay/transactions/out-trade-no/{'0' * 32}?mchid={shop.values['mchid']}")
    assert said(answer) == (404, "ORDER_NOT_EXIST")
    account = shop.gateway.house.book.account("wechat_pay", shop.values["mchid"])
    assert account is not None
    text = answer_text(answer.headers["wechatpay-timestamp"], answer.headers["wechatpay-nonce"], answer.body)
    assert verify(load_public_key(account.values["certificate"]), text, answer.headers["wechatpay-signature"])


@pytest.mark.parametrize("off_s", [-301, 301, -86_400])
def test_another_time_is_refused(shop: Shop, off_s: int) -> None:
    now_s = int(datetime.now(UTC).timestamp())
    off = now_s + off_s - (1 if off_s < 0 else -2)
    assert said(shop.call("POST", TARGET, order(shop), timestamp=off)) == (401, "SIGN_ERROR")


def test_the_houses_own_time_is_taken_as_well(shop: Shop) -> None:
    shop.gateway.control.steer(86_400)
    now_s = int(datetime.now(UTC).timestamp())
    for off_s, status in ((0, 200), (86_400, 200), (43_200, 401)):
        body = order(shop, time_expire=None)
        assert shop.call("POST", TARGET, body, timestamp=now_s + off_s).status == status, off_s


def test_no_part_of_the_header_may_be_another(shop: Shop, fresh_shop: Shop) -> None:
    own, other = shop.values, fresh_shop.values
    for changed in (
        {"mchid": other["mchid"]}, {"mchid": "1900000000"}, {"serial_no": other["serial_no"]},
        {"serial_no": "0" * 40}, {"private_key": other["private_key"]},
    ):  # fmt: skip
        answer = shop.call("POST", TARGET, order(shop), values={**own, **changed})
        assert said(answer) == (401, "SIGN_ERROR"), changed
        assert "wechatpay-signature" not in answer.headers


@pytest.mark.parametrize("nonce", ["", "a-b", "a" * 33])
def test_a_nonce_has_its_form(shop: Shop, nonce: str) -> None:
    assert said(shop.call("GET", "/v3/certificates", nonce=nonce)) == (401, "SIGN_ERROR")


@pytest.mark.parametrize(
    "header", ["", "WECHATPAY2-SHA256-RSA2048", "Basic eA==", 'WECHATPAY2-SHA256-RSA2048 mchid="1"']
)
def test_another_scheme_is_refused(shop: Shop, header: str) -> None:
    assert said(shop.call("GET", "/v3/certificates", header=header)) == (401, "SIGN_ERROR")


def test_another_body_or_address_is_refused(shop: Shop) -> None:
    body = order(shop)
    assert said(shop.call("POST", TARGET, body, sent=body.replace(b'"total":1', b'"total":2'))) == (401, "SIGN_ERROR")
    now_s = str(int(datetime.now(UTC).timestamp()))
    header = authorization(shop.values, ("GET", "/v3/certificates?x=1", b""), now_s, "n" * 32)
    assert said(shop.call("GET", "/v3/certificates", header=header)) == (401, "SIGN_ERROR")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"appid": "wx0"}, "APPID_MCHID_NOT_MATCH"),
        ({"mchid": "1900000000"}, "MCH_NOT_EXISTS"),
        ({"out_trade_no": "short"}, "PARAM_ERROR"),
        ({"out_trade_no": "x" * 33}, "PARAM_ERROR"),
        ({"out_trade_no": None}, "PARAM_ERROR"),
        ({"description": ""}, "PARAM_ERROR"),
        ({"description": "x" * 128}, "PARAM_ERROR"),
        ({"amount": {"total": 0, "currency": "CNY"}}, "PARAM_ERROR"),
        ({"amount": {"total": 1.5, "currency": "CNY"}}, "PARAM_ERROR"),
        ({"amount": {"total": 1, "currency": "USD"}}, "PARAM_ERROR"),
        ({"notify_url": "http://127.0.0.1/x?y=1"}, "PARAM_ERROR"),
        ({"notify_url": "x"}, "PARAM_ERROR"),
        ({"time_expire": "2020-01-01T00:00:00+08:00"}, "INVALID_REQUEST"),
        ({"surprise": 1}, "PARAM_ERROR"),
    ],
)  # fmt: skip
def test_an_order_that_is_none(shop: Shop, changes: dict[str, object], code: str) -> None:
    assert said(shop.call("POST", TARGET, order(shop, **changes))) == (400, code)


def test_each_way_needs_its_own(shop: Shop) -> None:
    assert said(shop.call("POST", "/v3/pay/transactions/jsapi", order(shop))) == (400, "PARAM_ERROR")
    assert said(shop.call("POST", "/v3/pay/transactions/h5", order(shop))) == (400, "PARAM_ERROR")
    assert shop.call("POST", "/v3/pay/transactions/jsapi", order(shop, payer={"openid": OPENID})).status == 200


def test_anothers_order_is_not_there(shop: Shop, fresh_shop: Shop) -> None:
    charge, paid = fresh_shop.sell()
    own, other = shop.values["mchid"], fresh_shop.values["mchid"]
    assert said(shop.call("GET", f"/v3/pay/transactions/id/{paid.channel_no}?mchid={own}"))[1] == "ORDER_NOT_EXIST"
    assert said(shop.call("GET", f"/v3/pay/transactions/out-trade-no/{charge.attempt_no}?mchid={own}"))[0] == 404
    assert said(shop.call("GET", f"/v3/pay/transactions/id/{paid.channel_no}?mchid={other}")) == (403, "NO_AUTH")
    mine = fresh_shop.call("GET", f"/v3/pay/transactions/id/{paid.channel_no}?mchid={other}")
    assert json.loads(mine.body)["out_trade_no"] == charge.attempt_no


def test_a_refund_must_name_the_whole_amount(shop: Shop) -> None:
    charge, _ = shop.sell()
    body = {"out_trade_no": charge.attempt_no, "out_refund_no": new_id().hex,
            "amount": {"refund": 1, "total": 12_344, "currency": "CNY"}}  # fmt: skip
    answer = shop.call("POST", "/v3/refund/domestic/refunds", msgspec.json.encode(body))
    assert said(answer) == (400, "INVALID_REQUEST")


def test_a_refund_number_is_for_one_amount_and_one_order(shop: Shop) -> None:
    charge, paid = shop.sell()
    other, _ = shop.sell()
    first = shop.repayable(charge, paid, 100)
    shop.refund(first)
    for out_trade_no, refund in ((charge.attempt_no, 99), (other.attempt_no, 100)):
        body = {"out_trade_no": out_trade_no, "out_refund_no": first.refund_no,
                "amount": {"refund": refund, "total": 12_345, "currency": "CNY"}}  # fmt: skip
        answer = shop.call("POST", "/v3/refund/domestic/refunds", msgspec.json.encode(body))
        assert said(answer) == (400, "INVALID_REQUEST")
    by_no = {"transaction_id": paid.channel_no, "out_refund_no": first.refund_no,
             "amount": {"refund": 100, "total": 12_345, "currency": "CNY"}}  # fmt: skip
    again = shop.call("POST", "/v3/refund/domestic/refunds", msgspec.json.encode(by_no))
    assert (again.status, json.loads(again.body)["out_refund_no"]) == (200, first.refund_no)
