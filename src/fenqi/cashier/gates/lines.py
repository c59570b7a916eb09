"""Faults of single lines: one pass over the order's lines that the merchant and goods gates tell from their sides.

A line is at fault when the method can't pay for it whatever the rest of the order looks like.
"""

from __future__ import annotations

from fenqi.cashier.case import Case
from fenqi.cashier.facts import GoodsRule, LineFacts, SellerFacts

Fault = tuple[LineFacts, SellerFacts, GoodsRule | None, str]


def line_faults(case: Case) -> tuple[Fault, ...]:
    """Every (line, seller, rule, code) that holds; found once per case."""
    if case.line_faults is None:
        case.line_faults = tuple(
            (line, seller, rule, code)
            for line, seller, rule in case.goods
            for code in faults_of(case, line, seller, rule)
        )
    return case.line_faults


def faults_of(case: Case, line: LineFacts, seller: SellerFacts, rule: GoodsRule | None) -> list[str]:
    """The codes at fault in one line, as it is or as it would be with another seller."""
    found = seller_faults(case.method, seller)
    if rule is None:
        found.append("POLICY_MISSING")
    else:
        if rule.verdict != "allow":
            found.append(_VERDICTS[rule.verdict])
        found += [code for kind, code in _KINDS if kind in rule.excluded and _is(line, kind)]
    if line.is_virtual and case.is_credit and case.facts.credit.virtual_suspended:
        found.append("GOODS_VIRTUAL_SCENE_SUSPENDED")
    if line.forbidden_word:
        found.append("FORBIDDEN_WORD")
    return found


def seller_faults(method: str, seller: SellerFacts) -> list[str]:
    """What speaks against the seller whatever the goods."""
    found: list[str] = []
    if method not in seller.methods:
        found.append("SELLER_NOT_ENABLED")
    if seller.status != "active":
        found.append("SELLER_STATUS_ABNORMAL")
    if seller.related_to_buyer:
        found.append("SELF_DEALING")
    return found


_VERDICTS = {"category_excluded": "GOODS_CATEGORY_EXCLUDED", "seller_type_excluded": "SELLER_TYPE_EXCLUDED"}

_KINDS = (
    ("gift", "GOODS_GIFT_OR_ADDON"),
    ("cross_border", "CROSS_BORDER"),
    ("subscription", "RECURRING_OR_SUBSCRIPTION"),
    ("trade_in", "TRADE_IN_SUBSIDY_EXCLUSIVE"),
)


def _is(line: LineFacts, kind: str) -> bool:
    if kind == "gift":
        return line.is_gift
    if kind == "cross_border":
        return line.is_cross_border
    if kind == "subscription":
        return line.is_subscription
    return line.is_trade_in_subsidised
