"""Paying in two parts: another method pays some of the amount, the refused one the rest.

The other method must be able to stand beside another tender (`mixed`) and be usable for its part.
"""

from __future__ import annotations

from msgspec.structs import replace

from fenqi.cashier.action import PayPartBy
from fenqi.cashier.case import View
from fenqi.cashier.draw import Shortfall, draw
from fenqi.cashier.evaluate import reasons_of
from fenqi.cashier.facts import Facts, PlanFacts
from fenqi.cashier.remedy_order import deposit_paid


def pay_part_by(action: PayPartBy, view: View) -> Facts | None:
    """The order with this part covered, and the other method's account less that part."""
    facts, order = view.facts, view.facts.order
    amount_minor = action.amount_minor
    whole = amount_minor == order.payable_minor and order.presale_stage == "deposit"
    if order.covered_minor or amount_minor <= 0 or not (amount_minor < order.payable_minor or whole):
        return None
    if not whole and "mixed" not in view.method(action.method).capabilities:
        return None
    rest_minor = order.payable_minor - amount_minor
    part = view if whole else View(replace(facts, order=replace(order, covered_minor=rest_minor)), view)
    plan = sum_plan(view, action.method)
    if reasons_of(part, action.method, plan.plan if plan is not None else None):
        return None
    by = "" if whole else action.method
    covered = replace(order, covered_minor=amount_minor, covered_by=by)
    facts = replace(facts, order=deposit_paid(covered, facts.now_ms))
    return _spent(facts, action.method, amount_minor, plan)


def sum_plan(view: View, method: str) -> PlanFacts | None:
    """The plan by which a method pays a part: in one sum."""
    return next((plan for plan in view.plans(method) if plan.instalments <= 1), None)


def _spent(facts: Facts, method: str, amount_minor: int, plan: PlanFacts | None) -> Facts | None:
    if method == "money_account":
        money = facts.money
        return replace(facts, money=replace(money, balance_minor=money.balance_minor - amount_minor))
    if method != "credit":
        return facts
    legs = draw(facts, amount_minor, plan)
    if isinstance(legs, Shortfall):
        return None
    used = dict(legs)
    limits = tuple(
        replace(limit, used_minor=limit.used_minor + used.get(limit.path, 0)) for limit in facts.credit.limits
    )
    return replace(facts, credit=replace(facts.credit, limits=limits))
