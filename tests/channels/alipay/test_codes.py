"""Every code of the tables, told by the gateway in Alipay's own form and read by the adapter."""

from __future__ import annotations

import pytest
from tests.channels.alipay.shop import Shop

from fenqi.channels.alipay import codes
from fenqi.channels.contract import Declined, Paid, RefundFailed, Unknown
from fenqi.channels.contract import RefundReason as Reason
from fenqi.kernel.reason_codes import CODES as DICTIONARY

DOMAIN = {
    "BUYER_BALANCE_NOT_ENOUGH": "BALANCE_INSUFFICIENT",
    "BUYER_BANKCARD_BALANCE_NOT_ENOUGH": "CARD_INSUFFICIENT",
    "ERROR_BALANCE_PAYMENT_DISABLE": "PAY_SWITCH_OFF",
    "MOBILE_PAYMENT_SWITCH_OFF": "PAY_SWITCH_OFF",
    "USER_FACE_PAYMENT_SWITCH_OFF": "PAY_SWITCH_OFF",
    "BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR": "LIMIT_DAILY_CAP",
    "BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR": "LIMIT_MONTHLY_CAP",
    "TOTAL_FEE_EXCEED": "AMOUNT_ABOVE_MAX",
    "BEYOND_PAY_RESTRICTION": "SELLER_STATUS_ABNORMAL",
    "BEYOND_PER_RECEIPT_RESTRICTION": "SELLER_STATUS_ABNORMAL",
    "BEYOND_PER_RECEIPT_DAY_RESTRICTION": "SELLER_STATUS_ABNORMAL",
    "BEYOND_PER_RECEIPT_SINGLE_RESTRICTION": "SELLER_STATUS_ABNORMAL",
    "SELLER_BEEN_BLOCKED": "SELLER_STATUS_ABNORMAL",
    "SECONDARY_MERCHANT_STATUS_ERROR": "SELLER_STATUS_ABNORMAL",
    "BUYER_ENABLE_STATUS_FORBID": "RISK_TXN_BLOCKED",
    "ERROR_BUYER_CERTIFY_LEVEL_LIMIT": "REALNAME_REQUIRED",
    "BUYER_SELLER_EQUAL": "SELF_DEALING",
    "TRADE_BUYER_NOT_MATCH": "PAYER_NOT_ACCOUNT_OWNER",
    "PAYMENT_REQUEST_HAS_RISK": "RISK_TXN_BLOCKED",
    "NO_PAYMENT_INSTRUMENTS_AVAILABLE": "NO_INSTRUMENT",
    "PAYMENT_FAIL": "ISSUER_DECLINED",
    "AGREEMENT_NOT_EXIST": "CREDIT_AGREEMENT_EXPIRED",
    "AGREEMENT_INVALID": "CREDIT_AGREEMENT_EXPIRED",
    "CYCLE_PAY_DATE_NOT_MATCH": "CREDIT_AGREEMENT_EXPIRED",
    "CYCLE_PAY_SINGLE_FEE_EXCEED": "CREDIT_AGREEMENT_EXPIRED",
    "CYCLE_PAY_TOTAL_FEE_EXCEED": "CREDIT_AGREEMENT_EXPIRED",
    "CYCLE_PAY_TOTAL_TIMES_EXCEED": "CREDIT_AGREEMENT_EXPIRED",
    "RISK_REJECT": "RISK_TXN_BLOCKED",
    "USER_KYC_NOT_QUALIFIED": "REALNAME_REQUIRED",
    "USER_AMOUNT_EXCEED_LIMIT": "LIMIT_SINGLE_TXN_CAP",
    "PAYMENT_AMOUNT_EXCEED_LIMIT": "AMOUNT_ABOVE_MAX",
    "PAYMENT_COUNT_EXCEED_LIMIT": "RISK_VELOCITY",
    "UNAVAILABLE_PAYMENT_METHOD": "NO_INSTRUMENT",
    "ACCESS_FORBIDDEN": "CHANNEL_NOT_CONTRACTED",
    "INVALID_CONTRACT": "CHANNEL_NOT_CONTRACTED",
    "EXIST_FORBIDDEN_WORD": "FORBIDDEN_WORD",
    "CONTEXT_INCONSISTENT": "AMOUNT_CHANGED",
}
"""The mapping of reasons.md, written down a second time."""


def test_the_table_says_what_the_domain_says() -> None:
    assert {code: codes.CODES[code].reason for code in DOMAIN} == DOMAIN


def test_every_reason_is_in_the_dictionary() -> None:
    assert {meaning.reason for meaning in codes.CODES.values()} <= set(DICTIONARY)


