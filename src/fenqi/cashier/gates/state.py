"""State gates: the order's own state and payments under way for it."""

from __future__ import annotations

from fenqi.cashier.case import Case
from fenqi.kernel.reason import Reason, Value


def order_state(case: Case) -> list[Reason]:
    """ORDER_PAID, ORDER_CLOSED, ORDER_EXPIRED (said, or its time to pay is over)."""
    order = case.facts.order
    if order.state == "awaiting_payment":
        if case.facts.now_ms < order.pay_by_ms:
            return []
        code = "ORDER_EXPIRED"
    else:
        code = _CODES[order.state]
    observed: dict[str, Value] = {"order_state": order.state, "pay_by_ms": order.pay_by_ms}
    return [case.reason(code, observed=observed)]


_CODES = {"paid": "ORDER_PAID", "closed": "ORDER_CLOSED", "expired": "ORDER_EXPIRED"}


def amount_changed(case: Case) -> list[Reason]:
    """AMOUNT_CHANGED: the goods cost something else now than when the order was placed."""
    order = case.facts.order
    if order.quoted_minor == order.payable_minor:
        return []
    return [
        case.reason(
            "AMOUNT_CHANGED",
            observed={"payable_minor": order.payable_minor},
            required={"quoted_minor": order.quoted_minor},
        )
    ]


def under_way(case: Case) -> list[Reason]:
    """PAYMENT_IN_PROGRESS, DUPLICATE_REVERSING."""
    order = case.facts.order
    found: list[Reason] = []
    if order.open_attempt is not None:
        observed: dict[str, Value] = {"open_attempt": order.open_attempt}
        found.append(case.reason("PAYMENT_IN_PROGRESS", observed=observed, until_ms=order.open_attempt_until_ms))
    until_ms = order.duplicate_reversing_until_ms
    if until_ms is not None and case.facts.now_ms < until_ms:
        found.append(case.reason("DUPLICATE_REVERSING", until_ms=until_ms))
    return found
