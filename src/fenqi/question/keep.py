"""Keeping questions: recorded once, rated by whoever asked, taken up by a person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Conflict, NotFound
from fenqi.question import store
from fenqi.question.model import Asked


async def record(tx: Tx, asked: Asked) -> bool:
    """Keep a question with what was made of it; False where this id is kept already."""
    return await store.insert(tx, asked)


async def get(tx: Tx, question_id: UUID, consumer_id: UUID | None) -> Asked:
    """A question that nobody known asked, or this consumer; refuses others' and unknown ones (QUESTION_UNKNOWN)."""
    found = await store.select(tx, question_id)
    if found is None or found.consumer_id not in (None, consumer_id):
        raise NotFound("QUESTION_UNKNOWN", "no such question")
    return found


async def rate(tx: Tx, question_id: UUID, consumer_id: UUID | None, helped: bool, at: datetime) -> Asked:
    """Keep whether the answer helped; refuses as `get` does. One that did not waits for a person."""
    await get(tx, question_id, consumer_id)
    await store.rate(tx, question_id, helped, at)
    return await get(tx, question_id, consumer_id)


async def waiting(tx: Tx, limit: int = 50) -> list[Asked]:
    """Questions that wait for a person, the longest waiting first."""
    return await store.waiting(tx, limit)


async def take(tx: Tx, question_id: UUID, by: By) -> None:
    """A person takes a question up and says what is done; refuses one that doesn't wait (QUESTION_TAKEN)."""
    check_why(by.why)
    if not await store.take(tx, question_id, by):
        raise Conflict("QUESTION_TAKEN", "the question does not wait any more")


async def tally(tx: Tx, since_at: datetime) -> list[tuple[str | None, str, int, int, int]]:
    """By topic and outcome: how many were asked, helped by the answer, and not helped."""
    return await store.tally(tx, since_at)
