"""What Alipay's codes mean to us: every code of the acquiring methods and of its gateway, in our dictionary's words.

A code that is not here is no guess: of a charge it is told as UNKNOWN, which is an alarm. The names are those of the
public lists of sub-codes of trade.precreate, trade.query, trade.close, trade.refund and of the gateway.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from fenqi.channels.contract import Declined, RefundReason

Kind = Literal["refused", "closed", "absent"]
Fault = Literal["buyer", "passage", "caller"]

_PREFIX = re.compile(r"^(?:aop\.)?(?:ACQ|isv|isp|aop)\.")


class Meaning(msgspec.Struct, frozen=True):
    """A code in our words: the dictionary's code, whose matter it is, and what it says of the trade."""

    reason: str
    fault: Fault = "buyer"
    kind: Kind = "refused"


def plain(code: str) -> str:
    """A code without the prefixes that it has in v2 and has not in V3: `ACQ.`, `aop.ACQ.`, `isv.`, `isp.`, `aop.`."""
    return _PREFIX.sub("", code)


UNSURE = frozenset({
    "20000", "SYSTEM_ERROR", "unknow-error", "unknown-error", "system-error", "UNKNOWN_ERROR", "SERVICE_UNAVAILABLE",
    "INTERNAL_SERVER_ERROR",
})  # fmt: skip
"""Codes that say nothing about the money: ask before believing anything."""

WAITING = frozenset({"10003", "PAYMENT_IN_PROCESS"})
"""The buyer is still at it."""

ALREADY_PAID = frozenset({"TRADE_HAS_SUCCESS", "TRADE_HAS_FINISHED"})
"""Said to a charge: the money is there. A query tells the rest."""

_BUYER: dict[str, tuple[str, ...]] = {
    "BALANCE_INSUFFICIENT": ("BUYER_BALANCE_NOT_ENOUGH",),
    "CARD_INSUFFICIENT": ("BUYER_BANKCARD_BALANCE_NOT_ENOUGH",),
    "PAY_SWITCH_OFF": (
        "ERROR_BALANCE_PAYMENT_DISABLE", "MOBILE_PAYMENT_SWITCH_OFF", "USER_FACE_PAYMENT_SWITCH_OFF",
    ),
    "LIMIT_DAILY_CAP": ("BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR",),
    "LIMIT_MONTHLY_CAP": ("BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",),
    "LIMIT_SINGLE_TXN_CAP": ("USER_AMOUNT_EXCEED_LIMIT",),
    "AMOUNT_ABOVE_MAX": ("TOTAL_FEE_EXCEED", "PAYMENT_AMOUNT_EXCEED_LIMIT"),
    "RISK_VELOCITY": ("PAYMENT_COUNT_EXCEED_LIMIT",),
    "REALNAME_REQUIRED": ("ERROR_BUYER_CERTIFY_LEVEL_LIMIT", "USER_KYC_NOT_QUALIFIED"),
    "SELF_DEALING": ("BUYER_SELLER_EQUAL",),
    "PAYER_NOT_ACCOUNT_OWNER": ("TRADE_BUYER_NOT_MATCH", "PAYER_UNMATCHED", "USER_NOT_MATCH_ERR"),
    "RISK_TXN_BLOCKED": (
        "PAYMENT_REQUEST_HAS_RISK", "BUYER_ENABLE_STATUS_FORBID", "RISK_REJECT", "USER_STATUS_ABNORMAL",
        "CUSTOMER_VALIDATE_ERROR", "BUYER_ERROR", "BUYER_NOT_EXIST",
    ),
    "NO_INSTRUMENT": ("NO_PAYMENT_INSTRUMENTS_AVAILABLE", "UNAVAILABLE_PAYMENT_METHOD"),
    "ISSUER_DECLINED": ("PAYMENT_FAIL",),
    "CLIENT_UNSUPPORTED": ("NOT_SUPPORT_PAYMENT_INST", "PULL_MOBILE_CASHIER_FAIL"),
    "CURRENCY_NOT_SUPPORTED": ("CURRENCY_NOT_SUPPORT",),
    "CREDIT_AGREEMENT_EXPIRED": (
        "AGREEMENT_NOT_EXIST", "AGREEMENT_INVALID", "AGREEMENT_ERROR", "AGREEMENT_STATUS_NOT_NORMAL",
        "CYCLE_PAY_DATE_NOT_MATCH", "CYCLE_PAY_SINGLE_FEE_EXCEED", "CYCLE_PAY_TOTAL_FEE_EXCEED",
        "CYCLE_PAY_TOTAL_TIMES_EXCEED",
    ),
}  # fmt: skip

