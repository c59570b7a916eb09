"""Orders, refunds and callbacks of the local Huawei Pay, over real sockets."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.channels.huawei_pay.conftest import NOON, Shop

from fenqi.channels.contract import (
    BillMalformed,
    BillNotReady,
    Declined,
    Incoming,
    NoticeRefused,
    Paid,
    Pending,
    Refunded,
    RefundFailed,
    RefundPending,
    Unknown,
)
from fenqi.channels.http import Http
from fenqi.channels.huawei_pay import CHANNEL, adapter, sign

replace = msgspec.structs.replace
LATER = timedelta(seconds=6)


def test_an_order_is_paid_in_the_checkout(shop: Shop) -> None:
    charge = shop.charge()
    waiting = shop.ask("pay", charge)
    assert isinstance(waiting, Pending) and waiting.handover is not None and waiting.handover.kind == "app"
    order = waiting.handover.fields
    assert set(order) == {"app_id", "merc_no", "prepay_id", "timestamp", "noncestr", "auth_id", "sign"}
    trade = shop.gateway.control.find("huawei_pay", charge.attempt_no).trade
    assert (order["prepay_id"], len(order["noncestr"])) == (trade.code, 32)
    assert trade.expires_at == charge.expires_at
    assert isinstance(shop.ask("query", charge.attempt_no), Pending)
    checkout = shop.gateway.ask(shop.http.send("GET", f"{shop.passage.endpoint}/q/{order['prepay_id']}"))
    assert checkout.status == 303 and trade.trade_no in checkout.headers["location"]
    shop.gateway.control.pay(trade.trade_no)
    paid = shop.ask("query", charge.attempt_no)
    assert paid == Paid(trade.trade_no, 12_345, NOON)
    [told] = shop.heard.wait(1)
    notice = CHANNEL.read_notice(shop.passage, told)
    assert (notice.attempt_no, notice.result, notice.refund_no, len(notice.notice_no)) == (
        charge.attempt_no,
        paid,
        None,
        32,
    )


def test_the_order_string_is_signed(shop: Shop) -> None:
    order = dict(shop.ask("pay", shop.charge()).handover.fields)
    values = shop.passage.credential.values
    public = sign.load_private(values["private_key"]).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert sign.holds(sign.text_of(order), order["sign"], pem)


def test_a_repeat_opens_no_second_order(shop: Shop) -> None:
    charge = shop.charge()
    shop.ask("pay", charge)
    assert shop.ask("pay", charge) == Pending()
    shop.gateway.control.pay(shop.gateway.control.find("huawei_pay", charge.attempt_no).trade.trade_no)
    assert isinstance(shop.ask("pay", charge), Paid)


def test_an_order_is_closed_or_was_paid_before(shop: Shop) -> None:
    charge = shop.charge()
    shop.ask("pay", charge)
    closed = shop.ask("close", charge.attempt_no)
    assert isinstance(closed, Declined) and (closed.reason, closed.kind) == ("ORDER_CLOSED", "closed")
    assert isinstance(shop.ask("query", charge.attempt_no), Declined)
    paid_charge, paid = shop.pay()
    assert shop.ask("close", paid_charge.attempt_no) == paid
    late = shop.charge()
    shop.ask("pay", late)
    shop.gateway.control.set_fault("huawei_pay", "close_says_paid", "close")
    assert isinstance(shop.ask("close", late.attempt_no), Paid)
    nobody = shop.ask("close", shop.no())
    assert isinstance(nobody, Declined) and nobody.kind == "absent"


def test_an_order_ends_with_its_time(shop: Shop) -> None:
    charge = shop.charge()
    shop.ask("pay", charge)
    shop.steer(NOON + timedelta(minutes=30))
    over = shop.ask("query", charge.attempt_no)
    assert isinstance(over, Declined) and over.code == "TRX_FAILED"


def test_an_order_of_nobodys(shop: Shop) -> None:
    nothing = shop.ask("query", shop.no())
    assert isinstance(nothing, Declined) and (nothing.code, nothing.kind) == ("MERC_ORDER_NOT_EXIST", "absent")
    assert shop.ask("probe") is True


@pytest.mark.parametrize("name", ["timeout_before", "timeout_after", "down", "garbled"])
def test_no_trustworthy_answer_is_unknown(shop: Shop, name: str) -> None:
    charge, paid = shop.pay()
    more = {"seconds": "5"} if name.startswith("timeout") else {}
    shop = dataclasses.replace(shop, http=Http(timeout_s=0.3, clock=shop.clock))
    shop.gateway.control.set_fault("huawei_pay", name, "*", times=-1, **more)
    asked = shop.repayable(charge, paid, 1)
    for verb, about in (
        ("pay", shop.charge()), ("query", charge.attempt_no), ("close", charge.attempt_no), ("refund", asked),
        ("query_refund", asked),
    ):  # fmt: skip
        assert isinstance(shop.ask(verb, about), Unknown), verb
    assert shop.ask("probe") is False
    shop.gateway.ask(shop.http.close())


def test_nobody_there(shop: Shop) -> None:
    gone = replace(shop.passage, endpoint="http://127.0.0.1:9")
    said = shop.gateway.ask(CHANNEL.pay(shop.http, gone, shop.charge()))
    assert isinstance(said, Declined) and (said.reason, said.kind, said.fault) == ("CHANNEL_DOWN", "absent", "passage")


@pytest.mark.parametrize(
    ("code", "sub_code", "reason", "fault"),
    [
        ("400000", "REJECTED_BY_RISK_CONTROL", "RISK_TXN_BLOCKED", "buyer"),
        ("400000", "NO_MATCH_MATCHING_PRODUCT", "CHANNEL_NOT_CONTRACTED", "passage"),
        ("400000", "CHECK_MERC_STATUS", "SELLER_STATUS_ABNORMAL", "passage"),
        ("400000", "BANK_CARD_NOT_SUPPORT", "TXN_NOT_PERMITTED", "buyer"),
        ("100000", "INSUFFICIENT_PERMISSION", "CHANNEL_NOT_CONTRACTED", "passage"),
        ("300000", "CALL_FREQUENCY_LIMITED", "CHANNEL_RATE_LIMITED", "passage"),
        ("200001", "INVALID_PARAMETER", "UNKNOWN", "caller"),
        ("400000", "NEVER_SEEN", "UNKNOWN", "caller"),
    ],
)
def test_each_code_has_its_reason(shop: Shop, code: str, sub_code: str, reason: str, fault: str) -> None:
    shop.gateway.control.set_fault("huawei_pay", "error", "pay", code=code, sub_code=sub_code)
    said = shop.ask("pay", shop.charge())
    assert isinstance(said, Declined) and (said.reason, said.fault) == (reason, fault)


@pytest.mark.parametrize(("code", "sub_code"), [("400000", "UNKNOW_ERROR"), ("500000", "UNKNOW_ERROR")])
def test_an_unknown_error_is_unknown(shop: Shop, code: str, sub_code: str) -> None:
    shop.gateway.control.set_fault("huawei_pay", "error", "*", times=-1, code=code, sub_code=sub_code)
    charge = shop.charge()
    assert isinstance(shop.ask("pay", charge), Unknown)
    assert isinstance(shop.ask("query", charge.attempt_no), Unknown)


def test_a_banned_merchant_is_told_so(shop: Shop) -> None:
    shop.gateway.control.set_fault("huawei_pay", "merchant_banned", "pay")
    assert shop.ask("pay", shop.charge()).reason == "SELLER_STATUS_ABNORMAL"


def test_a_request_that_is_not_signed_as_it_should_be_is_refused(shop: Shop) -> None:
    path = adapter.ORDER + shop.no()
    auth: dict[str, Any] = msgspec.json.decode(adapter.authorization(shop.passage, path, NOON))
    for changes, code in (
        ({"bodySign": "AAAA"}, "INVALID_SIGNATURE"),
        ({"headerSign": "AAAA"}, "INVALID_SIGNATURE"),
        ({"time": 1}, "INVALID_SIGNATURE"),
        ({"authId": "1"}, "INVALID_AUTH_ID"),
        ({"callerId": "1"}, "INVALID_CALLER_ID"),
        ({"traceId": ""}, "MISSING_TRACER_ID"),
        ({"bodySign": ""}, "MISSING_BODY_SIGN"),
    ):
        headers = {"PayMercAuth": msgspec.json.encode(auth | changes).decode()}
        got = shop.gateway.ask(shop.http.send("GET", shop.passage.endpoint + path, headers=headers))
        assert msgspec.json.decode(got.body)["subCode"] == code, changes
    bare = shop.gateway.ask(shop.http.send("GET", shop.passage.endpoint + path))
    assert msgspec.json.decode(bare.body)["subCode"] == "MISSING_AUTH_HEADER"


def test_refunds(shop: Shop) -> None:
    charge, paid = shop.pay()
    asked = shop.repayable(charge, paid, 345)
    first = shop.ask("refund", asked)
    assert isinstance(first, RefundPending) and len(first.channel_no) == 24
    assert shop.ask("refund", asked) == first == shop.ask("query_refund", asked)
    soon = shop.ask("refund", shop.repayable(charge, paid, 100))
    assert isinstance(soon, RefundFailed) and (soon.reason, soon.again) == ("REFUND_TOO_MANY", True)
    shop.steer(NOON + LATER)
    done = Refunded(first.channel_no, 345, NOON + LATER)
    [_, told] = shop.heard.wait(2)
    assert shop.ask("query_refund", asked) == done
    notice = CHANNEL.read_notice(shop.passage, told)
    assert (notice.attempt_no, notice.refund_no, notice.result) == (charge.attempt_no, asked.refund_no, done)
    shop.steer(NOON + timedelta(minutes=1))
    large = shop.ask("refund", shop.repayable(charge, paid, 12_001))
    assert isinstance(large, RefundFailed) and large.reason == "REFUND_TOO_LARGE"
    assert isinstance(shop.ask("refund", shop.repayable(charge, paid, 12_000)), RefundPending)


def test_a_refund_that_fails_later(shop: Shop) -> None:
    charge, paid = shop.pay()
    shop.gateway.control.set_fault("huawei_pay", "refund_fails_later", "refund", seconds="5")
    asked = shop.repayable(charge, paid, 345)
    shop.ask("refund", asked)
    shop.steer(NOON + LATER)
    [_, told] = shop.heard.wait(2)
    failed = CHANNEL.read_notice(shop.passage, told).result
    assert isinstance(failed, RefundFailed) and failed == shop.ask("query_refund", asked)


def test_a_refund_that_is_too_late(shop: Shop) -> None:
    charge, paid = shop.pay()
    shop.steer(NOON + timedelta(days=180, seconds=1))
    late = shop.ask("refund", shop.repayable(charge, paid, 345))
    assert isinstance(late, RefundFailed) and late.reason == "REFUND_TOO_LATE"


def test_notices_that_are_not_to_be_believed(shop: Shop) -> None:
    shop.gateway.control.set_fault("huawei_pay", "forged_notice", "notice.payment")
    shop.pay()
    verdicts, true = [], None
    for told in shop.heard.wait(2):
        try:
            CHANNEL.read_notice(shop.passage, told)
            true = told
            verdicts.append("true")
        except NoticeRefused as refused:
            verdicts.append(refused.code)
    assert sorted(verdicts) == ["FORGED", "true"] and true is not None
    values = {**shop.passage.credential.values, "merc_no": "1"}
    other = replace(shop.passage, credential=replace(shop.passage.credential, values=values))
    for passage, body, code in (
        (other, true.body, "FOREIGN"),
        (shop.passage, b"[]", "MALFORMED"),
        (shop.passage, b"{}", "FORGED"),
        (shop.passage, true.body.replace(b"TRX_SUCCESS", b"TRX_FAILED"), "FORGED"),
        (shop.gateway.enrol("huawei_pay"), true.body, "FORGED"),
    ):
        with pytest.raises(NoticeRefused) as refused_now:
            CHANNEL.read_notice(passage, Incoming("POST", "/hooks/x", {}, body))
        assert refused_now.value.code == code


def test_a_notice_of_another_amount_says_so(shop: Shop) -> None:
    shop.gateway.control.set_fault("huawei_pay", "wrong_amount_notice", "notice.payment", amount_minor="1")
    shop.pay()
    [told] = shop.heard.wait(1)
    result = CHANNEL.read_notice(shop.passage, told).result
    assert isinstance(result, Paid) and result.amount_minor == 1


def test_copies_of_a_notice_have_one_number(shop: Shop) -> None:
    shop.gateway.control.set_fault("huawei_pay", "duplicate_notice", "notice.payment", copies="3")
    shop.pay()
    assert len({CHANNEL.read_notice(shop.passage, told).notice_no for told in shop.heard.wait(3)}) == 1


def test_a_rotation_keeps_late_notices(shop: Shop) -> None:
    old = shop.gateway.enrol("huawei_pay")
    mine = Shop(shop.gateway, shop.clock, shop.http, old, shop.heard)
    charge, _ = mine.pay()
    [told] = shop.heard.wait(1)
    new = shop.gateway.rotate(old)
    assert isinstance(mine.ask("query", charge.attempt_no), Unknown)  # old credentials prove nothing new
    assert isinstance(shop.gateway.ask(CHANNEL.query(shop.http, new, charge.attempt_no)), Paid)
    assert CHANNEL.read_notice(new, told).attempt_no == charge.attempt_no


def test_the_answer_is_huaweis() -> None:
    taken = CHANNEL.answer(True)
    assert (taken.status, taken.body) == (200, b'{"resultCode":"000000","resultDesc":"Success."}')
    assert CHANNEL.answer(False).status == 500


def test_bills_are_not_claimed(shop: Shop) -> None:
    assert CHANNEL.capabilities.bill is False
    with pytest.raises(BillNotReady):
        shop.ask("download_bill", NOON.date())
    with pytest.raises(BillMalformed):
        CHANNEL.parse_bill(b"", NOON.date())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ()),
        ({"amount_minor": 0}, ("AMOUNT_BELOW_MIN",)),
        ({"currency": "USD"}, ("CURRENCY_NOT_SUPPORTED",)),
        ({"instalments": 3}, ("PLAN_TERM_NOT_OFFERED",)),
        ({"way": "page"}, ("CLIENT_UNSUPPORTED",)),
        ({"expires_at": NOON}, ("ORDER_EXPIRED",)),
    ],
)
def test_what_is_known_before_any_call(shop: Shop, changes: dict[str, Any], said: tuple[str, ...]) -> None:
    assert CHANNEL.precheck(shop.charge(**changes), shop.passage) == said
