"""The question put to a proposer: which steps could cure this reason, on these facts. And what many proposers share."""

from __future__ import annotations

from fenqi.cashier.action import Action, ChangeScene, ChoosePlan, Wait
from fenqi.cashier.case import Case, View
from fenqi.cashier.evaluate import plan_reasons
from fenqi.cashier.facts import Facts, PlanFacts
from fenqi.kernel.reason import Reason

Candidate = tuple[Action, ...]


class Ask:
    """One reason of one method and plan, on one view."""

    __slots__ = ("facts", "method", "plan", "reason", "view")

    def __init__(self, view: View, method: str, plan: str | None, reason: Reason) -> None:
        self.view = view
        self.facts: Facts = view.facts
        self.method = method
        self.plan = plan
        self.reason = reason

    @property
    def case(self) -> Case:
        """The method's case."""
        return self.view.case(self.method)

    def number(self, name: str) -> int:
        """An amount that the reason requires."""
        value = self.reason.required[name]
        assert isinstance(value, int)
        return value


def waiting(ask: Ask) -> list[Candidate]:
    """Wait until the reason ends by itself, where it says when."""
    until_ms = ask.reason.until_ms
    return [(Wait(until_ms),)] if until_ms is not None and until_ms > ask.facts.now_ms else []


def scenes(ask: Ask) -> list[Candidate]:
    """Other scenes that sell the whole order and where the method is at home."""
    terms = ask.case.terms
    return [
        (ChangeScene(scene),)
        for scene in ask.facts.order.also_in_scenes
        if scene in terms.offered_in and scene in terms.integrated_in
    ]


def choose_plan(ask: Ask) -> list[Candidate]:
    """Of the method's other plans that are free of this reason (of any reason, if there are such): the one with
    the lowest fees, and the one nearest in its number of instalments."""
    clean: list[PlanFacts] = []
    better: list[PlanFacts] = []
    count = 0
    for plan in ask.view.plans(ask.method):
        if plan.plan == ask.plan:
            count = plan.instalments
            continue
        found = plan_reasons(ask.view, ask.method, plan.plan)
        if not found:
            clean.append(plan)
        elif all(each.code != ask.reason.code for each in found):
            better.append(plan)
    among = clean or better
    if not among:
        return []
    cheapest = min(among, key=lambda plan: (fee_minor(plan, ask.view.amount_minor), plan.instalments))
    nearest = min(among, key=lambda plan: (abs(plan.instalments - count), plan.instalments))
    return [(ChoosePlan(code),) for code in dict.fromkeys((cheapest.plan, nearest.plan))]


def fee_minor(plan: PlanFacts | None, amount_minor: int) -> int:
    """The fees that the buyer pays over the whole plan, rounded up to a fen."""
    if plan is None or plan.interest_free_by is not None:
        return 0
    return -(-amount_minor * (plan.fee_rate_ppm * plan.instalments + plan.fee_total_ppm) // 1_000_000)


def by_sms(ask: Ask, action: Action) -> list[Candidate]:
    """An action that needs an SMS code: after the wait, while no code can be had."""
    until_ms = ask.facts.consumer.sms_blocked_until_ms
    if until_ms is not None and ask.facts.now_ms < until_ms:
        return [(Wait(until_ms), action)]
    return [(action,)]
