"""What Huawei Pay's answers mean in our dictionary: the gateway's resultCode, and of 400000 the business subCode."""

from __future__ import annotations

from typing import Literal

import msgspec

from fenqi.channels.contract import Declined, RefundFailed, RefundReason

DONE = "000000"
BUSINESS = "400000"
ABSENT = frozenset({"MERC_ORDER_NOT_EXIST", "PAY_ORDER_NOT_EXIST"})
UNSURE = frozenset({"UNKNOW_ERROR", "500000"})
"""Spelled as Huawei spells it."""


class Meaning(msgspec.Struct, frozen=True):
    """Our code, and whose matter it is."""

    reason: str
    fault: Literal["buyer", "passage", "caller"] = "buyer"


_BUG = Meaning("UNKNOWN", "caller")
_BARRED = Meaning("CHANNEL_NOT_CONTRACTED", "passage")

MEANINGS: dict[str, Meaning] = {
    "100000": _BARRED,  # INSUFFICIENT_PERMISSION
    "200000": _BUG,  # a field of PayMercAuth is missing
    "200001": _BUG,  # one of them is invalid
    "200002": _BARRED,  # the signature
    "300000": Meaning("CHANNEL_RATE_LIMITED", "passage"),
    "INVALID_ARGUMENTS": _BUG,
    "INVALID_MERCNO": _BARRED,
    "INVALID_APPID": _BARRED,
    "NO_MATCH_MATCHING_PRODUCT": _BARRED,
    "OPERATION_NOT_AUTHORIZED": _BARRED,
    "REJECTED_BY_RISK_CONTROL": Meaning("RISK_TXN_BLOCKED"),
    "CHECK_ORDER_STATUS": Meaning("PAYMENT_IN_PROGRESS"),
    "BANK_CARD_NOT_SUPPORT": Meaning("TXN_NOT_PERMITTED"),
    "CHECK_ACCOUNT_STATUS": Meaning("NO_INSTRUMENT"),
    "CHECK_MERC_STATUS": Meaning("SELLER_STATUS_ABNORMAL", "passage"),
    "RESTRICTED_MERCHANT_TRANSACTION": Meaning("SELLER_STATUS_ABNORMAL", "passage"),
    "RESTRICTED_USER_ACCOUNT": Meaning("TXN_NOT_PERMITTED"),
    "RESTRICTED_USER_TRANSACTION": Meaning("TXN_NOT_PERMITTED"),
    "CHECK_ACCOUNT_BALANCE": Meaning("BALANCE_INSUFFICIENT"),
    "TRX_FAILED": Meaning("ISSUER_DECLINED"),  # a failed trade carries no reason
}

_REFUND: dict[str, RefundReason] = {
    "CHECK_ACCOUNT_BALANCE": "REFUND_UNFUNDED",
    "CHECK_AMOUNT_INVALID": "REFUND_TOO_LARGE",
    "NOT_IN_VALIDITY_PERIOD": "REFUND_TOO_LATE",
    "RETRY_TOO_MANY": "REFUND_TOO_MANY",
    "ORDER_CONCURRENT_ERROR": "REFUND_TOO_MANY",
    "300000": "REFUND_TOO_MANY",
    "CUST_NOT_EXIST": "REFUND_ACCOUNT_GONE",
    "CHECK_ACCOUNT_STATUS": "REFUND_ACCOUNT_GONE",
    "RESTRICTED_USER_ACCOUNT": "REFUND_ACCOUNT_GONE",
    "REJECTED_BY_RISK_CONTROL": "REFUND_FROZEN",
    "RESTRICTED_USER_TRANSACTION": "REFUND_FROZEN",
}
_AGAIN = frozenset({"CHECK_ACCOUNT_BALANCE", "ORDER_CONCURRENT_ERROR", "300000"})
"""RETRY_TOO_MANY wants another number, so the same one can't be asked for again."""


def declined(code: str, message: str, kind: Literal["refused", "closed", "absent"] = "refused") -> Declined:
    """A trade that Huawei Pay does not have. A code of nobody's is UNKNOWN, and ours to mend."""
    meaning = MEANINGS.get(code, _BUG)
    return Declined(code, meaning.reason, message, kind, meaning.fault)


def refund_failed(code: str, message: str) -> RefundFailed:
    """A refund that Huawei Pay did not carry out."""
    return RefundFailed(code, _REFUND.get(code, "REFUND_REJECTED"), message, again=code in _AGAIN)
