"""Platform gates: is the method offered and connected here, switched on, within the book's caps, covered by policy."""

from __future__ import annotations

from fenqi.cashier.case import OWN_METHODS, Case
from fenqi.cashier.gates.lines import line_faults
from fenqi.kernel.reason import Reason, ScopeKind, Value


def method_in_scene(case: Case) -> list[Reason]:
    """METHOD_NOT_IN_SCENE, METHOD_NOT_INTEGRATED (not connected here, or lacking a capability that the order needs)."""
    found: list[Reason] = []
    order, terms = case.facts.order, case.terms
    if order.scene not in terms.offered_in:
        found.append(
            case.reason(
                "METHOD_NOT_IN_SCENE",
                ScopeKind.METHOD,
                observed={"scene": order.scene},
                required={"scenes": ",".join(terms.offered_in)},
            )
        )
    if order.scene not in terms.integrated_in:
        found.append(
            case.reason(
                "METHOD_NOT_INTEGRATED",
                ScopeKind.METHOD,
                observed={"scene": order.scene},
                required={"integrated_in": ",".join(terms.integrated_in)},
            )
        )
    lacking = tuple(need for need in order.needs if need not in terms.capabilities)
    if lacking:
        found.append(
            case.reason(
                "METHOD_NOT_INTEGRATED",
                ScopeKind.ORDER,
                observed={"scene": order.scene},
                required={"capability": ",".join(lacking)},
            )
        )
    return found


def combination(case: Case) -> list[Reason]:
    """METHOD_NOT_INTEGRATED: the method can't be one of two tenders, or both would be taken outside."""
    order = case.facts.order
    if not order.covered_by:
        return []
    outside = not case.is_own and order.covered_by not in OWN_METHODS
    if "mixed" in case.terms.capabilities and not outside:
        return []
    observed: dict[str, Value] = {"scene": order.scene, "covered_by": order.covered_by}
    return [case.reason("METHOD_NOT_INTEGRATED", ScopeKind.ORDER, (), observed, {"capability": "mixed"})]


def method_suspended(case: Case) -> list[Reason]:
    """METHOD_SUSPENDED: the operator switched it off."""
    if not case.terms.suspended:
        return []
    return [case.reason("METHOD_SUSPENDED", ScopeKind.METHOD, until_ms=case.terms.suspended_until_ms)]


def exposure(case: Case) -> list[Reason]:
    """EXPOSURE_CAP_REACHED: a cap of the whole book leaves less room than this payment needs."""
    return [
        case.reason(
            "EXPOSURE_CAP_REACHED",
            ScopeKind.METHOD,
            (each.programme,),
            {"room_minor": each.room_minor, "programme": each.programme},
            {"payable_minor": case.amount_minor, "shortfall_minor": case.amount_minor - each.room_minor},
            each.reopens_ms,
        )
        for each in case.terms.exposure
        if case.amount_minor > each.room_minor
    ]


def policy_covers(case: Case) -> list[Reason]:
    """POLICY_MISSING, once per line that no row of policy covers."""
    return [
        case.reason(
            "POLICY_MISSING",
            ScopeKind.LINE,
            (line.line_id,),
            {"scene": case.facts.order.scene, "category": line.category, "seller_kind": seller.kind},
        )
        for line, seller, _, code in line_faults(case)
        if code == "POLICY_MISSING"
    ]
