"""Remedies: plans of steps after which a refused method is usable, found by search and proven by the gates.

The solver takes the reasons in an order in which prerequisites come first, carries out what the proposers offer, runs
every gate again, and goes on from the cheapest state until no reason is left. What it returns has been shown to work.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

from fenqi.cashier.action import Action, Cost, Remedy
from fenqi.cashier.case import View
from fenqi.cashier.evaluate import reasons_of
from fenqi.cashier.facts import Facts
from fenqi.cashier.remedy_apply import step, walk
from fenqi.cashier.remedy_ask import Ask, Candidate
from fenqi.cashier.remedy_cost import cost_of, kinds_of, plan_after, tidy
from fenqi.cashier.remedy_propose import proposals
from fenqi.cashier.remedy_rank import rank
from fenqi.cashier.remedy_routes import ROUTES
from fenqi.kernel.reason import Reason

SHOWN = 4
"""How many remedies are shown for a refused offer at most."""

_EXPANSIONS = 24
_ACTIONS = 9

_Node = tuple[Cost, int, tuple[Action, ...], View, str | None]


def remedies(facts: Facts, method: str, plan: str | None = None) -> tuple[Remedy, ...]:
    """The remedies of a refused method and plan, cheapest first; none for one that is usable."""
    return solve(View(facts), method, plan)


def solve(view: View, method: str, plan: str | None) -> tuple[Remedy, ...]:
    """`remedies` on a view: at most `SHOWN`, each minimal, each of another kind than those that cost less."""
    if not reasons_of(view, method, plan) or incurable_reasons(view, method, plan):
        return ()
    found: list[Remedy] = []
    kinds: list[frozenset[type]] = []
    heap: list[_Node] = [(Cost(), 0, (), view, plan)]
    pushed = 0
    for _ in range(_EXPANSIONS):
        if not heap or len(found) == SHOWN:
            break
        _, _, actions, here, chosen = heappop(heap)
        mine = kinds_of(actions)
        if any(theirs <= mine for theirs in kinds):
            continue
        if not reasons_of(here, method, chosen):
            found.append(_remedy(view, method, plan, actions))
            kinds.append(kinds_of(found[-1].actions))
            continue
        for candidate, after, plan_next in _children(here, method, chosen):
            pushed += 1
            path = (*actions, *candidate)
            if len(path) <= _ACTIONS:
                is_goal = not reasons_of(after, method, plan_next)
                cost = cost_of(view, method, plan, path, with_fees=is_goal)
                heappush(heap, (cost, pushed, path, after, plan_next))
    found.sort(key=lambda remedy: remedy.cost)
    return tuple(found)


def incurable(view: View, method: str, plan: str | None) -> tuple[str, ...]:
    """For an offer without remedies: the codes for which there is neither a route nor an action; where every reason has
    some action, those whose actions all fail."""
    hopeless = incurable_reasons(view, method, plan)
    if not hopeless:
        asks = [Ask(view, method, plan, reason) for reason in reasons_of(view, method, plan)]
        hopeless = [
            ask.reason
            for ask in asks
            if ask.reason.depends_on is None and not any(_child(ask, each) for each in proposals(ask))
        ]
    derived = "MIXED_CART_PARTIAL"
    return tuple(dict.fromkeys(each.code for each in hopeless if each.code not in ROUTES and each.code != derived))


def incurable_reasons(view: View, method: str, plan: str | None) -> list[Reason]:
    """The reasons that no action of ours cures; one that hides behind another is not judged."""
    return [
        reason
        for reason in reasons_of(view, method, plan)
        if reason.depends_on is None and not proposals(Ask(view, method, plan, reason))
    ]


def _children(view: View, method: str, plan: str | None) -> Iterable[tuple[Candidate, View, str | None]]:
    """The states in which the first reason that can be cured now is cured; none when some reason can't be at all."""
    if incurable_reasons(view, method, plan):
        return []
    reasons = [reason for reason in reasons_of(view, method, plan) if reason.depends_on is None]
    asks = [Ask(view, method, plan, reason) for reason in reasons]
    for ask in sorted(asks, key=lambda ask: rank(ask.reason, proposals(ask))):
        children = [child for candidate in proposals(ask) for child in _child(ask, candidate)]
        if children:
            return children
    return []


def _child(ask: Ask, candidate: Candidate) -> list[tuple[Candidate, View, str | None]]:
    after = walk(ask.view, candidate)
    if after is None:
        return []
    plan = plan_after(candidate, ask.plan)
    left = reasons_of(after, ask.method, plan)
    target = ask.reason
    if any(each.code == target.code and each.scope == target.scope for each in left):
        return []
    return [(candidate, after, plan)]


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
