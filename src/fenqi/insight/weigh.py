"""What was at stake: from the looks, steps and end of a checkout to one row for each method that was refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from fenqi.insight.model import Arm, AtStake, Checkout, Judged, Look, Outcome, Step, Way
from fenqi.kernel.clock import business_date


def weigh(checkout: Checkout, arm: Arm) -> list[AtStake]:
    """A row for each method and way that some look found refused, with the reasons of the last look that did."""
    seen: dict[tuple[str, Way], list[tuple[Look, Judged]]] = {}
    for look in checkout.looks:
        for judged in look.judged:
            seen.setdefault((judged.method, judged.way), []).append((look, judged))
    return [
        _row(checkout, key, some, arm) for key, some in sorted(seen.items()) if any(judged.codes for _, judged in some)
    ]


def _row(checkout: Checkout, key: tuple[str, Way], seen: list[tuple[Look, Judged]], arm: Arm) -> AtStake:
    method, way = key
    refused = [(look, judged) for look, judged in seen if judged.codes]
    first, last = refused[0][0], refused[-1][1]
    steps = [step for step in checkout.steps if (step.method, step.way) == key]
    return AtStake(
        checkout.bucket, checkout.consumer_id, checkout.intent_id, method, way, checkout.order_id,
        business_date(first.at), checkout.amount_minor, checkout.scene, checkout.category, checkout.merchant_id,
        last.codes, last.rules, any(look.is_press for look, _ in refused) or any(True for _ in steps),
        _kinds(remedy for _, judged in refused for remedy in judged.remedies),
        _kinds("+".join(step.actions) for step in steps if step.kind == "remedy_done"),
        _outcome(checkout, key, seen[-1][1]), arm,
    )  # fmt: skip


def _kinds(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))


def _outcome(checkout: Checkout, key: tuple[str, Way], last: Judged) -> Outcome:
    if checkout.paid_by:
        return Outcome.RECOVERED if key in checkout.paid_by else Outcome.DIVERTED
    if not checkout.is_over:
        return Outcome.OPEN
    return Outcome.LOST if last.codes else Outcome.LEFT


def way_of(instalments: int) -> Way:
    """In one sum, now or later, or in parts."""
    return "instalments" if instalments > 1 else "one_sum"


def nearest(judged: Iterable[Judged]) -> tuple[Judged, ...]:
    """Of the plans of each method and way the one with the fewest reasons: what would have had to be cured."""
    found: dict[tuple[str, Way], Judged] = {}
    for one in judged:
        key = one.method, one.way
        if key not in found or len(one.codes) < len(found[key].codes):
            found[key] = one
    return tuple(found.values())


def steps_to(steps: Iterable[Step]) -> list[Step]:
    """The steps that led to another checkout, which is the one that was paid then."""
    return [step for step in steps if step.to_intent_id not in (None, step.intent_id)]
