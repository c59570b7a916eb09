"""npm's alipay-sdk, Alipay's own client for Node, drives our gateway by v2 and by V3; its signatures and ours agree."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from tests.channels import npm_packages
from tests.channels.alipay.conftest import Pair
from tests.channels.alipay.shop import Shop
from tests.channels.running import Running

from fenqi.channels.alipay.sign import request_text, sign
from fenqi.channels.contract import Declined, Paid, Refunded

SCRIPT = Path(__file__).with_name("conformance.mjs")
WHY_NOT = npm_packages.missing("alipay-sdk")
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


class Client:
    """The package in a process of its own, asked line by line."""

    def __init__(self, shop: Shop, **config: str) -> None:
        values = shop.passage.credential.values
        self._process = subprocess.Popen(
            ["node", str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self._write({
            "folder": str(npm_packages.folder()),
            "config": {
                "appId": shop.app_id, "privateKey": values["app_private_key"], "keyType": "PKCS8",
                "alipayPublicKey": values["alipay_public_key"], "gateway": f"{shop.passage.endpoint}/gateway.do",
                "endpoint": shop.passage.endpoint, "camelcase": False, **config,
            },
        })  # fmt: skip

    def __call__(self, do: str, **command: Any) -> Any:
        """What came of a command; a dict with `failed` when it threw."""
        self._write({"do": do, **command})
        assert self._process.stdout is not None
        said = json.loads(self._process.stdout.readline())
        return said.get("done", said)

    def _write(self, value: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(value)}\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def shop(gateway: Running) -> Shop:
    return Shop(gateway)


@pytest.fixture(scope="module")
def client(shop: Shop) -> Iterator[Client]:
    client = Client(shop)
    yield client
    client.stop()


def content(charge: Any, product: str) -> dict[str, Any]:
    return {
        "out_trade_no": charge.attempt_no, "total_amount": "123.45", "subject": charge.subject, "product_code": product,
    }  # fmt: skip


def test_v2_exec_from_code_to_refund(shop: Shop, client: Client) -> None:
    charge = shop.charge("qr")
    params = {"notify_url": shop.hears.url, "bizContent": content(charge, "FACE_TO_FACE_PAYMENT")}
    made = client("exec", method="alipay.trade.precreate", params=params)
    assert made["code"] == "10000"
    assert shop.gateway.ask(shop.gateway.http.send("GET", made["qr_code"])).status == 302
    shop.gateway.control.pay(shop.trade_no(charge))
    asked = {"bizContent": {"out_trade_no": charge.attempt_no}}
    told = client("exec", method="alipay.trade.query", params=asked)
    ours = shop.query(charge)
    assert isinstance(ours, Paid)
    assert (told["trade_status"], told["trade_no"], told["total_amount"]) == (
        "TRADE_SUCCESS", ours.channel_no, "123.45",
    )  # fmt: skip
    repayable = shop.repayable(charge, ours, 345)
    refund = {"out_trade_no": charge.attempt_no, "out_request_no": repayable.refund_no, "refund_amount": "3.45"}
    assert client("exec", method="alipay.trade.refund", params={"bizContent": refund})["fund_change"] == "Y"
    assert client("exec", method="alipay.trade.refund", params={"bizContent": refund})["fund_change"] == "N"
    found = shop.query_refund(repayable)
    assert isinstance(found, Refunded) and found.amount_minor == 345


def test_v2_pages(shop: Shop, client: Client) -> None:
    for way, product in (("page", "FAST_INSTANT_TRADE_PAY"), ("wap", "QUICK_WAP_WAY")):
        charge = shop.charge(way)
        params = {"bizContent": content(charge, product), "returnUrl": charge.return_url, "notifyUrl": shop.hears.url}
        url = client("pageExec", method=f"alipay.trade.{way}.pay", verb="GET", params=params)
        assert shop.gateway.ask(shop.gateway.http.send("GET", page_url(url))).status == 302
        assert shop.query(charge).channel_no == shop.trade_no(charge)  # type: ignore[union-attr]
    charge = shop.charge("app")
    params = {"bizContent": content(charge, "QUICK_MSECURITY_PAY"), "notifyUrl": shop.hears.url}
    order = client("sdkExec", method="alipay.trade.app.pay", params=params)
    url = f"{shop.passage.endpoint}/gateway.do?{order}"
    assert shop.gateway.ask(shop.gateway.http.send("GET", url)).status == 302


def page_url(page: str) -> str:
    """The address, or of a form (with upper case the client makes one) the address with its fields."""
    if page.startswith("http"):
        return page
    found: dict[str, Any] = {"fields": {}}

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            if tag == "form":
                found["action"] = given["action"]
            elif tag == "input":
                found["fields"][given["name"]] = given["value"]

    Reader().feed(page)
    return f"{found['action']}&{urlencode(found['fields'])}"


def test_v2_refusals_verify_too(shop: Shop, client: Client) -> None:
    told = client("exec", method="alipay.trade.query", params={"bizContent": {"out_trade_no": "0" * 32}})
    assert (told["code"], told["sub_code"]) == ("40004", "ACQ.TRADE_NOT_EXIST")


def test_v3_curl_from_code_to_refund_and_close(shop: Shop, client: Client) -> None:
    charge = shop.charge("qr")
    body = content(charge, "FACE_TO_FACE_PAYMENT") | {"notify_url": shop.hears.url}
    made = client("curl", verb="POST", path="/v3/alipay/trade/precreate", options={"body": body})
    assert made["responseHttpStatus"] == 200 and made["traceId"]
    shop.gateway.ask(shop.gateway.http.send("GET", made["data"]["qr_code"]))
    shop.gateway.control.pay(shop.trade_no(charge))
    asked = {"body": {"out_trade_no": charge.attempt_no}}
    told = client("curl", verb="POST", path="/v3/alipay/trade/query", options=asked)["data"]
    ours = shop.query(charge)
    assert isinstance(ours, Paid) and told["trade_no"] == ours.channel_no
    refund = {"out_trade_no": charge.attempt_no, "out_request_no": "r" * 32, "refund_amount": "3.45"}
    told = client("curl", verb="POST", path="/v3/alipay/trade/refund", options={"body": refund})["data"]
    assert (told["fund_change"], told["refund_fee"]) == ("Y", "3.45")
    told = client("curl", verb="POST", path="/v3/alipay/trade/fastpay/refund/query", options={"body": refund})["data"]
    assert (told["refund_status"], told["refund_amount"]) == ("REFUND_SUCCESS", "3.45")
    waiting = shop.charge()
    shop.open(shop.handed_over(waiting))
    asked = {"body": {"out_trade_no": waiting.attempt_no}}
    assert client("curl", verb="POST", path="/v3/alipay/trade/close", options=asked)["responseHttpStatus"] == 200
    closed = shop.query(waiting)
    assert isinstance(closed, Declined) and closed.kind == "closed"


def test_v3_get_with_a_query_and_refusals(shop: Shop, client: Client) -> None:
    """With a query the client signs the path with our mount's prefix: both readings are taken."""
    where = "/v3/alipay/data/dataservice/bill/downloadurl/query"
    options = {"query": {"bill_type": "trade", "bill_date": "2026-01-01"}}
    for path, given in ((where, options), (f"{where}?bill_type=trade&bill_date=2026-01-01", {})):
        failed = client("curl", verb="GET", path=path, options=given)["failed"]
        assert (failed["code"], failed["status"]) == ("BILL_NOT_EXIST", 400)
    asked = {"body": {"out_trade_no": "0" * 32}}
    failed = client("curl", verb="POST", path="/v3/alipay/trade/query", options=asked)["failed"]
    assert (failed["name"], failed["code"], failed["status"]) == ("AlipayRequestError", "TRADE_NOT_EXIST", 400)
    assert failed["message"].startswith("交易不存在")


