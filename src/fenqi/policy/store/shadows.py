"""Shadows: where each has got to, what it has counted by day, and a sample of the decisions that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from fenqi.database.pool import Tx
from fenqi.policy.shadow_model import CodeCount, DayCount, Difference, Sampled, Shadow

_SHADOW = """shadow_id, policy_id, revision, actor, why, begun_at, until_at, ended_at, seen_at, seen_id, decisions,
    differing"""


_DIFFERENCES = tuple[Difference, ...]


async def insert_shadow(tx: Tx, shadow: Shadow) -> bool:
    """False when the id is taken."""
    cursor = await tx.execute(
        f"INSERT INTO policy_shadow ({_SHADOW}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        list(msgspec.structs.astuple(shadow)),
    )
    return cursor.rowcount == 1


async def shadow(tx: Tx, shadow_id: UUID) -> Shadow | None:
    """One shadow."""
    row = await (await tx.execute(f"SELECT {_SHADOW} FROM policy_shadow WHERE shadow_id = %s", [shadow_id])).fetchone()
    return Shadow(*row) if row else None


async def shadows(tx: Tx, policy_id: UUID | None = None) -> list[Shadow]:
    """Those of a version, or all, newest first."""
    where, values = ("", []) if policy_id is None else ("WHERE policy_id = %s", [policy_id])
    cursor = await tx.execute(f"SELECT {_SHADOW} FROM policy_shadow {where} ORDER BY begun_at DESC, shadow_id", values)
    return [Shadow(*row) for row in await cursor.fetchall()]


async def open_shadows(tx: Tx) -> list[Shadow]:
    """Those that nobody has ended and that haven't got to their end, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_SHADOW} FROM policy_shadow WHERE ended_at IS NULL AND seen_at < until_at"
        " ORDER BY begun_at, shadow_id"
    )
    return [Shadow(*row) for row in await cursor.fetchall()]


async def end_shadow(tx: Tx, shadow_id: UUID, at: datetime) -> bool:
    """End it; False when it has ended already."""
    cursor = await tx.execute(
        "UPDATE policy_shadow SET ended_at = %s WHERE shadow_id = %s AND ended_at IS NULL", [at, shadow_id]
    )
    return cursor.rowcount == 1


async def advance(tx: Tx, was: Shadow, seen_at: datetime, seen_id: UUID, decisions: int, differing: int) -> bool:
    """Move a shadow on from where it was; False when another process has done so, or it has ended."""
    cursor = await tx.execute(
        """UPDATE policy_shadow SET seen_at = %s, seen_id = %s, decisions = decisions + %s, differing = differing + %s
           WHERE shadow_id = %s AND seen_at = %s AND seen_id = %s AND ended_at IS NULL""",
        [seen_at, seen_id, decisions, differing, was.shadow_id, was.seen_at, was.seen_id],
    )
    return cursor.rowcount == 1


async def add_days(tx: Tx, shadow_id: UUID, counts: Mapping[tuple[date, str, str, str], tuple[int, int]]) -> None:
    """Add counts and amounts by (day, method, scene, change)."""
    for (day_on, method, scene, change), (decisions, payable_minor) in sorted(counts.items()):
        await tx.execute(
            """INSERT INTO policy_shadow_day AS d (shadow_id, day_on, method, scene, change, decisions, payable_minor)
               VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (shadow_id, day_on, method, scene, change) DO UPDATE
               SET decisions = d.decisions + excluded.decisions,
                   payable_minor = d.payable_minor + excluded.payable_minor""",
            [shadow_id, day_on, method, scene, change, decisions, payable_minor],
        )


async def add_codes(tx: Tx, shadow_id: UUID, counts: Mapping[tuple[date, str, str], tuple[int, int]]) -> None:
    """Add reasons gained and lost by (day, method, code)."""
    for (day_on, method, code), (gained, lost) in sorted(counts.items()):
        await tx.execute(
            """INSERT INTO policy_shadow_code AS c (shadow_id, day_on, method, code, gained, lost)
               VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (shadow_id, day_on, method, code) DO UPDATE
               SET gained = c.gained + excluded.gained, lost = c.lost + excluded.lost""",
            [shadow_id, day_on, method, code, gained, lost],
        )


async def sample(tx: Tx, shadow_id: UUID, found: Sequence[tuple[int, Sampled]], most: int) -> None:
    """Keep those of the lowest ranks, which are as good as drawn by lot."""
    for rank, one in found:
        await tx.execute(
            """INSERT INTO policy_shadow_sample
                 (shadow_id, rank, bucket, consumer_id, decision_id, decided_at, differences)
               VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
            [
                shadow_id,
                rank,
                one.consumer_id.int & 0xFF,
                one.consumer_id,
                one.decision_id,
                one.decided_at,
                Jsonb(msgspec.to_builtins(one.differences)),
            ],
        )
    await tx.execute(
        """DELETE FROM policy_shadow_sample WHERE shadow_id = %s AND rank >=
             (SELECT rank FROM policy_shadow_sample WHERE shadow_id = %s ORDER BY rank OFFSET %s LIMIT 1)""",
        [shadow_id, shadow_id, most],
    )


async def days(tx: Tx, shadow_id: UUID) -> list[DayCount]:
    """What was counted, by day, method, scene and change."""
    cursor = await tx.execute(
        """SELECT day_on, method, scene, change, decisions, payable_minor FROM policy_shadow_day
           WHERE shadow_id = %s ORDER BY day_on, method, scene, change""",
        [shadow_id],
    )
    return [DayCount(*row) for row in await cursor.fetchall()]


async def codes(tx: Tx, shadow_id: UUID) -> list[CodeCount]:
    """Reasons gained and lost over all days, by method and code."""
    cursor = await tx.execute(
        """SELECT method, code, sum(gained)::bigint, sum(lost)::bigint FROM policy_shadow_code
           WHERE shadow_id = %s GROUP BY method, code ORDER BY method, code""",
        [shadow_id],
    )
    return [CodeCount(*row) for row in await cursor.fetchall()]


async def sampled(tx: Tx, shadow_id: UUID) -> list[Sampled]:
    """The sample, newest first."""
    cursor = await tx.execute(
        """SELECT consumer_id, decision_id, decided_at, differences FROM policy_shadow_sample
           WHERE shadow_id = %s ORDER BY decided_at DESC, decision_id""",
        [shadow_id],
    )
    return [Sampled(row[0], row[1], row[2], msgspec.convert(row[3], _DIFFERENCES)) for row in await cursor.fetchall()]
