"""Goods gates: may these goods, in this kind of order, of this amount, be paid by the method."""

from __future__ import annotations

from fenqi.cashier.case import Case
from fenqi.cashier.facts import GoodsRule
from fenqi.cashier.gates.lines import line_faults
from fenqi.kernel.reason import CODES, Disclosure, Reason, ScopeKind, Value

_LINE_CODES = frozenset(
    {
        "GOODS_CATEGORY_EXCLUDED",
        "GOODS_VIRTUAL_SCENE_SUSPENDED",
        "GOODS_GIFT_OR_ADDON",
        "CROSS_BORDER",
        "RECURRING_OR_SUBSCRIPTION",
        "FORBIDDEN_WORD",
    }
)

_UNTOLD = frozenset(code for code, meta in CODES.items() if meta.disclosure is not Disclosure.EXACT)
"""Faults that a buyer isn't told; they don't make a cart a mixed one, which would tell the line."""


def lines(case: Case) -> list[Reason]:
    """GOODS_CATEGORY_EXCLUDED, GOODS_GIFT_OR_ADDON, CROSS_BORDER, RECURRING_OR_SUBSCRIPTION, FORBIDDEN_WORD and
    GOODS_VIRTUAL_SCENE_SUSPENDED, once per line; MIXED_CART_PARTIAL when other lines of the order are free of fault."""
    faults = line_faults(case)
    if not faults:
        return []
    found: list[Reason] = []
    for line, _, rule, code in faults:
        if code in _LINE_CODES:
            observed: dict[str, Value] = {"category": line.category, "amount_minor": line.amount_minor}
            if rule is not None and rule.rule_id:
                observed["rule_id"] = rule.rule_id
            found.append(case.reason(code, ScopeKind.LINE, (line.line_id,), observed))
    at_fault = tuple(dict.fromkeys(line.line_id for line, _, _, code in faults if code not in _UNTOLD))
    if at_fault and len(at_fault) < len(case.goods):
        eligible_minor = sum(line.amount_minor for line, _, _ in case.goods if line.line_id not in at_fault)
        observed = {
            "excluded_count": len(at_fault),
            "eligible_count": len(case.goods) - len(at_fault),
            "eligible_minor": eligible_minor,
        }
        found.append(case.reason("MIXED_CART_PARTIAL", ScopeKind.LINE, at_fault, observed))
    return found


def kind_of_order(case: Case) -> list[Reason]:
    """PRESALE_DEPOSIT, ENTERPRISE_ORDER, DELIVERY_METHOD_EXCLUDED, CURRENCY_NOT_SUPPORTED."""
    found: list[Reason] = []
    order, terms = case.facts.order, case.terms
    if order.presale_stage == "deposit" and _excludes(case, "presale_deposit"):
        found.append(
            case.reason(
                "PRESALE_DEPOSIT",
                observed={"payable_minor": order.payable_minor, "tail_from_ms": order.tail_from_ms},
                until_ms=order.tail_from_ms,
            )
        )
    if order.buyer_kind == "enterprise" and _excludes(case, "enterprise"):
        found.append(case.reason("ENTERPRISE_ORDER"))
    if order.delivery in terms.deliveries_excluded:
        found.append(case.reason("DELIVERY_METHOD_EXCLUDED", observed={"delivery": order.delivery}))
    if order.currency not in terms.currencies:
        required: dict[str, Value] = {"currencies": ",".join(terms.currencies)}
        found.append(case.reason("CURRENCY_NOT_SUPPORTED", observed={"currency": order.currency}, required=required))
    return found


def _excludes(case: Case, kind: str) -> bool:
    return any(rule is not None and kind in rule.excluded for _, _, rule in case.goods)


def amounts(case: Case) -> list[Reason]:
    """AMOUNT_BELOW_MIN of the strictest rule, AMOUNT_ABOVE_MAX of any: it bounds the goods under it."""
    by_rule: dict[tuple[str, int | None], int] = {}
    least = 0
    for line, _, rule in case.goods:
        if rule is None:
            continue
        least = max(least, rule.min_minor)
        if rule.max_minor is not None:
            key = (rule.rule_id or rule_name(rule), rule.max_minor)
            by_rule[key] = by_rule.get(key, 0) + line.amount_minor
    found: list[Reason] = []
    if case.amount_minor < least:
        found.append(
            case.reason(
                "AMOUNT_BELOW_MIN",
                observed={"payable_minor": case.amount_minor},
                required={"min_minor": least, "shortfall_minor": least - case.amount_minor},
            )
        )
    for (rule_id, most), goods_minor in by_rule.items():
        judged_minor = min(goods_minor, case.amount_minor)
        if most is not None and judged_minor > most:
            found.append(
                case.reason(
                    "AMOUNT_ABOVE_MAX",
                    observed={"payable_minor": judged_minor, "rule_id": rule_id},
                    required={"max_minor": most, "excess_minor": judged_minor - most},
                )
            )
    return found


def rule_name(rule: GoodsRule) -> str:
    """A name for a rule that has none."""
    return f"{rule.scene}/{rule.category}/{rule.seller_kind}"


def plan_amounts(case: Case) -> list[Reason]:
    """AMOUNT_BELOW_MIN, AMOUNT_ABOVE_MAX of the plan itself."""
    plan = case.plan
    if plan is None:
        return []
    if case.amount_minor < plan.min_minor:
        required: dict[str, Value] = {
            "min_minor": plan.min_minor,
            "shortfall_minor": plan.min_minor - case.amount_minor,
        }
        observed: dict[str, Value] = {"payable_minor": case.amount_minor}
        return [case.reason("AMOUNT_BELOW_MIN", ScopeKind.PLAN, (plan.plan,), observed, required)]
    if plan.max_minor is not None and case.amount_minor > plan.max_minor:
        required = {"max_minor": plan.max_minor, "excess_minor": case.amount_minor - plan.max_minor}
        observed = {"payable_minor": case.amount_minor}
        return [case.reason("AMOUNT_ABOVE_MAX", ScopeKind.PLAN, (plan.plan,), observed, required)]
    return []
