"""Candidates that make the order smaller or better: lines taken out, other sellers, a part paid by another method."""

from __future__ import annotations

from collections.abc import Callable

from fenqi.cashier.action import AcceptPrice, Action, ChangeSeller, PayPartBy, RemoveCoupon, Reorder, TakeOutLines
from fenqi.cashier.case import OWN_METHODS
from fenqi.cashier.evaluate import reasons_of
from fenqi.cashier.facts import AlternativeOffer, GoodsRule, LineFacts
from fenqi.cashier.gates.lines import faults_of, line_faults
from fenqi.cashier.remedy_ask import Ask, Candidate
from fenqi.cashier.remedy_money import funds_for


def by(ask: Ask, need_minor: int) -> list[Candidate]:
    """Make what this method has to pay smaller by `need_minor`, or by the most that any reason asks for: a part can be
    moved to another method only once."""
    lines, most_minor = ask.facts.lines, _most_minor(ask)
    found = [
        *new_price(ask),
        *parts(ask, need_minor),
        *fewer_lines(ask, need_minor, lines),
        *_cheaper_sellers(ask, need_minor),
    ]
    if most_minor > need_minor:
        found += parts(ask, most_minor)
        found += [each for each in fewer_lines(ask, most_minor, lines) if each not in found]
    return found


def part_by_others(ask: Ask, part_minor: int) -> list[Candidate]:
    """Pay this much, or the most that any reason asks for, by another method."""
    most_minor = _most_minor(ask)
    return [*parts(ask, part_minor), *(parts(ask, most_minor) if most_minor > part_minor else [])]


def under_rule(ask: Ask, excess_minor: int, part_minor: int, lines: tuple[LineFacts, ...]) -> list[Candidate]:
    """Make the goods under one rule cost less by `excess_minor`, or the method pay less by `part_minor`."""
    most_minor = _most_minor(ask)
    more = parts(ask, most_minor) if most_minor > part_minor else []
    found = [*new_price(ask), *parts(ask, part_minor), *more]
    return [*found, *fewer_lines(ask, excess_minor, lines), *_cheaper_sellers(ask, excess_minor)]


def new_price(ask: Ask) -> list[Candidate]:
    """Take the price of now, where it is another one: that may be enough. An order placed anew takes it too."""
    order = ask.facts.order
    if order.quoted_minor == order.payable_minor:
        return []
    anew: list[Candidate] = [(Reorder(),)] if order.prior_plan is not None else []
    return [(AcceptPrice(order.quoted_minor),), *anew]


def without_coupon(ask: Ask, need_minor: int) -> list[Candidate]:
    """Do without the smallest discount that raises the price by as much."""
    enough = [each for each in ask.facts.coupons if each.amount_minor >= need_minor]
    if not enough:
        return []
    chosen = min(enough, key=lambda each: (each.amount_minor, each.coupon_id))
    return [(RemoveCoupon(chosen.coupon_id, chosen.amount_minor),)]


def without(ask: Ask, line_ids: set[str]) -> list[Candidate]:
    """Take these lines out, all in one tap; not when none would stay."""
    return [(TakeOutLines(_in_order(ask, line_ids)),)] if 0 < len(line_ids) < len(ask.facts.lines) else []


def _most_minor(ask: Ask) -> int:
    """By how much the amount is too high for the strictest of all reasons."""
    return max(
        (
            short
            for reason in reasons_of(ask.view, ask.method, ask.plan)
            if reason.code not in _NOT_TOO_HIGH
            for short in (reason.required.get("shortfall_minor", reason.required.get("excess_minor")),)
            if isinstance(short, int)
        ),
        default=0,
    )


_NOT_TOO_HIGH = frozenset({"AMOUNT_BELOW_MIN"})


def parts(ask: Ask, part_minor: int) -> list[Candidate]:
    """Pay this much by another method that can stand beside this one; one of the two at most is taken outside."""
    order = ask.facts.order
    if order.covered_minor or not 0 < part_minor < order.payable_minor:
        return []
    if "mixed" not in ask.case.terms.capabilities:
        return []
    return [
        (*way, PayPartBy(terms.method, part_minor))
        for terms in ask.facts.methods
        if terms.method != ask.method and "mixed" in terms.capabilities and order.scene in terms.offered_in
        if ask.case.is_own or terms.method in OWN_METHODS
        for way in funds_for(ask, terms.method, part_minor)
    ]


