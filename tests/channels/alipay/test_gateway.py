"""The gateway lets nothing pass that Alipay's would not: signatures, time, parameters, and each refusal by its code."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from tests.channels.alipay.conftest import Pair
from tests.channels.alipay.shop import Shop
from tests.channels.running import Running

from fenqi.channels.alipay.gateway import SIDE
from fenqi.channels.alipay.sign import notice_text, request_text, sign, verify
from fenqi.channels.alipay.text import beijing
from fenqi.channels.alipay.wire import signed_params, v3_authorization
from fenqi.channels.http import Answer


@pytest.fixture(scope="module")
def shop(gateway: Running) -> Shop:
    return Shop(gateway)


def post(shop: Shop, params: dict[str, str], method: str = "POST") -> Answer:
    url, body = f"{shop.passage.endpoint}/gateway.do", urlencode(params)
    headers = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
    if method == "GET":
        return shop.gateway.ask(shop.gateway.http.send("GET", f"{url}?{body}"))
    return shop.gateway.ask(shop.gateway.http.send("POST", url, headers=headers, content=body.encode()))


def said(answer: Answer) -> tuple[str, str]:
    """(code, sub_code) of a v2 answer."""
    [inner] = [value for name, value in json.loads(answer.body).items() if name != "sign"]
    return inner["code"], inner.get("sub_code", "")


def query(shop: Shop, changes: dict[str, str] | None = None, key: str = "") -> dict[str, str]:
    """A query's parameters with changes, signed after them."""
    params = signed_params(shop.passage, "alipay.trade.query", {"out_trade_no": "0" * 32}) | (changes or {})
    params = {name: value for name, value in params.items() if name != "sign" and value != "-"}
    params["sign"] = sign(request_text(params), key or shop.passage.credential.values["app_private_key"])
    return params


ABSENT = ("40004", "ACQ.TRADE_NOT_EXIST")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_sound_request_is_answered_with_a_signature(shop: Shop, method: str) -> None:
    answer = post(shop, query(shop), method)
    assert said(answer) == ABSENT
    inner = answer.body.decode().partition('"alipay_trade_query_response":')[2].rpartition(',"sign"')[0]
    outer = json.loads(answer.body)
    assert verify(inner, outer["sign"], shop.passage.credential.values["alipay_public_key"])
    assert outer["alipay_trade_query_response"]["buyer_pay_amount"] == "0.00"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"app_id": "-"}, ("40001", "isv.missing-app-id")),
        ({"app_id": "2021000000000000"}, ("40002", "isv.invalid-app-id")),
        ({"method": "-"}, ("40001", "isv.missing-method")),
        ({"method": "alipay.trade.guess"}, ("40002", "isv.invalid-method")),
        ({"sign_type": "-"}, ("40001", "isv.missing-signature-type")),
        ({"sign_type": "RSA"}, ("40002", "isv.invalid-signature-type")),
        ({"timestamp": "-"}, ("40001", "isv.missing-timestamp")),
        ({"timestamp": "yesterday"}, ("40002", "isv.invalid-timestamp")),
        ({"timestamp": beijing(datetime.now(UTC) - timedelta(hours=25))}, ("40002", "isv.invalid-timestamp")),
        ({"timestamp": beijing(datetime.now(UTC) - timedelta(hours=8))}, ABSENT),
        ({"version": "2.0"}, ("40002", "isv.invalid-format")),
        ({"charset": "gbk"}, ("40002", "isv.invalid-charset")),
        ({"biz_content": "{"}, ("40002", "isv.invalid-parameter")),
        ({"biz_content": "[]"}, ("40002", "isv.invalid-parameter")),
        ({"biz_content": "{}"}, ("40004", "ACQ.INVALID_PARAMETER")),
    ],
)
def test_each_parameter_is_looked_at(shop: Shop, changes: dict[str, str], expected: tuple[str, str]) -> None:
    assert said(post(shop, query(shop, changes))) == expected


def test_signatures_are_the_merchants_and_of_this_request(shop: Shop, ours: Pair) -> None:
    refused = ("40002", "isv.invalid-signature")
    assert said(post(shop, query(shop, key=ours.private))) == refused
    assert said(post(shop, query(shop) | {"biz_content": '{"out_trade_no":"1"}'})) == refused
    assert said(post(shop, query(shop) | {"notify_url": "http://evil.example"})) == refused
    unsigned = {name: value for name, value in query(shop).items() if name != "sign"}
    assert said(post(shop, unsigned)) == ("40001", "isv.missing-signature")
    other = Shop(shop.gateway)
    borrowed = query(shop, {"app_id": other.app_id})
    assert said(post(shop, borrowed)) == refused


def test_an_app_that_is_not_known_gets_no_signature(shop: Shop) -> None:
    assert "sign" not in json.loads(post(shop, query(shop, {"app_id": "1"})).body)


def test_trades_of_another_merchant_are_not_there(shop: Shop) -> None:
    other = Shop(shop.gateway)
    charge, paid = other.bought()
    found = query(shop, {"biz_content": json.dumps({"trade_no": paid.channel_no})})
    assert said(post(shop, found)) == ABSENT
    assert shop.query(charge).kind == "absent"  # type: ignore[union-attr]


def precreate(shop: Shop, **changes: Any) -> tuple[str, str]:
    content = {
        "out_trade_no": "a" * 32, "total_amount": "1.00", "subject": "x", "time_expire": "2099-01-01 00:00:00",
    } | changes  # fmt: skip
    return said(post(shop, signed_params(shop.passage, "alipay.trade.precreate", content)))


