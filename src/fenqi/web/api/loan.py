"""Loans: what was agreed, the schedule as it stands instalment by instalment, the all-in annualised cost."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from fenqi import credit
from fenqi.credit import Parts, Position, RecordedEvent
from fenqi.kernel.clock import business_date
from fenqi.web.api.credit import LoanView, loan_view
from fenqi.web.api.resource import Call, resource

_PPM = 1_000_000


class InstalmentView(msgspec.Struct, frozen=True):
    """One instalment: what was owed, what is paid, let off and left, by part, in minor units."""

    n: int
    due_on: date
    owed: Parts
    paid: Parts
    let_off: Parts
    outstanding: Parts
    outstanding_minor: int


class LoanEventView(msgspec.Struct, frozen=True):
    """One thing that happened to the loan after its drawdown."""

    n: int
    kind: str
    happened_on: date
    journal_id: UUID | None
    recorded_at: datetime


class ScheduleView(msgspec.Struct, frozen=True):
    """A loan with its schedule. `annual_cost_ppm` is the annualised all-in cost (IRR) in millionths."""

    loan: LoanView
    annual_cost_ppm: int
    days_past_due: int
    schedule: tuple[InstalmentView, ...]
    events: tuple[LoanEventView, ...]


@resource("GET", "/v1/credit/loans", answer=tuple[LoanView, ...])
async def mine(call: Call) -> tuple[LoanView, ...]:
    """Every loan of the consumer, open and past."""
    async with call.context.database.snapshot() as tx:
        today_on = business_date(call.context.now())
        found = await credit.positions(tx, call.actor.consumer_id, today_on)
    return tuple(loan_view(one) for one in found)


@resource("GET", "/v1/credit/loans/{loan}", answer=ScheduleView)
async def read(call: Call) -> ScheduleView:
    """One loan with its schedule as it stands today, and what has happened to it."""
    consumer_id, today_on = call.actor.consumer_id, business_date(call.context.now())
    async with call.context.database.snapshot() as tx:
        one = await credit.position_of(tx, consumer_id, call.id("loan"), today_on)
        events = await credit.events_of(tx, consumer_id, one.loan_id) if one.loan.events else []
    return _schedule_view(one, events)


def _schedule_view(one: Position, events: list[RecordedEvent]) -> ScheduleView:
    annual_cost = credit.build(credit.terms_of_loan(one.loan)).annual_cost
    return ScheduleView(
        loan_view(one),
        int(annual_cost * _PPM),
        one.state.days_past_due,
        tuple(
            InstalmentView(
                row.n, row.due_on, row.owed, row.paid, row.let_off, row.outstanding, row.outstanding.total_minor
            )
            for row in one.state.rows
        ),
        tuple(LoanEventView(e.n, e.kind, e.happened_on, e.journal_id, e.recorded_at) for e in events),
    )
