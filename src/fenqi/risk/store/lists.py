"""SQL of lists, outcomes and reviews."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.risk.model import ListChange, Listed, ListName, Outcome, Review, Subject

_LISTED = "subject_id, subject_kind, list, actor, why, at, until_at"


async def upsert(tx: Tx, subject: Subject, name: ListName, by: By, until_at: datetime | None) -> None:
    """Put a subject on a list, or renew the entry."""
    await tx.execute(
        f"INSERT INTO risk_list (bucket, {_LISTED}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (bucket, subject_id, list) DO UPDATE SET actor = excluded.actor, why = excluded.why,"
        " at = excluded.at, until_at = excluded.until_at",
        [bucket_of(subject.subject_id), subject.subject_id, subject.kind, name, *by, until_at],
    )


async def delete(tx: Tx, subject: Subject, name: ListName) -> bool:
    """Take a subject off a list; False when it wasn't on it."""
    cursor = await tx.execute(
        "DELETE FROM risk_list WHERE bucket = %s AND subject_id = %s AND list = %s",
        [bucket_of(subject.subject_id), subject.subject_id, name],
    )
    return cursor.rowcount == 1


async def insert_change(tx: Tx, subject: Subject, name: ListName, verb: str, by: By, until_at: datetime | None) -> None:
    """Keep the change."""
    await tx.execute(
        f"INSERT INTO risk_list_change (bucket, change_id, verb, {_LISTED})"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [bucket_of(subject.subject_id), new_id(), verb, subject.subject_id, subject.kind, name, *by, until_at],
    )


async def listed(tx: Tx, subject_ids: Sequence[UUID]) -> list[Listed]:
    """The entries of these subjects, expired ones too."""
    cursor = await tx.execute(
        f"SELECT {_LISTED} FROM unnest(%b::smallint[], %b::uuid[]) AS k (bucket, subject_id)"
        " JOIN risk_list USING (bucket, subject_id)",
        [[bucket_of(one) for one in subject_ids], list(subject_ids)],
    )
    return [Listed(*row) for row in await cursor.fetchall()]


async def entries(tx: Tx, name: str, limit: int) -> list[Listed]:
    """The newest entries of a list (empty: of all), over all shards: a report."""
    cursor = await tx.execute(
        f"SELECT {_LISTED} FROM risk_list WHERE (%s::text = '' OR list = %s) ORDER BY at DESC, subject_id LIMIT %s",
        [name, name, limit],
    )
    return [Listed(*row) for row in await cursor.fetchall()]


async def changes(tx: Tx, subject_id: UUID) -> list[ListChange]:
    """Every change of a subject's entries, newest first."""
    cursor = await tx.execute(
        f"SELECT {_LISTED}, verb FROM risk_list_change WHERE bucket = %s AND subject_id = %s"
        " ORDER BY at DESC, change_id DESC",
        [bucket_of(subject_id), subject_id],
    )
    return [ListChange(*row) for row in await cursor.fetchall()]


async def insert_outcome(tx: Tx, outcome: Outcome) -> bool:
    """Keep an outcome; False when it is kept already."""
    cursor = await tx.execute(
        "INSERT INTO risk_outcome (bucket, outcome_id, subject_id, subject_kind, outcome, about, actor, why, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [
            bucket_of(outcome.subject_id), outcome.outcome_id, outcome.subject_id, outcome.subject_kind,
            outcome.outcome, outcome.about, outcome.actor, outcome.why, outcome.at,
        ],
    )  # fmt: skip
    return cursor.rowcount == 1


async def outcomes(tx: Tx, subject_id: UUID) -> list[Outcome]:
    """The outcomes of a subject, newest first."""
    cursor = await tx.execute(
        "SELECT outcome_id, subject_id, subject_kind, outcome, about, actor, why, at FROM risk_outcome"
        " WHERE bucket = %s AND subject_id = %s ORDER BY at DESC, outcome_id DESC",
        [bucket_of(subject_id), subject_id],
    )
    return [Outcome(*row) for row in await cursor.fetchall()]


async def insert_review(tx: Tx, consumer_id: UUID, review: Review) -> None:
    """Keep a state of a review."""
    await tx.execute(
        "INSERT INTO risk_review (bucket, consumer_id, review_id, about, state, until_at, actor, why, at, most_minor)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            bucket_of(consumer_id), consumer_id, review.review_id, review.about, review.state, review.until_at,
            review.actor, review.why, review.at, review.most_minor,
        ],
    )  # fmt: skip


async def reviews(tx: Tx, consumer_id: UUID) -> list[Review]:
    """The states of all reviews of a consumer, newest first."""
    cursor = await tx.execute(
        "SELECT review_id, about, state, until_at, actor, why, at, most_minor FROM risk_review"
        " WHERE bucket = %s AND consumer_id = %s ORDER BY at DESC, review_id DESC",
        [bucket_of(consumer_id), consumer_id],
    )
    return [Review(*row) for row in await cursor.fetchall()]
