"""Job ranges: background work is split into ranges of buckets, and whoever locks a range's row works on it.

A row is locked with SKIP LOCKED for the length of one transaction, so a killed worker's range is free at once, and
`resume_after` says where the next one goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fenqi.database.pool import Tx
from fenqi.kernel.ids import BUCKETS

COUNT = 16
_WIDTH = BUCKETS // COUNT


@dataclass(frozen=True, slots=True)
class Range:
    """A claimed range of buckets, both ends included. `resume_after` is the job's own JSON."""

    job: str
    bucket_from: int
    bucket_to: int
    resume_after: str | None


async def claim(tx: Tx, job: str) -> Range | None:
    """Lock the job's range that has waited longest; None when others hold all of them."""
    rows = await tx.execute(
        "SELECT bucket_from, bucket_to, resume_after::text FROM job_range WHERE job = %s"
        " ORDER BY worked_at, bucket_from LIMIT 1 FOR UPDATE SKIP LOCKED",
        [job],
    )
    row = await rows.fetchone()
    if row is not None:
        return Range(job, *row)
    return await claim(tx, job) if await _made(tx, job) else None


async def release(tx: Tx, span: Range, at: datetime, resume_after: str | None) -> None:
    """Say when the range was worked on and where to go on; the lock goes with the transaction."""
    await tx.execute(
        "UPDATE job_range SET worked_at = greatest(worked_at + interval '1 microsecond', %s), resume_after = %s::jsonb"
        " WHERE job = %s AND bucket_from = %s",
        [at, resume_after, span.job, span.bucket_from],
    )


async def _made(tx: Tx, job: str) -> bool:
    """Write the job's ranges when it has none yet."""
    done = await tx.execute(
        "INSERT INTO job_range (job, bucket_from, bucket_to, worked_at)"
        " SELECT %s, first, first + %s, '-infinity' FROM generate_series(0, %s, %s) AS first ON CONFLICT DO NOTHING",
        [job, _WIDTH - 1, BUCKETS - 1, _WIDTH],
    )
    return done.rowcount > 0