def test_notices_verify(shop: Shop, client: Client) -> None:
    before = len(shop.hears.got)
    charge, paid = shop.bought(subject="100% 纯棉+套装")
    shop.refund(shop.repayable(charge, paid, 100))
    for told in shop.hears.wait(before + 2)[before:]:
        params = dict(parse_qsl(told.body.decode(), keep_blank_values=True))
        assert client("notify", params=params) is True
        assert client("notify", params=params | {"total_amount": "0.01"}) is False


def test_it_refuses_answers_of_another_key(shop: Shop, ours: Pair) -> None:
    stranger = Client(shop, alipayPublicKey=ours.public)
    try:
        asked = {"bizContent": {"out_trade_no": "0" * 32}}
        assert "验签失败" in stranger("exec", method="alipay.trade.query", params=asked)["failed"]["message"]
        charge, _ = shop.bought()
        asked = {"body": {"out_trade_no": charge.attempt_no}}
        failed = stranger("curl", verb="POST", path="/v3/alipay/trade/query", options=asked)["failed"]
        assert failed["code"] == "response-signature-verify-error"
    finally:
        stranger.stop()


def test_what_we_sign_it_would_have_signed(shop: Shop, client: Client) -> None:
    """An order string of its own, signed again by us with the same parameters, carries the same signature."""
    charge = shop.charge("app")
    order = client("sdkExec", method="alipay.trade.app.pay", params={"bizContent": content(charge, "")})
    params = dict(parse_qsl(urlsplit(f"?{order}").query, keep_blank_values=True))
    assert sign(request_text(params), shop.passage.credential.values["app_private_key"]) == params["sign"]
