"""Every error code of the protocol in our words, and every doubt as Unknown: told by the real gateway, over sockets."""

from __future__ import annotations

import msgspec
import pytest
from tests.channels.wechat_pay.shop import Shop

from fenqi.channels.contract import Declined, Paid, Pending, RefundFailed, RefundPending, Unknown
from fenqi.channels.http import Http
from fenqi.channels.wechat_pay import codes
from fenqi.channels.wechat_pay.gateway.door import STATUS
from fenqi.channels.wechat_pay.messages import Amount, Transaction, refund_result, trade_result
from fenqi.kernel.reason import CODES

replace = msgspec.structs.replace
PAYMENT = [
    # code, ours, whose matter, what it is
    ("PARAM_ERROR", "UNKNOWN", "caller", "refused"),
    ("INVALID_REQUEST", "UNKNOWN", "caller", "refused"),
    ("APPID_MCHID_NOT_MATCH", "UNKNOWN", "caller", "refused"),
    ("MCH_NOT_EXISTS", "UNKNOWN", "caller", "refused"),
    ("SIGN_ERROR", "UNKNOWN", "caller", "refused"),
    ("OUT_TRADE_NO_USED", "UNKNOWN", "caller", "absent"),
    ("NO_AUTH", "CHANNEL_NOT_CONTRACTED", "passage", "refused"),
    ("ACCOUNT_ERROR", "SELLER_STATUS_ABNORMAL", "passage", "refused"),
    ("RULE_LIMIT", "CHANNEL_RATE_LIMITED", "passage", "refused"),
    ("FREQUENCY_LIMITED", "CHANNEL_RATE_LIMITED", "passage", "refused"),
    ("TRADE_ERROR", "ISSUER_DECLINED", "buyer", "refused"),
    ("NOT_ENOUGH", "BALANCE_INSUFFICIENT", "buyer", "refused"),
    ("NOTENOUGH", "BALANCE_INSUFFICIENT", "buyer", "refused"),
    ("ORDER_CLOSED", "ORDER_CLOSED", "buyer", "closed"),
    ("ORDER_NOT_EXIST", "ORDER_CLOSED", "buyer", "absent"),
    ("RESOURCE_NOT_EXISTS", "ORDER_CLOSED", "buyer", "absent"),
    ("SOMETHING_NEW", "UNKNOWN", "caller", "refused"),
]
REFUND = [
    # code, message, ours, may be asked again
    ("NOT_ENOUGH", "", "REFUND_UNFUNDED", True),
    ("NOTENOUGH", "", "REFUND_UNFUNDED", True),
    ("FREQUENCY_LIMITED", "", "REFUND_TOO_MANY", True),
    ("RULE_LIMIT", "", "REFUND_TOO_MANY", True),
    ("NO_AUTH", "", "REFUND_REJECTED", True),
    ("ACCOUNT_ERROR", "", "REFUND_REJECTED", True),
    ("TRADE_OVERDUE", "", "REFUND_TOO_LATE", False),
    ("USER_ACCOUNT_ABNORMAL", "", "REFUND_ACCOUNT_GONE", False),
    ("TRADE_ERROR", "", "REFUND_FROZEN", False),
    ("REQUEST_BLOCKED", "", "REFUND_FROZEN", False),
    ("PARAM_ERROR", "", "REFUND_REJECTED", False),
    ("APPID_MCHID_NOT_MATCH", "", "REFUND_REJECTED", False),
    ("MCH_NOT_EXISTS", "", "REFUND_REJECTED", False),
    ("SIGN_ERROR", "", "REFUND_REJECTED", False),
    ("ORDER_NOT_EXIST", "", "REFUND_REJECTED", False),
    ("RESOURCE_NOT_EXISTS", "", "REFUND_REJECTED", False),
    ("ORDER_CLOSED", "", "REFUND_REJECTED", False),
    ("INVALID_REQUEST", "此订单不支持", "REFUND_REJECTED", False),
    ("INVALID_REQUEST", "退款金额大于可退金额", "REFUND_TOO_LARGE", False),
    ("INVALID_REQUEST", "订单已全额退款", "REFUND_TOO_LARGE", False),
    ("INVALID_REQUEST", "超过退款期限", "REFUND_TOO_LATE", False),
    ("INVALID_REQUEST", "超过该订单的退款次数限制", "REFUND_TOO_MANY", False),
    ("INVALID_REQUEST", "订单资金被冻结", "REFUND_FROZEN", False),
    ("SOMETHING_NEW", "", "REFUND_REJECTED", False),
]
IN_DOUBT = ["SYSTEM_ERROR", "BANK_ERROR", "BIZERR_NEED_RETRY"]


