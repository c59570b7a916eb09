"""Discounts over lines, as laws: no fen is lost, no line goes below nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fenqi.kernel.ids import new_id
from fenqi.order import Coupon, NewLine
from fenqi.order.amount import payable_minor, price_lines, share_coupons


def _line(price, quantity):
    return NewLine(new_id(), new_id(), new_id(), "phone", "手机", "Phone", quantity, price, price == 0)


LINES = st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 9)), min_size=1, max_size=8)


@settings(max_examples=300)
@given(LINES, st.lists(st.integers(1, 10**8), max_size=3))
def test_coupons_take_exactly_their_amount(goods, amounts):
    lines = [_line(*one) for one in goods]
    whole = sum(x.unit_price_minor * x.quantity for x in lines)
    left, coupons = whole, []
    for amount in amounts:
        if 0 < amount < left:
            coupons.append(Coupon(new_id(), amount))
            left -= amount
    priced = price_lines(lines, share_coupons(lines, coupons))
    assert all(0 <= x.discount_minor <= x.unit_price_minor * x.quantity for x in priced)
    assert sum(x.discount_minor for x in priced) == sum(c.amount_minor for c in coupons)
    if left:
        assert payable_minor(priced) == left
