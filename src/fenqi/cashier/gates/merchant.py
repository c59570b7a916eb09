"""Merchant gates: does each seller of the order take the method, and may it."""

from __future__ import annotations

from fenqi.cashier.case import Case
from fenqi.cashier.facts import GoodsRule, SellerFacts
from fenqi.cashier.gates.lines import line_faults
from fenqi.kernel.reason import Reason, ScopeKind, Value

_CODES = frozenset({"SELLER_NOT_ENABLED", "SELLER_TYPE_EXCLUDED", "SELLER_STATUS_ABNORMAL", "SELF_DEALING"})


def sellers(case: Case) -> list[Reason]:
    """SELLER_NOT_ENABLED, SELLER_TYPE_EXCLUDED, SELLER_STATUS_ABNORMAL, SELF_DEALING: once per seller and code."""
    found: dict[tuple[str, str], Reason] = {}
    for _, seller, rule, code in line_faults(case):
        if code in _CODES and (seller.merchant_id, code) not in found:
            found[seller.merchant_id, code] = case.reason(
                code,
                ScopeKind.SELLER,
                (seller.merchant_id,),
                _observed(code, seller, rule),
                until_ms=seller.status_until_ms if code == "SELLER_STATUS_ABNORMAL" else None,
            )
    return list(found.values())


def _observed(code: str, seller: SellerFacts, rule: GoodsRule | None) -> dict[str, Value]:
    if code == "SELLER_NOT_ENABLED":
        return {"asked_count": seller.asked_count}
    if code == "SELLER_TYPE_EXCLUDED":
        return {"seller_kind": seller.kind, "rule_id": rule.rule_id if rule is not None else ""}
    if code == "SELLER_STATUS_ABNORMAL":
        return {"seller_status": seller.status}
    return {}
