"""Remedies: plans of steps after which a refused method is usable, found by search and proven by the gates.

The solver takes the reasons in an order in which prerequisites come first, carries out what the proposers offer, runs
every gate again, and goes on from the cheapest state until no reason is left. What it returns has been shown to work.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

from fenqi.cashier.action import (
    Action,
    ChangeScene,
    ChangeSeller,
    ChoosePlan,
    Cost,
    PayPartBy,
    Remedy,
    TakeOutLines,
)
from fenqi.cashier.case import View
from fenqi.cashier.evaluate import plan_reasons, reasons_of
from fenqi.cashier.facts import Facts
from fenqi.cashier.remedy_apply import step, walk
from fenqi.cashier.remedy_ask import Ask, Candidate
from fenqi.cashier.remedy_cost import Spent, cost_of, dearer_plan_minor, kinds_of, plan_after, spend, tidy
from fenqi.cashier.remedy_propose import proposals
from fenqi.cashier.remedy_rank import rank
from fenqi.cashier.remedy_routes import ROUTES
from fenqi.kernel.reason import CODES, Layer, Reason

SHOWN = 4
"""How many remedies are shown for a refused offer at most."""

_EXPANSIONS = 24
_AFTER_FIRST = 10
"""How many states are gone on from: at most, and after the first remedy."""

_ACTIONS = 9

_Child = tuple[Candidate, View, str | None]
_Node = tuple[Cost, int, tuple[Action, ...], Spent, View, str | None]


def remedies(facts: Facts, method: str, plan: str | None = None) -> tuple[Remedy, ...]:
    """The remedies of a refused method and plan, cheapest first; none for one that is usable."""
    return solve(View(facts), method, plan)


def solve(view: View, method: str, plan: str | None) -> tuple[Remedy, ...]:
    """`remedies` on a view: at most `SHOWN`, each minimal, each of another kind than those that cost less.

    Plans that add no reason of their own anywhere on the way share one search.
    """
    if not reasons_of(view, method, plan):
        return ()
    is_pure = not plan_reasons(view, method, plan)
    shared = view.shared.get(method) if is_pure else None
    if shared is not None and all(_works(view, method, plan, remedy.actions) for remedy in shared):
        return shared
    if _is_dead(view, method, plan):
        found: tuple[Remedy, ...] = ()
    else:
        found, is_pure = _search(view, method, plan, is_pure)
    if is_pure:
        view.shared[method] = found
    return found


def _search(view: View, method: str, plan: str | None, is_pure: bool) -> tuple[tuple[Remedy, ...], bool]:
    """From the cheapest state on; and whether no state had a reason of the plan."""
    found: list[Remedy] = []
    kinds: list[frozenset[type]] = []
    since_ms = view.facts.now_ms
    heap: list[_Node] = [(Cost(), 0, (), Spent(since_ms), view, plan)]
    pushed, left = 0, _EXPANSIONS
    while heap and left and len(found) < SHOWN:
        left -= 1
        _, _, actions, spent, here, chosen = heappop(heap)
        mine = kinds_of(actions)
        if any(theirs <= mine for theirs in kinds):
            continue
        if not reasons_of(here, method, chosen):
            found.append(_remedy(view, method, plan, actions))
            kinds.append(kinds_of(found[-1].actions))
            left = min(left, _AFTER_FIRST)
            continue
        for candidate, after, plan_next in _children(here, method, chosen):
            if _turns_back(actions, candidate) or len(actions) + len(candidate) > _ACTIONS:
                continue
            pushed += 1
            is_pure = is_pure and plan_next == plan and not plan_reasons(after, method, plan_next)
            is_goal = not reasons_of(after, method, plan_next)
            more = spend(spent, here, candidate)
            cost = more.cost(since_ms, dearer_plan_minor(after, method, plan, plan_next) if is_goal else 0)
            steps = (*actions, *candidate)
            if is_goal and len(steps) > 1 and tidy(steps) != steps:
                cost = _remedy(view, method, plan, steps).cost  # some steps undo what others have cost
            heappush(heap, (cost, pushed, steps, more, after, plan_next))
    return tuple(sorted(found, key=lambda remedy: remedy.cost)), is_pure


def _turns_back(actions: tuple[Action, ...], candidate: Candidate) -> bool:
    """Whether a scene or a plan is chosen a second time."""
    return any(type(action) in _ONCE and any(type(action) is type(each) for each in actions) for action in candidate)


_ONCE = frozenset({ChangeScene, ChoosePlan})


def incurable(view: View, method: str, plan: str | None) -> tuple[str, ...]:
    """For an offer without remedies: the codes that have no route, and that no action proposed for any of the reasons
    takes away."""
    key = (method, plan if plan_reasons(view, method, plan) else None)
    if key not in view.marked:
        view.marked[key] = _incurable(view, method, plan)
    return view.marked[key]


def _incurable(view: View, method: str, plan: str | None) -> tuple[str, ...]:
    asks = [
        Ask(view, method, plan, reason)
        for reason in reasons_of(view, method, plan)
        if reason.depends_on is None and reason.code not in _DERIVED
    ]
    suspects = [ask for ask in asks if ask.reason.code not in ROUTES]
    if not suspects:
        return ()
    children = [child for ask in asks for candidate in proposals(ask) for child in _child(ask, candidate)]
    hopeless = [ask for ask in suspects if not any(is_cured(ask, child) for child in children)]
    return tuple(dict.fromkeys(ask.reason.code for ask in hopeless))


_DERIVED = frozenset({"MIXED_CART_PARTIAL"})
"""Reasons that say something of others and go with them."""


def incurable_reasons(view: View, method: str, plan: str | None) -> list[Reason]:
    """The reasons that no action of ours cures; one that hides behind another, or goes with it, is not judged."""
    return [
        reason
        for reason in reasons_of(view, method, plan)
        if reason.depends_on is None and reason.code not in _DERIVED and not proposals(Ask(view, method, plan, reason))
    ]


def _is_dead(view: View, method: str, plan: str | None) -> bool:
    """Whether some reason can't be cured: it has no action, and is not of the kind that a smaller order may cure."""
    hopeless = incurable_reasons(view, method, plan)
    if not hopeless:
        return False
    if not all(reason.code in _OF_AMOUNT for reason in hopeless):
        return True
    return not any(
        isinstance(action, TakeOutLines | ChangeSeller)
        for reason in reasons_of(view, method, plan)
        for candidate in proposals(Ask(view, method, plan, reason))
        for action in candidate
    )