_PASSAGE: dict[str, tuple[str, ...]] = {
    "SELLER_STATUS_ABNORMAL": (
        "BEYOND_PAY_RESTRICTION", "BEYOND_PER_RECEIPT_RESTRICTION", "BEYOND_PER_RECEIPT_DAY_RESTRICTION",
        "BEYOND_PER_RECEIPT_SINGLE_RESTRICTION", "SELLER_BEEN_BLOCKED", "SELLER_NOT_EXIST",
        "ERROR_SELLER_CERTIFY_LEVEL_LIMIT", "INVALID_RECEIVE_ACCOUNT", "MERCHANT_STATUS_NOT_NORMAL",
        "MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT", "MERCHANT_PERM_RECEIPT_SINGLE_LIMIT",
        "MERCHANT_PERM_RECEIPT_DAY_LIMIT", "SECONDARY_MERCHANT_STATUS_ERROR", "SECONDARY_MERCHANT_NOT_MATCH",
        "SECONDARY_MERCHANT_ID_BLANK", "SECONDARY_MERCHANT_ID_INVALID",
        "SECONDARY_MERCHANT_ALIPAY_ACCOUNT_INVALID", "SECONDARY_MERCHANT_CARD_ALIAS_NO_INVALID",
        "SECONDARY_MERCHANT_ISV_PUNISH_INDIRECT", "SUB_MERCHANT_CREATE_FAIL", "SUB_MERCHANT_TYPE_INVALID",
    ),
    "CHANNEL_NOT_CONTRACTED": (
        "ACCESS_FORBIDDEN", "INVALID_CONTRACT", "MERCHANT_AGREEMENT_NOT_EXIST", "MERCHANT_AGREEMENT_INVALID",
        "DEFAULT_SETTLE_RULE_NOT_EXIST", "40006", "20001", "insufficient-isv-permissions",
        "insufficient-user-permissions", "missing-signature-config", "invalid-app-id", "app-unbind-partner",
        "invalid-auth-token", "auth-token-time-out", "invalid-app-auth-token", "app-auth-token-time-out",
        "invalid-app-auth-token-no-api", "invalid-signature",
    ),
    "CHANNEL_RATE_LIMITED": ("call-limited", "app-call-limited"),
    "CHANNEL_MAINTENANCE": ("service-maintenance",),
}  # fmt: skip

_CALLER: dict[str, tuple[str, ...]] = {
    "AMOUNT_CHANGED": ("CONTEXT_INCONSISTENT",),
    "FORBIDDEN_WORD": ("EXIST_FORBIDDEN_WORD",),
    "UNKNOWN": (
        "INVALID_PARAMETER", "ILLEGAL_ARGUMENT", "40001", "40002", "INVALID_STORE_ID", "STORE_INFO_INVALID",
        "SUB_GOODS_SIZE_MAX_COUNT", "TRADE_SETTLE_ERROR", "missing-parameter", "invalid-parameter", "missing-method",
        "invalid-method", "missing-app-id", "missing-signature", "missing-signature-type", "invalid-signature-type",
        "missing-timestamp", "invalid-timestamp", "missing-version", "unsupported-version", "invalid-charset",
        "invalid-format", "invalid-encrypt", "suspected-attack", "invalid-arguments",
    ),
}  # fmt: skip
"""Ours to mend: the buyer can do nothing, staff must look."""

_STATE: dict[str, Meaning] = {
    "TRADE_NOT_EXIST": Meaning("ORDER_CLOSED", kind="absent"),
    "TRADE_HAS_CLOSE": Meaning("ORDER_CLOSED", kind="closed"),
    "TRADE_CLOSED": Meaning("ORDER_CLOSED", kind="closed"),
    "NOW_TIME_AFTER_EXPIRE_TIME_ERROR": Meaning("ORDER_EXPIRED", kind="closed"),
}

CODES: dict[str, Meaning] = {
    **{code: Meaning(reason) for reason, codes in _BUYER.items() for code in codes},
    **{code: Meaning(reason, "passage") for reason, codes in _PASSAGE.items() for code in codes},
    **{code: Meaning(reason, "caller") for reason, codes in _CALLER.items() for code in codes},
    **_STATE,
}
"""Alipay's code without its prefix → what it means of a charge."""

_REFUNDS: dict[RefundReason, tuple[str, ...]] = {
    "REFUND_UNFUNDED": ("SELLER_BALANCE_NOT_ENOUGH",),
    "REFUND_TOO_LATE": ("TRADE_HAS_FINISHED",),
    "REFUND_TOO_LARGE": ("REFUND_AMT_NOT_EQUAL_TOTAL", "REASON_TRADE_REFUND_FEE_ERR", "REFUND_FEE_ERROR"),
    "REFUND_TOO_MANY": ("call-limited", "app-call-limited"),
    "REFUND_ACCOUNT_GONE": ("BUYER_NOT_EXIST", "BUYER_ERROR", "BUYER_ENABLE_STATUS_FORBID", "CUSTOMER_VALIDATE_ERROR"),
    "REFUND_FROZEN": ("REASON_TRADE_BEEN_FREEZEN",),
    "REFUND_REJECTED": (
        "TRADE_NOT_ALLOW_REFUND", "TRADE_STATUS_ERROR", "REASON_TRADE_STATUS_INVALID", "TRADE_HAS_CLOSE",
        "DISCORDANT_REPEAT_REQUEST", "REFUND_CHARGE_ERROR", "NOT_ALLOW_PARTIAL_REFUND",
        "ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND", "REFUND_ACCOUNT_NOT_EXIST", "INVALID_PARAMETER",
        "CURRENCY_NOT_SUPPORT", "USER_NOT_MATCH_ERR", "TRADE_SETTLE_ERROR", "ENTERPRISE_PAY_BIZ_ERROR",
        "ALLOC_AMOUNT_VALIDATE_ERROR", "REFUNDALLOC_UNAUTH_LIMIT", "REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST",
        "OVERDRAFT_ASSIGN_ACCOUNT_INVALID", "OVERDRAFT_AGREEMENT_NOT_MATCH",
    ),
}  # fmt: skip

_AGAIN = frozenset({"SELLER_BALANCE_NOT_ENOUGH", "REFUND_CHARGE_ERROR", "call-limited", "app-call-limited"})

REFUNDS: dict[str, tuple[RefundReason, bool]] = {
    code: (reason, code in _AGAIN) for reason, codes in _REFUNDS.items() for code in codes
}
"""Alipay's code without its prefix → why a refund failed, and whether the same one may be asked for again later."""


def decline(code: str, message: str) -> Declined:
    """A refusal of a charge in our words; a code that nobody classified is UNKNOWN and a matter of ours."""
    meaning = CODES.get(plain(code), Meaning("UNKNOWN", "caller"))
    return Declined(code, meaning.reason, message, meaning.kind, meaning.fault)