@pytest.mark.parametrize(
    "changes",
    [
        {"total_amount": "0.00"}, {"total_amount": "1.001"}, {"total_amount": "-1.00"}, {"total_amount": ""},
        {"subject": ""}, {"subject": "a&b"}, {"out_trade_no": ""}, {"out_trade_no": "a-b"}, {"out_trade_no": "a" * 65},
        {"product_code": "FAST_INSTANT_TRADE_PAY"}, {"time_expire": "soon"},
        {"time_expire": "", "timeout_express": "soon"}, {"extend_params": "3"},
        {"extend_params": {"hb_fq_num": "4", "hb_fq_seller_percent": "0"}},
        {"extend_params": {"hb_fq_num": "3", "hb_fq_seller_percent": "50"}},
    ],
)  # fmt: skip
def test_each_business_parameter_is_looked_at(shop: Shop, changes: dict[str, Any]) -> None:
    assert precreate(shop, **changes) == ("40004", "ACQ.INVALID_PARAMETER")


def test_amounts_have_an_end(shop: Shop) -> None:
    assert precreate(shop, total_amount="100000000.01") == ("40004", "ACQ.TOTAL_FEE_EXCEED")
    assert precreate(shop, total_amount="100000000.00", out_trade_no="b" * 32) == ("10000", "")


def test_slashes_are_escaped_as_alipay_does(shop: Shop) -> None:
    content = {"out_trade_no": "c" * 32, "total_amount": "1.00", "subject": "x"}
    answer = post(shop, signed_params(shop.passage, "alipay.trade.precreate", content))
    assert b'"qr_code":"http:\\/\\/127.0.0.1' in answer.body


def test_a_page_that_is_refused_is_a_page(shop: Shop) -> None:
    url = shop.handed_over(shop.charge()).url
    assert "123.45" in url
    page = shop.gateway.ask(shop.gateway.http.send("GET", url.replace("123.45", "1.00")))
    assert page.status == 400 and page.headers["content-type"].startswith("text/html")
    assert b"isv.invalid-signature" in page.body


def test_a_page_takes_a_form_too(shop: Shop) -> None:
    url = shop.handed_over(shop.charge()).url
    page = post(shop, dict(parse_qsl(urlsplit(url).query)))
    assert page.status == 302


def test_a_buyer_pays_in_the_wallet_and_comes_back_signed(shop: Shop) -> None:
    charge = shop.charge()
    wallet = shop.open(shop.handed_over(charge)).headers["location"]
    page = shop.gateway.ask(shop.gateway.http.send("GET", wallet))
    assert page.status == 200 and "123.45" in page.body.decode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    back = shop.gateway.ask(shop.gateway.http.send("POST", wallet, headers=headers, content=b"act=pay"))
    assert back.status == 303
    address = urlsplit(back.headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == charge.return_url
    params = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert params["out_trade_no"] == charge.attempt_no and params["total_amount"] == "123.45"
    assert verify(notice_text(params), params["sign"], shop.passage.credential.values["alipay_public_key"])


def test_a_decline_in_the_wallet_leaves_the_trade_open(shop: Shop) -> None:
    charge = shop.charge("qr")
    shop.handed_over(charge)
    shop.gateway.control.decline(shop.trade_no(charge), "ACQ.BUYER_BALANCE_NOT_ENOUGH")
    assert shop.query(charge).channel_no == shop.trade_no(charge)  # type: ignore[union-attr]


def test_a_code_that_nobody_made(shop: Shop) -> None:
    page = shop.gateway.ask(shop.gateway.http.send("GET", f"{shop.passage.endpoint}/bax/none"))
    assert page.status == 404


def rest(shop: Shop, verb: str, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    given = {"authorization": v3_authorization(shop.passage, verb, path, body.decode()), **headers}
    answer = shop.gateway.ask(
        shop.gateway.http.send(verb, shop.passage.endpoint + path, headers=given, content=body or None)
    )
    return answer.status, json.loads(answer.body)


def test_v3_refusals(shop: Shop, ours: Pair) -> None:
    path, body = "/v3/alipay/trade/query", b'{"out_trade_no":"1"}'
    status, found = rest(shop, "POST", path, body)
    assert (status, found["code"], found["message"]) == (400, "TRADE_NOT_EXIST", "交易不存在")
    right = v3_authorization(shop.passage, "POST", path, body.decode())
    for bad, expected in (
        ("", (401, "invalid-app-id")),
        (right.replace(shop.app_id, "2021000000000000"), (401, "invalid-app-id")),
        (right.replace("ALIPAY-", "WECHAT-"), (400, "missing-signature")),
        (right.replace("timestamp=1", "timestamp=2"), (401, "invalid-signature")),
        (v3_authorization(shop.passage, "POST", path, "{}"), (401, "invalid-signature")),
        (v3_authorization(shop.passage, "POST", "/v3/alipay/trade/close", body.decode()), (401, "invalid-signature")),
    ):
        status, found = rest(shop, "POST", path, body, authorization=bad)
        assert (status, found["code"]) == expected, bad
    assert rest(shop, "GET", path, b"")[1]["code"] == "invalid-method"
    assert rest(shop, "POST", "/v3/alipay/trade/guess", body)[1]["code"] == "invalid-method"
    assert rest(shop, "POST", path, b"{")[1]["code"] == "invalid-format"


def test_the_ladder_is_alipays() -> None:
    """4m, 10m, 10m, 1h, 2h, 6h, 15h (channels.md, AL5): eight tries in 24 hours and 24 minutes."""
    assert SIDE.ladder_s == (240, 600, 600, 3_600, 7_200, 21_600, 54_000)
    assert sum(SIDE.ladder_s) == 24 * 3_600 + 24 * 60
    assert SIDE.heard(200, b"success\n")
    assert not SIDE.heard(200, b"fail") and not SIDE.heard(302, b"success") and not SIDE.heard(500, b"success")
