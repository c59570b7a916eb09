"""Prepaying principal: costs go with it in proportion, and prepaying everything costs what settling costs."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenqi.credit.fold import FoldPolicy, fold, settlement
from fenqi.credit.loan_event import Prepayment, Repayment
from fenqi.credit.schedule import Method, Terms
from fenqi.kernel.refusal import Refusal

LENT_ON = date(2026, 3, 10)
FEES_DUE = FoldPolicy(early_settlement="fees_due")


def terms(principal_minor: int = 120_000, instalments: int = 12, fee_ppm: int = 6_000) -> Terms:
    rate = Decimal(fee_ppm) / 1_000_000
    return Terms(
        principal_minor=principal_minor,
        instalments=instalments,
        disbursed_on=LENT_ON,
        method=Method.EQUAL_PRINCIPAL,
        fee_rate_period=rate,
    )


def prepay(amount_minor: int, on: date, n: int = 1) -> Prepayment:
    return Prepayment(event_id=UUID(int=n), on=on, amount_minor=amount_minor)


def test_prepaid_principal_shortens_the_schedule_from_its_end() -> None:
    """¥1,200 in 12 × (¥100 + ¥7.20): ¥250 ahead takes instalments 12 and 11, half of 10, and their fees."""
    after = fold(terms(), [prepay(25_000, date(2026, 3, 20))], date(2026, 3, 20))
    assert [(row.n, row.outstanding.principal_minor, row.outstanding.fee_minor) for row in after.rows[7:]] == [
        (8, 10_000, 720),
        (9, 10_000, 720),
        (10, 5_000, 360),
        (11, 0, 0),
        (12, 0, 0),
    ]
    (effect,) = after.effects
    assert (effect.paid.principal_minor, effect.paid.fee_minor, effect.let_off.fee_minor) == (25_000, 0, 1_800)


def test_where_fees_are_due_they_are_paid_in_proportion() -> None:
    (effect,) = fold(terms(), [prepay(25_000, date(2026, 3, 20))], date(2026, 3, 20), FEES_DUE).effects
    assert (effect.paid.principal_minor, effect.paid.fee_minor, effect.let_off.fee_minor) == (25_000, 1_800, 0)


def test_the_begun_instalment_pays_its_fee_when_its_principal_goes() -> None:
    (effect,) = fold(terms(), [prepay(115_000, date(2026, 3, 20))], date(2026, 3, 20)).effects
    assert (effect.paid.principal_minor, effect.paid.fee_minor) == (115_000, 360)


@given(
    st.integers(1, 50_000_000),
    st.sampled_from([1, 3, 6, 12, 24]),
    st.integers(0, 12_000),
    st.integers(0, 700),
    st.sampled_from([FoldPolicy(), FEES_DUE]),
)
def test_prepaying_everything_costs_what_settling_costs(
    principal_minor: int, instalments: int, fee_ppm: int, day: int, policy: FoldPolicy
) -> None:
    agreed, on = terms(principal_minor, instalments, fee_ppm), date.fromordinal(LENT_ON.toordinal() + day)
    due = settlement(agreed, [], on, policy).due
    after = fold(agreed, [prepay(principal_minor, on)], on, policy)
    assert after.effects[0].paid == due
    assert after.closed


@given(st.integers(1, 5_000_000), st.sampled_from([1, 3, 6, 12]), st.integers(0, 12_000), st.data())
def test_a_part_costs_no_more_than_its_part_of_a_settlement(
    principal_minor: int, instalments: int, fee_ppm: int, data: st.DataObject
) -> None:
    """Within one period: principal P costs at most P ÷ outstanding of the settlement, rounded up to a fen."""
    agreed, on = terms(principal_minor, instalments, fee_ppm), date(2026, 3, 25)
    amount_minor = data.draw(st.integers(1, principal_minor))
    settle = settlement(agreed, [], on).due
    cost = fold(agreed, [prepay(amount_minor, on)], on).effects[0].paid.total_minor
    assert amount_minor <= cost <= -(-settle.total_minor * amount_minor // settle.principal_minor)


def test_no_more_than_the_principal_left_can_be_prepaid() -> None:
    paid = Repayment(event_id=UUID(int=1), on=date(2026, 3, 20), amount_minor=10_720)
    with pytest.raises(Refusal, match="PREPAYMENT_TOO_LARGE"):
        fold(terms(), [paid, prepay(110_001, date(2026, 3, 21), 2)], date(2026, 3, 21))
