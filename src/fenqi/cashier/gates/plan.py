"""Plan gates: is the plan offered for these goods, within the cost cap, and compatible with the order's discounts."""

from __future__ import annotations

from fenqi.cashier.case import Case
from fenqi.cashier.facts import PlanFacts
from fenqi.cashier.gates.lines import line_faults
from fenqi.kernel.reason import Reason, ScopeKind, Value


def subsidy_need_minor(plan: PlanFacts, amount_minor: int) -> int:
    """What an interest-free plan takes out of its budget: the flat fees of all periods, rounded up to a fen."""
    return -(-amount_minor * plan.fee_rate_ppm * plan.instalments // 1_000_000)


def coupons(case: Case) -> list[Reason]:
    """COUPON_METHOD_BOUND; COUPON_EXCLUSIVE where a discount can't be combined with credit at all."""
    found: list[Reason] = []
    for coupon in case.facts.coupons:
        observed: dict[str, Value] = {"coupon_minor": coupon.amount_minor, "coupon_id": coupon.coupon_id}
        if coupon.methods and case.method not in coupon.methods:
            required: dict[str, Value] = {"methods": ",".join(coupon.methods)}
            found.append(
                case.reason("COUPON_METHOD_BOUND", observed=observed, required=required, ids=(coupon.coupon_id,))
            )
        if case.is_credit and not coupon.combines_with_credit:
            found.append(case.reason("COUPON_EXCLUSIVE", observed=observed, ids=(coupon.coupon_id,)))
    return found


def trade_in(case: Case) -> list[Reason]:
    """TRADE_IN_SUBSIDY_EXCLUSIVE where policy rules the subsidised line out, once per line."""
    return [
        case.reason("TRADE_IN_SUBSIDY_EXCLUSIVE", ScopeKind.LINE, (line.line_id,), {"category": line.category})
        for line, _, _, code in line_faults(case)
        if code == "TRADE_IN_SUBSIDY_EXCLUSIVE"
    ]


def down_payment(case: Case) -> list[Reason]:
    """DOWN_PAYMENT_REQUIRED: a share of the order has to be paid by another method, rounded up to a fen."""
    order, share_ppm = case.facts.order, case.terms.down_payment_ppm
    if share_ppm <= 0:
        return []
    down_minor = -(-order.payable_minor * share_ppm // 1_000_000)
    if order.covered_minor >= down_minor:
        return []
    observed: dict[str, Value] = {"covered_minor": order.covered_minor, "down_payment_ppm": share_ppm}
    required: dict[str, Value] = {
        "down_payment_minor": down_minor,
        "shortfall_minor": down_minor - order.covered_minor,
    }
    return [case.reason("DOWN_PAYMENT_REQUIRED", observed=observed, required=required)]


def term(case: Case) -> list[Reason]:
    """PLAN_TERM_NOT_OFFERED (by the method, for this order, or for one of the lines), PLAN_TERM_CONFLICT,
    PLAN_APR_CAP."""
    plan = case.plan
    if plan is None:
        return [] if case.plan_code is None else [case.reason("PLAN_TERM_NOT_OFFERED", ScopeKind.PLAN)]
    found: list[Reason] = []
    most = case.terms.most_instalments
    if most is not None and plan.instalments > max(most, 1):
        counted: dict[str, Value] = {"instalments_count": plan.instalments}
        found.append(case.reason("PLAN_TERM_NOT_OFFERED", ScopeKind.PLAN, (), counted, {"most_count": most}))
    if plan.instalments > 1:
        for line, _, rule in case.goods:
            if rule is not None and rule.terms is not None and plan.instalments not in rule.terms:
                terms = ",".join(str(count) for count in rule.terms)
                observed: dict[str, Value] = {"instalments_count": plan.instalments, "category": line.category}
                found.append(
                    case.reason("PLAN_TERM_NOT_OFFERED", ScopeKind.PLAN, (line.line_id,), observed, {"terms": terms})
                )
    prior = case.facts.order.prior_plan
    if prior is not None and prior != plan.plan and case.view.plan(case.method, prior) is not None:
        found.append(case.reason("PLAN_TERM_CONFLICT", ScopeKind.PLAN, observed={"prior_plan": prior}))
    if plan.annual_cost_ppm > case.facts.apr_cap_ppm:
        observed = {"annual_cost_ppm": plan.annual_cost_ppm}
        required: dict[str, Value] = {"apr_cap_ppm": case.facts.apr_cap_ppm}
        found.append(case.reason("PLAN_APR_CAP", ScopeKind.PLAN, observed=observed, required=required))
    return found


def interest_free(case: Case) -> list[Reason]:
    """INTEREST_FREE_QUOTA_USED, BUDGET_EXHAUSTED (used up, or the campaign over), COUPON_EXCLUSIVE and
    TRADE_IN_SUBSIDY_EXCLUSIVE of a plan whose fee somebody else pays."""
    plan = case.plan
    if plan is None or plan.interest_free_by is None:
        return []
    found: list[Reason] = []
    if plan.interest_free_uses_left is not None and plan.interest_free_uses_left <= 0:
        found.append(case.reason("INTEREST_FREE_QUOTA_USED", ScopeKind.PLAN, observed={"uses_left_count": 0}))
    need_minor = subsidy_need_minor(plan, case.amount_minor)
    left_minor = plan.interest_free_budget_minor
    ended = plan.interest_free_until_ms is not None and case.facts.now_ms >= plan.interest_free_until_ms
    if ended or (left_minor is not None and left_minor < need_minor):
        observed: dict[str, Value] = {"interest_free_by": plan.interest_free_by}
        if ended:
            observed["ended_at_ms"] = plan.interest_free_until_ms
        else:
            observed["budget_minor"] = left_minor
        found.append(
            case.reason("BUDGET_EXHAUSTED", ScopeKind.PLAN, observed=observed, required={"subsidy_minor": need_minor})
        )
    for coupon in case.facts.coupons:
        if not coupon.combines_with_interest_free:
            observed = {"coupon_minor": coupon.amount_minor, "coupon_id": coupon.coupon_id}
            found.append(case.reason("COUPON_EXCLUSIVE", ScopeKind.PLAN, (coupon.coupon_id,), observed))
    subsidised = tuple(line.line_id for line in case.facts.lines if line.is_trade_in_subsidised)
    if subsidised:
        found.append(case.reason("TRADE_IN_SUBSIDY_EXCLUSIVE", ScopeKind.PLAN, subsidised))
    return found
