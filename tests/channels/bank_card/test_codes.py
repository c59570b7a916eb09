"""Every code of UnionPay's and of the issuers behind it, in our dictionary."""

from __future__ import annotations

import pytest

from fenqi.channels.bank_card import codes
from fenqi.channels.bank_card.gateway import issuer
from fenqi.channels.contract import RefundFailed
from fenqi.kernel.reason import CODES

ISO = {
    "05": "ISSUER_DECLINED", "12": "TXN_NOT_PERMITTED", "13": "CARD_LIMIT_AMOUNT", "14": "CARD_INVALID",
    "15": "CARD_INVALID", "41": "CARD_LOST_STOLEN", "43": "CARD_LOST_STOLEN", "51": "CARD_INSUFFICIENT",
    "54": "CARD_EXPIRED", "55": "STEP_UP_REQUIRED", "57": "CARD_ONLINE_DISABLED", "58": "TXN_NOT_PERMITTED",
    "59": "RISK_TXN_BLOCKED", "61": "CARD_LIMIT_AMOUNT", "62": "CARD_ONLINE_DISABLED", "63": "RISK_TXN_BLOCKED",
    "65": "CARD_LIMIT_COUNT", "75": "PAY_PASSWORD_LOCKED", "91": "ISSUER_UNAVAILABLE", "92": "ISSUER_UNAVAILABLE",
    "96": "ISSUER_UNAVAILABLE",
}  # fmt: skip
OWN = {
    "01": "ISSUER_DECLINED", "30": "ISSUER_DECLINED", "31": "SELLER_STATUS_ABNORMAL", "32": "CHANNEL_NOT_CONTRACTED",
    "33": "AMOUNT_ABOVE_MAX", "37": "CHANNEL_RATE_LIMITED", "38": "RISK_TXN_BLOCKED", "39": "ORDER_EXPIRED",
    "40": "NO_INSTRUMENT", "60": "ISSUER_DECLINED", "61": "CARD_INVALID", "62": "TXN_NOT_PERMITTED",
    "63": "CARD_INVALID", "64": "CARD_INSUFFICIENT", "65": "STEP_UP_REQUIRED", "66": "REALNAME_MISMATCH",
    "67": "PAY_PASSWORD_LOCKED", "68": "CARD_ONLINE_DISABLED", "69": "ORDER_EXPIRED", "73": "CARD_EXPIRED",
    "77": "CARD_ONLINE_DISABLED", "80": "NO_INSTRUMENT",
}  # fmt: skip


@pytest.mark.parametrize(("iso", "reason"), list(ISO.items()))
def test_the_issuers_code_wins(iso: str, reason: str) -> None:
    said = codes.declined("01", f"交易失败[10000{iso}]")
    assert (said.code, said.reason, said.kind) == (f"01/{iso}", reason, "refused")


@pytest.mark.parametrize(("own", "reason"), list(OWN.items()))
def test_unionpays_own_code(own: str, reason: str) -> None:
    assert codes.declined(own, "没有括号").reason == reason
    assert codes.declined(own, f"有[90000{own}]").reason == reason


def test_the_same_digits_are_two_things() -> None:
    assert codes.declined("61", "输入的卡号无效[9000061]").reason == "CARD_INVALID"
    assert codes.declined("33", "交易金额超限[1000061]").reason == "CARD_LIMIT_AMOUNT"


def test_every_meaning_is_in_the_dictionary() -> None:
    for table in (codes.OWN, codes.ISO):
        for meaning in table.values():
            assert meaning.reason in CODES


def test_every_answer_that_the_gateway_gives_is_known() -> None:
    for iso in issuer.ANSWERS:
        code, message = issuer.answer_of(iso)
        assert codes.issuer_code(message) == iso
        assert codes.declined(code, message).reason == codes.ISO[iso].reason


def test_a_code_of_nobodys_is_an_alarm() -> None:
    said = codes.declined("88", "")
    assert (said.reason, said.fault) == ("UNKNOWN", "caller")


@pytest.mark.parametrize(("code", "fault"), [("31", "passage"), ("32", "passage"), ("10", "caller"), ("64", "buyer")])
def test_whose_matter_it_is(code: str, fault: str) -> None:
    assert codes.declined(code, "").fault == fault


@pytest.mark.parametrize(
    ("message", "iso"),
    [
        ("卡上的余额不足[1000051]", "51"),
        ("成功[0000000]", ""),
        ("x[1000000]", ""),
        ("x[2000051]", ""),
        ("51", ""),
        ("", ""),
    ],
)
def test_the_issuers_code_is_in_the_message(message: str, iso: str) -> None:
    assert codes.issuer_code(message) == iso


@pytest.mark.parametrize(
    ("code", "message", "reason", "again", "absent"),
    [
        ("34", "", "REFUND_REJECTED", False, True),
        ("36", "", "REFUND_TOO_LARGE", False, False),
        ("45", "", "REFUND_TOO_LARGE", False, False),
        ("37", "", "REFUND_TOO_MANY", True, False),
        ("39", "", "REFUND_TOO_LATE", False, False),
        ("64", "", "REFUND_UNFUNDED", True, False),
        ("63", "", "REFUND_ACCOUNT_GONE", False, False),
        ("01", "x[1000014]", "REFUND_ACCOUNT_GONE", False, False),
        ("01", "x[1000051]", "REFUND_UNFUNDED", True, False),
        ("35", "", "REFUND_REJECTED", False, False),
    ],
)
def test_a_refund_that_failed(code: str, message: str, reason: str, again: bool, absent: bool) -> None:
    assert codes.refund_failed(code, message) == RefundFailed(code, reason, message, absent, again)  # type: ignore[arg-type]
