"""What a plan of steps costs the buyer, of which kinds it is, and how it is told in as few steps as can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fenqi.cashier.action import (
    AcceptPrice,
    Action,
    BindCard,
    ChangeSeller,
    ChoosePlan,
    Cost,
    PayOverdue,
    PayPartBy,
    RemoveCoupon,
    Reorder,
    Repay,
    SettleLoan,
    TakeOutLines,
    TopUp,
    Wait,
)
from fenqi.cashier.case import OWN_METHODS, View
from fenqi.cashier.remedy_apply import step, walk
from fenqi.cashier.remedy_ask import fee_minor

_FUNDING = frozenset({TopUp, BindCard})


class PartOutside:
    """The kind of paying a part by a method that is taken outside: another thing than a part from one's own accounts
    here, so that both are shown."""


def _kind(action: Action) -> type:
    if isinstance(action, PayPartBy) and action.method not in OWN_METHODS:
        return PartOutside
    return type(action)


def kinds_of(actions: tuple[Action, ...]) -> frozenset[type]:
    """The kinds of action that make a remedy what it is; bringing the money is not one, unless it is all there is."""
    kinds = frozenset(map(_kind, actions))
    return kinds - _FUNDING or kinds


def plan_after(actions: tuple[Action, ...], plan: str | None) -> str | None:
    """The plan in hand after these actions."""
    for action in actions:
        if isinstance(action, ChoosePlan):
            plan = action.plan
    return plan


class Spent(NamedTuple):
    """What a plan of steps has cost so far."""

    until_ms: int
    money_minor: int = 0
    steps: int = 0
    brought_minor: int = 0
    moved_minor: int = 0

    def cost(self, since_ms: int, fees_minor: int = 0) -> Cost:
        """As a cost, counted from the instant of the first step."""
        outlay_minor = max(self.brought_minor, self.moved_minor)
        return Cost(self.money_minor + fees_minor, self.until_ms - since_ms, self.steps, outlay_minor)


def spend(spent: Spent, here: View, actions: tuple[Action, ...]) -> Spent:
    """What has been spent after these further actions, taken on this view; it only ever grows."""
    until_ms, money_minor, steps, brought_minor, moved_minor = spent
    for action in actions:
        kind = type(action)
        if kind is Wait:
            until_ms = action.until_ms  # type: ignore[union-attr]
        elif kind in _SPENDING:
            money, brought, moved = _SPENDING[kind](here, action)
            money_minor, brought_minor, moved_minor = money_minor + money, brought_minor + brought, moved_minor + moved
        after = step(here, action)
        assert after is not None, "only plans that can be carried out are priced"
        here = after
    return Spent(until_ms, money_minor, steps + len(actions), brought_minor, moved_minor)


def _price_of_now(view: View, _: Action) -> tuple[int, int, int]:
    order = view.facts.order
    return max(0, order.quoted_minor - order.payable_minor), 0, 0


_SPENDING: dict[type, Callable[[View, Any], tuple[int, int, int]]] = {
    RemoveCoupon: lambda view, action: (action.amount_minor, 0, 0),
    ChangeSeller: lambda view, action: (_dearer_minor(view, action), 0, 0),
    AcceptPrice: _price_of_now,
    Reorder: _price_of_now,
    TopUp: lambda view, action: (0, action.amount_minor, 0),
    Repay: lambda view, action: (0, 0, action.pay_minor),
    PayOverdue: lambda view, action: (0, 0, action.amount_minor),
    SettleLoan: lambda view, action: (0, 0, action.amount_minor),
    PayPartBy: lambda view, action: (0, 0 if action.method in OWN_METHODS else action.amount_minor, 0),
}
"""What an action costs: money spent or given up, own money brought into the money account, own money paid from it."""


def dearer_plan_minor(view: View, method: str, before: str | None, after: str | None) -> int:
    """By how much the fees of one plan exceed another's, for the order as it is in the end."""
    if before == after:
        return 0
    old, new = view.plan(method, before), view.plan(method, after)
    return max(0, fee_minor(new, view.amount_minor) - fee_minor(old, view.amount_minor))


def cost_of(view: View, method: str, plan: str | None, actions: tuple[Action, ...]) -> Cost:
    """Money spent or given up (dearer goods, a discount, a dearer plan), the wait, the steps; and beside them the own
    money that has to be brought or moved."""
    spent = spend(Spent(view.facts.now_ms), view, actions)
    after = walk(view, actions)
    assert after is not None, "only plans that can be carried out are priced"
    return spent.cost(view.facts.now_ms, dearer_plan_minor(after, method, plan, plan_after(actions, plan)))


def _dearer_minor(view: View, action: ChangeSeller) -> int:
    line = next(line for line in view.facts.lines if line.line_id == action.line_id)
    return max(0, action.amount_minor - line.amount_minor)


def tidy(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """The same plan with top-ups, and lines taken out, gathered into the first of their kind."""
    topped_minor = sum(action.amount_minor for action in actions if isinstance(action, TopUp))
    out = tuple(line_id for action in actions if isinstance(action, TakeOutLines) for line_id in action.line_ids)
    merged: list[Action] = []
    seen: set[type] = set()
    for action in actions:
        kind = type(action)
        if isinstance(action, TopUp | TakeOutLines):
            if kind in seen:
                continue
            seen.add(kind)
            action = TopUp(topped_minor) if isinstance(action, TopUp) else TakeOutLines(out)
        merged.append(action)
    return tuple(merged)
