"""What an order costs: discounts shared among its lines to the fen, and the checks that a sum makes sense. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from fenqi.kernel.money import MAX_AMOUNT_MINOR, share_minor
from fenqi.kernel.refusal import Refusal
from fenqi.order.model import QUANTITY_MAX, Coupon, Line, NewLine

Shares = dict[UUID, dict[UUID, int]]
"""`shares[coupon id][line id]` in fen; shares of nothing are left out."""


def share_coupons(lines: Sequence[NewLine], coupons: Sequence[Coupon]) -> Shares:
    """Share each coupon among the lines in proportion to what they cost before it, by largest remainder.

    Coupons apply one after another in their given order. Refuses a coupon that isn't above zero or would leave
    nothing to pay (COUPON_TOO_LARGE), and the same coupon twice (COUPON_TWICE).
    """
    left = [line.unit_price_minor * line.quantity for line in lines]
    shares: Shares = {}
    for coupon in coupons:
        if coupon.coupon_id in shares:
            raise Refusal("COUPON_TWICE", "the same coupon can't be used twice")
        if not 0 < coupon.amount_minor < sum(left):
            raise Refusal("COUPON_TOO_LARGE", "a coupon is above zero and leaves something to pay")
        parts = share_minor(coupon.amount_minor, left)
        left = [before - part for before, part in zip(left, parts, strict=True)]
        shares[coupon.coupon_id] = {line.line_id: part for line, part in zip(lines, parts, strict=True) if part > 0}
    return shares


def price_lines(lines: Sequence[NewLine], shares: Shares) -> tuple[Line, ...]:
    """The lines with their shares of all discounts, numbered in their order."""
    return tuple(
        Line(
            **{name: getattr(line, name) for name in NewLine.__struct_fields__},
            discount_minor=sum(by_line.get(line.line_id, 0) for by_line in shares.values()),
            position=position,
        )
        for position, line in enumerate(lines)
    )


def reprice(line: Line, **changes: object) -> Line:
    """A line with some of its fields changed and no discount; discounts are shared anew afterwards."""
    return msgspec.structs.replace(line, discount_minor=0, **changes)


def check_line(line: NewLine) -> None:
    """Refuses quantities outside 1 … 999 (QUANTITY_INVALID) and prices that make no sense (AMOUNT_INVALID)."""
    if not 1 <= line.quantity <= QUANTITY_MAX:
        raise Refusal("QUANTITY_INVALID", f"between 1 and {QUANTITY_MAX} pieces")
    free = line.unit_price_minor == 0 and line.is_gift
    if not free and not 0 < line.unit_price_minor <= MAX_AMOUNT_MINOR:
        raise Refusal("AMOUNT_INVALID", "a price is above zero, except a gift's")


def payable_minor(lines: Iterable[Line]) -> int:
    """What the lines cost together; refuses sums that can't be paid (AMOUNT_INVALID)."""
    total = sum(line.amount_minor for line in lines)
    if not 0 < total <= MAX_AMOUNT_MINOR:
        raise Refusal("AMOUNT_INVALID", f"an order costs between 1 and {MAX_AMOUNT_MINOR} fen")
    return total
