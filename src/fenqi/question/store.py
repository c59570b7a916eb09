"""SQL of the room of questions, every statement by the question's id or over the short queue of those that wait."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.question.model import Asked, Guess, Outcome

_COLUMNS = (
    "question_id, asked_at, text, locale, audience, outcome, topic, guesses, consumer_id, order_id, codes, helped, "
    "waits_from_at, taken_at"
)


async def insert(tx: Tx, asked: Asked) -> bool:
    """Keep a question; False when it is kept already."""
    row = [*msgspec.structs.astuple(asked)]
    row[7] = msgspec.json.encode(asked.guesses).decode()
    row[10] = list(asked.codes)
    cursor = await tx.execute(
        f"INSERT INTO question ({_COLUMNS}) VALUES ({', '.join(['%s'] * len(row))}) ON CONFLICT DO NOTHING", row
    )
    return cursor.rowcount == 1


async def select(tx: Tx, question_id: UUID) -> Asked | None:
    """One question."""
    cursor = await tx.execute(f"SELECT {_COLUMNS} FROM question WHERE question_id = %s", [question_id])
    row = await cursor.fetchone()
    return None if row is None else _asked(row)


async def waiting(tx: Tx, limit: int) -> list[Asked]:
    """Those that wait for a person, the longest first."""
    cursor = await tx.execute(
        f"SELECT {_COLUMNS} FROM question WHERE waits_from_at IS NOT NULL AND taken_at IS NULL "
        "ORDER BY waits_from_at, question_id LIMIT %s",
        [limit],
    )
    return [_asked(row) for row in await cursor.fetchall()]


async def rate(tx: Tx, question_id: UUID, helped: bool, at: datetime) -> None:
    """Keep whether the answer helped; one that did not waits for a person from now on."""
    await tx.execute(
        "UPDATE question SET helped = %(helped)s, waits_from_at = CASE WHEN %(helped)s THEN waits_from_at "
        "ELSE coalesce(waits_from_at, %(at)s) END WHERE question_id = %(question_id)s",
        {"helped": helped, "at": at, "question_id": question_id},
    )


async def take(tx: Tx, question_id: UUID, by: By) -> bool:
    """A person takes it up; False when somebody has, or it doesn't wait."""
    cursor = await tx.execute(
        "UPDATE question SET taken_at = %s, taken_by = %s "
        "WHERE question_id = %s AND waits_from_at IS NOT NULL AND taken_at IS NULL",
        [by.at, by.actor, question_id],
    )
    return cursor.rowcount == 1


async def tally(tx: Tx, since_at: datetime) -> list[tuple[str | None, str, int, int, int]]:
    """By topic and outcome since an instant: asked, helped, not helped."""
    cursor = await tx.execute(
        "SELECT topic, outcome, count(*), count(*) FILTER (WHERE helped), count(*) FILTER (WHERE NOT helped) "
        "FROM question WHERE asked_at >= %s GROUP BY topic, outcome ORDER BY 3 DESC, 1, 2",
        [since_at],
    )
    return [tuple(row) for row in await cursor.fetchall()]


def _asked(row: Any) -> Asked:
    question_id, asked_at, text, locale, audience, outcome, topic, guesses, consumer_id, order_id, codes, *rest = row
    return Asked(
        question_id, asked_at, text, locale, audience, Outcome(outcome), topic,
        msgspec.convert(guesses, tuple[Guess, ...]), consumer_id, order_id, tuple(codes), *rest,
    )  # fmt: skip