def test_no_code_is_both_told_and_unsure() -> None:
    assert not set(codes.CODES) & (codes.UNSURE | codes.WAITING | codes.ALREADY_PAID)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ACQ.TRADE_NOT_EXIST", "TRADE_NOT_EXIST"), ("aop.ACQ.SYSTEM_ERROR", "SYSTEM_ERROR"),
        ("isv.invalid-signature", "invalid-signature"), ("isp.unknow-error", "unknow-error"), ("40006", "40006"),
        ("TRADE_NOT_EXIST", "TRADE_NOT_EXIST"),
    ],
)  # fmt: skip
def test_prefixes_are_the_versions_matter(code: str, expected: str) -> None:
    assert codes.plain(code) == expected


def prefixed(code: str) -> str:
    return f"ACQ.{code}" if code.isupper() else f"isv.{code}"


CHARGE_CODES = sorted(code for code in codes.CODES if not code.isdigit())


def test_every_code_of_a_charge_is_told_in_our_words(shop: Shop) -> None:
    for code in CHARGE_CODES:
        shop.fault("error", "pay", code=prefixed(code), message="as told")
        found = shop.pay(shop.charge("qr"))
        meaning = codes.CODES[code]
        assert isinstance(found, Declined), (code, found)
        assert codes.plain(found.code) == code
        assert (found.reason, found.kind, found.fault) == (meaning.reason, meaning.kind, meaning.fault), code
        assert found.message == "as told"


@pytest.mark.parametrize("code", ["20001", "40001", "40002", "40006"])
def test_codes_of_the_gateway_alone(shop: Shop, code: str) -> None:
    shop.fault("error", "pay", code=code, sub_code=code)
    found = shop.pay(shop.charge("qr"))
    assert isinstance(found, Declined) and found.reason == codes.CODES[code].reason


@pytest.mark.parametrize("code", ["20000", "ACQ.SYSTEM_ERROR", "aop.ACQ.SYSTEM_ERROR", "isp.unknow-error"])
def test_a_systems_error_is_never_a_refusal(shop: Shop, code: str) -> None:
    charge, paid = shop.bought()
    asked = shop.repayable(charge, paid, 100)
    for operation, ask in (
        ("pay", lambda: shop.pay(shop.charge("qr"))), ("query", lambda: shop.query(charge)),
        ("close", lambda: shop.close(charge)), ("refund", lambda: shop.refund(asked)),
        ("query_refund", lambda: shop.query_refund(asked)),
    ):  # fmt: skip
        shop.fault("error", operation, code=code)
        assert isinstance(ask(), Unknown), operation


def test_a_code_that_nobody_classified_is_an_alarm(shop: Shop) -> None:
    shop.fault("error", "pay", code="ACQ.NEVER_HEARD_OF")
    found = shop.pay(shop.charge("qr"))
    assert isinstance(found, Declined) and (found.reason, found.fault) == ("UNKNOWN", "caller")


def test_of_a_query_only_absence_is_believed(shop: Shop) -> None:
    charge, _ = shop.bought()
    for code in CHARGE_CODES:
        if code != "TRADE_NOT_EXIST":
            shop.fault("error", "query", code=prefixed(code))
            assert isinstance(shop.query(charge), Unknown), code
    assert isinstance(shop.query(charge), Paid)


def test_every_code_of_a_refund_is_told_in_our_words(shop: Shop) -> None:
    charge, paid = shop.bought(amount_minor=50_000)
    asked = shop.repayable(charge, paid, 1)
    for code, (reason, again) in codes.REFUNDS.items():
        shop.fault("error", "refund", code=prefixed(code))
        found = shop.refund(asked)
        assert isinstance(found, RefundFailed), (code, found)
        assert (found.reason, found.again, found.absent) == (reason, again, False), code


def test_a_refund_refused_by_an_unknown_code_is_asked_about_first(shop: Shop) -> None:
    charge, paid = shop.bought()
    asked = shop.repayable(charge, paid, 100)
    shop.fault("error", "refund", code="ACQ.NEVER_HEARD_OF")
    assert shop.refund(asked) == RefundFailed(
        "NEVER_HEARD_OF" if is_v3(shop) else "ACQ.NEVER_HEARD_OF", "REFUND_REJECTED", "ACQ.NEVER_HEARD_OF"
    )
    shop.fault("error", "refund", code="ACQ.NEVER_HEARD_OF", when="after")
    found = shop.refund(asked)
    assert found.amount_minor == 100  # it was carried out all the same


def is_v3(shop: Shop) -> bool:
    return shop.passage.credential.values["protocol"] == "v3"


def test_refund_reasons_are_the_contracts() -> None:
    assert {reason for reason, _ in codes.REFUNDS.values()} <= set(Reason.__args__)  # type: ignore[attr-defined]
