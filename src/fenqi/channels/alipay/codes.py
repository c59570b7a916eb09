"""What Alipay's codes mean to us: every code of the acquiring methods and of its gateway, in our dictionary's words.

A code that is not here is no guess: of a charge it is told as UNKNOWN, which is an alarm.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from fenqi.channels.contract import Declined, RefundReason

Kind = Literal["refused", "closed", "absent"]
Fault = Literal["buyer", "passage", "caller"]


class Meaning(msgspec.Struct, frozen=True):
    """A code in our words: the dictionary's code, whose matter it is, and what it says of the trade."""

    reason: str
    fault: Fault = "buyer"
    kind: Kind = "refused"


def plain(code: str) -> str:
    """A code without the prefixes that it comes with: `ACQ.`, `aop.ACQ.`, or none (V3)."""
    return code.rpartition("ACQ.")[2]


UNSURE = frozenset({
    "20000", "SYSTEM_ERROR", "isp.unknow-error", "isp.unknown-error", "aop.unknow-error", "isp.system-error",
    "UNKNOWN_ERROR", "SERVICE_UNAVAILABLE", "INTERNAL_SERVER_ERROR",
})  # fmt: skip
"""Codes that say nothing about the money: ask before believing anything."""

WAITING = frozenset({"10003", "PAYMENT_IN_PROCESS", "USERPAYING", "WAIT_BUYER_PAY"})
"""The buyer is still at it."""

ALREADY_PAID = frozenset({"TRADE_HAS_SUCCESS", "TRADE_HAS_FINISHED"})
"""Said to a charge: the money is there. A query tells the rest."""

_BUYER: dict[str, tuple[str, ...]] = {
    "BALANCE_INSUFFICIENT": ("BUYER_BALANCE_NOT_ENOUGH",),
    "CARD_INSUFFICIENT": ("BUYER_BANKCARD_BALANCE_NOT_ENOUGH",),
    "PAY_SWITCH_OFF": (
        "ERROR_BALANCE_PAYMENT_DISABLE", "MOBILE_PAYMENT_SWITCH_OFF", "USER_FACE_PAYMENT_SWITCH_OFF",
        "PULL_MOBILE_CASHIER_FAIL",
    ),
    "LIMIT_DAILY_CAP": ("BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR",),
    "LIMIT_MONTHLY_CAP": ("BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",),
    "LIMIT_SINGLE_TXN_CAP": ("USER_AMOUNT_EXCEED_LIMIT",),
    "AMOUNT_ABOVE_MAX": ("TOTAL_FEE_EXCEED", "PAYMENT_AMOUNT_EXCEED_LIMIT"),
    "RISK_VELOCITY": ("PAYMENT_COUNT_EXCEED_LIMIT",),
    "REALNAME_REQUIRED": ("ERROR_BUYER_CERTIFY_LEVEL_LIMIT", "USER_KYC_NOT_QUALIFIED"),
    "SELF_DEALING": ("BUYER_SELLER_EQUAL",),
    "PAYER_NOT_ACCOUNT_OWNER": ("TRADE_BUYER_NOT_MATCH",),
    "RISK_TXN_BLOCKED": (
        "PAYMENT_REQUEST_HAS_RISK", "BUYER_ENABLE_STATUS_FORBID", "RISK_REJECT", "USER_STATUS_ABNORMAL",
        "PAYER_UNMATCHED_RISK",
    ),
    "NO_INSTRUMENT": ("NO_PAYMENT_INSTRUMENTS_AVAILABLE", "UNAVAILABLE_PAYMENT_METHOD"),
    "ISSUER_DECLINED": ("PAYMENT_FAIL",),
    "CURRENCY_NOT_SUPPORTED": ("CURRENCY_NOT_SUPPORT",),
    "INSTALLMENT_LIMIT_INSUFFICIENT": ("BUYER_PCREDIT_NOT_ENOUGH",),
    "CREDIT_AGREEMENT_EXPIRED": (
        "AGREEMENT_NOT_EXIST", "AGREEMENT_INVALID", "AGREEMENT_ERROR", "AGREEMENT_STATUS_NOT_NORMAL",
        "CYCLE_PAY_DATE_NOT_MATCH", "CYCLE_PAY_SINGLE_FEE_EXCEED", "CYCLE_PAY_TOTAL_FEE_EXCEED",
        "CYCLE_PAY_TOTAL_TIMES_EXCEED",
    ),
}  # fmt: skip

