"""What becomes of an order when lines, sellers, prices or discounts change: lines, coupons and amounts stay consistent.

Every function returns the facts afterwards, or None where the step can't be taken.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from fenqi.cashier.action import (
    AcceptPrice,
    ChangeDelivery,
    ChangeScene,
    ChangeSeller,
    RemoveCoupon,
    TakeOutLines,
)
from fenqi.cashier.facts import CouponFacts, Facts, LineFacts, OrderFacts


def can_change(facts: Facts) -> bool:
    """An order can be changed while it waits for its payment, none is under way, and its price is agreed."""
    order = facts.order
    return (
        order.state == "awaiting_payment"
        and facts.now_ms < order.pay_by_ms
        and order.open_attempt is None
        and order.presale_stage is None
    )


def is_price_agreed(facts: Facts) -> bool:
    """Whether the order still says what the goods cost."""
    return facts.order.quoted_minor == facts.order.payable_minor


def shares_of(coupon: CouponFacts, lines: tuple[LineFacts, ...]) -> dict[str, int]:
    """How much of a coupon was taken off each line: as recorded, or in proportion to the lines' amounts (rounded down,
    the odd fen on the first lines)."""
    if coupon.shares:
        return dict(coupon.shares)
    whole_minor = sum(line.amount_minor for line in lines)
    if whole_minor <= 0:
        return {lines[0].line_id: coupon.amount_minor}
    shares = {line.line_id: coupon.amount_minor * line.amount_minor // whole_minor for line in lines}
    odd_minor = coupon.amount_minor - sum(shares.values())
    for line in lines[:odd_minor]:
        shares[line.line_id] += 1
    return shares


def _coupons_without(facts: Facts, line_ids: Iterable[str]) -> tuple[CouponFacts, ...]:
    """The coupons less their shares on these lines; one with nothing left is gone."""
    gone = frozenset(line_ids)
    kept: list[CouponFacts] = []
    for coupon in facts.coupons:
        left = {line: part for line, part in shares_of(coupon, facts.lines).items() if line not in gone and part}
        if left:
            kept.append(replace(coupon, amount_minor=sum(left.values()), shares=tuple(left.items())))
    return tuple(kept)


def _repriced(order: OrderFacts, delta_minor: int) -> OrderFacts | None:
    """The order with its price moved; None when the other tender would pay it all."""
    payable_minor = order.payable_minor + delta_minor
    if payable_minor <= order.covered_minor:
        return None
    return replace(order, payable_minor=payable_minor, quoted_minor=order.quoted_minor + delta_minor)


def take_out_lines(action: TakeOutLines, facts: Facts) -> Facts | None:
    """These lines go to an order of their own with their share of the discounts; the rest stays, at least one line."""
    rest = tuple(line for line in facts.lines if line.line_id not in action.line_ids)
    taken = len(facts.lines) - len(rest)
    if not rest or taken != len(action.line_ids) or not can_change(facts) or not is_price_agreed(facts):
        return None
    out_minor = sum(line.amount_minor for line in facts.lines if line.line_id in action.line_ids)
    order = _repriced(facts.order, -out_minor)
    if order is None:
        return None
    coupons = _coupons_without(facts, action.line_ids) if facts.coupons else ()
    return replace(facts, order=_needs_of(order, rest), lines=rest, coupons=coupons)


def _needs_of(order: OrderFacts, lines: tuple[LineFacts, ...]) -> OrderFacts:
    """With one seller left, nothing has to be split among sellers."""
    if "split" in order.needs and len({line.merchant_id for line in lines}) == 1:
        return replace(order, needs=tuple(need for need in order.needs if need != "split"))
    return order


def change_seller(action: ChangeSeller, facts: Facts) -> Facts | None:
    """The line's goods from another seller at that seller's price; shares of coupons on the line fall away."""
    line = next((each for each in facts.lines if each.line_id == action.line_id), None)
    if line is None or not can_change(facts) or not is_price_agreed(facts):
        return None
    chosen = next(
        (
            each
            for each in line.alternatives
            if (each.sku_id, each.merchant_id, each.amount_minor)
            == (action.sku_id, action.merchant_id, action.amount_minor)
        ),
        None,
    )
    if chosen is None:
        return None
    order = _repriced(facts.order, chosen.amount_minor - line.amount_minor)
    if order is None:
        return None
    moved = replace(
        line,
        sku_id=chosen.sku_id,
        merchant_id=chosen.merchant_id,
        amount_minor=chosen.amount_minor,
        is_cross_border=_own(chosen.is_cross_border, line.is_cross_border),
        is_subscription=_own(chosen.is_subscription, line.is_subscription),
        is_trade_in_subsidised=_own(chosen.is_trade_in_subsidised, line.is_trade_in_subsidised),
        alternatives=tuple(each for each in line.alternatives if each is not chosen),
    )
    lines = tuple(moved if each is line else each for each in facts.lines)
    coupons = _coupons_without(facts, (line.line_id,)) if facts.coupons else ()
    return replace(facts, order=_needs_of(order, lines), lines=lines, coupons=coupons)


def _own(offered: bool | None, before: bool) -> bool:
    return before if offered is None else offered


def change_scene(action: ChangeScene, facts: Facts) -> Facts | None:
    """The same order, at the same price, in another scene that sells all of it; not beside a part by another method,
    which was looked at where the order is."""
    order = facts.order
    if action.scene not in order.also_in_scenes or not can_change(facts) or not is_price_agreed(facts):
        return None
    if order.covered_minor:
        return None
    others = tuple(order.scene if scene == action.scene else scene for scene in order.also_in_scenes)
    return replace(facts, order=replace(order, scene=action.scene, also_in_scenes=others))


def change_delivery(action: ChangeDelivery, facts: Facts) -> Facts | None:
    """Another way of delivery that every line allows."""
    order = facts.order
    if action.delivery not in order.also_deliveries or not can_change(facts):
        return None
    others = tuple(order.delivery if each == action.delivery else each for each in order.also_deliveries)
    return replace(facts, order=replace(order, delivery=action.delivery, also_deliveries=others))


def remove_coupon(action: RemoveCoupon, facts: Facts) -> Facts | None:
    """The discount goes, each line gets its share back, the price rises by it."""
    coupon = next((each for each in facts.coupons if each.coupon_id == action.coupon_id), None)
    if coupon is None or coupon.amount_minor != action.amount_minor:
        return None
    if not can_change(facts) or not is_price_agreed(facts):
        return None
    order = _repriced(facts.order, coupon.amount_minor)
    if order is None:
        return None
    shares = shares_of(coupon, facts.lines)
    lines = tuple(
        replace(line, amount_minor=line.amount_minor + shares[line.line_id]) if shares.get(line.line_id) else line
        for line in facts.lines
    )
    others = tuple(each for each in facts.coupons if each is not coupon)
    return replace(facts, order=order, lines=lines, coupons=others)


def accept_price(action: AcceptPrice, facts: Facts) -> Facts | None:
    """The order takes the price of now."""
    order = facts.order
    if action.payable_minor != order.quoted_minor or is_price_agreed(facts) or order.open_attempt is not None:
        return None
    if (
        order.state != "awaiting_payment"
        or facts.now_ms >= order.pay_by_ms
        or order.quoted_minor <= order.covered_minor
    ):
        return None
    return requoted(facts)


def requoted(facts: Facts) -> Facts:
    """The order and its lines at the price of now. A change that no line records is spread in proportion."""
    order = facts.order
    delta_minor = order.quoted_minor - order.payable_minor
    if not delta_minor:
        return facts
    lines = tuple(
        line if line.quoted_minor is None else replace(line, amount_minor=line.quoted_minor, quoted_minor=None)
        for line in facts.lines
    )
    said_minor = sum(line.amount_minor for line in lines) - sum(line.amount_minor for line in facts.lines)
    if said_minor != delta_minor and order.presale_stage is None:
        lines = _spread(lines, delta_minor - said_minor)
    return replace(facts, order=replace(order, payable_minor=order.quoted_minor), lines=lines)


def _spread(lines: tuple[LineFacts, ...], delta_minor: int) -> tuple[LineFacts, ...]:
    whole_minor = sum(line.amount_minor for line in lines)
    if whole_minor <= 0:
        return (replace(lines[0], amount_minor=lines[0].amount_minor + delta_minor), *lines[1:])
    moved = [line.amount_minor + delta_minor * line.amount_minor // whole_minor for line in lines]
    moved[0] += whole_minor + delta_minor - sum(moved)
    return tuple(replace(line, amount_minor=amount) for line, amount in zip(lines, moved, strict=True))


def deposit_paid(order: OrderFacts, now_ms: int) -> OrderFacts:
    """A presale whose deposit is paid moves on to its tail, once that may be paid."""
    paid = order.presale_stage == "deposit" and order.covered_minor == order.payable_minor
    if not paid or order.tail_from_ms is None or now_ms < order.tail_from_ms:
        return order
    return replace(
        order,
        presale_stage="tail",
        payable_minor=order.tail_minor,
        quoted_minor=order.tail_minor,
        covered_minor=0,
        pay_by_ms=order.tail_pay_by_ms if order.tail_pay_by_ms is not None else now_ms + order.pay_window_ms,
    )


def reorder(facts: Facts) -> Facts | None:
    """The same goods ordered again now, at the price of now, if they can still be had."""
    order = facts.order
    over = order.state in ("closed", "expired") or (
        order.state == "awaiting_payment" and facts.now_ms >= order.pay_by_ms
    )
    if order.state == "awaiting_payment" and order.prior_plan is not None:
        over = True
    if not over or order.open_attempt is not None or not all(line.in_stock for line in facts.lines):
        return None
    fresh = replace(
        requoted(facts).order,
        state="awaiting_payment",
        pay_by_ms=facts.now_ms + order.pay_window_ms,
        prior_plan=None,
        covered_minor=0,
        covered_by="",
    )
    return replace(requoted(facts), order=fresh)
