"""Laws of schedules and loans over random terms and histories: nothing is lost, nothing goes below zero."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fenqi.credit.fold import FoldPolicy, LoanState, changes, fold, settlement
from fenqi.credit.loan_event import Cancellation, LoanEvent, Penalty, Refund, Repayment, Waiver
from fenqi.credit.schedule import DayCount, InterestPeriod, Method, Terms, Unit, YearSplit, build
from fenqi.credit.standing import PARTS, Parts
from fenqi.kernel.money import Rounding

LENT_ON = date(2023, 1, 31)

rates = st.decimals(0, 3, places=6)
terms_strategy = st.builds(
    Terms,
    principal_minor=st.integers(1, 10**9),
    instalments=st.integers(1, 60),
    disbursed_on=st.dates(date(2019, 1, 1), date(2029, 1, 1)),
    decimals=st.sampled_from([0, 2, 3]),
    rate_annual=rates,
    rate_whole_term=st.none(),
    fee_rate_period=st.decimals(0, Decimal("0.02"), places=6),
    every=st.integers(1, 6),
    unit=st.sampled_from(Unit),
    day_count=st.sampled_from(DayCount),
    year_split=st.sampled_from(YearSplit),
    feb29_rule=st.booleans(),
    interest_period=st.sampled_from(InterestPeriod),
    method=st.sampled_from(Method),
    rounding=st.sampled_from([Rounding.HALF_EVEN, Rounding.HALF_UP]),
    multiple_minor=st.sampled_from([0, 0, 1, 100, 10_000]),
    down_payment_rate=st.sampled_from([Decimal(0), Decimal("0.1"), Decimal("0.25")]),
    grace_principal=st.integers(0, 3),
    grace_interest=st.integers(0, 3),
    interest_free=st.integers(0, 3),
)


def possible(terms: Terms) -> bool:
    return max(terms.grace_principal, terms.grace_interest) < terms.instalments >= terms.interest_free


@given(terms_strategy)
@settings(deadline=None)
def test_a_plan_repays_its_principal_and_never_less_than_nothing(terms: Terms) -> None:
    assume(possible(terms))
    plan = build(terms)
    assert plan.totals.principal_minor == terms.principal_minor
    assert plan.rows[-1].balance_minor == 0
    balance = terms.principal_minor
    for n, row in enumerate(plan.rows, 1):
        balance -= row.principal_minor
        assert (row.n, row.balance_minor) == (n, balance)
        assert min(row.principal_minor, row.interest_minor, row.fee_minor, row.balance_minor) >= 0
    assert plan.totals.due_minor == sum(row.due_minor for row in plan.rows)
    dates = [row.due_on for row in plan.rows if row.days]
    assert dates == sorted(set(dates))
    assert len(dates) == terms.instalments
    assert plan.annual_cost >= 0


@given(terms_strategy)
@settings(deadline=None)
def test_instalments_are_equal_but_for_the_last_and_the_last_is_near(terms: Terms) -> None:
    terms = msgspec.structs.replace(
        terms,
        method=Method.EQUAL_INSTALMENT,
        rate_annual=terms.rate_annual / 10,
        every=1,
        fee_rate_period=Decimal(0),
        multiple_minor=0,
        grace_principal=0,
        grace_interest=0,
        interest_free=0,
        down_payment_rate=Decimal(0),
        decimals=2,
    )
    assume(terms.principal_minor >= 1000 * terms.instalments)
    dues = [row.due_minor for row in build(terms).rows]
    assert len(set(dues[:-1])) <= 1
    # half a cent a period from the instalment and half from the interest, grown at 30 % a year for five years at most
    assert abs(dues[-1] - dues[0]) <= 3 * terms.instalments


@given(terms_strategy)
@settings(deadline=None)
def test_a_plan_without_rate_costs_nothing(terms: Terms) -> None:
    assume(possible(terms))
    plan = build(msgspec.structs.replace(terms, rate_annual=Decimal(0), fee_rate_period=Decimal(0)))
    assert plan.totals.interest_minor == plan.totals.fee_minor == plan.annual_cost == 0


loan_terms = st.builds(
    Terms,
    principal_minor=st.integers(1, 10**7),
    instalments=st.integers(1, 24),
    disbursed_on=st.just(LENT_ON),
    rate_annual=st.sampled_from([Decimal(0), Decimal("0.12")]),
    fee_rate_period=st.sampled_from([Decimal(0), Decimal("0.006")]),
    method=st.sampled_from([Method.EQUAL_PRINCIPAL, Method.EQUAL_INSTALMENT]),
)
policies = st.builds(
    FoldPolicy,
    allocation=st.permutations(PARTS).map(tuple),
    early_settlement=st.sampled_from(["fees_waived", "fees_due"]),
)


@st.composite
def histories(draw: st.DrawFn, terms: Terms) -> list[LoanEvent]:
    events: list[LoanEvent] = []
    for number in range(draw(st.integers(0, 8))):
        event_id = UUID(int=number + 1)
        on = LENT_ON + timedelta(days=draw(st.integers(0, 31 * (terms.instalments + 2))))
        amount_minor = draw(st.integers(1, max(1, terms.principal_minor)))
        kind = draw(st.sampled_from(["repay", "repay", "repay", "settle", "refund", "cancel", "undo", "waive", "fine"]))
        if kind in ("repay", "settle"):
            more = amount_minor * 2 if kind == "settle" else amount_minor
            events.append(Repayment(event_id=event_id, on=on, amount_minor=more, settles=kind == "settle"))
        elif kind == "refund":
            events.append(Refund(event_id=event_id, on=on, amount_minor=amount_minor))
        elif kind in ("cancel", "undo"):
            part = amount_minor if kind == "cancel" else None
            events.append(Cancellation(event_id=event_id, on=on, amount_minor=part))
        elif kind == "waive":
            events.append(Waiver(event_id=event_id, on=on, part="fee", amount_minor=amount_minor))
        else:
            n = draw(st.integers(1, terms.instalments))
            events.append(Penalty(event_id=event_id, on=on, n=n, amount_minor=min(amount_minor, 5_000)))
    return events


def plus(values: list[Parts]) -> dict[str, int]:
    return {name: sum(getattr(value, name) for value in values) for name in Parts.__struct_fields__}


def check(terms: Terms, events: list[LoanEvent], state: LoanState) -> None:
    """Everything owed is paid, let off or outstanding, and every event's money is accounted for."""
    for row in state.rows:
        for name in Parts.__struct_fields__:
            owed, paid, let_off, rest = (
                getattr(part, name) for part in (row.owed, row.paid, row.let_off, row.outstanding)
            )
            assert owed == paid + let_off + rest
            assert min(owed, paid, let_off, rest) >= 0
    assert plus([row.paid for row in state.rows]) == plus([effect.paid for effect in state.effects])
    assert plus([row.let_off for row in state.rows]) == plus([effect.let_off for effect in state.effects])
    by_id = {event.event_id: event for event in events}
    for effect in state.effects:
        event = by_id[effect.event_id]
        assert effect.returned_minor >= 0
        if isinstance(event, Repayment):
            assert effect.paid.total_minor + effect.returned_minor == event.amount_minor
        if isinstance(event, Refund):
            assert effect.let_off.principal_minor + effect.returned_minor == event.amount_minor
    assert state.closed == (state.outstanding.total_minor == 0)
    assert (state.days_past_due > 0) == (state.overdue_minor > 0)


