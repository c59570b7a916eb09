"""What was at stake and what explaining is worth: sums that can be checked by hand."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from fenqi import insight
from fenqi.insight import Checkout, Experiment, Judged, Look, Outcome, Step

AT = datetime(2026, 8, 24, 4, 0, tzinfo=UTC)
BUYER, INTENT, ORDER, SHOP, OTHER = (UUID(int=each) for each in range(1, 6))


def judged(method: str = "credit", *codes: str, way: insight.Way = "instalments", **more: tuple[str, ...]) -> Judged:
    return Judged(method, way, codes, **more)


def step(kind: str, to: UUID | None = None) -> Step:
    return Step(0, BUYER, UUID(int=9), INTENT, kind, "credit", "instalment_12", "instalments", ("repay",), to, AT)


def checkout(*looks: Look, steps: tuple[Step, ...] = (), paid_by=frozenset(), is_over: bool = True) -> Checkout:
    return Checkout(0, BUYER, INTENT, ORDER, 500_000, "mall", "phone", SHOP, looks, steps, frozenset(paid_by), is_over)


REFUSED = judged("credit", "LIMIT_INSUFFICIENT", "OVERDUE_CURRENT", rules=("r1",), remedies=("repay", "pay_part_by"))


@pytest.mark.parametrize(
    ("looks", "paid_by", "is_over", "outcome"),
    [
        ((Look(AT, (REFUSED,)),), (), False, Outcome.OPEN),
        ((Look(AT, (REFUSED,)),), (), True, Outcome.LOST),
        ((Look(AT, (REFUSED,)), Look(AT, (judged(),))), (), True, Outcome.LEFT),
        ((Look(AT, (REFUSED,)),), (("credit", "instalments"),), True, Outcome.RECOVERED),
        ((Look(AT, (REFUSED,)),), (("credit", "one_sum"),), True, Outcome.DIVERTED),
        ((Look(AT, (REFUSED,)),), (("alipay", "one_sum"),), True, Outcome.DIVERTED),
    ],
)
def test_what_became_of_a_refusal(looks, paid_by, is_over, outcome) -> None:
    [row] = insight.weigh(checkout(*looks, paid_by=paid_by, is_over=is_over), "none")
    assert row.outcome is outcome
    assert (row.amount_minor, row.day_on, row.codes) == (
        500_000,
        date(2026, 8, 24),
        ("LIMIT_INSUFFICIENT", "OVERDUE_CURRENT"),
    )


def test_the_last_refusal_speaks_and_a_method_never_refused_is_not_at_stake() -> None:
    looks = (
        Look(AT, (REFUSED, judged("money_account", way="one_sum"))),
        Look(AT + timedelta(minutes=1), (judged("credit", "LIMIT_INSUFFICIENT", remedies=("settle_loan",)),)),
    )
    [row] = insight.weigh(checkout(*looks, steps=(step("remedy_taken"), step("remedy_done"))), "explained")
    assert row.codes == ("LIMIT_INSUFFICIENT",)
    assert (row.shown, row.taken, row.is_wanted, row.arm) == (
        ("repay", "pay_part_by", "settle_loan"),
        ("repay",),
        True,
        "explained",
    )


def test_wanted_is_who_pressed_or_asked_and_not_who_only_saw_the_list() -> None:
    seen, pressed = checkout(Look(AT, (REFUSED,))), checkout(Look(AT, (REFUSED,), is_press=True))
    asked = checkout(Look(AT, (REFUSED,)), steps=(step("wanted"),))
    assert [insight.weigh(each, "none")[0].is_wanted for each in (seen, pressed, asked)] == [False, True, True]


def test_the_plan_with_the_fewest_reasons_speaks_for_its_way() -> None:
    found = insight.nearest([judged("credit", "A", "B"), judged("credit", "B"), judged("credit", "C", way="one_sum")])
    assert [(each.way, each.codes) for each in found] == [("instalments", ("B",)), ("one_sum", ("C",))]


def test_a_cut_adds_up_by_hand() -> None:
    """Three checkouts of ¥5,000: lost with two reasons, lost with one, recovered; so lost is ¥10,000 in all, and curing
    the limit alone would have saved ¥5,000."""
    lost = insight.weigh(checkout(Look(AT, (REFUSED,))), "none")
    sole = insight.weigh(checkout(Look(AT, (judged("credit", "LIMIT_INSUFFICIENT"),))), "none")
    back = insight.weigh(
        checkout(Look(AT + timedelta(days=14), (REFUSED,)), paid_by={("credit", "instalments")}), "none"
    )
    found = insight.cut([*lost, *sole, *back], "reason")
    first, second = found.lines
    assert (first.name, first.count, first.lost_minor, first.sole_lost_minor) == (
        "LIMIT_INSUFFICIENT",
        3,
        1_000_000,
        500_000,
    )
    assert (first.recovered_minor, first.recovered_ppm) == (500_000, 333_333)
    assert (second.name, second.lost_minor, second.sole_lost_minor) == ("OVERDUE_CURRENT", 500_000, 0)
    assert [(week.isoformat(), line.count) for week, line in found.weeks] == [
        ("2026-08-24", 2),
        ("2026-08-31", 0),
        ("2026-09-07", 1),
    ]
    assert insight.cut([*lost, *back], "rule").lines[0].name == "r1"


EXPERIMENT = Experiment("reasons", 200_000, AT, AT + timedelta(days=90), "staff:ann", "what it is worth", AT)


def test_an_arm_is_for_good_as_large_as_declared_and_over_at_the_end() -> None:
    buyers = [UUID(int=each << 64) for each in range(20_000)]
    arms = [insight.arm_of(EXPERIMENT, buyer, AT) for buyer in buyers]
    assert arms == [insight.arm_of(EXPERIMENT, buyer, AT + timedelta(days=89)) for buyer in buyers]
    assert abs(arms.count("bare") - 4_000) < 4 * math.sqrt(20_000 * 0.2 * 0.8)
    assert {insight.arm_of(EXPERIMENT, buyer, EXPERIMENT.until_at) for buyer in buyers[:9]} == {"none"}
    assert insight.arm_of(None, BUYER, AT) == "none"


def test_a_share_by_hand_with_its_spread_over_buyers() -> None:
    """Buyer 1: 2 of 2 paid; buyer 2: 0 of 1; buyer 3: 1 of 1. Rate 3/4; deviations 0.5, -0.75, 0.25: their squares sum
    to 0.875; variance 0.875/2 × 3/16 = 0.08203125."""
    a, b, c = (UUID(int=each) for each in (1, 2, 3))
    found = insight.share_of([(a, 100, True), (a, 300, True), (b, 50, False), (c, 70, True)])
    assert (found.buyers, found.checkouts, found.paid, found.asked_minor, found.paid_minor) == (3, 4, 3, 520, 470)
    assert found.rate == 0.75
    assert found.variance == pytest.approx(0.08203125)


def test_with_one_checkout_a_buyer_it_is_the_known_test_of_two_proportions() -> None:
    """120 of 300 against 30 of 200: difference 0.25, z of the unpooled test 6.617 with n − 1 in the variance, by hand
    sqrt(0.24/299 + 0.1275/199) = 0.037998."""
    one = insight.share_of([(UUID(int=each), 1, each < 120) for each in range(300)])
    two = insight.share_of([(UUID(int=each), 1, each < 30) for each in range(200)])
    found = insight.compare(one, two)
    assert found is not None
    assert found.rate == pytest.approx(0.25)
    error = math.sqrt(0.24 / 299 + 0.1275 / 199)
    assert (found.low, found.high) == pytest.approx((0.25 - 1.959964 * error, 0.25 + 1.959964 * error), abs=1e-6)
    assert found.p_value < 1e-9 and found.is_significant
    assert found.detectable == pytest.approx(2.801585 * error, abs=1e-6)


def test_nothing_is_said_of_arms_without_spread() -> None:
    alone = insight.share_of([(BUYER, 1, True)])
    many = insight.share_of([(UUID(int=each), 1, True) for each in range(9)])
    assert insight.compare(alone, many) is None
    assert insight.compare(many, many) is None
    assert insight.share_of([]).rate == 0.0
