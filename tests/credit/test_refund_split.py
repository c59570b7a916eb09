"""How a refund is split among tenders, worked out by hand, and the laws of any split."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenqi.credit.product import RefundRules
from fenqi.credit.refund_split import Tender, TenderParts, share_within, split_refund

ORDERS = ("proportional", "credit_first", "channel_first")


@pytest.mark.parametrize(
    ("order", "refunds"),
    [
        # ¥600 of credit, ¥300 at a channel, ¥100 of money: 60, 30 and 10 per cent, what is over to those behind.
        ("proportional", [(33_333, 19_999, 10_000, 3_334), (33_333, 20_000, 10_000, 3_333)]),
        ("credit_first", [(50_000, 50_000, 0, 0), (25_000, 10_000, 15_000, 0), (25_000, 0, 15_000, 10_000)]),
        ("channel_first", [(50_000, 20_000, 30_000, 0), (45_000, 40_000, 0, 5_000), (5_000, 0, 0, 5_000)]),
    ],
)  # fmt: skip
def test_three_tenders_in_each_order(order: str, refunds: list[tuple[int, int, int, int]]) -> None:
    credit, channel, money = Tender(60_000), Tender(30_000), Tender(10_000)
    for amount, to_credit, to_channel, to_money in refunds:
        found = split_refund(amount, credit, [channel], money, RefundRules(order))
        assert found == TenderParts(to_credit, (to_channel,), to_money)
        credit = Tender(60_000, credit.back_minor + to_credit)
        channel = Tender(30_000, channel.back_minor + to_channel)
        money = Tender(10_000, money.back_minor + to_money)


def test_channels_follow_one_another() -> None:
    channels = [Tender(3_000, 1_000), Tender(5_000)]
    found = split_refund(4_000, Tender(10_000), channels, Tender(0), RefundRules("channel_first"))
    assert found == TenderParts(0, (2_000, 2_000), 0)


tenders = st.lists(st.integers(0, 2_000), min_size=3, max_size=4).filter(any)


@settings(max_examples=300)
@given(paid=tenders, chance=st.integers(0, 1 << 32).map(Random))
def test_no_tender_gets_more_than_it_paid_and_parts_add_up(paid: list[int], chance: Random) -> None:
    """Also when the rules change between two refunds."""
    back = [0] * len(paid)
    while sum(back) < sum(paid):
        amount = chance.randint(1, min(700, sum(paid) - sum(back)))
        order = chance.choice(ORDERS)
        now = [Tender(*pair) for pair in zip(paid, back, strict=True)]
        parts = split_refund(amount, now[0], now[1:-1], now[-1], RefundRules(order))
        each = [parts.credit_minor, *parts.channels_minor, parts.money_minor]
        assert sum(each) == amount and min(each) >= 0
        back = [had + part for had, part in zip(back, each, strict=True)]
        assert all(had <= most for had, most in zip(back, paid, strict=True))
    assert back == paid


@settings(max_examples=300)
@given(paid=tenders, chance=st.integers(0, 1 << 32).map(Random))
def test_in_proportion_to_the_fen_however_often(paid: list[int], chance: Random) -> None:
    """After any refunds each tender has back its proportion, within a fen for each tender before it."""
    back = [0] * len(paid)
    while sum(back) < sum(paid):
        amount = chance.randint(1, min(700, sum(paid) - sum(back)))
        now = [Tender(*pair) for pair in zip(paid, back, strict=True)]
        parts = split_refund(amount, now[0], now[1:-1], now[-1], RefundRules())
        each = [parts.credit_minor, *parts.channels_minor, parts.money_minor]
        back = [had + part for had, part in zip(back, each, strict=True)]
        for place, (had, most) in enumerate(zip(back, paid, strict=True)):
            assert abs(had * sum(paid) - most * sum(back)) <= (place + 1) * sum(paid)


@settings(max_examples=200)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=4), part=st.integers(0, 100)
)
def test_shares_within_their_rooms(pairs: list[tuple[int, int]], part: int) -> None:
    weights, rooms = [one for one, _ in pairs], [room for _, room in pairs]
    amount = sum(rooms) * part // 100
    found = share_within(amount, weights, rooms)
    assert sum(found) == amount
    assert all(0 <= one <= room for one, room in zip(found, rooms, strict=True))


def test_what_has_no_room_goes_to_the_others() -> None:
    assert share_within(100, [1, 0], [30, 90]) == [30, 70]
    assert share_within(0, [0, 0], [0, 0]) == [0, 0]