_OF_AMOUNT = frozenset(code for code, meta in CODES.items() if meta.layer is Layer.LIMIT) | {
    "AMOUNT_ABOVE_MAX",
    "AMOUNT_BELOW_MIN",
    "EXPOSURE_CAP_REACHED",
}


def _children(view: View, method: str, plan: str | None) -> Iterable[_Child]:
    """The states in which the first reason that can be cured now is cured; where none can, those in other
    scenes, where more may be possible. None when some reason can't be cured at all."""
    if _is_dead(view, method, plan):
        return []
    reasons = [reason for reason in reasons_of(view, method, plan) if reason.depends_on is None]
    asks = [Ask(view, method, plan, reason) for reason in reasons]
    asks.sort(key=lambda ask: rank(ask.reason, proposals(ask)))
    for ask in asks:
        children = [child for candidate in proposals(ask) for child in _child(ask, candidate) if is_cured(ask, child)]
        if children:
            in_parts = any(isinstance(action, PayPartBy) for candidate, _, _ in children for action in candidate)
            return children + _elsewhere(asks, but=ask) if in_parts else children
    return _elsewhere(asks)


def _elsewhere(asks: list[Ask], but: Ask | None = None) -> list[_Child]:
    """The states in other scenes; of two parts each is judged where the order is, so the scene is chosen first."""
    return [
        child
        for ask in asks
        if ask is not but
        for candidate in proposals(ask)
        if isinstance(candidate[0], ChangeScene)
        for child in _child(ask, candidate)
    ]


def _child(ask: Ask, candidate: Candidate) -> list[_Child]:
    after = walk(ask.view, candidate)
    return [] if after is None else [(candidate, after, plan_after(candidate, ask.plan))]


def is_cured(ask: Ask, child: _Child) -> bool:
    """Whether the reason in question is gone."""
    _, after, plan = child
    code, scope = ask.reason.code, ask.reason.scope
    return all(each.code != code or each.scope != scope for each in reasons_of(after, ask.method, plan))


def _remedy(view: View, method: str, plan: str | None, actions: tuple[Action, ...]) -> Remedy:
    """The plan of steps with nothing superfluous in it."""
    steps = actions
    if len(steps) > 1:
        merged = tidy(steps)
        steps = merged if _works(view, method, plan, merged) else steps
        steps = _minimal(view, method, plan, steps)
    chosen = plan_after(steps, plan)
    return Remedy(steps, cost_of(view, method, plan, steps), chosen if chosen != plan else None)


def _minimal(view: View, method: str, plan: str | None, actions: tuple[Action, ...]) -> tuple[Action, ...]:
    for place in range(len(actions)):
        fewer = actions[:place] + actions[place + 1 :]
        if fewer and _works(view, method, plan, fewer):
            return _minimal(view, method, plan, fewer)
    return actions


def _works(view: View, method: str, plan: str | None, actions: tuple[Action, ...]) -> bool:
    after = walk(view, actions)
    return after is not None and not reasons_of(after, method, plan_after(actions, plan))


__all__ = ["SHOWN", "incurable", "incurable_reasons", "remedies", "solve", "step"]
