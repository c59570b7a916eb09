"""Which limits an amount is drawn from, and what is said when they don't suffice."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace
from tests.cashier.plain import FURNITURE, GENERAL, NOW_MS, TEMPORARY, TODAY, limits, plain

from fenqi.cashier import Shortfall, draw, evaluate
from fenqi.cashier.facts import Facts, HoldFacts, LimitFacts

ALL = 839_900
SOFA = 240_000


def fixed(ceiling_minor: int, used_minor: int = 0, **more: int) -> LimitFacts:
    return LimitFacts(GENERAL, "fixed", ceiling_minor, used_minor, **more)


def temporary(ceiling_minor: int, expires_on: date = TODAY, installable: bool = True) -> LimitFacts:
    return LimitFacts(TEMPORARY, "temporary", ceiling_minor, expires_on=expires_on, installable=installable)


def dedicated(ceiling_minor: int, category: str = "furniture", scenes: tuple[str, ...] = ()) -> LimitFacts:
    return LimitFacts(FURNITURE, "dedicated", ceiling_minor, categories=(category,), scenes=scenes)


DRAWS: list[tuple[Facts, tuple[tuple[str, int], ...] | Shortfall]] = [
    (limits(fixed(ALL)), ((GENERAL, ALL),)),
    (limits(fixed(ALL - 1)), Shortfall(ALL - 1, 1)),
    (limits(), Shortfall(0, ALL)),
    # dedicated first, for the sofa only; then fixed; then temporary
    (
        limits(temporary(500_000), fixed(400_000), dedicated(900_000)),
        ((FURNITURE, SOFA), (GENERAL, 400_000), (TEMPORARY, ALL - SOFA - 400_000)),
    ),
    (limits(fixed(ALL), dedicated(100_000)), ((FURNITURE, 100_000), (GENERAL, ALL - 100_000))),
    (limits(fixed(ALL), dedicated(900_000, "education")), ((GENERAL, ALL),)),
    (limits(fixed(ALL), dedicated(900_000, scenes=("partner_store",))), ((GENERAL, ALL),)),
    (limits(fixed(0), dedicated(900_000)), Shortfall(SOFA, ALL - SOFA)),
    # a temporary limit serves through its last day
    (limits(fixed(0), temporary(ALL, date(2026, 9, 21))), ((TEMPORARY, ALL),)),
    (limits(fixed(0), temporary(ALL, date(2026, 9, 20))), Shortfall(0, ALL)),
    # used, held and frozen amounts are not there; an overdrawn limit gives nothing and takes nothing away
    (limits(fixed(ALL + 30, 10, held_minor=10, frozen_minor=10)), ((GENERAL, ALL),)),
    (limits(fixed(ALL + 30, 10, held_minor=10, frozen_minor=11)), Shortfall(ALL - 1, 1)),
    (limits(fixed(0, 500), temporary(ALL)), ((TEMPORARY, ALL),)),
]


@pytest.mark.parametrize(("facts", "expected"), DRAWS)
def test_draw(facts: Facts, expected: object) -> None:
    assert draw(facts, ALL, None) == expected


def test_the_narrower_of_two_dedicated_limits_goes_first() -> None:
    wide = LimitFacts("asset:loan_principal:dedicated:all", "dedicated", SOFA, categories=("digital", "furniture"))
    facts = limits(wide, dedicated(SOFA), fixed(ALL - 2 * SOFA))
    assert draw(facts, ALL, None) == ((FURNITURE, SOFA), (wide.path, SOFA), (GENERAL, ALL - 2 * SOFA))


def codes(facts: Facts, plan: str = "pay_later") -> list[str]:
    return [each.code for each in evaluate(facts, "credit", plan)]


EXPLAINED: list[tuple[Facts, list[str]]] = [
    (limits(fixed(ALL - 1)), ["LIMIT_INSUFFICIENT"]),
    (limits(fixed(ALL - 1), reduced_from_minor=ALL), ["LIMIT_INSUFFICIENT", "LIMIT_REDUCED"]),
    (limits(fixed(ALL - 2), reduced_from_minor=ALL - 1), ["LIMIT_INSUFFICIENT"]),
    (limits(fixed(ALL, 1), reduced_from_minor=2 * ALL), ["LIMIT_INSUFFICIENT", "LIMIT_REDUCED"]),
    (limits(fixed(ALL, frozen_minor=1)), ["LIMIT_INSUFFICIENT", "LIMIT_FROZEN"]),
    (limits(fixed(ALL, 1, frozen_minor=1)), ["LIMIT_INSUFFICIENT"]),
    (limits(fixed(0), temporary(ALL, date(2026, 9, 20))), ["LIMIT_INSUFFICIENT", "LIMIT_TEMPORARY_EXPIRED"]),
    (limits(fixed(0), dedicated(ALL, "education")), ["LIMIT_INSUFFICIENT", "LIMIT_SCENE_MISMATCH"]),
    (limits(fixed(500, 700)), ["LIMIT_INSUFFICIENT", "LIMIT_OVERDRAWN"]),
]


@pytest.mark.parametrize(("facts", "expected"), EXPLAINED)
def test_what_alone_makes_the_difference_is_told_beside_the_shortfall(facts: Facts, expected: list[str]) -> None:
    assert codes(facts) == expected


def test_the_shortfall_is_exact() -> None:
    (reason,) = evaluate(limits(fixed(839_800)), "credit", "instalment_12")
    assert reason.observed == {"available_minor": 839_800}
    assert reason.required == {"payable_minor": ALL, "shortfall_minor": 100}
    assert reason.plan == "instalment_12"


def test_a_temporary_limit_that_cannot_be_repaid_by_instalments() -> None:
    facts = limits(fixed(800_000), temporary(ALL, installable=False))
    assert codes(facts, "pay_later") == []
    assert codes(facts, "instalment_3") == ["LIMIT_TEMP_NOT_INSTALLABLE"]
    assert codes(limits(fixed(1), temporary(2, installable=False)), "instalment_3") == ["LIMIT_INSUFFICIENT"]


def test_held_amounts_are_told_with_the_instant_at_which_enough_is_released() -> None:
    holds = (
        HoldFacts(GENERAL, 50, "A1", NOW_MS + 1_000),
        HoldFacts(GENERAL, 60, "A2", NOW_MS + 2_000),
        HoldFacts(GENERAL, 70, "A3", NOW_MS + 3_000),
    )
    facts = limits(fixed(ALL + 80, held_minor=180), holds=holds)
    base, held = evaluate(facts, "credit", "pay_later")
    assert base.required["shortfall_minor"] == 100
    assert (held.code, held.scope.ids, held.observed) == ("LIMIT_HELD_BY_PENDING", ("A1", "A2"), {"held_minor": 110})
    assert held.until_ms == NOW_MS + 2_000


def test_the_sub_limit_for_instalments() -> None:
    facts = limits(fixed(ALL), instalment_ceiling_minor=ALL, instalment_used_minor=1)
    assert codes(facts, "pay_later") == []
    (reason,) = evaluate(facts, "credit", "instalment_3")
    assert reason.code == "INSTALLMENT_LIMIT_INSUFFICIENT"
    assert reason.observed == {"available_minor": ALL - 1}
    assert reason.required == {"payable_minor": ALL, "shortfall_minor": 1}


def test_a_part_paid_by_another_tender_need_not_fit() -> None:
    facts = limits(fixed(ALL - 500))
    assert codes(replace(facts, order=replace(plain().order, covered_minor=500))) == []
