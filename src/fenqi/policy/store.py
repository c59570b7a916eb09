"""All SQL of the risk room: versions of the policy and their history."""

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
from fenqi.policy.model import HistoryRow, PolicyDocument, PolicyState, PolicyVersion

_VERSION = "policy_id, number, state, document, maker, made_at, checker, published_at, effective_at, document_hash"


def _version(row: Sequence[Any]) -> tuple[PolicyVersion, bytes]:
    document = msgspec.convert(row[3], PolicyDocument)
    return PolicyVersion(row[0], row[1], PolicyState(row[2]), document, *row[4:9]), row[9]


async def insert_draft(tx: Tx, version: PolicyVersion, document_hash: bytes) -> bool:
    """False when the id or the number is taken."""
    cursor = await tx.execute(
        "INSERT INTO policy_version (policy_id, number, state, document, document_hash, maker, made_at)"
        " VALUES (%s, %s, 'draft', %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [
            version.policy_id,
            version.number,
            Jsonb(msgspec.to_builtins(version.document)),
            document_hash,
            version.maker,
            version.made_at,
        ],
    )
    return cursor.rowcount == 1


async def version(tx: Tx, policy_id: UUID, *, lock: bool = False) -> tuple[PolicyVersion, bytes] | None:
    """A version with its document's hash, locked for a step when asked."""
    cursor = await tx.execute(
        f"SELECT {_VERSION} FROM policy_version WHERE policy_id = %s" + (" FOR UPDATE" if lock else ""), [policy_id]
    )
    row = await cursor.fetchone()
    return _version(row) if row else None


async def by_number(tx: Tx, number: str) -> tuple[PolicyVersion, bytes] | None:
    """A version by the number that decisions name."""
    cursor = await tx.execute(f"SELECT {_VERSION} FROM policy_version WHERE number = %s", [number])
    row = await cursor.fetchone()
    return _version(row) if row else None


async def in_force(tx: Tx, at: datetime) -> tuple[PolicyVersion, bytes] | None:
    """The published version with the latest effective instant that isn't after `at`."""
    cursor = await tx.execute(
        f"SELECT {_VERSION} FROM policy_version WHERE state = 'published' AND effective_at <= %s"
        " ORDER BY effective_at DESC LIMIT 1",
        [at],
    )
    row = await cursor.fetchone()
    return _version(row) if row else None


async def next_effective_at(tx: Tx, at: datetime) -> datetime | None:
    """When the next published version takes over after `at`, if one waits."""
    cursor = await tx.execute(
        "SELECT min(effective_at) FROM policy_version WHERE state = 'published' AND effective_at > %s", [at]
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def versions(tx: Tx) -> list[PolicyVersion]:
    """All versions, newest first."""
    cursor = await tx.execute(f"SELECT {_VERSION} FROM policy_version ORDER BY made_at DESC, policy_id DESC")
    return [_version(row)[0] for row in await cursor.fetchall()]


async def publish(tx: Tx, policy_id: UUID, by: By, effective_at: datetime) -> bool:
    """Publish a locked draft; False when another published version takes over at the same instant."""
    cursor = await tx.execute(
        "UPDATE policy_version p SET state = 'published', checker = %s, published_at = %s, effective_at = %s"
        " WHERE policy_id = %s AND state = 'draft' AND NOT EXISTS (SELECT 1 FROM policy_version o"
        " WHERE o.state = 'published' AND o.effective_at = %s)",
        [by.actor, by.at, effective_at, policy_id, effective_at],
    )
    return cursor.rowcount == 1


async def withdraw(tx: Tx, policy_id: UUID) -> None:
    """Withdraw a locked published version."""
    cursor = await tx.execute(
        "UPDATE policy_version SET state = 'withdrawn' WHERE policy_id = %s AND state = 'published'", [policy_id]
    )
    assert cursor.rowcount == 1


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
