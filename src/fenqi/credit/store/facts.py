"""One query for all that the facts of many lines need: the line, its limits with what is used, holds, open loans.

Rows of the many sides come as JSON arrays, one round trip for any number of consumers; every subquery has the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from fenqi.credit.model import CreditLine, Happened, Loan, LoanState
from fenqi.credit.store.line import line_of
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of


class LimitRow(msgspec.Struct, frozen=True, array_like=True):
    """A limit with what the ledger knows of it."""

    path: str
    kind: str
    granted_minor: int
    frozen_minor: int
    scenes: tuple[str, ...]
    categories: tuple[str, ...]
    installable: bool
    expires_on: date | None
    reduced_from_minor: int | None
    reduced_until_on: date | None
    used_minor: int
    held_minor: int
    version: int


class HoldRow(msgspec.Struct, frozen=True, array_like=True):
    """A hold that is neither committed nor released."""

    path: str
    amount_minor: int
    reference: UUID | None
    hold_id: UUID
    held_at: datetime


class _LoanRow(msgspec.Struct, frozen=True, array_like=True):
    loan_id: UUID
    order_id: UUID
    payment_id: UUID
    journal_id: UUID
    plan: str
    product_version: str
    terms: str
    draws: str
    principal_minor: int
    subsidy_minor: int
    disbursed_on: date
    first_due_on: date
    drawn_at: datetime
    events: int
    outstanding_minor: int
    next_due_on: date | None
    happened: list[tuple[str, str]] | None


class Read(msgspec.Struct, frozen=True):
    """All that was read of one consumer."""

    consumer_id: UUID
    line: CreditLine | None
    limits: Sequence[LimitRow]
    holds: Sequence[HoldRow]
    loans: Sequence[tuple[Loan, tuple[Happened, ...]]]
    first_loan_on: date | None = None
    """When the first loan was paid out that wasn't undone."""
    late_on: date | None = None
    """The last day on which a debt that has been settled since was overdue."""


_LIMITS = msgspec.json.Decoder(list[LimitRow])
_HOLDS = msgspec.json.Decoder(list[HoldRow])
_LOANS = msgspec.json.Decoder(list[_LoanRow])
_LINE = CreditLine.__struct_fields__
_READ = f"""
    SELECT k.consumer_id, {", ".join(f"l.{name}" for name in _LINE)},
        (SELECT json_agg(json_build_array(
            c.path, c.kind, c.granted_minor, c.frozen_minor, c.scenes, c.categories, c.installable, c.expires_on,
            c.reduced_from_minor, c.reduced_until_on, a.balance_minor, a.reserved_minor, a.version) ORDER BY c.path)
         FROM credit_limit AS c
         JOIN limit_account AS a ON a.bucket = c.bucket AND a.consumer_id = c.consumer_id AND a.path = c.path
         WHERE c.bucket = k.bucket AND c.consumer_id = k.consumer_id)::text,
        (SELECT json_agg(json_build_array(h.path, h.amount_minor, h.reference, h.hold_id, h.held_at)
            ORDER BY h.held_at, h.hold_id, h.path)
         FROM limit_hold AS h
         WHERE h.bucket = k.bucket AND h.consumer_id = k.consumer_id AND h.state = 'held'
            AND h.path LIKE 'asset:loan_principal:%%')::text,
        (SELECT json_agg(json_build_array(
            n.loan_id, n.order_id, n.payment_id, n.journal_id, n.plan, n.product_version, n.terms, n.draws,
            n.principal_minor, n.subsidy_minor, n.disbursed_on, n.first_due_on, n.drawn_at, n.events,
            n.outstanding_minor, n.next_due_on,
            CASE WHEN n.events > 0 THEN (
                SELECT json_agg(json_build_array(e.event, e.returned) ORDER BY e.n) FROM loan_event AS e
                WHERE e.bucket = k.bucket AND e.consumer_id = k.consumer_id AND e.loan_id = n.loan_id) END)
            ORDER BY n.loan_id)
         FROM loan AS n
         WHERE n.bucket = k.bucket AND n.consumer_id = k.consumer_id AND n.state = 'active')::text,
        (SELECT ARRAY[min(n.disbursed_on), max(n.late_on)] FROM loan AS n
         WHERE n.bucket = k.bucket AND n.consumer_id = k.consumer_id AND n.state <> 'cancelled')
    FROM unnest(%s::smallint[], %s::uuid[]) AS k(bucket, consumer_id)
    LEFT JOIN credit_line AS l ON l.bucket = k.bucket AND l.consumer_id = k.consumer_id"""


async def read(tx: Tx, consumer_ids: Sequence[UUID]) -> list[Read]:
    """What is known of these consumers' credit, in their order."""
    cursor = await tx.execute(_READ, ([bucket_of(one) for one in consumer_ids], list(consumer_ids)))
    return [_read(row) for row in await cursor.fetchall()]


def _read(row: Sequence[Any]) -> Read:
    consumer_id, line, (limits, holds, loans, dates) = row[0], row[1 : 1 + len(_LINE)], row[1 + len(_LINE) :]
    return Read(
        consumer_id,
        None if line[0] is None else line_of(line),
        _LIMITS.decode(limits) if limits else (),
        _HOLDS.decode(holds) if holds else (),
        [_loan(consumer_id, one) for one in _LOANS.decode(loans)] if loans else (),
        *dates,
    )


def _loan(consumer_id: UUID, row: _LoanRow) -> tuple[Loan, tuple[Happened, ...]]:
    fields = msgspec.structs.asdict(row)
    happened = fields.pop("happened") or ()
    loan = Loan(consumer_id=consumer_id, state=LoanState.ACTIVE, **fields)
    return loan, tuple(Happened(event, returned) for event, returned in happened)
