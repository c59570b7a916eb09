"""Offers: every method and plan for an order, usable or not, with reasons, remedies, routes and what it costs.

The list that a buyer chooses from; paying evaluates the chosen one again by the same gates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from fenqi.cashier.action import Remedy, Route
from fenqi.cashier.case import View
from fenqi.cashier.evaluate import reasons_of
from fenqi.cashier.facts import Facts, PlanFacts
from fenqi.cashier.remedy import incurable, solve
from fenqi.cashier.remedy_routes import routes_of
from fenqi.kernel.reason import Reason


class PlanCost(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a plan costs for an amount, as the credit room's engine says it."""

    fee_minor: int
    """Interest and fees in all, paid by the buyer."""
    total_minor: int
    first_minor: int
    """The first instalment."""
    first_due_on: str = ""
    annual_cost_ppm: int = 0
    """Annualised all-in cost (IRR), in millionths."""


Price = Callable[[PlanFacts, int], PlanCost | None]
"""Prices a plan for an amount; None where nothing is to be said."""


class Offer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A method with one of its plans, for one order, now."""

    method: str
    plan: str | None
    amount_minor: int
    """What this method would pay: the whole, or what another tender leaves."""
    available: bool
    reasons: tuple[Reason, ...] = ()
    """Empty exactly when available; in order of precedence."""
    remedies: tuple[Remedy, ...] = ()
    """Each shown to work by evaluating again; the cheapest first."""
    routes: tuple[Route, ...] = ()
    incurable: tuple[str, ...] = ()
    """Codes among the reasons for which there is neither an action nor a route: another method is the way."""
    instalments: int = 1
    cost: PlanCost | None = None


def offers(
    facts: Facts, with_remedies: bool = True, price: Price | None = None, methods: Iterable[str] | None = None
) -> tuple[Offer, ...]:
    """One offer for every method (or those named) and each of its plans, in the facts' order."""
    view = View(facts)
    chosen = [each.method for each in facts.methods] if methods is None else list(methods)
    return tuple(
        _offer(view, method, plan, with_remedies, price) for method in chosen for plan in view.plans(method) or (None,)
    )


def offer_of(
    facts: Facts, method: str, plan: str | None, with_remedies: bool = True, price: Price | None = None
) -> Offer:
    """The offer of one method and plan, also one that the list does not hold."""
    view = View(facts)
    found = view.plan(method, plan)
    if found is None and plan is not None:
        reasons = reasons_of(view, method, plan)
        remedies = solve(view, method, plan) if with_remedies else ()
        marked = () if remedies else incurable(view, method, plan)
        return Offer(method, plan, view.amount_minor, False, reasons, remedies, routes_of(facts, reasons), marked)
    return _offer(view, method, found, with_remedies, price)


def _offer(view: View, method: str, plan: PlanFacts | None, with_remedies: bool, price: Price | None) -> Offer:
    code = plan.plan if plan is not None else None
    instalments = plan.instalments if plan is not None else 1
    amount_minor = view.amount_minor
    cost = price(plan, amount_minor) if price is not None and plan is not None else None
    reasons = reasons_of(view, method, code)
    if not reasons:
        return Offer(method, code, amount_minor, True, instalments=instalments, cost=cost)
    remedies = solve(view, method, code) if with_remedies else ()
    marked = () if remedies else incurable(view, method, code)
    routes = routes_of(view.facts, reasons)
    return Offer(method, code, amount_minor, False, reasons, remedies, routes, marked, instalments, cost)


def next_best(found: Iterable[Offer], than: str | None = None) -> Offer | None:
    """Where a method can't be had: the usable offer to show instead (of another method than `than`), cheapest first;
    without one, the refused offer whose first remedy costs least; None when there is neither."""
    others = [each for each in found if each.method != than]
    usable = [each for each in others if each.available]
    if usable:
        return min(usable, key=lambda each: (each.cost.fee_minor if each.cost is not None else 0, each.instalments))
    curable = [each for each in others if each.remedies]
    return min(curable, key=lambda each: each.remedies[0].cost) if curable else None
