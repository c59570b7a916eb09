"""SQL for looking back: whose an application or a refund is by its id alone, and what people decided on the former."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of

ReviewRow = tuple[UUID, str, int, list[str], str, str, datetime]
"""(application id, outcome, limit in fen, principal reasons, who, why, when)."""


async def owner_of_application(tx: Tx, application_id: UUID) -> UUID | None:
    """Whose application it is: for staff, because it looks through all buckets."""
    cursor = await tx.execute(
        "SELECT consumer_id FROM credit_application WHERE application_id = %s LIMIT 1", (application_id,)
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def owner_of_refund(tx: Tx, refund_id: UUID) -> tuple[UUID, UUID] | None:
    """(consumer id, order id) of a refund of ours: for staff, because it looks through all buckets."""
    cursor = await tx.execute("SELECT consumer_id, order_id FROM refund WHERE refund_id = %s LIMIT 1", (refund_id,))
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1])


async def reviews(tx: Tx, consumer_id: UUID) -> list[ReviewRow]:
    """What people decided on a consumer's applications, oldest first."""
    cursor = await tx.execute(
        "SELECT application_id, outcome, limit_minor, principal_reasons, reviewed_by, why, reviewed_at"
        " FROM credit_review WHERE bucket = %s AND consumer_id = %s ORDER BY reviewed_at, application_id",
        (bucket_of(consumer_id), consumer_id),
    )
    return [(row[0], row[1], row[2], row[3], row[4], row[5], row[6]) for row in await cursor.fetchall()]


async def events_between(
    tx: Tx, consumer_id: UUID, since_at: datetime, until_at: datetime
) -> list[tuple[UUID, str, str, str, datetime]]:
    """(loan id, kind, the event as JSON, who, when) of what happened to a consumer's loans, oldest first."""
    cursor = await tx.execute(
        "SELECT loan_id, kind, event, recorded_by, recorded_at FROM loan_event"
        " WHERE bucket = %s AND consumer_id = %s AND recorded_at BETWEEN %s AND %s ORDER BY recorded_at, loan_id, n",
        (bucket_of(consumer_id), consumer_id, since_at, until_at),
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in await cursor.fetchall()]