@given(st.data(), loan_terms, policies)
@settings(deadline=None)
def test_a_loan_accounts_for_every_fen_whatever_happens(data: st.DataObject, terms: Terms, policy: FoldPolicy) -> None:
    events = data.draw(histories(terms))
    as_of_on = LENT_ON + timedelta(days=data.draw(st.integers(0, 900)))
    state = fold(terms, events, as_of_on, policy)
    check(terms, events, state)
    shuffled = data.draw(st.permutations(events))
    assert fold(terms, shuffled, as_of_on, policy) == state
    assert fold(terms, [*events, *events], as_of_on, policy) == state


@given(st.data(), loan_terms, policies)
@settings(deadline=None)
def test_an_event_learnt_of_late_gives_the_loan_that_was_true_all_along(
    data: st.DataObject, terms: Terms, policy: FoldPolicy
) -> None:
    events = data.draw(histories(terms))
    assume(events)
    late = data.draw(st.sampled_from(events))
    as_of_on = LENT_ON + timedelta(days=900)
    known = fold(terms, [event for event in events if event is not late], as_of_on, policy)
    true = fold(terms, events, as_of_on, policy)
    posted = changes(known, true)
    paid = plus([*(effect.paid for effect in known.effects), *(change.paid for change in posted)])
    assert paid == plus([effect.paid for effect in true.effects])
    assert known.returned_minor + sum(change.returned_minor for change in posted) == true.returned_minor


@given(st.data(), loan_terms, policies)
@settings(deadline=None)
def test_what_a_settlement_asks_for_closes_the_loan_to_the_fen(
    data: st.DataObject, terms: Terms, policy: FoldPolicy
) -> None:
    events = data.draw(histories(terms))
    on = LENT_ON + timedelta(days=data.draw(st.integers(0, 900)))
    asked = settlement(terms, events, on, policy)
    assume(asked.due.total_minor > 0)
    settles = Repayment(event_id=UUID(int=99), on=on, amount_minor=asked.due.total_minor, settles=True)
    before = fold(terms, events, on, policy)
    after = fold(terms, [*events, settles], on, policy)
    assert after.closed
    assert after.returned_minor == before.returned_minor
    assert after.effects[-1].let_off == asked.let_off
