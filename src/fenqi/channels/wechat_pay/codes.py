"""WeChat Pay's words in ours: error codes of every call, states of trades and refunds.

Source: the channel's published code lists, as mapped in the domain notes ("Mapping of machine codes to ours"). A code
that is not listed is `UNKNOWN` and a matter of ours: it raises an alarm, and is never shown as something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from fenqi.channels.contract import Declined, RefundFailed, RefundReason


class Verdict(msgspec.Struct, frozen=True):
    """What a code means for a payment."""

    reason: str
    fault: Literal["buyer", "passage", "caller"]
    kind: Literal["refused", "closed", "absent"] = "refused"


_OURS = Verdict("UNKNOWN", "caller")
_NOT_CONTRACTED = Verdict("CHANNEL_NOT_CONTRACTED", "passage")
_TOO_FAST = Verdict("CHANNEL_RATE_LIMITED", "passage")
_ABSENT = Verdict("ORDER_CLOSED", "buyer", "absent")

PAYMENT: Mapping[str, Verdict] = {
    "PARAM_ERROR": _OURS,
    "INVALID_REQUEST": _OURS,
    "APPID_MCHID_NOT_MATCH": _OURS,
    "MCH_NOT_EXISTS": _OURS,
    "SIGN_ERROR": _OURS,
    "OUT_TRADE_NO_USED": _OURS,
    "NO_AUTH": _NOT_CONTRACTED,
    "ACCOUNT_ERROR": Verdict("SELLER_STATUS_ABNORMAL", "passage"),
    "RULE_LIMIT": _TOO_FAST,
    "FREQUENCY_LIMITED": _TOO_FAST,
    "TRADE_ERROR": Verdict("ISSUER_DECLINED", "buyer"),
    "NOT_ENOUGH": Verdict("BALANCE_INSUFFICIENT", "buyer"),
    "NOTENOUGH": Verdict("BALANCE_INSUFFICIENT", "buyer"),
    "ORDER_CLOSED": Verdict("ORDER_CLOSED", "buyer", "closed"),
    "ORDER_NOT_EXIST": _ABSENT,
    "RESOURCE_NOT_EXISTS": _ABSENT,
}

UNTOLD = frozenset({"SYSTEM_ERROR", "BANK_ERROR", "BIZERR_NEED_RETRY", "USERPAYING"})
"""Codes after which nobody knows yet: ask. So is every other answer with a status of 500 and above."""

ABSENT = frozenset({"ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS"})
"""What a query of something that is not there is answered with, always with status 404."""


class RefundVerdict(msgspec.Struct, frozen=True):
    """What a code means for a refund."""

    reason: RefundReason
    again: bool = False


_REJECTED = RefundVerdict("REFUND_REJECTED")

REFUND: Mapping[str, RefundVerdict] = {
    "NOT_ENOUGH": RefundVerdict("REFUND_UNFUNDED", again=True),
    "NOTENOUGH": RefundVerdict("REFUND_UNFUNDED", again=True),
    "TRADE_OVERDUE": RefundVerdict("REFUND_TOO_LATE"),
    "USER_ACCOUNT_ABNORMAL": RefundVerdict("REFUND_ACCOUNT_GONE"),
    "FREQUENCY_LIMITED": RefundVerdict("REFUND_TOO_MANY", again=True),
    "RULE_LIMIT": RefundVerdict("REFUND_TOO_MANY", again=True),
    "NO_AUTH": RefundVerdict("REFUND_REJECTED", again=True),
    "ACCOUNT_ERROR": RefundVerdict("REFUND_REJECTED", again=True),
    "TRADE_ERROR": RefundVerdict("REFUND_FROZEN"),
    "REQUEST_BLOCKED": RefundVerdict("REFUND_FROZEN"),
    "PARAM_ERROR": _REJECTED,
    "INVALID_REQUEST": _REJECTED,
    "APPID_MCHID_NOT_MATCH": _REJECTED,
    "MCH_NOT_EXISTS": _REJECTED,
    "SIGN_ERROR": _REJECTED,
    "ORDER_NOT_EXIST": _REJECTED,
    "RESOURCE_NOT_EXISTS": _REJECTED,
    "ORDER_CLOSED": _REJECTED,
}

_BY_WORDS: tuple[tuple[str, RefundReason], ...] = (
    ("可退金额", "REFUND_TOO_LARGE"),
    ("全额退款", "REFUND_TOO_LARGE"),
    ("退款期限", "REFUND_TOO_LATE"),
    ("退款次数", "REFUND_TOO_MANY"),
    ("冻结", "REFUND_FROZEN"),
)
"""INVALID_REQUEST is the protocol's word for every broken rule of refunds; only its message says which."""

WAITING = frozenset({"NOTPAY", "USERPAYING", "ACCEPT"})
HAS_PAID = frozenset({"SUCCESS", "REFUND"})
OVER: Mapping[str, Verdict] = {
    "CLOSED": Verdict("ORDER_CLOSED", "buyer", "closed"),
    "REVOKED": Verdict("ORDER_CLOSED", "buyer", "closed"),
    "PAYERROR": Verdict("ISSUER_DECLINED", "buyer"),
}
"""Trade states by what they come to: the buyer may still pay; the money is there; it never will be."""

REFUND_ENDED: Mapping[str, RefundVerdict] = {
    "CLOSED": RefundVerdict("REFUND_REJECTED"),
    "ABNORMAL": RefundVerdict("REFUND_ACCOUNT_GONE"),
}
"""Refund states that bring the buyer nothing: closed (mostly unfunded for seven days), or not to be credited."""


def declined(code: str, message: str) -> Declined:
    """A payment's refusal in our words."""
    verdict = PAYMENT.get(code, _OURS)
    return Declined(code, verdict.reason, message, verdict.kind, verdict.fault)


def refund_failed(code: str, message: str) -> RefundFailed:
    """A refund's refusal in our words."""
    verdict = REFUND.get(code, _REJECTED)
    reason = verdict.reason
    if code == "INVALID_REQUEST":
        reason = next((one for words, one in _BY_WORDS if words in message), reason)
    return RefundFailed(code, reason, message, again=verdict.again)
