"""SQL of loans and their events. Loans are inserted in sets, as packed arrays, because paying is in a hurry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from fenqi.credit.model import Loan, LoanState, RecordedEvent
from fenqi.database import packing
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import Stale

_COLUMNS = Loan.__struct_fields__
_LISTED = ", ".join(_COLUMNS)
_PACKERS = {
    "plan": packing.pack_text,
    "product_version": packing.pack_text,
    "terms": packing.pack_text,
    "draws": packing.pack_text,
    "state": packing.pack_text,  # a StrEnum is a str
    "principal_minor": packing.pack_int8,
    "subsidy_minor": packing.pack_int8,
    "outstanding_minor": packing.pack_int8,
    "events": packing.pack_int2,
    "disbursed_on": packing.pack_date,
    "first_due_on": packing.pack_date,
    "next_due_on": packing.pack_date,
    "drawn_at": packing.pack_timestamp,
}
_PACK: list[tuple[str, Any]] = [(name, _PACKERS.get(name, packing.pack_uuid)) for name in _COLUMNS]
_INSERT = f"INSERT INTO loan (bucket, {_LISTED}) SELECT * FROM unnest({', '.join(['%b'] * (1 + len(_COLUMNS)))})"


async def insert_loans(tx: Tx, loans: Sequence[Loan]) -> None:
    """Write new loans, of any consumers, in one statement."""
    if not loans:
        return
    columns: list[Any] = [packing.pack_int2([loan.consumer_id.int & 0xFF for loan in loans])]
    columns.extend(pack([getattr(loan, name) for loan in loans]) for name, pack in _PACK)
    await tx.execute(_INSERT, columns)


async def select_loans(tx: Tx, consumer_id: UUID, *, active: bool = False, lock: bool = False) -> list[Loan]:
    """A consumer's loans in order of their ids (that is, of time); with `lock`, nobody else can change them."""
    cursor = await tx.execute(
        f"SELECT {_LISTED} FROM loan WHERE bucket = %s AND consumer_id = %s"
        f"{' AND state = %s' if active else ''} ORDER BY loan_id{' FOR NO KEY UPDATE' if lock else ''}",
        (bucket_of(consumer_id), consumer_id, *([str(LoanState.ACTIVE)] if active else [])),
    )
    return [_loan(row) for row in await cursor.fetchall()]


async def select_loans_by_id(tx: Tx, consumer_id: UUID, loan_ids: Sequence[UUID], lock: bool = False) -> list[Loan]:
    """These loans of the consumer, in order of their ids; what isn't theirs is left out."""
    cursor = await tx.execute(
        f"SELECT {_LISTED} FROM loan WHERE bucket = %s AND consumer_id = %s AND loan_id = ANY(%s)"
        f" ORDER BY loan_id{' FOR NO KEY UPDATE' if lock else ''}",
        (bucket_of(consumer_id), consumer_id, list(loan_ids)),
    )
    return [_loan(row) for row in await cursor.fetchall()]


async def select_loans_of_order(tx: Tx, consumer_id: UUID, order_id: UUID, lock: bool = False) -> list[Loan]:
    """The loans that paid an order."""
    cursor = await tx.execute(
        f"SELECT {_LISTED} FROM loan WHERE bucket = %s AND consumer_id = %s AND order_id = %s"
        f" ORDER BY loan_id{' FOR NO KEY UPDATE' if lock else ''}",
        (bucket_of(consumer_id), consumer_id, order_id),
    )
    return [_loan(row) for row in await cursor.fetchall()]


def _loan(row: Sequence[Any]) -> Loan:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["state"] = LoanState(values["state"])
    return Loan(**values)


async def update_loans(tx: Tx, before: Sequence[Loan], after: Sequence[Loan], on: date) -> None:
    """Move loans on by their events of the day `on`; one that was overdue until then is remembered as such. Refuses
    with Stale when one has had another event meanwhile."""
    done = await tx.execute(
        "UPDATE loan SET state = n.state, events = n.events, outstanding_minor = n.outstanding_minor,"
        " next_due_on = n.next_due_on, late_on = CASE WHEN loan.next_due_on < %s THEN %s ELSE loan.late_on END"
        " FROM unnest(%s::smallint[], %s::uuid[], %s::uuid[], %s::smallint[], %s::text[], %s::smallint[], %s::bigint[],"
        " %s::date[]) AS n(bucket, consumer_id, loan_id, had, state, events, outstanding_minor, next_due_on)"
        " WHERE loan.bucket = n.bucket AND loan.consumer_id = n.consumer_id AND loan.loan_id = n.loan_id"
        " AND loan.events = n.had",
        (
            on,
            on,
            [bucket_of(loan.consumer_id) for loan in after],
            [loan.consumer_id for loan in after],
            [loan.loan_id for loan in after],
            [loan.events for loan in before],
            [str(loan.state) for loan in after],
            [loan.events for loan in after],
            [loan.outstanding_minor for loan in after],
            [loan.next_due_on for loan in after],
        ),
    )
    if done.rowcount != len(after):
        raise Stale("STATE_CONFLICT", "a loan has changed since it was read")


_EVENT = RecordedEvent.__struct_fields__
_EVENT_TYPES = ("uuid", "uuid", "smallint", "text", "date", "text", "text", "uuid", "text", "timestamptz")


async def insert_events(tx: Tx, events: Sequence[RecordedEvent]) -> None:
    """Keep what happened to loans; an event that another one was before of is Stale."""
    arrays = ", ".join(f"%s::{kind}[]" for kind in _EVENT_TYPES)
    await tx.execute(
        f"INSERT INTO loan_event (bucket, {', '.join(_EVENT)}) SELECT * FROM unnest(%s::smallint[], {arrays})",
        [
            [bucket_of(event.consumer_id) for event in events],
            *([getattr(event, name) for event in events] for name in _EVENT),
        ],
    )


async def select_events(tx: Tx, consumer_id: UUID, loan_ids: Sequence[UUID]) -> dict[UUID, list[RecordedEvent]]:
    """The events of a consumer's loans, in order, by loan."""
    cursor = await tx.execute(
        f"SELECT {', '.join(_EVENT)} FROM loan_event"
        " WHERE bucket = %s AND consumer_id = %s AND loan_id = ANY(%s) ORDER BY loan_id, n",
        (bucket_of(consumer_id), consumer_id, list(loan_ids)),
    )
    found: dict[UUID, list[RecordedEvent]] = {loan_id: [] for loan_id in loan_ids}
    for row in await cursor.fetchall():
        found[row[1]].append(RecordedEvent(*row))
    return found


async def count_subsidised(tx: Tx, consumer_id: UUID) -> dict[str, int]:
    """How many loans of a consumer somebody else paid the fee of, by plan; undone ones are not counted."""
    cursor = await tx.execute(
        "SELECT plan, count(*) FROM loan WHERE bucket = %s AND consumer_id = %s AND subsidy_minor > 0"
        " AND state <> 'cancelled' GROUP BY plan",
        (bucket_of(consumer_id), consumer_id),
    )
    return dict(await cursor.fetchall())


async def sum_subsidies(tx: Tx) -> dict[str, int]:
    """What has been paid of buyers' fees, by plan, over all consumers: a report, from an index of those loans only."""
    cursor = await tx.execute(
        "SELECT plan, sum(subsidy_minor)::bigint FROM loan"
        " WHERE subsidy_minor > 0 AND state <> 'cancelled' GROUP BY plan"
    )
    return dict(await cursor.fetchall())
