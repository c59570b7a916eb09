"""In which order reasons are taken up: what others depend on first, what lapses quickly late.

A deposit is paid before it runs out; then comes waiting (it undoes step-up checks and lets orders expire), then the
order, the person, the account and the money.
"""

from __future__ import annotations

from fenqi.cashier.action import Wait
from fenqi.cashier.remedy_ask import Candidate
from fenqi.kernel.reason import Layer, Reason

_LAYERS = {
    Layer.STATE: 1,
    Layer.PLATFORM: 2,
    Layer.CHANNEL: 2,
    Layer.RISK: 2,
    Layer.MERCHANT: 3,
    Layer.GOODS: 4,
    Layer.ACCOUNT: 6,
    Layer.PLAN: 8,
    Layer.LIMIT: 11,
}
_CODES = {
    "COUPON_EXCLUSIVE": 5,
    "COUPON_METHOD_BOUND": 5,
    "TRADE_IN_SUBSIDY_EXCLUSIVE": 5,
    "PHONE_NOT_REACHABLE": 5,
    "REALNAME_REQUIRED": 5,
    "REALNAME_MISMATCH": 5,
    "ID_DOCUMENT_EXPIRED": 5,
    "OVERDUE_CURRENT": 7,
    "PRESALE_DEPOSIT": -1,
    "EXPOSURE_CAP_REACHED": 10,
    "AMOUNT_ABOVE_MAX": 10,
    "DOWN_PAYMENT_REQUIRED": 10,
    "CARD_INSUFFICIENT": 10,
    "CARD_LIMIT_AMOUNT": 10,
    "STEP_UP_REQUIRED": 9,
    "CONCURRENT_LOANS_CAP": 9,
    "INSTALLMENT_LIMIT_INSUFFICIENT": 10,
}


def rank(reason: Reason, candidates: list[Candidate]) -> tuple[int, int]:
    """The place of a reason in the solver's order; among those that only time cures the longest wait comes first."""
    if reason.until_ms is not None and all(len(each) == 1 and isinstance(each[0], Wait) for each in candidates):
        return 0, -reason.until_ms
    return _CODES.get(reason.code, _LAYERS[reason.meta.layer]), 0
