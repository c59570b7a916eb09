"""SQL of what programmes have lent: a row a loan, and their sum in slots, all in the programme's own shard."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of

SLOTS = 16


def slot_of(consumer_id: UUID) -> int:
    """The slot of a consumer's loans: relays work on ranges of buckets, so two of them seldom meet."""
    return bucket_of(consumer_id) * SLOTS // 256


async def set_used(
    tx: Tx, programme_id: UUID, programme: str, consumer_id: UUID, loan_id: UUID, used_minor: int
) -> None:
    """Say what a loan has out under a programme now; the sum follows by the difference."""
    bucket = bucket_of(programme_id)
    await tx.execute(
        "INSERT INTO risk_exposure_loan (bucket, programme_id, loan_id, consumer_id, used_minor)"
        " VALUES (%s, %s, %s, %s, 0) ON CONFLICT DO NOTHING",
        [bucket, programme_id, loan_id, consumer_id],
    )
    cursor = await tx.execute(
        "SELECT used_minor FROM risk_exposure_loan WHERE bucket = %s AND programme_id = %s AND loan_id = %s FOR UPDATE",
        [bucket, programme_id, loan_id],
    )
    row = await cursor.fetchone()
    assert row is not None
    if row[0] == used_minor:
        return
    await tx.execute(
        "UPDATE risk_exposure_loan SET used_minor = %s WHERE bucket = %s AND programme_id = %s AND loan_id = %s",
        [used_minor, bucket, programme_id, loan_id],
    )
    await tx.execute(
        "INSERT INTO risk_exposure AS old (bucket, programme_id, slot, programme, used_minor)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (bucket, programme_id, slot)"
        " DO UPDATE SET used_minor = old.used_minor + excluded.used_minor",
        [bucket, programme_id, slot_of(consumer_id), programme, used_minor - row[0]],
    )


async def used(tx: Tx, programme_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What each programme has out."""
    cursor = await tx.execute(
        "SELECT programme_id, sum(used_minor)::bigint FROM unnest(%b::smallint[], %b::uuid[])"
        " AS k (bucket, programme_id) JOIN risk_exposure USING (bucket, programme_id) GROUP BY programme_id",
        [[bucket_of(one) for one in programme_ids], list(programme_ids)],
    )
    return dict(await cursor.fetchall())


async def ledgers(tx: Tx) -> dict[str, int]:
    """Every programme with what it has out: a report."""
    cursor = await tx.execute(
        "SELECT programme, sum(used_minor)::bigint FROM risk_exposure GROUP BY programme ORDER BY programme"
    )
    return dict(await cursor.fetchall())


async def loans(tx: Tx, programme_id: UUID) -> dict[tuple[UUID, UUID], int]:
    """(consumer, loan) → what it has out under a programme: a report."""
    cursor = await tx.execute(
        "SELECT consumer_id, loan_id, used_minor FROM risk_exposure_loan WHERE bucket = %s AND programme_id = %s",
        [bucket_of(programme_id), programme_id],
    )
    return {(row[0], row[1]): row[2] for row in await cursor.fetchall()}


async def insert_programmes(tx: Tx, consumer_id: UUID, loan_id: UUID, programmes: Sequence[str]) -> None:
    """Keep under which programmes a loan was made."""
    await tx.execute(
        "INSERT INTO risk_loan_programme (bucket, consumer_id, loan_id, programme)"
        " SELECT %s, %s, %s, unnest(%s::text[]) ON CONFLICT DO NOTHING",
        [bucket_of(consumer_id), consumer_id, loan_id, list(programmes)],
    )


async def programmes_of(tx: Tx, consumer_ids: Sequence[UUID]) -> list[tuple[UUID, UUID, str]]:
    """(consumer, loan, programme) of all loans of these consumers that were made under one."""
    cursor = await tx.execute(
        "SELECT consumer_id, loan_id, programme FROM unnest(%b::smallint[], %b::uuid[]) AS k (bucket, consumer_id)"
        " JOIN risk_loan_programme USING (bucket, consumer_id) ORDER BY consumer_id, loan_id, programme",
        [[bucket_of(one) for one in consumer_ids], list(consumer_ids)],
    )
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]
