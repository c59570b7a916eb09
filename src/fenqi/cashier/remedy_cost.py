"""What a plan of steps costs the buyer, of which kinds it is, and how it is told in as few steps as can be."""

from __future__ import annotations

from fenqi.cashier.action import (
    AcceptPrice,
    Action,
    BindCard,
    ChangeSeller,
    ChoosePlan,
    Cost,
    PayOverdue,
    RemoveCoupon,
    Reorder,
    Repay,
    SettleLoan,
    TakeOutLines,
    TopUp,
    Wait,
)
from fenqi.cashier.case import View
from fenqi.cashier.remedy_apply import step
from fenqi.cashier.remedy_ask import fee_minor

_FUNDING = frozenset({TopUp, BindCard})


def kinds_of(actions: tuple[Action, ...]) -> frozenset[type]:
    """The kinds of action that make a remedy what it is; bringing the money is not one, unless it is all there is."""
    kinds = frozenset(type(action) for action in actions)
    return kinds - _FUNDING or kinds


def plan_after(actions: tuple[Action, ...], plan: str | None) -> str | None:
    """The plan in hand after these actions."""
    for action in actions:
        if isinstance(action, ChoosePlan):
            plan = action.plan
    return plan


def cost_of(view: View, method: str, plan: str | None, actions: tuple[Action, ...], with_fees: bool = True) -> Cost:
    """Money spent or given up (dearer goods, a discount, a dearer plan), the wait, the steps; and beside them the own
    money that has to be brought or moved. Without the fees of another plan, which the order in the end decides, it can
    only grow with further actions."""
    money_minor = brought_minor = moved_minor = 0
    here, until_ms = view, view.facts.now_ms
    for action in actions:
        if isinstance(action, RemoveCoupon):
            money_minor += action.amount_minor
        elif isinstance(action, ChangeSeller):
            money_minor += _dearer_minor(here, action)
        elif isinstance(action, AcceptPrice | Reorder):
            money_minor += max(0, here.facts.order.quoted_minor - here.facts.order.payable_minor)
        elif isinstance(action, TopUp):
            brought_minor += action.amount_minor
        elif isinstance(action, Repay):
            moved_minor += action.pay_minor
        elif isinstance(action, PayOverdue | SettleLoan):
            moved_minor += action.amount_minor
        elif isinstance(action, Wait):
            until_ms = action.until_ms
        after = step(here, action)
        assert after is not None, "only plans that can be carried out are priced"
        here = after
    if with_fees:
        old, new = here.plan(method, plan), here.plan(method, plan_after(actions, plan))
        money_minor += max(0, fee_minor(new, here.amount_minor) - fee_minor(old, here.amount_minor))
    wait_ms = until_ms - view.facts.now_ms
    return Cost(money_minor, wait_ms, len(actions), max(brought_minor, moved_minor))


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
