"""SQL of subjects and of the links between them. A subject's counts are taken anew under its row's lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from fenqi.database import packing
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.risk.model import Known, Link, Subject

_LINK = "subject_id, other_id, subject_kind, other_kind, first_at, last_at, proved_at, person_hash, is_fraud"
_L_LINK = ", ".join(f"l.{name}" for name in _LINK.split(", "))
_KNOWN = "subject_id, kind, label, first_at, consumers_count, fraud_count"
_KEYS = "unnest(%b::smallint[], %b::uuid[]) AS k (bucket, subject_id)"


def _keys(subject_ids: Sequence[UUID]) -> list[packing.PackedArray]:
    return [packing.pack_int2([bucket_of(one) for one in subject_ids]), packing.pack_uuid(subject_ids)]


async def lock_subjects(tx: Tx, subjects: Iterable[Subject], at: datetime) -> None:
    """Make sure that the subjects have rows, and lock these in their order."""
    ordered = sorted(set(subjects), key=lambda one: (bucket_of(one.subject_id), one.subject_id))
    if ordered:
        await tx.execute(
            "INSERT INTO risk_subject (bucket, subject_id, kind, first_at)"
            " SELECT bucket, subject_id, kind, %b FROM unnest(%b::smallint[], %b::uuid[], %b::text[])"
            " AS new(bucket, subject_id, kind)"
            " ON CONFLICT (bucket, subject_id) DO UPDATE SET kind = excluded.kind",
            [at, *_keys([one.subject_id for one in ordered]), packing.pack_text([one.kind for one in ordered])],
        )


async def upsert_links(tx: Tx, links: Iterable[Link]) -> None:
    """Write links, each end given as a row of its own."""
    ordered = sorted(links, key=lambda one: (bucket_of(one.subject_id), one.subject_id, one.other_id))
    if not ordered:
        return
    await tx.cursor().executemany(
        f"INSERT INTO risk_link AS old (bucket, {_LINK}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (bucket, subject_id, other_id) DO UPDATE SET"
        " first_at = least(old.first_at, excluded.first_at), last_at = greatest(old.last_at, excluded.last_at),"
        " proved_at = coalesce(old.proved_at, excluded.proved_at),"
        " person_hash = coalesce(excluded.person_hash, old.person_hash), is_fraud = old.is_fraud OR excluded.is_fraud",
        [
            (
                bucket_of(one.subject_id), one.subject_id, one.other_id, one.subject_kind, one.other_kind,
                one.first_at, one.last_at, one.proved_at, one.person_hash, one.is_fraud,
            )
            for one in ordered
        ],
    )  # fmt: skip


async def mark_fraud(tx: Tx, subject_ids: Sequence[UUID], other_id: UUID, is_fraud: bool) -> None:
    """Say at these subjects' ends that the consumer at the other end is a confirmed fraud, or isn't one after all."""
    await tx.execute(
        f"UPDATE risk_link l SET is_fraud = %b FROM {_KEYS}"
        " WHERE l.bucket = k.bucket AND l.subject_id = k.subject_id AND l.other_id = %b",
        [is_fraud, *_keys(subject_ids), other_id],
    )


async def recount(tx: Tx, subject_ids: Sequence[UUID]) -> None:
    """Take the counts of locked subjects anew."""
    await tx.execute(
        "UPDATE risk_subject s SET consumers_count = n.consumers, fraud_count = n.frauds FROM ("
        " SELECT k.bucket, k.subject_id, count(l.other_id) AS consumers,"
        " count(l.other_id) FILTER (WHERE l.is_fraud) AS frauds"
        f" FROM {_KEYS} LEFT JOIN risk_link l ON l.bucket = k.bucket AND l.subject_id = k.subject_id"
        " AND l.other_kind = 'consumer' GROUP BY k.bucket, k.subject_id) AS n"
        " WHERE s.bucket = n.bucket AND s.subject_id = n.subject_id",
        [*_keys(subject_ids)],
    )


async def set_label(tx: Tx, subject: Subject, label: str) -> None:
    """Say by what staff recognise a subject; never by what it is."""
    await tx.execute(
        "UPDATE risk_subject SET label = %s WHERE bucket = %s AND subject_id = %s",
        [label, bucket_of(subject.subject_id), subject.subject_id],
    )


async def known(tx: Tx, subject_ids: Sequence[UUID]) -> dict[UUID, Known]:
    """The rows of these subjects."""
    cursor = await tx.execute(
        f"SELECT {_KNOWN} FROM {_KEYS} JOIN risk_subject USING (bucket, subject_id)", _keys(subject_ids)
    )
    return {row[0]: Known(*row) for row in await cursor.fetchall()}


async def links(tx: Tx, subject_ids: Sequence[UUID], fan_out: int) -> list[Link]:
    """The latest links of each of these subjects, at most `fan_out` of each; those to confirmed frauds before all
    others, so that none hides behind a crowd."""
    cursor = await tx.execute(
        f"SELECT {_L_LINK} FROM {_KEYS} CROSS JOIN LATERAL (SELECT {_LINK} FROM risk_link o"
        " WHERE o.bucket = k.bucket AND o.subject_id = k.subject_id"
        " ORDER BY o.is_fraud DESC, o.last_at DESC, o.other_id LIMIT %b) AS l",
        [*_keys(subject_ids), fan_out],
    )
    return [Link(*row) for row in await cursor.fetchall()]
