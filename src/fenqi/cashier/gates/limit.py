"""Limit gates of the credit line: does the amount fit, and if not, which circumstance alone would make it fit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fenqi.cashier.case import Case
from fenqi.cashier.draw import Shortfall, draw, fill, fits_order, fits_plan, is_lapsed, may_serve, room_minor
from fenqi.cashier.facts import LimitFacts
from fenqi.cashier.gates.credit_account import STATE_CODES, WITHOUT_LIMITS
from fenqi.kernel.reason import Reason, ScopeKind, Value


def limits(case: Case) -> list[Reason]:
    """LIMIT_INSUFFICIENT with the exact shortfall, and beside it what explains it: LIMIT_HELD_BY_PENDING,
    LIMIT_REDUCED, LIMIT_FROZEN, LIMIT_TEMPORARY_EXPIRED, LIMIT_SCENE_MISMATCH (each when it alone is the difference),
    LIMIT_OVERDRAWN. LIMIT_TEMP_NOT_INSTALLABLE stands alone: in one sum the amount would fit."""
    if not case.is_credit:
        return []
    credit = case.facts.credit
    required: dict[str, Value] = {"payable_minor": case.amount_minor}
    hidden_by = STATE_CODES.get(credit.state)
    if credit.state in WITHOUT_LIMITS or (hidden_by is not None and not credit.limits):
        return [case.reason("LIMIT_INSUFFICIENT", ScopeKind.ACCOUNT, required=required, depends_on=hidden_by)]
    drawn = draw(case.facts, case.amount_minor, case.plan)
    if not isinstance(drawn, Shortfall):
        return []
    required["shortfall_minor"] = drawn.shortfall_minor
    observed: dict[str, Value] = {"available_minor": drawn.available_minor}
    if _fits(case, lambda limit: not is_lapsed(case.facts, limit) and fits_order(case.facts, limit)):
        return [case.reason("LIMIT_TEMP_NOT_INSTALLABLE", ScopeKind.ACCOUNT, (), observed, required)]
    base = case.reason("LIMIT_INSUFFICIENT", ScopeKind.ACCOUNT, (), observed, required)
    return [base, *_explanations(case)]


def _fits(
    case: Case,
    serves: Callable[[LimitFacts], bool],
    room: Callable[[LimitFacts], int] = room_minor,
    anywhere: bool = False,
) -> bool:
    usable = [limit for limit in case.facts.credit.limits if serves(limit)]
    return fill(case.facts, usable, case.amount_minor, room, anywhere)[1] == 0


def _explanations(case: Case) -> list[Reason]:
    facts, found = case.facts, _overdrawn(case)
    credit, plan = facts.credit, case.plan
    serves = partial(may_serve, facts, plan=plan)
    if _fits(case, lambda limit: fits_plan(limit, plan) and fits_order(facts, limit)):
        lapsed = [limit for limit in credit.limits if is_lapsed(facts, limit)]
        expired_on = max(limit.expires_on for limit in lapsed if limit.expires_on is not None)
        paths = tuple(limit.path for limit in lapsed)
        observed: dict[str, Value] = {"expired_on": expired_on.isoformat()}
        found.append(case.reason("LIMIT_TEMPORARY_EXPIRED", ScopeKind.ACCOUNT, paths, observed))
    if _fits(case, lambda limit: not is_lapsed(facts, limit) and fits_plan(limit, plan), anywhere=True):
        found.append(_mismatch(case))
    if credit.holds:
        found += _held(case)
    before_minor = credit.reduced_from_minor
    if before_minor is not None and _fits(case, serves, partial(_room_before, before_minor)):
        fixed_minor = sum(limit.ceiling_minor for limit in credit.limits if limit.kind == "fixed")
        observed = {"limit_minor": fixed_minor, "reduced_from_minor": before_minor}
        found.append(case.reason("LIMIT_REDUCED", ScopeKind.ACCOUNT, observed=observed))
    if _fits(case, serves, _room_unfrozen):
        frozen_minor = sum(limit.frozen_minor for limit in credit.limits if serves(limit))
        found.append(case.reason("LIMIT_FROZEN", ScopeKind.ACCOUNT, observed={"frozen_minor": frozen_minor}))
    return found


def _room_unfrozen(limit: LimitFacts) -> int:
    return room_minor(limit) + limit.frozen_minor


def _room_before(before_minor: int, limit: LimitFacts) -> int:
    more_minor = max(0, before_minor - limit.ceiling_minor) if limit.kind == "fixed" else 0
    return room_minor(limit) + more_minor


def _overdrawn(case: Case) -> list[Reason]:
    return [
        case.reason(
            "LIMIT_OVERDRAWN",
            ScopeKind.ACCOUNT,
            (limit.path,),
            {"limit_path": limit.path, "over_minor": -room_minor(limit)},
            {"over_minor": 0},
        )
        for limit in case.facts.credit.limits
        if room_minor(limit) + limit.frozen_minor < 0 and may_serve(case.facts, limit, case.plan)
    ]


def _mismatch(case: Case) -> Reason:
    facts = case.facts
    elsewhere = [
        limit
        for limit in facts.credit.limits
        if (limit.scenes or limit.categories) and not is_lapsed(facts, limit) and room_minor(limit) > 0
    ]
    observed: dict[str, Value] = {
        "scene": facts.order.scene,
        "elsewhere_minor": sum(room_minor(limit) for limit in elsewhere),
    }
    required: dict[str, Value] = {
        "scenes": ",".join(dict.fromkeys(scene for limit in elsewhere for scene in limit.scenes)),
        "categories": ",".join(dict.fromkeys(each for limit in elsewhere for each in limit.categories)),
    }
    paths = tuple(limit.path for limit in elsewhere)
    return case.reason("LIMIT_SCENE_MISMATCH", ScopeKind.ACCOUNT, paths, observed, required)


def _held(case: Case) -> list[Reason]:
    """LIMIT_HELD_BY_PENDING, until enough of the holds are released."""
    facts = case.facts
    released: dict[str, int] = {}
    orders: list[str] = []
    for hold in sorted(facts.credit.holds, key=lambda each: (each.release_by_ms, each.order_number)):
        released[hold.path] = released.get(hold.path, 0) + hold.amount_minor
        orders.append(hold.order_number)
        room = partial(_room_released, released)
        if _fits(case, partial(may_serve, facts, plan=case.plan), room):
            observed: dict[str, Value] = {"held_minor": sum(released.values())}
            ids = tuple(orders)
            return [case.reason("LIMIT_HELD_BY_PENDING", ScopeKind.ACCOUNT, ids, observed, {}, hold.release_by_ms)]
    return []


def _room_released(released: dict[str, int], limit: LimitFacts) -> int:
    return room_minor(limit) + min(limit.held_minor, released.get(limit.path, 0))


def instalment_limit(case: Case) -> list[Reason]:
    """INSTALLMENT_LIMIT_INSUFFICIENT: the sub-limit for instalments is smaller than the amount."""
    credit, plan = case.facts.credit, case.plan
    if not case.is_credit or plan is None or plan.instalments <= 1 or credit.instalment_ceiling_minor is None:
        return []
    available_minor = max(0, credit.instalment_ceiling_minor - credit.instalment_used_minor)
    if case.amount_minor <= available_minor:
        return []
    return [
        case.reason(
            "INSTALLMENT_LIMIT_INSUFFICIENT",
            ScopeKind.ACCOUNT,
            observed={"available_minor": available_minor},
            required={"payable_minor": case.amount_minor, "shortfall_minor": case.amount_minor - available_minor},
        )
    ]
