"""Versions of the policy: where each stands, every save of a draft, and their history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.policy.model import HistoryRow, PolicyDocument, PolicyState, PolicyVersion, Saved, Share

_VERSION = """policy_id, number, state, document, maker, made_at, checker, published_at, effective_at, revision,
    based_on, share_ppm, share_from_at, share_until_at, ended_at, document_hash"""


def _version(row: Sequence[Any]) -> tuple[PolicyVersion, bytes]:
    document = msgspec.convert(row[3], PolicyDocument)
    share = None if row[11] is None else Share(*row[11:14])
    found = PolicyVersion(row[0], row[1], PolicyState(row[2]), document, *row[4:9])
    return msgspec.structs.replace(found, revision=row[9], based_on=row[10], share=share, ended_at=row[14]), row[15]


async def insert_draft(tx: Tx, version: PolicyVersion, document_hash: bytes) -> bool:
    """False when the id or the number is taken."""
    cursor = await tx.execute(
        "INSERT INTO policy_version (policy_id, number, state, document, document_hash, maker, made_at, based_on)"
        " VALUES (%s, %s, 'draft', %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [
            version.policy_id,
            version.number,
            Jsonb(msgspec.to_builtins(version.document)),
            document_hash,
            version.maker,
            version.made_at,
            version.based_on,
        ],
    )
    return cursor.rowcount == 1


async def insert_save(
    tx: Tx, policy_id: UUID, revision: int, document: PolicyDocument, document_hash: bytes, by: By
) -> None:
    """Keep one save."""
    await tx.execute(
        "INSERT INTO policy_save (policy_id, revision, document, document_hash, actor, why, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [policy_id, revision, Jsonb(msgspec.to_builtins(document)), document_hash, *by],
    )


async def update_draft(tx: Tx, policy_id: UUID, revision: int, document: PolicyDocument, document_hash: bytes) -> None:
    """Another document for a locked draft, or for one that was refused."""
    cursor = await tx.execute(
        "UPDATE policy_version SET state = 'draft', revision = %s, document = %s, document_hash = %s"
        " WHERE policy_id = %s AND state IN ('draft', 'rejected')",
        [revision, Jsonb(msgspec.to_builtins(document)), document_hash, policy_id],
    )
    assert cursor.rowcount == 1


async def set_state(tx: Tx, policy_id: UUID, from_state: PolicyState, to_state: PolicyState) -> None:
    """Move a locked version that needs nothing else for it."""
    cursor = await tx.execute(
        "UPDATE policy_version SET state = %s WHERE policy_id = %s AND state = %s", [to_state, policy_id, from_state]
    )
    assert cursor.rowcount == 1


async def end(tx: Tx, policy_id: UUID, from_state: PolicyState, to_state: PolicyState, at: datetime) -> None:
    """Withdraw or roll back a locked version."""
    cursor = await tx.execute(
        "UPDATE policy_version SET state = %s, ended_at = %s WHERE policy_id = %s AND state = %s",
        [to_state, at, policy_id, from_state],
    )
    assert cursor.rowcount == 1


async def publish(tx: Tx, policy_id: UUID, by: By, effective_at: datetime) -> bool:
    """Publish a locked version; False when another published version takes over at the same instant."""
    cursor = await tx.execute(
        "UPDATE policy_version p SET state = 'published', checker = %s, published_at = %s, effective_at = %s"
        " WHERE policy_id = %s AND state IN ('submitted', 'canary') AND NOT EXISTS (SELECT 1 FROM policy_version o"
        " WHERE o.state = 'published' AND o.effective_at = %s)",
        [by.actor, by.at, effective_at, policy_id, effective_at],
    )
    return cursor.rowcount == 1


async def begin_canary(tx: Tx, policy_id: UUID, by: By, share: Share) -> None:
    """Let a locked version decide for a share of the consumers."""
    cursor = await tx.execute(
        "UPDATE policy_version SET state = 'canary', checker = %s, published_at = %s, share_ppm = %s,"
        " share_from_at = %s, share_until_at = %s WHERE policy_id = %s AND state = 'submitted'",
        [by.actor, by.at, share.share_ppm, share.from_at, share.until_at, policy_id],
    )
    assert cursor.rowcount == 1


async def version(tx: Tx, policy_id: UUID, *, lock: bool = False) -> tuple[PolicyVersion, bytes] | None:
    """A version with its document's hash, locked for a step when asked."""
    return await _one(tx, "WHERE policy_id = %s" + (" FOR UPDATE" if lock else ""), [policy_id])


