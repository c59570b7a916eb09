"""Reading open loans with their events under lock, and writing what has happened to them: the loan side of a journal.

Repayments, refunds and cancellations end here: an event row, and the loan's summary moved on to the fold's state.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from fenqi.credit import store
from fenqi.credit.agreed import encode_draws
from fenqi.credit.fold import LoanState as FoldedLoan
from fenqi.credit.loan_event import Cancellation, LoanEvent, Refund
from fenqi.credit.model import Happened, Loan, LoanState, RecordedEvent
from fenqi.credit.position import Position, position
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound
from fenqi.ledger.postings.parts import Draw

_JSON = msgspec.json.Encoder()


class Recorded(msgspec.Struct, frozen=True):
    """What happened to one loan: the event, the principal that came back by limit, the state after it, its journal."""

    before: Position
    event: LoanEvent
    returned: tuple[Draw, ...]
    state: FoldedLoan
    journal_id: UUID | None


async def open_positions(tx: Tx, consumer_id: UUID, today_on: date, *, lock: bool = False) -> list[Position]:
    """The consumer's open loans on a day, those due first in front; with `lock`, nobody else can change them."""
    loans = await store.loan.select_loans(tx, consumer_id, active=True, lock=lock)
    found = await positions_of(tx, consumer_id, loans, today_on)
    return sorted(found, key=lambda one: (one.next_due_on or date.max, one.loan_id))


async def positions_of(tx: Tx, consumer_id: UUID, loans: Sequence[Loan], today_on: date) -> list[Position]:
    """These loans of one consumer with what has happened to them."""
    if not loans:
        return []
    events = await store.loan.select_events(tx, consumer_id, [loan.loan_id for loan in loans if loan.events])
    return [
        position(loan, [Happened(one.event, one.returned) for one in events.get(loan.loan_id, [])], today_on)
        for loan in loans
    ]


async def positions(tx: Tx, consumer_id: UUID, today_on: date) -> list[Position]:
    """All loans of the consumer with their schedules on a day, the newest first."""
    loans = await store.loan.select_loans(tx, consumer_id)
    return list(reversed(await positions_of(tx, consumer_id, loans, today_on)))


async def position_of(tx: Tx, consumer_id: UUID, loan_id: UUID, today_on: date) -> Position:
    """One loan of the consumer; refuses with LOAN_UNKNOWN what isn't theirs."""
    loans = await store.loan.select_loans_by_id(tx, consumer_id, [loan_id])
    if not loans:
        raise NotFound("LOAN_UNKNOWN", "no such loan")
    return (await positions_of(tx, consumer_id, loans, today_on))[0]


async def events_of(tx: Tx, consumer_id: UUID, loan_id: UUID) -> list[RecordedEvent]:
    """What has happened to a loan after its drawdown, oldest first, with the journals."""
    return (await store.loan.select_events(tx, consumer_id, [loan_id]))[loan_id]


async def record(tx: Tx, happened: Sequence[Recorded], by: By) -> list[Loan]:
    """Write the events and move the loans on, in sets; the loans as they are now. The loans are locked."""
    fresh = [_with_id(one, by) for one in happened]
    before = [one.before.loan for one in fresh]
    after = [_moved_on(one) for one in fresh]
    await store.loan.update_loans(tx, before, after, business_date(by.at))
    await store.loan.insert_events(tx, [_row(one, by) for one in fresh])
    return after


def _with_id(one: Recorded, by: By) -> Recorded:
    """The event with an id of its own, which comes after those of all that happened to the loan before."""
    fresh = new_id(epoch_ms(by.at))
    last = one.before.events[-1].event_id if one.before.events else None
    event_id = fresh if last is None or fresh > last else UUID(int=last.int + 1)
    return msgspec.structs.replace(one, event=msgspec.structs.replace(one.event, event_id=event_id))


def _moved_on(one: Recorded) -> Loan:
    unpaid = [row.due_on for row in one.state.rows if row.outstanding.total_minor]
    return msgspec.structs.replace(
        one.before.loan,
        state=LoanState.ACTIVE if unpaid else _end(one),
        events=one.before.loan.events + 1,
        outstanding_minor=one.state.outstanding.principal_minor,
        next_due_on=unpaid[0] if unpaid else None,
    )


def _end(one: Recorded) -> LoanState:
    """How a loan without anything left to pay has ended; what happens afterwards doesn't change that."""
    if one.before.loan.state is not LoanState.ACTIVE:
        return one.before.loan.state
    if isinstance(one.event, Cancellation):
        return LoanState.CANCELLED
    return LoanState.REFUNDED if isinstance(one.event, Refund) else LoanState.SETTLED


def _row(one: Recorded, by: By) -> RecordedEvent:
    loan = one.before.loan
    return RecordedEvent(
        loan.consumer_id,
        loan.loan_id,
        loan.events + 1,
        type(one.event).__name__.lower(),
        one.event.on,
        _JSON.encode(one.event).decode(),
        encode_draws(one.returned),
        one.journal_id,
        by.actor,
        by.at,
    )
