"""The case's own row and its history. Lists over all parties are the queue's and reports; the rest has its key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from fenqi.aftersales.model import About, Case, CaseMove, CaseState, Kind, Subject, Topic
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of

_COLUMNS = """party_id, case_id, number, kind, topic, subject_kind, subject_id, about, amount_minor, priority,
    policy_version, state, opened_by, opened_at, due_at, owner_id, left_minutes, breached_at, proposed_by, outcome,
    ended_at, version"""
_SELECT = f"SELECT {_COLUMNS} FROM service_case"


def _case(row: tuple[Any, ...]) -> Case:
    party, case_id, number, kind, topic, subject_kind, subject_id, about, amount, priority, policy, state = row[:12]
    opened_by, opened_at, due_at, owner, left, breached_at, proposed_by, outcome, ended_at, version = row[12:]
    return Case(
        party_id=party, case_id=case_id, number=number, kind=Kind(kind), topic=Topic(topic),
        subject=Subject(subject_kind, subject_id), about=msgspec.convert(about, About), amount_minor=amount,
        priority=priority, policy_version=policy, state=CaseState(state), opened_by=opened_by, opened_at=opened_at,
        due_at=due_at, owner_id=owner, left_minutes=left, breached_at=breached_at, proposed_by=proposed_by,
        outcome=outcome, ended_at=ended_at, version=version,
    )  # fmt: skip


async def insert_case(tx: Tx, new: Case) -> bool:
    """Keep a new case; False where one is open about the same subject, or the id is taken."""
    cursor = await tx.execute(
        f"INSERT INTO service_case (bucket, {_COLUMNS})"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [
            bucket_of(new.party_id), new.party_id, new.case_id, new.number, new.kind, new.topic, new.subject.kind,
            new.subject.id, Jsonb(msgspec.to_builtins(new.about)), new.amount_minor, new.priority, new.policy_version,
            new.state, new.opened_by, new.opened_at, new.due_at, new.owner_id, new.left_minutes, new.breached_at,
            new.proposed_by, new.outcome, new.ended_at, new.version,
        ],
    )  # fmt: skip
    return cursor.rowcount == 1


async def update_case(tx: Tx, after: Case) -> bool:
    """Write what may change, from the version before; False where the case has moved on."""
    cursor = await tx.execute(
        """UPDATE service_case SET topic = %s, amount_minor = %s, priority = %s, state = %s, due_at = %s, owner_id = %s,
                  left_minutes = %s, breached_at = %s, proposed_by = %s, outcome = %s, ended_at = %s, version = %s
           WHERE bucket = %s AND party_id = %s AND case_id = %s AND version = %s""",
        [
            after.topic, after.amount_minor, after.priority, after.state, after.due_at, after.owner_id,
            after.left_minutes, after.breached_at, after.proposed_by, after.outcome, after.ended_at, after.version,
            bucket_of(after.party_id), after.party_id, after.case_id, after.version - 1,
        ],
    )  # fmt: skip
    return cursor.rowcount == 1


async def select_case(tx: Tx, party_id: UUID, case_id: UUID, lock: bool = False) -> Case | None:
    """A case of this party, or None; `lock` keeps others off it until the transaction's end."""
    cursor = await tx.execute(
        f"{_SELECT} WHERE bucket = %s AND party_id = %s AND case_id = %s{' FOR NO KEY UPDATE' if lock else ''}",
        [bucket_of(party_id), party_id, case_id],
    )
    row = await cursor.fetchone()
    return None if row is None else _case(row)


async def select_by_number(tx: Tx, bucket: int, number: str) -> list[Case]:
    """The cases of a number in its bucket: one, or by the worst of odds two."""
    cursor = await tx.execute(f"{_SELECT} WHERE bucket = %s AND number = %s", [bucket, number])
    return [_case(row) for row in await cursor.fetchall()]


