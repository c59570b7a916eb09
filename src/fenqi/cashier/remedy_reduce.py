"""Candidates that make the order smaller or better: lines taken out, other sellers, a part paid by another method."""

from __future__ import annotations

from fenqi.cashier.action import ChangeSeller, PayPartBy, TakeOutLines
from fenqi.cashier.facts import AlternativeOffer, LineFacts
from fenqi.cashier.gates.lines import faults_of, line_faults
from fenqi.cashier.remedy_ask import Ask, Candidate
from fenqi.cashier.remedy_money import funds_for


def by(ask: Ask, need_minor: int, part_minor: int | None = None) -> list[Candidate]:
    """Make what this method has to pay smaller by `need_minor`; another method would have to pay `part_minor`."""
    return [
        *parts(ask, need_minor if part_minor is None else part_minor),
        *_fewer_lines(ask, need_minor),
        *_cheaper_sellers(ask, need_minor),
    ]


def parts(ask: Ask, part_minor: int) -> list[Candidate]:
    """Pay this much by another method that can stand beside this one."""
    order = ask.facts.order
    if order.covered_minor or not 0 < part_minor < order.payable_minor:
        return []
    return [
        (*way, PayPartBy(terms.method, part_minor))
        for terms in ask.facts.methods
        if terms.method != ask.method and "mixed" in terms.capabilities and order.scene in terms.offered_in
        for way in funds_for(ask, terms.method, part_minor)
    ]


def _fewer_lines(ask: Ask, need_minor: int) -> list[Candidate]:
    """Take out the one cheapest line that is enough, or as few of the dearest as are."""
    lines = ask.facts.lines
    if len(lines) < 2:
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
    if len(taken) >= len(lines):
        return []
    return [(TakeOutLines(_in_order(ask, {line.line_id for line in taken})),)]


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
    """Take out every line that the method can't pay, all in one tap; not when none would stay."""
    at_fault = {fault[0].line_id for fault in line_faults(ask.case)}
    return [(TakeOutLines(_in_order(ask, at_fault)),)] if len(at_fault) < len(ask.facts.lines) else []


def other_sellers(ask: Ask) -> list[Candidate]:
    """Buy each line at fault from the cheapest seller without one; lines that nobody else sells so stay."""
    at_fault = {fault[0].line_id for fault in line_faults(ask.case)}
    steps = tuple(
        _change(line, best) for line in ask.facts.lines if line.line_id in at_fault for best in _sound(ask, line)[:1]
    )
    return [steps] if steps else []


def _sound(ask: Ask, line: LineFacts) -> list[AlternativeOffer]:
    """Offers of the same goods that the method could pay for, the cheapest first."""
    view, method, scene = ask.view, ask.method, ask.facts.order.scene
    found: list[AlternativeOffer] = []
    for each in line.alternatives:
        seller = view.seller(each.merchant_id)
        if not faults_of(ask.case, line, seller, view.rule(scene, line.category, seller.kind, method)):
            found.append(each)
    return sorted(found, key=lambda each: (each.amount_minor, each.merchant_id))


def _change(line: LineFacts, to: AlternativeOffer) -> ChangeSeller:
    return ChangeSeller(line.line_id, to.sku_id, to.merchant_id, to.amount_minor)
