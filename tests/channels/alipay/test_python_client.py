"""python-alipay-sdk, a client nobody here wrote, drives our gateway; and each side reads what the other signs."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from alipay import AliPay, DCAliPay  # type: ignore[import-untyped]
from alipay.exceptions import AliPayException, AliPayValidationError  # type: ignore[import-untyped]
from tests.channels.alipay.conftest import Pair
from tests.channels.alipay.shop import Shop
from tests.channels.running import Running

from fenqi.channels.alipay import CHANNEL
from fenqi.channels.alipay.charge import handover
from fenqi.channels.alipay.wire import read_v2
from fenqi.channels.contract import Declined, Incoming, Paid, Refunded
from fenqi.channels.http import Answer

assert DCAliPay  # the package is the one that is meant, not another of the same name


@pytest.fixture(scope="module")
def shop(gateway: Running) -> Shop:
    return Shop(gateway)


def client_of(shop: Shop) -> AliPay:
    values = shop.passage.credential.values
    client = AliPay(
        appid=shop.app_id, app_notify_url=shop.hears.url, app_private_key_string=values["app_private_key"],
        alipay_public_key_string=values["alipay_public_key"],
    )  # fmt: skip
    client._gateway = f"{shop.passage.endpoint}/gateway.do"
    return client


@pytest.fixture(scope="module")
def client(shop: Shop) -> AliPay:
    return client_of(shop)


def opened(shop: Shop, signed: str) -> Answer:
    url = f"{shop.passage.endpoint}/gateway.do?{signed}"
    return shop.gateway.ask(shop.gateway.http.send("GET", url))


@pytest.mark.parametrize("way", ["page", "wap", "app"])
def test_it_opens_pages_that_our_gateway_takes(shop: Shop, client: AliPay, way: str) -> None:
    charge = shop.charge(way)
    pay = getattr(client, f"api_alipay_trade_{way}_pay")
    back = {} if way == "app" else {"return_url": charge.return_url}
    signed = pay(subject=charge.subject, out_trade_no=charge.attempt_no, total_amount="123.45", **back)
    assert opened(shop, signed).status == 302
    assert client.api_alipay_trade_query(out_trade_no=charge.attempt_no)["trade_status"] == "WAIT_BUYER_PAY"
    shop.gateway.control.pay(shop.trade_no(charge))
    told = client.api_alipay_trade_query(out_trade_no=charge.attempt_no)
    ours = shop.query(charge)
    assert isinstance(ours, Paid)
    assert (told["trade_status"], told["total_amount"]) == ("TRADE_SUCCESS", "123.45")
    assert (told["trade_no"], told["buyer_logon_id"]) == (ours.channel_no, ours.payer_hint)
    assert ours.amount_minor == 12_345


def test_it_makes_codes_and_closes(shop: Shop, client: AliPay) -> None:
    charge = shop.charge("qr")
    made = client.api_alipay_trade_precreate(
        out_trade_no=charge.attempt_no, total_amount="0.01", subject="手机/壳".replace("/", " "),
        extend_params={"hb_fq_num": "3", "hb_fq_seller_percent": "100"},
    )  # fmt: skip
    assert made["code"] == "10000"
    assert shop.gateway.ask(shop.gateway.http.send("GET", made["qr_code"])).status == 302
    assert client.api_alipay_trade_close(out_trade_no=charge.attempt_no)["code"] == "10000"
    ours = shop.query(charge)
    assert isinstance(ours, Declined) and ours.kind == "closed"


def test_it_refunds_what_we_sold_and_we_see_it(shop: Shop, client: AliPay) -> None:
    charge, paid = shop.bought()
    asked = shop.repayable(charge, paid, 2_345)
    told = client.api_alipay_trade_refund(
        "23.45", out_trade_no=charge.attempt_no, out_request_no=asked.refund_no, refund_reason="七天无理由"
    )
    assert (told["fund_change"], told["refund_fee"]) == ("Y", "23.45")
    again = client.api_alipay_trade_refund("23.45", trade_no=paid.channel_no, out_request_no=asked.refund_no)
    assert (again["fund_change"], again["refund_fee"]) == ("N", "23.45")
    asked_about = client.api_alipay_trade_fastpay_refund_query(asked.refund_no, out_trade_no=charge.attempt_no)
    assert (asked_about["refund_status"], asked_about["refund_amount"]) == ("REFUND_SUCCESS", "23.45")
    ours = shop.query_refund(asked)
    assert isinstance(ours, Refunded) and ours.amount_minor == 2_345


def test_it_reads_our_errors_with_their_signature(shop: Shop, client: AliPay) -> None:
    told = client.api_alipay_trade_query(out_trade_no="0" * 32)
    assert (told["code"], told["sub_code"], told["sub_msg"]) == ("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在")
    content = {"bill_type": "trade", "bill_date": "2026-01-01"}
    told = client.server_api("alipay.data.dataservice.bill.downloadurl.query", content)
    assert told["sub_code"] == "BILL_NOT_EXIST"
    stranger = client_of(Shop(shop.gateway))
    stranger._appid = "2021000000000000"
    with pytest.raises(AliPayException):
        stranger.api_alipay_trade_query(out_trade_no="0" * 32)


def test_it_sees_through_an_answer_of_another_key(shop: Shop, ours: Pair) -> None:
    client = client_of(shop)
    client._alipay_public_key_string = ours.public
    client._load_key()
    with pytest.raises(AliPayValidationError):
        client.api_alipay_trade_query(out_trade_no="0" * 32)


def test_it_verifies_our_notices_and_our_way_back(shop: Shop) -> None:
    shop = Shop(shop.gateway)
    client = client_of(shop)
    charge, paid = shop.bought(subject="100% 纯棉+套装")
    shop.refund(shop.repayable(charge, paid, 100))
    for told in shop.hears.wait(2):
        params = dict(parse_qsl(told.body.decode(), keep_blank_values=True))
        assert client.verify(dict(params), params.pop("sign")) is False  # with `sign` in it, nothing verifies
        signature = dict(parse_qsl(told.body.decode()))["sign"]
        assert client.verify(dict(params), signature) is True
        assert client.verify(params | {"total_amount": "0.01"}, signature) is False
    wallet = f"{shop.gateway.base_url}/alipay/wallet/{paid.channel_no}"
    page = shop.gateway.ask(shop.gateway.http.send("GET", wallet)).body.decode()
    assert "sign=" in page  # the way back stands on the page of what is paid


def test_it_signs_as_we_do(shop: Shop, client: AliPay) -> None:
    """The parameters of our handover, signed by it, have the same signature: RSA2 is deterministic."""
    for way in ("page", "wap", "app"):
        given = handover(shop.passage, shop.charge(way, instalments=3))
        text = given.fields["order_string"] if given.kind == "app" else urlsplit(given.url).query
        params = dict(parse_qsl(text))
        signature = params.pop("sign")
        assert dict(parse_qsl(client.sign_data(params)))["sign"] == signature


def test_it_signs_as_alipay_would_and_we_believe_it(shop: Shop, alipays: Pair, passage: object) -> None:
    """In Alipay's place, with Alipay's key: its notices and answers are ours to read."""
    alipay = AliPay(
        appid="2021000000000001", app_private_key_string=alipays.private, alipay_public_key_string=alipays.public
    )  # fmt: skip
    told = {
        "app_id": "2021000000000001", "out_trade_no": "a" * 32, "trade_no": "2" * 28, "trade_status": "TRADE_SUCCESS",
        "total_amount": "88.88", "gmt_payment": "2026-11-11 08:00:00", "charset": "utf-8",
    }  # fmt: skip
    text = "&".join(f"{name}={told[name]}" for name in sorted(told))
    body = urlencode(told | {"sign_type": "RSA2", "sign": alipay._sign(text)}).encode()
    notice = CHANNEL.read_notice(passage, Incoming("POST", "/", {}, body))  # type: ignore[arg-type]
    assert isinstance(notice.result, Paid) and notice.result.amount_minor == 8_888
    inner = json.dumps({"code": "10000", "trade_no": "1", "subject": "手机"}, ensure_ascii=False)
    body = f'{{"alipay_trade_query_response":{inner},"sign":"{alipay._sign(inner)}"}}'.encode()
    answer = read_v2(passage, "alipay.trade.query", Answer(200, {}, body))  # type: ignore[arg-type]
    assert answer.text("subject") == "手机"
