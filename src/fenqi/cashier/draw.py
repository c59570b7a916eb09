"""How an amount is drawn from the limits of a credit line: which may serve, in which order, how much of each.

The pay flow posts the very legs that the gates found to fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from fenqi.cashier.facts import Facts, LimitFacts, LineFacts, PlanFacts

Leg = tuple[str, int]
Room = Callable[[LimitFacts], int]

_STAGES = {"dedicated": 0, "fixed": 1, "temporary": 2}


class Shortfall(msgspec.Struct, frozen=True):
    """The limits that may serve don't hold the amount."""

    available_minor: int
    """What they could give to this order."""
    shortfall_minor: int


def draw(facts: Facts, amount_minor: int, plan: PlanFacts | None) -> tuple[Leg, ...] | Shortfall:
    """The legs (limit path, amount) that make up `amount_minor` under `plan`, or what is missing.

    Dedicated limits first (for the lines they are for), then the fixed ones, then the temporary ones. The whole price
    must fit, also when it is repaid by instalments.
    """
    usable = [limit for limit in facts.credit.limits if may_serve(facts, limit, plan)]
    legs, missing_minor = fill(facts, usable, amount_minor, room_minor)
    if missing_minor:
        return Shortfall(amount_minor - missing_minor, missing_minor)
    return legs


def room_minor(limit: LimitFacts) -> int:
    """Ceiling less what is used, held and frozen; negative when the limit is overdrawn."""
    return limit.ceiling_minor - limit.used_minor - limit.held_minor - limit.frozen_minor


def may_serve(facts: Facts, limit: LimitFacts, plan: PlanFacts | None) -> bool:
    """Whether the limit is alive, is for this scene, for some of the goods, and for this kind of plan."""
    return not is_lapsed(facts, limit) and fits_plan(limit, plan) and fits_order(facts, limit)


def is_lapsed(facts: Facts, limit: LimitFacts) -> bool:
    """A limit with an expiry date serves through that date."""
    return limit.expires_on is not None and limit.expires_on < facts.today_on


def fits_plan(limit: LimitFacts, plan: PlanFacts | None) -> bool:
    """Some limits can't be repaid by instalments."""
    return limit.installable or plan is None or plan.instalments <= 1


def fits_order(facts: Facts, limit: LimitFacts) -> bool:
    """Whether the scene is one of the limit's, and a line one of its categories."""
    if limit.scenes and facts.order.scene not in limit.scenes:
        return False
    return not limit.categories or any(fits_line(limit, line) for line in facts.lines)


def fits_line(limit: LimitFacts, line: LineFacts) -> bool:
    """Whether the line's category, or one above it, is one of the limit's."""
    return line.category in limit.categories or any(each in limit.categories for each in line.ancestors)


def fill(
    facts: Facts, limits: Iterable[LimitFacts], amount_minor: int, room: Room, anywhere: bool = False
) -> tuple[tuple[Leg, ...], int]:
    """Legs from `limits` in their order, and what is missing. `anywhere`: as if no limit were dedicated.

    A limit for certain categories gives at most what those lines cost and no other limit has paid. The narrower of two
    dedicated limits goes first, so that nested categories are served to the full.
    """
    staged = sorted(
        (_STAGES[limit.kind], _width_minor(facts, limit), limit.path, limit) for limit in limits if room(limit) > 0
    ) if facts.credit.limits else []  # fmt: skip
    missing_minor = amount_minor
    unpaid: dict[str, int] | None = None
    legs: list[Leg] = []
    for _, _, path, limit in staged:
        if missing_minor <= 0:
            break
        take_minor = min(missing_minor, room(limit))
        if limit.categories and not anywhere:
            unpaid = unpaid if unpaid is not None else {line.line_id: line.amount_minor for line in facts.lines}
            take_minor = _take(facts, limit, take_minor, unpaid)
        if take_minor > 0:
            legs.append((path, take_minor))
            missing_minor -= take_minor
    return tuple(legs), max(0, missing_minor)


def _width_minor(facts: Facts, limit: LimitFacts) -> int:
    if not limit.categories:
        return 1 << 62
    return sum(line.amount_minor for line in facts.lines if fits_line(limit, line))


def _take(facts: Facts, limit: LimitFacts, most_minor: int, unpaid: dict[str, int]) -> int:
    """Take up to `most_minor` from the lines that the limit is for; `unpaid` keeps what is left of each."""
    taken_minor = 0
    for line in facts.lines:
        if fits_line(limit, line):
            part_minor = min(unpaid[line.line_id], most_minor - taken_minor)
            unpaid[line.line_id] -= part_minor
            taken_minor += part_minor
    return taken_minor
