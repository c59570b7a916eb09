"""Routing: the cheapest sound way first, a spare when it can't serve, and each one passed over named with its why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fenqi.passage import (
    CredentialState,
    Health,
    Passage,
    PassageState,
    Routed,
    SealedCredential,
    Terms,
    Window,
    route,
)

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
SHOP, OTHER = UUID(int=77), UUID(int=78)
KEY = (SealedCredential(1, CredentialState.CURRENT, b"sealed", AT),)
DOWN = Health(True, AT, AT + timedelta(seconds=30), None, 1, 5)


def passage(number: int, cost_ppm: int = 6_000, state: PassageState = PassageState.ACTIVE, **changes: Any) -> Passage:
    fields = {
        name: changes.pop(name) for name in ("merchant_id", "windows", "credentials", "channel") if name in changes
    }
    return Passage(
        passage_id=UUID(int=number),
        code=f"p{number}",
        channel=fields.get("channel", "alipay"),
        merchant_id=fields.get("merchant_id"),
        state=state,
        terms=Terms("http://127.0.0.1:1/alipay", cost_ppm=cost_ppm, **changes),
        version=1,
        registered_at=AT,
        windows=fields.get("windows", ()),
        credentials=fields.get("credentials", KEY),
    )


def told(routed: Routed) -> tuple[str | None, list[str], list[tuple[str, str]]]:
    chosen = None if routed.chosen is None else routed.chosen.code
    return chosen, [each.code for each in routed.spares], [(each.code, each.why) for each in routed.passed_over]


def routed(*passages: Passage, health: dict[int, Health] | None = None, amount_minor: int = 10_000, **at: Any) -> Any:
    found = {UUID(int=number): each for number, each in (health or {}).items()}
    return told(route(passages, found, AT, at.get("scene", "mall"), amount_minor, at.get("merchant_id")))


def test_the_cheapest_goes_first_and_the_others_are_spares() -> None:
    assert routed(passage(1, 6_000), passage(2, 3_800), passage(3, 5_000)) == ("p2", ["p3", "p1"], [])
    assert routed(passage(1, 6_000), passage(2, 6_000, priority=50)) == ("p2", ["p1"], [])


def test_a_fixed_fee_counts_for_small_amounts() -> None:
    """¥100.00 at 0.6 % is 60 fen, at 0.2 % and 50 fen 70 fen; ¥1,000.00: 600 against 250."""
    ways = (passage(1, 6_000), passage(2, 2_000, fee_minor=50))
    assert routed(*ways)[0] == "p1"
    assert routed(*ways, amount_minor=100_000)[0] == "p2"


def test_a_spare_takes_over_and_the_better_ones_are_named_with_why() -> None:
    rest = Window(UUID(int=9), AT - timedelta(hours=1), AT + timedelta(hours=1), "planned")
    ways = (
        passage(1, 1_000, PassageState.BANNED),
        passage(2, 2_000, PassageState.SUSPENDED),
        passage(3, 3_000, windows=(rest,)),
        passage(4, 4_000),
        passage(5, 5_000),
        passage(6, 5_500, credentials=()),
        passage(7, 6_000),
        passage(8, 7_000),
    )
    limited = Health(limited_until_at=AT + timedelta(seconds=30))
    over = [
        ("p1", "banned"), ("p2", "suspended"), ("p3", "maintenance"), ("p4", "down"), ("p5", "rate_limited"),
        ("p6", "no_credential"),
    ]  # fmt: skip
    assert routed(*ways, health={4: DOWN, 5: limited}) == ("p7", ["p8"], over)


def test_none_left_says_why_for_each() -> None:
    ways = (passage(1, 1_000, PassageState.BANNED), passage(2), passage(3, state=PassageState.RETIRED))
    assert routed(*ways, health={2: DOWN}) == (None, [], [("p1", "banned"), ("p2", "down")])


def test_what_may_not_be_a_spare_does_not_take_over() -> None:
    ways = (passage(1, 1_000), passage(2, 2_000, may_be_spare=False), passage(3, 3_000))
    assert routed(*ways) == ("p1", ["p3"], [])
    assert routed(*ways, health={1: DOWN}) == ("p3", [], [("p1", "down"), ("p2", "not_a_spare")])
    assert routed(passage(2, may_be_spare=False)) == ("p2", [], [])


def test_amounts_and_scenes_are_bounds() -> None:
    ways = (passage(1, 1_000, max_minor=9_999), passage(2, 2_000, min_minor=10_001), passage(3, 3_000))
    assert routed(*ways) == ("p3", [], [("p1", "above_max"), ("p2", "below_min")])
    assert routed(passage(1, scenes=("scan_to_pay",))) == (None, [], [])
    assert routed(passage(1, scenes=("scan_to_pay",)), scene="scan_to_pay")[0] == "p1"


def test_a_merchants_own_account_goes_before_the_malls_and_serves_nobody_else() -> None:
    ways = (passage(1, 1_000), passage(2, 9_000, merchant_id=SHOP))
    assert routed(*ways, merchant_id=SHOP) == ("p2", ["p1"], [])
    assert routed(*ways, merchant_id=OTHER) == ("p1", [], [])
    assert routed(*ways) == ("p1", [], [])


def test_one_that_tries_to_come_back_serves_only_where_no_healthy_one_can() -> None:
    back = Health(True, AT - timedelta(seconds=40), AT - timedelta(seconds=10), None, 1, 5)
    assert routed(passage(1, 1_000), passage(2), health={1: back}) == ("p2", [], [("p1", "half_open")])
    assert routed(passage(1, 1_000), passage(2), health={1: back, 2: DOWN}) == ("p1", [], [])


def test_windows_that_follow_one_another_are_one_rest() -> None:
    hour = timedelta(hours=1)
    windows = tuple(
        Window(UUID(int=place), AT + hour * begin, AT + hour * end, "planned")
        for place, (begin, end) in enumerate(((-1, 1), (1, 3), (4, 5)))
    )
    found = route([passage(1, windows=windows)], {}, AT, "mall", 1_000)
    assert found.passed_over[0].until_at == AT + hour * 3
    later = route([passage(1, windows=windows)], {}, AT + hour * 3, "mall", 1_000)
    assert later.chosen is not None