def fewer_lines(ask: Ask, need_minor: int, lines: tuple[LineFacts, ...]) -> list[Candidate]:
    """Take out, of these lines, the one cheapest that is enough, or as few of the dearest as are."""
    if len(ask.facts.lines) < 2:
        return []
    enough = [line for line in lines if line.amount_minor >= need_minor]
    if enough:
        chosen = min(enough, key=lambda line: (line.amount_minor, line.line_id))
        if chosen.amount_minor < ask.case.amount_minor:
            return [(TakeOutLines((chosen.line_id,)),)]
        return []
    taken: list[LineFacts] = []
    for line in sorted(lines, key=lambda each: (-each.amount_minor, each.line_id)):
        taken.append(line)
        if sum(each.amount_minor for each in taken) >= need_minor:
            break
    return without(ask, {line.line_id for line in taken})


def _in_order(ask: Ask, line_ids: set[str]) -> tuple[str, ...]:
    return tuple(line.line_id for line in ask.facts.lines if line.line_id in line_ids)


def _cheaper_sellers(ask: Ask, need_minor: int) -> list[Candidate]:
    """Buy one line where it costs that much less."""
    return [
        (_change(line, best),)
        for line in ask.facts.lines
        if line.alternatives
        for best in _sound(ask, line)[:1]
        if line.amount_minor - best.amount_minor >= need_minor
    ]


def without_faults(ask: Ask) -> list[Candidate]:
    """Take out every line that the method can't pay."""
    return without(ask, {fault[0].line_id for fault in line_faults(ask.case)})


def without_its_lines(ask: Ask) -> list[Candidate]:
    """Take out the lines that this reason is about, where others are at fault for another that something else may
    cure."""
    faults, ids = line_faults(ask.case), ask.reason.scope.ids
    mine = {line.line_id for line, seller, _, _ in faults if line.line_id in ids or seller.merchant_id in ids}
    return without(ask, mine) if len(mine) < len({line.line_id for line, _, _, _ in faults}) else []


def other_sellers(ask: Ask) -> list[Candidate]:
    """Buy each line at fault from the cheapest seller without one; take out those that nobody else sells so."""
    at_fault = {fault[0].line_id for fault in line_faults(ask.case)}
    steps: list[Action] = []
    for line in ask.facts.lines:
        if line.line_id in at_fault:
            for best in _sound(ask, line)[:1]:
                steps.append(_change(line, best))
                at_fault.remove(line.line_id)
    if not steps:
        return []
    return [(*steps, TakeOutLines(_in_order(ask, at_fault))) if at_fault else tuple(steps)]


def under_other_rules(ask: Ask, line_ids: set[str], fits: Callable[[GoodsRule | None], bool]) -> list[Candidate]:
    """Buy each of these lines from the cheapest seller whose rule fits; take out those that nobody sells so."""
    steps: list[Action] = []
    left = set(line_ids)
    for line in ask.facts.lines:
        if line.line_id in line_ids:
            for best in [each for each in _sound(ask, line) if fits(_rule_of(ask, line, each))][:1]:
                steps.append(_change(line, best))
                left.remove(line.line_id)
    if not steps:
        return []
    return [(*steps, TakeOutLines(_in_order(ask, left))) if left else tuple(steps)]


def _rule_of(ask: Ask, line: LineFacts, offer: AlternativeOffer) -> GoodsRule | None:
    seller = ask.view.seller(offer.merchant_id)
    return ask.view.rule(ask.facts.order.scene, line.category, seller, ask.method)


def _sound(ask: Ask, line: LineFacts) -> list[AlternativeOffer]:
    """Offers of the same goods that the method could pay for, the cheapest first."""
    view, method, scene = ask.view, ask.method, ask.facts.order.scene
    found: list[AlternativeOffer] = []
    for each in line.alternatives:
        seller = view.seller(each.merchant_id)
        if not faults_of(ask.case, line, seller, view.rule(scene, line.category, seller, method)):
            found.append(each)
    return sorted(found, key=lambda each: (each.amount_minor, each.merchant_id))


def _change(line: LineFacts, to: AlternativeOffer) -> ChangeSeller:
    return ChangeSeller(line.line_id, to.sku_id, to.merchant_id, to.amount_minor)