def test_every_code_of_the_gateway_has_its_meaning() -> None:
    told = set(STATUS) - codes.UNTOLD - {"ORDER_PAID", "NO_STATEMENT_EXIST", "STATEMENT_CREATING"}
    refunds_only = {"TRADE_OVERDUE", "USER_ACCOUNT_ABNORMAL", "REQUEST_BLOCKED", "RESOURCE_ALREADY_EXISTS"}
    assert told - refunds_only <= set(codes.PAYMENT)
    assert {one.reason for one in codes.PAYMENT.values()} <= set(CODES)


@pytest.mark.parametrize(("code", "reason", "fault", "kind"), PAYMENT)
def test_paying(shop: Shop, code: str, reason: str, fault: str, kind: str) -> None:
    shop.fault("error", "pay", code=code, message="说明")
    assert shop.pay(shop.charge()) == Declined(code, reason, "说明", kind, fault)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [*IN_DOUBT, "HTTP_502"])
def test_paying_in_doubt(shop: Shop, code: str) -> None:
    shop.fault("error", "pay", code=code, status="502" if code == "HTTP_502" else "")
    assert isinstance(shop.pay(shop.charge()), Unknown)


@pytest.mark.parametrize("name", ["timeout_before", "timeout_after", "garbled"])
def test_paying_without_an_answer_that_counts(shop: Shop, name: str) -> None:
    short = Http(timeout_s=0.3)
    charge = shop.charge()
    shop.fault(name, "pay")
    try:
        assert isinstance(shop.gateway.ask(shop.channel.pay(short, shop.passage, charge)), Unknown)
    finally:
        shop.gateway.ask(short.close())
    there = shop.query(charge.attempt_no)
    assert there == (Pending() if name != "timeout_before" else codes.declined("ORDER_NOT_EXIST", "订单不存在"))


@pytest.mark.parametrize("mode", ["503", "drop"])
def test_paying_while_it_is_down(shop: Shop, mode: str) -> None:
    shop.fault("down", "pay", mode=mode)
    assert isinstance(shop.pay(shop.charge()), Unknown)


def test_paying_where_nothing_listens_is_no_doubt(shop: Shop) -> None:
    nowhere = replace(shop.passage, endpoint="http://127.0.0.1:9")
    made = shop.gateway.ask(shop.channel.pay(shop.gateway.http, nowhere, shop.charge()))
    assert isinstance(made, Declined)
    assert (made.reason, made.kind, made.fault) == ("CHANNEL_DOWN", "absent", "passage")


def test_paying_with_a_spoilt_key_sends_nothing(shop: Shop) -> None:
    made = shop.gateway.ask(shop.channel.pay(shop.gateway.http, shop.with_values(private_key="x"), shop.charge()))
    assert isinstance(made, Declined) and (made.code, made.fault) == ("NOT_SENT", "passage")


@pytest.mark.parametrize("changes", [{"public_key": "x"}, {"public_key": "", "public_key_id": "PUB_KEY_ID_0"}])
def test_an_answer_that_our_credentials_can_not_prove_is_a_doubt(shop: Shop, changes: dict[str, str]) -> None:
    made = shop.gateway.ask(shop.channel.pay(shop.gateway.http, shop.with_values(**changes), shop.charge()))
    assert isinstance(made, Unknown)


@pytest.mark.parametrize("code", sorted({code for code, *_ in PAYMENT} - codes.ABSENT) + IN_DOUBT)
def test_an_error_of_a_query_says_nothing_of_the_trade(shop: Shop, code: str) -> None:
    shop.fault("error", "query", code=code)
    assert isinstance(shop.query("e" * 32), Unknown)


@pytest.mark.parametrize("code", sorted({code for code, *_ in PAYMENT} - codes.ABSENT - {"ORDER_CLOSED"}) + IN_DOUBT)
def test_an_error_of_a_close_closes_nothing(shop: Shop, code: str) -> None:
    shop.fault("error", "close", code=code)
    assert isinstance(shop.close("e" * 32), Unknown)


def test_a_banned_merchant(fresh_shop: Shop) -> None:
    shop, mchid = fresh_shop, fresh_shop.values["mchid"]
    charge, paid = shop.sell()
    shop.gateway.control.change_account("wechat_pay", mchid, state="banned")
    declined = shop.pay(shop.charge())
    assert isinstance(declined, Declined)
    assert (declined.code, declined.reason, declined.fault) == ("NO_AUTH", "CHANNEL_NOT_CONTRACTED", "passage")
    assert isinstance(shop.query(charge.attempt_no), Unknown) and isinstance(shop.close(charge.attempt_no), Unknown)
    failed = shop.refund(shop.repayable(charge, paid, 1))
    assert isinstance(failed, RefundFailed) and failed.again


