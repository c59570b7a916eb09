"""The question put to a proposer: which steps could cure this reason, on these facts. And what many proposers share."""

from __future__ import annotations

from fenqi.cashier.action import Action, ChangeScene, ChoosePlan, Wait
from fenqi.cashier.case import Case, View
from fenqi.cashier.evaluate import plan_reasons
from fenqi.cashier.facts import Facts
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
    """The method's other plans that are free of this reason: those with no reason of their own, if there are any."""
    clean: list[Candidate] = []
    better: list[Candidate] = []
    for plan in ask.view.plans(ask.method):
        if plan.plan != ask.plan:
            found = plan_reasons(ask.view, ask.method, plan.plan)
            if not found:
                clean.append((ChoosePlan(plan.plan),))
            elif all(each.code != ask.reason.code for each in found):
                better.append((ChoosePlan(plan.plan),))
    return clean or better


def by_sms(ask: Ask, action: Action) -> list[Candidate]:
    """An action that needs an SMS code: after the wait, while no code can be had."""
    until_ms = ask.facts.consumer.sms_blocked_until_ms
    if until_ms is not None and ask.facts.now_ms < until_ms:
        return [(Wait(until_ms), action)]
    return [(action,)]