async def by_number(tx: Tx, number: str) -> tuple[PolicyVersion, bytes] | None:
    """A version by the number that decisions name."""
    return await _one(tx, "WHERE number = %s", [number])


async def canary(tx: Tx) -> tuple[PolicyVersion, bytes] | None:
    """The one version in state canary, begun or not, over or not."""
    return await _one(tx, "WHERE state = 'canary'", [])


async def in_force(tx: Tx, at: datetime) -> tuple[PolicyVersion, bytes] | None:
    """The version with the latest effective instant that isn't after `at`, of those not rolled back by then."""
    return await _one(
        tx,
        "WHERE (state = 'published' OR (state = 'rolled_back' AND ended_at > %s)) AND effective_at <= %s"
        " ORDER BY effective_at DESC LIMIT 1",
        [at, at],
    )


async def _one(tx: Tx, where: str, values: list[Any]) -> tuple[PolicyVersion, bytes] | None:
    row = await (await tx.execute(f"SELECT {_VERSION} FROM policy_version {where}", values)).fetchone()
    return _version(row) if row else None


async def next_change_at(tx: Tx, at: datetime) -> datetime | None:
    """When another version decides for anybody after `at`, as things stand: one that waits, a canary's two ends, and
    a roll back that another process's clock has put a little ahead."""
    cursor = await tx.execute(
        """SELECT min(t) FROM (
               SELECT effective_at AS t FROM policy_version WHERE state IN ('published', 'rolled_back')
               UNION ALL SELECT ended_at FROM policy_version WHERE state = 'rolled_back'
               UNION ALL SELECT unnest(ARRAY[share_from_at, share_until_at]) FROM policy_version
                         WHERE state = 'canary') AS change WHERE t > %s""",
        [at],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def versions(tx: Tx) -> list[PolicyVersion]:
    """All versions, newest first."""
    cursor = await tx.execute(f"SELECT {_VERSION} FROM policy_version ORDER BY made_at DESC, policy_id DESC")
    return [_version(row)[0] for row in await cursor.fetchall()]


async def saves(tx: Tx, policy_id: UUID) -> list[Saved]:
    """Every save of a version, oldest first."""
    cursor = await tx.execute(
        "SELECT revision, actor, why, at FROM policy_save WHERE policy_id = %s ORDER BY revision", [policy_id]
    )
    return [Saved(*row) for row in await cursor.fetchall()]


async def saved(tx: Tx, policy_id: UUID, revision: int) -> tuple[PolicyDocument, bytes] | None:
    """The document of one save, with its hash."""
    cursor = await tx.execute(
        "SELECT document, document_hash FROM policy_save WHERE policy_id = %s AND revision = %s", [policy_id, revision]
    )
    row = await cursor.fetchone()
    return None if row is None else (msgspec.convert(row[0], PolicyDocument), row[1])


async def insert_history(tx: Tx, policy_id: UUID, verb: str, by: By) -> None:
    """Keep a step."""
    await tx.execute(
        "INSERT INTO policy_history (policy_id, history_id, verb, actor, why, at) VALUES (%s, %s, %s, %s, %s, %s)",
        [policy_id, new_id(), verb, *by],
    )


async def history(tx: Tx, policy_id: UUID) -> list[HistoryRow]:
    """All steps of a version, oldest first."""
    cursor = await tx.execute(
        "SELECT verb, actor, why, at FROM policy_history WHERE policy_id = %s ORDER BY at, history_id", [policy_id]
    )
    return [HistoryRow(*row) for row in await cursor.fetchall()]
