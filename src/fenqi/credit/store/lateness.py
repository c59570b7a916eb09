"""SQL of lateness: loans over all buckets for a report, with the events of those that were ever late."""

from __future__ import annotations

from datetime import date

from fenqi.credit.model import Loan, LoanState
from fenqi.database.pool import Tx

_COLUMNS = Loan.__struct_fields__
_LISTED = ", ".join(f"l.{name}" for name in _COLUMNS)


async def loans_since(tx: Tx, since_on: date, today_on: date) -> list[tuple[Loan, list[str] | None]]:
    """Loans made since a day, neither cancelled nor refunded; with their events where they were or are late."""
    cursor = await tx.execute(
        f"""SELECT {_LISTED}, CASE WHEN l.late_on IS NOT NULL OR l.next_due_on < %s THEN ARRAY(
                SELECT e.event FROM loan_event AS e WHERE e.bucket = l.bucket AND e.consumer_id = l.consumer_id
                   AND e.loan_id = l.loan_id ORDER BY e.n) END
            FROM loan AS l WHERE l.disbursed_on >= %s AND l.state IN ('active', 'settled')
            ORDER BY l.disbursed_on, l.loan_id""",
        (today_on, since_on),
    )
    found = []
    for *values, events in await cursor.fetchall():
        fields = dict(zip(_COLUMNS, values, strict=True))
        found.append((Loan(**{**fields, "state": LoanState(fields["state"])}), events))
    return found
