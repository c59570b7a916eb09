"""All SQL of the staff room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from fenqi.database.pool import Tx
from fenqi.kernel.ids import new_id
from fenqi.staff.model import Audit, Member, Role

_MEMBER = "staff_id, sign_in_name, name, roles, state, created_at"


def _member(row: Sequence[Any]) -> Member:
    return Member(row[0], row[1], row[2], tuple(Role(role) for role in row[3]), row[4], row[5])


async def insert_member(tx: Tx, member: Member, password_hash: str) -> bool:
    """False when the name is taken or the id is known."""
    cursor = await tx.execute(
        f"INSERT INTO staff ({_MEMBER}, password_hash) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [
            member.staff_id,
            member.sign_in_name,
            member.name,
            list(member.roles),
            member.state,
            member.created_at,
            password_hash,
        ],
    )
    return cursor.rowcount == 1


async def member(tx: Tx, staff_id: UUID) -> Member | None:
    """One member."""
    cursor = await tx.execute(f"SELECT {_MEMBER} FROM staff WHERE staff_id = %s", [staff_id])
    row = await cursor.fetchone()
    return _member(row) if row else None


async def members(tx: Tx) -> list[Member]:
    """All members by name."""
    cursor = await tx.execute(f"SELECT {_MEMBER} FROM staff ORDER BY sign_in_name")
    return [_member(row) for row in await cursor.fetchall()]


async def lock_by_name(tx: Tx, name: str) -> tuple[Member, str, int, datetime | None] | None:
    """Member, password hash, failed tries and block, locked for a try to sign in."""
    cursor = await tx.execute(
        f"SELECT {_MEMBER}, password_hash, failures, blocked_until_at FROM staff WHERE sign_in_name = %s FOR UPDATE",
        [name],
    )
    row = await cursor.fetchone()
    return (_member(row[:6]), row[6], row[7], row[8]) if row else None


async def set_failures(tx: Tx, staff_id: UUID, failures: int, blocked_until_at: datetime | None) -> None:
    """Write the counter of failed tries."""
    await tx.execute(
        "UPDATE staff SET failures = %s, blocked_until_at = %s WHERE staff_id = %s",
        [failures, blocked_until_at, staff_id],
    )


async def set_member(tx: Tx, staff_id: UUID, roles: Sequence[Role], state: str) -> bool:
    """Write roles and state; False when there is no such member."""
    cursor = await tx.execute(
        "UPDATE staff SET roles = %s, state = %s WHERE staff_id = %s", [list(roles), state, staff_id]
    )
    return cursor.rowcount == 1


async def insert_session(tx: Tx, token_hash: bytes, staff_id: UUID, at: datetime, expires_at: datetime) -> None:
    """Keep a session by its token's hash."""
    await tx.execute(
        "INSERT INTO staff_session (token_hash, staff_id, created_at, expires_at) VALUES (%s, %s, %s, %s)",
        [token_hash, staff_id, at, expires_at],
    )


async def session(tx: Tx, token_hash: bytes, at: datetime) -> UUID | None:
    """Whose session it is while it holds."""
    cursor = await tx.execute(
        "SELECT staff_id FROM staff_session WHERE token_hash = %s AND ended_at IS NULL AND expires_at > %s",
        [token_hash, at],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def end_session(tx: Tx, token_hash: bytes, at: datetime) -> None:
    """End a session."""
    await tx.execute(
        "UPDATE staff_session SET ended_at = %s WHERE token_hash = %s AND ended_at IS NULL", [at, token_hash]
    )


async def insert_audit(tx: Tx, audit: Audit) -> None:
    """Keep an action."""
    await tx.execute(
        "INSERT INTO staff_audit (staff_id, audit_id, action, subject, why, detail, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [audit.staff_id, new_id(), audit.action, audit.subject, audit.why, Jsonb(audit.detail), audit.at],
    )


async def audits(tx: Tx, subject: str | None, limit: int) -> list[Audit]:
    """Actions on a subject, or all, newest first."""
    cursor = await tx.execute(
        "SELECT staff_id, action, subject, why, detail, at FROM staff_audit"
        " WHERE %s::text IS NULL OR subject = %s ORDER BY at DESC, audit_id DESC LIMIT %s",
        [subject, subject, limit],
    )
    return [Audit(*row) for row in await cursor.fetchall()]