_PASSAGE: dict[str, tuple[str, ...]] = {
    "SELLER_STATUS_ABNORMAL": (
        "BEYOND_PAY_RESTRICTION", "BEYOND_PER_RECEIPT_RESTRICTION", "BEYOND_PER_RECEIPT_DAY_RESTRICTION",
        "BEYOND_PER_RECEIPT_SINGLE_RESTRICTION", "SELLER_BEEN_BLOCKED", "SECONDARY_MERCHANT_STATUS_ERROR",
        "SECONDARY_MERCHANT_ID_BLOCK", "MERCHANT_STATUS_NOT_NORMAL",
    ),
    "CHANNEL_NOT_CONTRACTED": (
        "ACCESS_FORBIDDEN", "INVALID_CONTRACT", "MERCHANT_AGREEMENT_NOT_EXIST", "MERCHANT_AGREEMENT_INVALID",
        "MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT", "40006", "20001", "isv.insufficient-isv-permissions",
        "isv.insufficient-user-permissions", "isv.missing-signature-config", "isv.invalid-app-id",
        "isv.app-unbind-partner", "aop.invalid-app-auth-token", "aop.app-auth-token-time-out",
        "aop.invalid-auth-token", "aop.auth-token-time-out", "isv.invalid-signature", "invalid-signature",
    ),
    "CHANNEL_RATE_LIMITED": ("isv.call-limited", "app-call-limited", "aop.app-call-limited"),
    "CHANNEL_MAINTENANCE": ("isp.service-maintenance",),
}  # fmt: skip

_CALLER: dict[str, tuple[str, ...]] = {
    "AMOUNT_CHANGED": ("CONTEXT_INCONSISTENT", "DISCORDANT_REPEAT_REQUEST"),
    "FORBIDDEN_WORD": ("EXIST_FORBIDDEN_WORD",),
    "PLAN_TERM_CONFLICT": ("HB_FQ_NUM_CONFLICT",),
    "UNKNOWN": (
        "INVALID_PARAMETER", "40001", "40002", "INVALID_STORE_ID", "NOT_SUPPORT_PAYMENT_INST",
        "isv.missing-parameter", "isv.invalid-parameter", "isv.missing-method", "isv.invalid-method",
        "isv.missing-app-id", "isv.missing-signature", "isv.missing-signature-type", "isv.invalid-signature-type",
        "isv.missing-timestamp", "isv.invalid-timestamp", "isv.missing-version", "isv.unsupported-version",
        "isv.invalid-charset", "isv.invalid-format", "isv.invalid-encrypt", "isv.suspected-attack",
    ),
}  # fmt: skip

_STATE: dict[str, Meaning] = {
    "TRADE_NOT_EXIST": Meaning("ORDER_CLOSED", kind="absent"),
    "TRADE_HAS_CLOSE": Meaning("ORDER_CLOSED", kind="closed"),
    "ORDER_HAS_CLOSED": Meaning("ORDER_CLOSED", kind="closed"),
    "TRADE_CLOSED": Meaning("ORDER_CLOSED", kind="closed"),
}

CODES: dict[str, Meaning] = {
    **{code: Meaning(reason) for reason, codes in _BUYER.items() for code in codes},
    **{code: Meaning(reason, "passage") for reason, codes in _PASSAGE.items() for code in codes},
    **{code: Meaning(reason, "caller") for reason, codes in _CALLER.items() for code in codes},
    **_STATE,
}
"""Alipay's code without its prefix → what it means of a charge."""

REFUNDS: dict[str, tuple[RefundReason, bool]] = {
    "SELLER_BALANCE_NOT_ENOUGH": ("REFUND_UNFUNDED", True),
    "REFUND_ACCOUNT_BALANCE_NOT_ENOUGH": ("REFUND_UNFUNDED", True),
    "REFUND_AMT_NOT_EQUAL_TOTAL": ("REFUND_TOO_LARGE", False),
    "REASON_TRADE_REFUND_FEE_ERR": ("REFUND_TOO_LARGE", False),
    "REFUND_FEE_ERROR": ("REFUND_TOO_LARGE", False),
    "REFUND_CHARGE_ERROR": ("REFUND_REJECTED", True),
    "REASON_TRADE_BEEN_FREEZEN": ("REFUND_FROZEN", False),
    "TRADE_HAS_FINISHED": ("REFUND_TOO_LATE", False),
    "TRADE_NOT_ALLOW_REFUND": ("REFUND_REJECTED", False),
    "TRADE_STATUS_ERROR": ("REFUND_REJECTED", False),
    "DISCORDANT_REPEAT_REQUEST": ("REFUND_REJECTED", False),
    "REFUND_TIMES_EXCEED": ("REFUND_TOO_MANY", False),
    "BUYER_NOT_EXIST": ("REFUND_ACCOUNT_GONE", False),
    "BUYER_ERROR": ("REFUND_ACCOUNT_GONE", False),
    "isv.call-limited": ("REFUND_TOO_MANY", True),
    "app-call-limited": ("REFUND_TOO_MANY", True),
    "aop.app-call-limited": ("REFUND_TOO_MANY", True),
}
"""Alipay's code → why a refund failed, and whether the same one may be asked for again later."""


def decline(code: str, message: str) -> Declined:
    """A refusal of a charge in our words; a code that nobody classified is UNKNOWN and a matter of ours."""
    meaning = CODES.get(plain(code), Meaning("UNKNOWN", "caller"))
    return Declined(code, meaning.reason, message, meaning.kind, meaning.fault)