async def select_of_subject(tx: Tx, party_id: UUID, kind: Kind, subject: Subject) -> list[Case]:
    """The cases of a kind about one thing, newest first."""
    cursor = await tx.execute(
        f"{_SELECT} WHERE bucket = %s AND party_id = %s AND kind = %s AND subject_kind = %s AND subject_id = %s"
        " ORDER BY opened_at DESC, case_id DESC",
        [bucket_of(party_id), party_id, kind, subject.kind, subject.id],
    )
    return [_case(row) for row in await cursor.fetchall()]


async def select_of_party(tx: Tx, party_id: UUID, limit: int) -> list[Case]:
    """A party's cases, newest first."""
    cursor = await tx.execute(
        f"{_SELECT} WHERE bucket = %s AND party_id = %s ORDER BY opened_at DESC, case_id DESC LIMIT %s",
        [bucket_of(party_id), party_id, limit],
    )
    return [_case(row) for row in await cursor.fetchall()]


async def select_queue(
    tx: Tx, kinds: Sequence[Kind], states: Sequence[CaseState], owner_id: UUID | None, limit: int
) -> list[Case]:
    """Open cases over all parties, the most urgent first."""
    cursor = await tx.execute(
        f"{_SELECT} WHERE ended_at IS NULL AND kind = ANY(%s) AND state = ANY(%s)"
        " AND (%s::uuid IS NULL OR owner_id = %s) ORDER BY priority, due_at, case_id LIMIT %s",
        [list(kinds), list(states), owner_id, owner_id, limit],
    )
    return [_case(row) for row in await cursor.fetchall()]


async def select_ended(tx: Tx, kinds: Sequence[Kind], limit: int) -> list[Case]:
    """Cases that have ended, the latest first."""
    cursor = await tx.execute(
        f"{_SELECT} WHERE ended_at IS NOT NULL AND kind = ANY(%s) ORDER BY ended_at DESC, case_id DESC LIMIT %s",
        [list(kinds), limit],
    )
    return [_case(row) for row in await cursor.fetchall()]


async def count_open(tx: Tx, at: datetime) -> dict[Kind, tuple[int, int]]:
    """Per kind how many cases are open, and how many of them past their deadline."""
    cursor = await tx.execute(
        "SELECT kind, count(*), count(*) FILTER (WHERE state <> 'waiting' AND due_at < %s) FROM service_case"
        " WHERE ended_at IS NULL GROUP BY kind",
        [at],
    )
    return {Kind(kind): (count, late) for kind, count, late in await cursor.fetchall()}


async def select_overdue(tx: Tx, at: datetime, limit: int) -> list[Case]:
    """Open cases whose deadline has passed without a note of it, and those whose buyer hasn't answered in time."""
    cursor = await tx.execute(
        f"{_SELECT} WHERE ended_at IS NULL AND due_at < %s AND (state = 'waiting' OR breached_at IS NULL)"
        " ORDER BY due_at, case_id LIMIT %s",
        [at, limit],
    )
    return [_case(row) for row in await cursor.fetchall()]


async def insert_move(tx: Tx, party_id: UUID, case_id: UUID, move: CaseMove) -> None:
    """Keep a change."""
    await tx.execute(
        "INSERT INTO service_case_move (bucket, party_id, case_id, version, verb, from_state, to_state, detail, actor,"
        " why, at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            bucket_of(party_id), party_id, case_id, move.version, move.verb, move.from_state, move.to_state,
            Jsonb(move.detail), move.actor, move.why, move.at,
        ],
    )  # fmt: skip


async def select_moves(tx: Tx, party_id: UUID, case_id: UUID) -> list[CaseMove]:
    """Every change of a case, oldest first."""
    cursor = await tx.execute(
        "SELECT version, verb, from_state, to_state, detail, actor, why, at FROM service_case_move"
        " WHERE bucket = %s AND party_id = %s AND case_id = %s ORDER BY version",
        [bucket_of(party_id), party_id, case_id],
    )
    return [
        CaseMove(version, verb, None if was is None else CaseState(was), CaseState(to), *rest)
        for version, verb, was, to, *rest in await cursor.fetchall()
    ]
