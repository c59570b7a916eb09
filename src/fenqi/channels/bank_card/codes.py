"""What UnionPay's answers mean in our dictionary: its own two digits, and the issuer's ISO 8583 code behind them.

The two speak of different things with the same digits (61: "invalid number" here, "amount limit" there; 05: "accepted"
here, "do not honour" there). UnionPay passes the issuer's code on in the seven digits at the end of respMsg:
`卡上的余额不足[1000051]` is the issuer's 51. Where it is given, the issuer's code says more, and wins.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from fenqi.channels.bank_card.message import detail
from fenqi.channels.contract import Declined, RefundFailed, RefundReason

DONE = frozenset({"00", "A6"})
"""A6: succeeded with a blemish."""
PENDING = frozenset({"03", "04", "05", "70"})
DUPLICATE = "12"
ABSENT = "34"
UNSURE = frozenset({"06", "74", "75", "99"})
"""Busy, charged but not booked, and the general error: nothing can be concluded."""
LATE = frozenset({"39", "42", "69"})
"""The time to pay is over; what was charged after it UnionPay gives back by itself (42)."""
RETRY_QUERY = frozenset({"02", "03", "04", "05", "06", "37", "99"})


class Meaning(msgspec.Struct, frozen=True):
    """Our code, and whose matter it is."""

    reason: str
    fault: Literal["buyer", "passage", "caller"] = "buyer"


_BUG = Meaning("UNKNOWN", "caller")

OWN: dict[str, Meaning] = {
    "01": Meaning("ISSUER_DECLINED"),
    "02": Meaning("CHANNEL_MAINTENANCE", "passage"),
    "06": Meaning("CHANNEL_DOWN", "passage"),
    "10": _BUG,
    "11": Meaning("CHANNEL_NOT_CONTRACTED", "passage"),
    "12": _BUG,
    "13": _BUG,
    "14": _BUG,
    "30": Meaning("ISSUER_DECLINED"),
    "31": Meaning("SELLER_STATUS_ABNORMAL", "passage"),
    "32": Meaning("CHANNEL_NOT_CONTRACTED", "passage"),
    "33": Meaning("AMOUNT_ABOVE_MAX"),
    "34": _BUG,
    "35": _BUG,
    "36": Meaning("AMOUNT_CHANGED", "caller"),
    "37": Meaning("CHANNEL_RATE_LIMITED", "passage"),
    "38": Meaning("RISK_TXN_BLOCKED"),
    "39": Meaning("ORDER_EXPIRED"),
    "40": Meaning("NO_INSTRUMENT"),
    "42": Meaning("ORDER_EXPIRED"),
    "60": Meaning("ISSUER_DECLINED"),
    "61": Meaning("CARD_INVALID"),
    "62": Meaning("TXN_NOT_PERMITTED"),
    "63": Meaning("CARD_INVALID"),
    "64": Meaning("CARD_INSUFFICIENT"),
    "65": Meaning("STEP_UP_REQUIRED"),
    "66": Meaning("REALNAME_MISMATCH"),
    "67": Meaning("PAY_PASSWORD_LOCKED"),
    "68": Meaning("CARD_ONLINE_DISABLED"),
    "69": Meaning("ORDER_EXPIRED"),
    "71": Meaning("STEP_UP_REQUIRED"),
    "72": Meaning("CARD_ONLINE_DISABLED"),
    "73": Meaning("CARD_EXPIRED"),
    "76": Meaning("STEP_UP_REQUIRED"),
    "77": Meaning("CARD_ONLINE_DISABLED"),
    "78": Meaning("TXN_NOT_PERMITTED"),
    "79": Meaning("STEP_UP_REQUIRED"),
    "80": Meaning("NO_INSTRUMENT"),
    "81": Meaning("CARD_LIMIT_COUNT"),
}
"""UnionPay's own codes. 34 and its like never reach a buyer: they are handled before."""

