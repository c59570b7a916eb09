"""A loan folded from its events, in tables: repayments, early settlement, refunds, cancellations, overdue days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from fenqi.credit.fold import DEFAULT_POLICY, FoldPolicy, LoanState, changes, fold, settlement
from fenqi.credit.loan_event import (
    Cancellation,
    Drawdown,
    LoanEvent,
    Penalty,
    Refund,
    Repayment,
    Waiver,
    in_order,
)
from fenqi.credit.schedule import Method, Terms
from fenqi.credit.standing import Parts
from fenqi.kernel.refusal import Refusal

# ¥1,200 in 3 instalments of ¥400 and ¥7.20 fee, due on the 15th of May, June and July
TERMS = Terms(
    principal_minor=120_000,
    instalments=3,
    disbursed_on=date(2026, 4, 15),
    method=Method.EQUAL_PRINCIPAL,
    fee_rate_period=Decimal("0.006"),
)
MAY, JUNE, JULY = date(2026, 5, 15), date(2026, 6, 15), date(2026, 7, 15)
FEES_DUE = FoldPolicy(early_settlement="fees_due")


def repaid(n: int, on: date, amount_minor: int, settles: bool = False) -> Repayment:
    return Repayment(event_id=UUID(int=n), on=on, amount_minor=amount_minor, settles=settles)


def refunded(n: int, on: date, amount_minor: int) -> Refund:
    return Refund(event_id=UUID(int=n), on=on, amount_minor=amount_minor)


def cancelled(n: int, on: date, amount_minor: int | None = None) -> Cancellation:
    return Cancellation(event_id=UUID(int=n), on=on, amount_minor=amount_minor)


def penalised(n: int, on: date, row: int, amount_minor: int) -> Penalty:
    return Penalty(event_id=UUID(int=n), on=on, n=row, amount_minor=amount_minor)


def left(state: LoanState) -> list[tuple[int, int]]:
    """Principal and fee still to be paid, by instalment."""
    return [(row.outstanding.principal_minor, row.outstanding.fee_minor) for row in state.rows]


def test_untouched() -> None:
    state = fold(TERMS, [], date(2026, 4, 15))
    assert left(state) == [(40_000, 720)] * 3
    assert state.outstanding == Parts(0, 2_160, 0, 120_000)
    assert (state.next_due_on, state.next_due_minor, state.days_past_due) == (MAY, 40_720, 0)
    assert not state.closed


def test_days_past_due_come_from_the_due_date() -> None:
    on_the_day = fold(TERMS, [], MAY)
    assert (on_the_day.overdue_minor, on_the_day.days_past_due, on_the_day.due_today_minor) == (0, 0, 40_720)
    later = fold(TERMS, [], date(2026, 6, 20))
    assert (later.overdue_minor, later.days_past_due, later.next_due_on) == (81_440, 36, JULY)
    assert fold(TERMS, [repaid(1, date(2026, 6, 20), 40_720)], date(2026, 6, 20)).days_past_due == 5


def test_a_part_payment_covers_fee_before_principal_and_the_oldest_first() -> None:
    state = fold(TERMS, [repaid(1, MAY, 50_000)], MAY)
    assert left(state) == [(0, 0), (31_440, 0), (40_000, 720)]
    assert state.effects[0].paid == Parts(0, 1_440, 0, 48_560)


def test_the_order_of_allocation_is_policy() -> None:
    events: list[LoanEvent] = [penalised(1, date(2026, 5, 20), 1, 300), repaid(2, date(2026, 5, 20), 500)]
    assert fold(TERMS, events, JUNE).effects[1].paid == Parts(300, 200, 0, 0)
    principal_first = FoldPolicy(allocation=("principal", "interest", "fee", "penalty"))
    assert fold(TERMS, events, JUNE, principal_first).effects[1].paid == Parts(0, 0, 0, 500)


def test_repaying_everything_early_without_settling_pays_every_fee() -> None:
    state = fold(TERMS, [repaid(1, MAY, 122_160)], MAY)
    assert state.closed
    assert state.effects[0].paid == Parts(0, 2_160, 0, 120_000)


@pytest.mark.parametrize(
    ("on", "policy", "due", "let_off"),
    [
        (date(2026, 4, 15), DEFAULT_POLICY, Parts(0, 0, 0, 120_000), Parts(0, 2_160, 0, 0)),  # on the day of the loan
        (date(2026, 4, 16), DEFAULT_POLICY, Parts(0, 720, 0, 120_000), Parts(0, 1_440, 0, 0)),
        (MAY, DEFAULT_POLICY, Parts(0, 720, 0, 120_000), Parts(0, 1_440, 0, 0)),
        (date(2026, 5, 16), DEFAULT_POLICY, Parts(0, 1_440, 0, 120_000), Parts(0, 720, 0, 0)),
        (date(2026, 4, 16), FEES_DUE, Parts(0, 2_160, 0, 120_000), Parts()),
    ],
)
def test_early_settlement(on: date, policy: FoldPolicy, due: Parts, let_off: Parts) -> None:
    asked = settlement(TERMS, [], on, policy)
    assert (asked.due, asked.let_off) == (due, let_off)
    state = fold(TERMS, [repaid(1, on, due.total_minor, settles=True)], on, policy)
    assert state.closed
    assert (state.effects[0].paid, state.effects[0].let_off) == (due, let_off)
    assert state.returned_minor == 0


def test_a_settlement_that_is_too_small_is_an_ordinary_repayment() -> None:
    state = fold(TERMS, [repaid(1, MAY, 120_719, settles=True)], MAY)
    assert not state.closed
    assert state.effects[0].let_off == Parts()
    assert state.outstanding.total_minor == 122_160 - 120_719


def test_an_overpayment_goes_back() -> None:
    state = fold(TERMS, [repaid(1, MAY, 130_000)], MAY)
    assert (state.closed, state.returned_minor) == (True, 130_000 - 122_160)


def test_a_refund_takes_principal_from_the_last_instalment_backwards_with_its_fee() -> None:
    state = fold(TERMS, [refunded(1, date(2026, 4, 20), 50_000)], date(2026, 4, 20))
    assert left(state) == [(40_000, 720), (30_000, 540), (0, 0)]  # ¥100 of the second: a quarter of its fee
    assert state.effects[0].let_off == Parts(0, 900, 0, 50_000)
    assert state.returned_minor == 0


def test_a_refund_after_an_instalment_was_paid_keeps_its_fee_and_returns_what_is_over() -> None:
    events: list[LoanEvent] = [repaid(1, MAY, 40_720), refunded(2, date(2026, 5, 20), 120_000)]
    state = fold(TERMS, events, date(2026, 5, 20))
    assert state.closed
    assert state.returned_minor == 40_000
    assert state.rows[0].paid == Parts(0, 720, 0, 40_000)
    assert state.effects[1].let_off == Parts(0, 1_440, 0, 80_000)


def test_a_refund_of_a_repaid_loan_goes_back_whole() -> None:
    events: list[LoanEvent] = [repaid(1, MAY, 122_160), refunded(2, JUNE, 30_000)]
    assert fold(TERMS, events, JUNE).returned_minor == 30_000


def test_a_whole_cancellation_is_as_if_the_loan_had_never_been() -> None:
    state = fold(TERMS, [repaid(1, date(2026, 4, 20), 40_720), cancelled(2, date(2026, 4, 21))], date(2026, 4, 21))
    assert state.closed
    assert state.returned_minor == 40_720
    assert state.effects[1].paid == Parts(0, -720, 0, -40_000)
    assert sum(row.let_off.total_minor for row in state.rows) == 122_160


def test_a_cancellation_in_part_is_a_refund_before_delivery() -> None:
    day = date(2026, 4, 21)
    assert left(fold(TERMS, [cancelled(1, day, 40_000)], day)) == left(fold(TERMS, [refunded(1, day, 40_000)], day))


def test_a_waiver_lets_off_the_oldest_or_the_named_instalment() -> None:
    oldest = Waiver(event_id=UUID(int=1), on=MAY, part="fee", amount_minor=1_000)
    assert [fee for _, fee in left(fold(TERMS, [oldest], MAY))] == [0, 440, 720]
    named = Waiver(event_id=UUID(int=1), on=MAY, part="fee", amount_minor=1_000, n=3)
    assert [fee for _, fee in left(fold(TERMS, [named], MAY))] == [720, 720, 0]


def test_interest_of_begun_periods_stays_when_the_goods_come_back() -> None:
    terms = msgspec.structs.replace(TERMS, fee_rate_period=Decimal(0), rate_annual=Decimal("0.12"), grace_principal=1)
    state = fold(terms, [refunded(1, date(2026, 5, 1), 120_000)], date(2026, 5, 1))
    assert state.outstanding == Parts(0, 0, 1_200, 0)  # the first month's interest is owed, the others are not


def test_later_events_do_not_count_yet() -> None:
    events = [repaid(1, JUNE, 40_720)]
    assert fold(TERMS, events, MAY) == fold(TERMS, [], MAY)


def test_back_dating_is_inserting_and_folding_again() -> None:
    """A refund of May that is learnt of in July frees the money that had paid the last instalment."""
    known: list[LoanEvent] = [repaid(1, MAY, 40_720), repaid(2, JUNE, 40_720), repaid(3, JULY, 40_720)]
    before = fold(TERMS, known, JULY)
    after = fold(TERMS, [*known, refunded(4, date(2026, 5, 20), 40_000)], JULY)
    assert before.closed and after.closed
    assert [
        (change.event_id.int, change.paid, change.let_off, change.returned_minor) for change in changes(before, after)
    ] == [
        (3, Parts(0, -720, 0, -40_000), Parts(), 40_720),
        (4, Parts(), Parts(0, 720, 0, 40_000), 0),
    ]
    assert changes(after, after) == ()


def test_events_are_folded_by_date_then_by_id_and_once() -> None:
    drawn = Drawdown(event_id=UUID(int=9), on=date(2026, 4, 15), amount_minor=120_000)
    first, second = repaid(1, date(2026, 4, 15), 5), repaid(2, date(2026, 4, 15), 6)
    assert in_order([second, first, drawn, second]) == [drawn, first, second]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (Drawdown(event_id=UUID(int=1), on=date(2026, 4, 15), amount_minor=1), "DRAWDOWN_DIFFERS"),
        (Drawdown(event_id=UUID(int=1), on=MAY, amount_minor=120_000), "DRAWDOWN_DIFFERS"),
        (repaid(1, date(2026, 4, 14), 1), "EVENT_TOO_EARLY"),
        (repaid(1, MAY, 0), "AMOUNT_INVALID"),
        (refunded(1, MAY, -1), "AMOUNT_INVALID"),
        (penalised(1, MAY, 4, 1), "INSTALMENT_UNKNOWN"),
    ],
)
def test_impossible_events_are_refused(event: Any, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        fold(TERMS, [event], JULY)
    assert refusal.value.code == code


def test_events_are_data() -> None:
    text = msgspec.json.encode(repaid(1, MAY, 5))
    assert msgspec.json.decode(text, type=LoanEvent) == repaid(1, MAY, 5)
    assert b'"kind":"repayment"' in text