@pytest.mark.parametrize(("code", "message", "reason", "again"), REFUND)
def test_refunding(shop: Shop, code: str, message: str, reason: str, again: bool) -> None:
    charge, paid = shop.sell()
    shop.fault("error", "refund", code=code, message=message or "说明")
    failed = shop.refund(shop.repayable(charge, paid, 100))
    assert failed == RefundFailed(code, reason, message or "说明", again=again)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", IN_DOUBT)
def test_refunding_in_doubt(shop: Shop, code: str) -> None:
    charge, paid = shop.sell()
    shop.fault("error", "refund", code=code)
    assert isinstance(shop.refund(shop.repayable(charge, paid, 100)), Unknown)


def test_a_refusal_after_the_refund_was_taken_is_not_believed(shop: Shop) -> None:
    charge, paid = shop.sell()
    shop.fault("error", "refund", code="PARAM_ERROR", when="after")
    made = shop.refund(shop.repayable(charge, paid, 100))
    assert isinstance(made, RefundPending) and made.channel_no.startswith("503")
    shop.fault("error", "refund", code="PARAM_ERROR")
    shop.fault("error", "query_refund")
    assert isinstance(shop.refund(shop.repayable(charge, paid, 100)), Unknown)


@pytest.mark.parametrize("code", sorted({code for code, *_ in REFUND} - codes.ABSENT) + IN_DOUBT)
def test_an_error_of_a_refunds_query_says_nothing_of_it(shop: Shop, code: str) -> None:
    charge, paid = shop.charge(), Paid("4200", 100, shop.charge().made_at)
    shop.fault("error", "query_refund", code=code)
    assert isinstance(shop.query_refund(shop.repayable(charge, paid, 1)), Unknown)


AT = "2026-05-01T10:00:00+08:00"


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("SUCCESS", Paid), ("REFUND", Paid), ("NOTPAY", Pending), ("USERPAYING", Pending), ("ACCEPT", Pending),
        ("CLOSED", Declined), ("REVOKED", Declined), ("PAYERROR", Declined), ("BETTER", Unknown),
    ],
)  # fmt: skip
def test_each_state_of_a_trade(state: str, kind: type) -> None:
    said = {"mchid": "19", "out_trade_no": "x", "trade_state": state, "transaction_id": "4200", "success_time": AT,
            "amount": {"total": 5, "payer_total": 3}}  # fmt: skip
    result = trade_result(msgspec.convert(said, Transaction, strict=False))
    assert type(result) is kind
    if isinstance(result, Paid):
        assert (result.amount_minor, result.paid_at.isoformat()) == (5, "2026-05-01T02:00:00+00:00")
    if isinstance(result, Declined):
        ours = ("ISSUER_DECLINED", "refused") if state == "PAYERROR" else ("ORDER_CLOSED", "closed")
        assert (result.reason, result.kind) == ours


def test_a_paid_trade_must_say_how_much_and_when() -> None:
    assert isinstance(trade_result(Transaction("19", "x", "SUCCESS", transaction_id="4200")), Unknown)
    assert isinstance(trade_result(Transaction("19", "x", "SUCCESS", amount=Amount(5))), Unknown)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("PROCESSING", RefundPending("503")),
        ("CLOSED", RefundFailed("CLOSED", "REFUND_REJECTED")),
        ("ABNORMAL", RefundFailed("ABNORMAL", "REFUND_ACCOUNT_GONE")),
    ],
)
def test_each_state_of_a_refund(status: str, result: object) -> None:
    assert refund_result(status, "503", 5, None) == result


def test_a_refund_in_an_unheard_state_is_in_doubt() -> None:
    assert isinstance(refund_result("SUCCESS", "503", 5, None), Unknown)
    assert isinstance(refund_result("BETTER", "503", 5, None), Unknown)


@pytest.mark.parametrize("name", ["timeout_after", "down"])
def test_closing_without_an_answer_that_counts(shop: Shop, name: str) -> None:
    short, charge = Http(timeout_s=0.3), shop.charge()
    shop.pay(charge)
    shop.fault(name, "close", times=2)
    try:
        assert isinstance(shop.gateway.ask(shop.channel.close(short, shop.passage, charge.attempt_no)), Unknown)
    finally:
        shop.gateway.ask(short.close())
    closed = shop.query(charge.attempt_no)
    assert closed == Pending() if name == "down" else isinstance(closed, Declined) and closed.kind == "closed"