ISO: dict[str, Meaning] = {
    "01": Meaning("ISSUER_DECLINED"),  # refer to the issuer
    "03": Meaning("CHANNEL_NOT_CONTRACTED", "passage"),  # invalid merchant
    "04": Meaning("CARD_LOST_STOLEN"),  # pick up
    "05": Meaning("ISSUER_DECLINED"),  # do not honour
    "12": Meaning("TXN_NOT_PERMITTED"),  # invalid transaction
    "13": Meaning("CARD_LIMIT_AMOUNT"),  # invalid amount
    "14": Meaning("CARD_INVALID"),  # invalid number
    "15": Meaning("CARD_INVALID"),  # no such issuer
    "30": _BUG,  # format
    "33": Meaning("CARD_EXPIRED"),  # expired, pick up
    "34": Meaning("RISK_TXN_BLOCKED"),  # suspected fraud, pick up
    "36": Meaning("TXN_NOT_PERMITTED"),  # restricted, pick up
    "38": Meaning("PAY_PASSWORD_LOCKED"),  # PIN tries, pick up
    "40": Meaning("TXN_NOT_PERMITTED"),  # function not supported
    "41": Meaning("CARD_LOST_STOLEN"),
    "43": Meaning("CARD_LOST_STOLEN"),
    "51": Meaning("CARD_INSUFFICIENT"),
    "54": Meaning("CARD_EXPIRED"),
    "55": Meaning("STEP_UP_REQUIRED"),  # wrong PIN
    "57": Meaning("CARD_ONLINE_DISABLED"),  # not permitted to the holder
    "58": Meaning("TXN_NOT_PERMITTED"),  # not permitted to the terminal
    "59": Meaning("RISK_TXN_BLOCKED"),  # suspected fraud
    "61": Meaning("CARD_LIMIT_AMOUNT"),
    "62": Meaning("CARD_ONLINE_DISABLED"),  # restricted card
    "63": Meaning("RISK_TXN_BLOCKED"),  # security violation
    "65": Meaning("CARD_LIMIT_COUNT"),
    "68": Meaning("ISSUER_UNAVAILABLE"),  # answered too late
    "75": Meaning("PAY_PASSWORD_LOCKED"),  # PIN tries
    "90": Meaning("ISSUER_UNAVAILABLE"),  # end of day
    "91": Meaning("ISSUER_UNAVAILABLE"),
    "92": Meaning("ISSUER_UNAVAILABLE"),  # no route
    "96": Meaning("ISSUER_UNAVAILABLE"),  # malfunction
    "98": Meaning("ISSUER_UNAVAILABLE"),  # no answer
}
"""The issuer's codes (ISO 8583, field 39)."""

_ISSUER = "10000"


def issuer_code(message: str) -> str:
    """The issuer's two digits in a respMsg, or ""."""
    seven = detail(message)
    return seven.removeprefix(_ISSUER) if seven.startswith(_ISSUER) and not seven.endswith("00") else ""


def declined(code: str, message: str, *, kind: Literal["refused", "closed", "absent"] = "refused") -> Declined:
    """A trade that UnionPay does not have, by its code and message. A code of nobody's is UNKNOWN, and ours to mend."""
    issuer = issuer_code(message)
    meaning = ISO.get(issuer) or OWN.get(code) or _BUG
    told = f"{code}/{issuer}" if issuer else code
    return Declined(told, meaning.reason, message, kind, meaning.fault)


_REFUND: dict[str, RefundReason] = {
    "33": "REFUND_TOO_LARGE",
    "36": "REFUND_TOO_LARGE",
    "37": "REFUND_TOO_MANY",
    "38": "REFUND_FROZEN",
    "39": "REFUND_TOO_LATE",
    "45": "REFUND_TOO_LARGE",  # refunded or voided already
    "61": "REFUND_ACCOUNT_GONE",
    "63": "REFUND_ACCOUNT_GONE",
    "64": "REFUND_UNFUNDED",  # the balance that is too small is ours: the card's does not matter here
    "73": "REFUND_ACCOUNT_GONE",
}
_REFUND_ISSUER: dict[str, RefundReason] = {
    "14": "REFUND_ACCOUNT_GONE",
    "15": "REFUND_ACCOUNT_GONE",
    "41": "REFUND_ACCOUNT_GONE",
    "43": "REFUND_ACCOUNT_GONE",
    "51": "REFUND_UNFUNDED",
    "54": "REFUND_ACCOUNT_GONE",
}
_REFUND_AGAIN = frozenset({"02", "06", "37", "64"})


def refund_failed(code: str, message: str) -> RefundFailed:
    """A refund or void that UnionPay did not carry out."""
    reason = _REFUND_ISSUER.get(issuer_code(message)) or _REFUND.get(code) or "REFUND_REJECTED"
    again = code in _REFUND_AGAIN or reason == "REFUND_UNFUNDED"
    return RefundFailed(code, reason, message, absent=code == ABSENT, again=again)
