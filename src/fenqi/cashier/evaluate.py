"""The evaluation: every gate on the facts, the reasons in their order of precedence, and the verdict to be stored.

One evaluator serves the list, the paying, the console, the API and replays of the past.
"""

from __future__ import annotations

import msgspec

from fenqi.cashier.case import View
from fenqi.cashier.facts import Facts
from fenqi.cashier.gates import SHELVES
from fenqi.kernel.reason import Reason
from fenqi.kernel.reason_codes import PRECEDENCE


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was decided of a method and plan; `reasons` is empty exactly when it was available."""

    method: str
    plan: str | None
    available: bool
    reasons: tuple[Reason, ...]
    evaluator_version: int
    policy_version: str


def evaluate(facts: Facts, method: str, plan: str | None = None) -> tuple[Reason, ...]:
    """Every reason why `method` with `plan` can't pay the order now, in order of precedence; empty: it can."""
    return reasons_of(View(facts), method, plan)


def evaluate_method(facts: Facts, method: str) -> tuple[Reason, ...]:
    """The reasons that hold whatever the plan, in order of precedence."""
    return method_reasons(View(facts), method)


def verdict(facts: Facts, method: str, plan: str | None = None) -> Verdict:
    """The decision on one method and plan as it is stored."""
    reasons = evaluate(facts, method, plan)
    return Verdict(method, plan, not reasons, reasons, facts.evaluator_version, facts.policy_version)


def reasons_of(view: View, method: str, plan: str | None) -> tuple[Reason, ...]:
    """`evaluate` on a view, remembered there."""
    found = view.found_all.get((method, plan))
    if found is None:
        of_method, of_plan = method_reasons(view, method), plan_reasons(view, method, plan)
        found = _sorted([*of_method, *of_plan]) if of_method and of_plan else of_method or of_plan
        view.found_all[method, plan] = found
    return found


def method_reasons(view: View, method: str) -> tuple[Reason, ...]:
    """`evaluate_method` on a view, remembered there."""
    found = view.found.get(method)
    if found is None:
        case = view.case(method)
        reasons: list[Reason] = []
        for gate in SHELVES[view.facts.evaluator_version].of_method:
            reasons += gate(case)
        found = view.found[method] = _sorted(reasons)
    return found


def plan_reasons(view: View, method: str, plan: str | None) -> tuple[Reason, ...]:
    """The reasons that the plan adds to those of its method, remembered on the view."""
    found = view.found_plan.get((method, plan))
    if found is None:
        case = view.case(method).with_plan(plan)
        reasons: list[Reason] = []
        for gate in SHELVES[view.facts.evaluator_version].of_plan:
            reasons += gate(case)
        found = view.found_plan[method, plan] = _sorted(reasons)
    return found


def _sorted(reasons: list[Reason]) -> tuple[Reason, ...]:
    if len(reasons) > 1:
        reasons.sort(key=_place)
    return tuple(reasons)


def _place(reason: Reason) -> tuple[int, tuple[str, ...]]:
    return PRECEDENCE[reason.code], reason.scope.ids


_ENCODER = msgspec.json.Encoder(order="deterministic")
_FACTS = msgspec.json.Decoder(Facts)
_VERDICT = msgspec.json.Decoder(Verdict)


def encode_facts(facts: Facts) -> bytes:
    """Facts as JSON; equal facts give equal bytes."""
    return _ENCODER.encode(facts)


def decode_facts(data: bytes | str) -> Facts:
    """The facts that `encode_facts` wrote."""
    return _FACTS.decode(data)


def encode_verdict(verdict: Verdict) -> bytes:
    """A verdict as JSON; equal verdicts give equal bytes."""
    return _ENCODER.encode(verdict)


def decode_verdict(data: bytes | str) -> Verdict:
    """The verdict that `encode_verdict` wrote."""
    return _VERDICT.decode(data)


def replay(facts: bytes | str, method: str, plan: str | None = None) -> bytes:
    """The verdict on stored facts, evaluated again by the gates of the version that the facts name."""
    return encode_verdict(verdict(decode_facts(facts), method, plan))
