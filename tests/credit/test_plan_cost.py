"""Retail plans: the fee in exact cents, the annual cost of the flat monthly fee, and agreement with the engine."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenqi.credit.plan_cost import nominal_annual_cost_ppm, plan_cost
from fenqi.credit.schedule import Method, Terms, build
from fenqi.kernel.refusal import Refusal


@pytest.mark.parametrize(
    ("instalments", "percents"),
    [  # flat monthly fee of 0.5, 0.6, 0.8, 1.0, 1.1 and 1.2 % → nominal annual cost in percent
        (3, [9.0, 10.8, 14.3, 17.9, 19.7, 21.5]),
        (6, [10.2, 12.2, 16.3, 20.3, 22.3, 24.3]),
        (12, [10.9, 13.0, 17.3, 21.5, 23.5, 25.6]),
        (24, [11.1, 13.3, 17.5, 21.6, 23.6, 25.6]),
    ],
)
def test_annual_cost_of_a_flat_monthly_fee(instalments: int, percents: list[float]) -> None:
    fees = [5000, 6000, 8000, 10000, 11000, 12000]
    assert [round(nominal_annual_cost_ppm(instalments, fee) / 10_000, 1) for fee in fees] == percents


def test_twelve_instalments_of_a_phone() -> None:
    cost = plan_cost(599_900, 12, 6_000)
    assert cost.total_fee_minor == 43_193  # 5999 · 0.6 % · 12 = 431.928
    assert cost.rows[0] == (49_992, 3_599)
    assert cost.rows[-1] == (49_988, 3_604)
    assert cost.per_instalment_minor == 53_591
    assert cost.total_minor == 643_093
    assert cost.annual_cost_ppm == 130_342


def test_interest_free_is_paid_by_the_merchant() -> None:
    cost = plan_cost(599_900, 12, 6_000, subsidised=True)
    assert (cost.total_fee_minor, cost.subsidy_minor, cost.annual_cost_ppm) == (0, 43_193, 0)
    assert cost.total_minor == 599_900


def test_pay_later_is_one_instalment_without_cost() -> None:
    cost = plan_cost(12_345, 1)
    assert (cost.rows, cost.annual_cost_ppm, cost.subsidy_minor) == (((12_345, 0),), 0, 0)


@pytest.mark.parametrize(("amount_minor", "instalments", "fee_ppm"), [(0, 3, 0), (-1, 3, 0), (1, 0, 0), (1, 1, -1)])
def test_impossible_plans_are_refused(amount_minor: int, instalments: int, fee_ppm: int) -> None:
    with pytest.raises(Refusal, match="PLAN_INVALID"):
        plan_cost(amount_minor, instalments, fee_ppm)


@given(st.integers(1, 10**9), st.integers(1, 60), st.integers(0, 30_000))
def test_it_is_what_the_engine_computes(amount_minor: int, instalments: int, fee_ppm: int) -> None:
    terms = Terms(
        principal_minor=amount_minor,
        instalments=instalments,
        disbursed_on=date(2026, 1, 31),
        method=Method.EQUAL_PRINCIPAL,
        fee_rate_period=Decimal(fee_ppm) / 1_000_000,
    )
    made, cost = build(terms), plan_cost(amount_minor, instalments, fee_ppm)
    assert [(row.principal_minor, row.fee_minor) for row in made.rows] == list(cost.rows)
    assert made.totals.due_minor == cost.total_minor
