"""What a charge asks of Alipay, parameter by parameter, in the address that its buyer carries."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from tests.channels.alipay.conftest import Pair

from fenqi.channels.alipay import CHANNEL
from fenqi.channels.alipay.charge import handover, subject
from fenqi.channels.alipay.sign import request_text, verify
from fenqi.channels.contract import Charge, Declined, Passage
from fenqi.channels.http import Http

replace = msgspec.structs.replace
CHARGE = Charge(
    "01a2051611287133b8b9d90f664c0710", 123_456, "手机 128G", "page", datetime(2026, 11, 11, tzinfo=UTC),
    datetime(2026, 11, 11, 0, 15, 0, 500_000, UTC), "http://shop.example/hooks/ali", "http://shop.example/back",
)  # fmt: skip


def carried(passage: Passage, charge: Charge) -> tuple[dict[str, str], dict[str, Any]]:
    """The parameters, and the business parameters in them."""
    given = handover(passage, charge)
    text = given.fields["order_string"] if given.kind == "app" else urlsplit(given.url).query
    params = dict(parse_qsl(text, strict_parsing=True))
    return params, json.loads(params["biz_content"])


def test_a_page(passage: Passage, ours: Pair) -> None:
    params, content = carried(passage, CHARGE)
    assert content == {
        "out_trade_no": "01a2051611287133b8b9d90f664c0710", "total_amount": "1234.56", "subject": "手机 128G",
        "product_code": "FAST_INSTANT_TRADE_PAY", "time_expire": "2026-11-11 08:15:00",
    }  # fmt: skip
    assert verify(request_text(params), params["sign"], ours.public)
    assert {name: params[name] for name in params if name not in ("sign", "timestamp", "biz_content")} == {
        "app_id": "2021000000000001", "method": "alipay.trade.page.pay", "format": "JSON", "charset": "utf-8",
        "sign_type": "RSA2", "version": "1.0", "notify_url": "http://shop.example/hooks/ali",
        "return_url": "http://shop.example/back",
    }  # fmt: skip
    assert handover(passage, CHARGE).url.startswith("http://127.0.0.1:9/alipay/gateway.do?")


def test_the_other_ways_of_a_buyer(passage: Passage) -> None:
    params, content = carried(passage, replace(CHARGE, way="wap"))
    assert (params["method"], content["product_code"]) == ("alipay.trade.wap.pay", "QUICK_WAP_WAY")
    assert content["quit_url"] == "http://shop.example/back"
    params, content = carried(passage, replace(CHARGE, way="app"))
    assert (params["method"], content["product_code"]) == ("alipay.trade.app.pay", "QUICK_MSECURITY_PAY")
    assert "return_url" not in params


@pytest.mark.parametrize(("seller_pays", "percent"), [(False, "0"), (True, "100")])
@pytest.mark.parametrize("count", [3, 6, 12])
def test_instalments_of_huabei(passage: Passage, count: int, seller_pays: bool, percent: str) -> None:
    _, content = carried(passage, replace(CHARGE, instalments=count, seller_pays_instalments=seller_pays))
    assert content["extend_params"] == {"hb_fq_num": str(count), "hb_fq_seller_percent": percent}
    assert content["enable_pay_channels"] == "pcreditpayInstallment"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a/b=c&d", "a b c d"), ("  x\n", "x"), ("///", "order"), ("", "order"), ("字" * 200, "字" * 128)],
)
def test_subjects_hold_what_alipay_takes(text: str, expected: str) -> None:
    assert subject(text) == expected


@pytest.mark.parametrize(
    ("changes", "against"),
    [
        ({}, ()),
        ({"way": "qr"}, ()),
        ({"amount_minor": 0}, ("AMOUNT_BELOW_MIN",)),
        ({"amount_minor": 10_000_000_000}, ()),
        ({"amount_minor": 10_000_000_001}, ("AMOUNT_ABOVE_MAX",)),
        ({"currency": "USD"}, ("CURRENCY_NOT_SUPPORTED",)),
        ({"instalments": 24}, ("PLAN_TERM_NOT_OFFERED",)),
        ({"way": "jsapi"}, ("CLIENT_UNSUPPORTED",)),
        ({"way": "jsapi", "currency": "USD"}, ("CURRENCY_NOT_SUPPORTED", "CLIENT_UNSUPPORTED")),
    ],
)
def test_precheck(passage: Passage, changes: dict[str, Any], against: tuple[str, ...]) -> None:
    assert CHANNEL.precheck(replace(CHARGE, **changes), passage) == against


def test_a_key_that_is_none_is_the_passages_matter(passage: Passage) -> None:
    credential = replace(passage.credential, values={**passage.credential.values, "app_private_key": "none"})
    found = asyncio.run(CHANNEL.pay(Http(), replace(passage, credential=credential), CHARGE))
    assert isinstance(found, Declined) and found.fault == "passage" and found.kind == "absent"
