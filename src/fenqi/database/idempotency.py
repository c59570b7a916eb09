"""Idempotency records: the same key with the same body gives the same answer, with another body its own refusal.

A record belongs to one consumer and is written in the transaction of its effect, so there is never one without the
other (docs/decisions/0003-idempotency.md). The refusals::

    Conflict (kernel.refusal)
    ├── KeyReused           the key was used with another verb or body
    └── StillRunning        the first caller hasn't finished within 5 s: try again after `retry_after_s`
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import errors

from fenqi.database.pool import Database, Tx
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import Conflict

WAIT_S = 5.0
RETRY_AFTER_S = 2
_POLL_S = 0.05
_ABANDONED_AFTER = timedelta(minutes=1)
"""A claim this old without an answer is that of a process which is no more."""


class KeyReused(Conflict):
    """The idempotency key belongs to another request."""

    def __init__(self) -> None:
        super().__init__("IDEMPOTENCY_KEY_REUSED", "this idempotency key was used with another request")


class StillRunning(Conflict):
    """The first request with this key is still being worked on."""

    retry_after_s = RETRY_AFTER_S

    def __init__(self) -> None:
        super().__init__(
            "IDEMPOTENCY_KEY_IN_USE", "the first request with this key is still running", retry_after_s=RETRY_AFTER_S
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request as the record knows it: whose, by which key, and the SHA-256 of verb and body."""

    consumer_id: UUID
    key: str
    verb: str
    input_hash: bytes

    @classmethod
    def of(cls, consumer_id: UUID, key: str, verb: str, body: bytes) -> Attempt:
        """The attempt for a request's raw body."""
        return cls(consumer_id, key, verb, hashlib.sha256(verb.encode() + b"\0" + body).digest())


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first caller was told, byte for byte."""

    status: int
    body: bytes
    repeated: bool = False


class Running:
    """The record is there, its answer isn't: the verb takes several transactions and hasn't come to its end."""


async def once(database: Database, attempt: Attempt, at: datetime, effect: Callable[[Tx], Awaitable[Answer]]) -> Answer:
    """Run `effect` once for this attempt, in one transaction with its record; a repeat gets the first answer.

    An effect that raises leaves neither effect nor record: the key is free again. Raises KeyReused, StillRunning.
    """
    deadline = time.monotonic() + WAIT_S
    while True:
        async with database.transaction() as tx:
            earlier = await claim(tx, attempt, at)
            if earlier is None:
                answer = await effect(tx)
                await settle(tx, attempt, answer, at)
                return answer
        if isinstance(earlier, Answer):
            return earlier
        if time.monotonic() > deadline:
            raise StillRunning
        await asyncio.sleep(_POLL_S)


async def repeatable(
    database: Database, attempt: Attempt, at: datetime, work: Callable[[], Awaitable[Answer]]
) -> Answer:
    """Do a work of several transactions once for this attempt: claimed before it, settled after it.

    The work must be repeatable by ids of its own: where a killed process left it, a repeat a minute later does it
    again. A work that raises leaves the key free. Raises KeyReused, StillRunning.
    """
    deadline = time.monotonic() + WAIT_S
    while True:
        async with database.transaction() as tx:
            earlier = await claim(tx, attempt, at)
            if isinstance(earlier, Running) and await _take_over(tx, attempt, at):
                earlier = None
        if earlier is None:
            return await _done(database, attempt, at, work)
        if isinstance(earlier, Answer):
            return earlier
        if time.monotonic() > deadline:
            raise StillRunning
        await asyncio.sleep(_POLL_S)


async def _done(database: Database, attempt: Attempt, at: datetime, work: Callable[[], Awaitable[Answer]]) -> Answer:
    answer: Answer | None = None
    try:
        answer = await work()
    finally:
        async with database.transaction() as tx:
            if answer is None:
                await _release(tx, attempt)
            elif not await _keep(tx, attempt, answer, at):
                earlier = await _earlier(tx, attempt, _owner(attempt))
                answer = earlier if isinstance(earlier, Answer) else answer
    return answer


def _owner(attempt: Attempt) -> tuple[int, UUID, str]:
    return bucket_of(attempt.consumer_id), attempt.consumer_id, attempt.key


_THIS_OPEN = "WHERE bucket = %s AND consumer_id = %s AND key = %s AND status IS NULL"


async def _take_over(tx: Tx, attempt: Attempt, at: datetime) -> bool:
    """Make an abandoned claim one's own."""
    taken = await tx.execute(
        f"UPDATE idempotency SET claimed_at = %s {_THIS_OPEN} AND claimed_at < %s",
        [at, *_owner(attempt), at - _ABANDONED_AFTER],
    )
    return taken.rowcount == 1


async def _release(tx: Tx, attempt: Attempt) -> None:
    await tx.execute(f"DELETE FROM idempotency {_THIS_OPEN}", _owner(attempt))


async def _keep(tx: Tx, attempt: Attempt, answer: Answer, at: datetime) -> bool:
    done = await tx.execute(
        f"UPDATE idempotency SET status = %s, answer = %s, answered_at = %s {_THIS_OPEN}",
        [answer.status, answer.body, at, *_owner(attempt)],
    )
    return done.rowcount == 1


async def claim(tx: Tx, attempt: Attempt, at: datetime) -> Answer | Running | None:
    """Write the record; None means it is yours: do the effect and `settle` it, in this transaction or a later one.

    While another transaction holds the key, waits for its end, at most 5 s. Raises KeyReused, StillRunning; after
    either the transaction is of no more use.
    """
    owner = _owner(attempt)
    try:
        async with tx.pipeline():
            await tx.execute(f"SET LOCAL lock_timeout = '{int(WAIT_S * 1000)}ms'")
            claimed = await tx.execute(
                "INSERT INTO idempotency (bucket, consumer_id, key, verb, input_hash, claimed_at)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [*owner, attempt.verb, attempt.input_hash, at],
            )
            await tx.execute("SET LOCAL lock_timeout = DEFAULT")
    except errors.LockNotAvailable:
        raise StillRunning from None
    return None if claimed.rowcount == 1 else await _earlier(tx, attempt, owner)


async def settle(tx: Tx, attempt: Attempt, answer: Answer, at: datetime) -> None:
    """Keep the answer of a claimed attempt; it is given once."""
    kept = await _keep(tx, attempt, answer, at)
    assert kept, f"{attempt.verb} {attempt.key} was settled already, or never claimed"


async def forget(tx: Tx, first_bucket: int, last_bucket: int, before: datetime) -> int:
    """Delete settled records of a bucket range that were claimed before the instant; how many."""
    done = await tx.execute(
        "DELETE FROM idempotency WHERE bucket BETWEEN %s AND %s AND claimed_at < %s AND status IS NOT NULL",
        [first_bucket, last_bucket, before],
    )
    return done.rowcount


async def _earlier(tx: Tx, attempt: Attempt, owner: tuple[int, UUID, str]) -> Answer | Running:
    rows = await tx.execute(
        "SELECT input_hash, status, answer FROM idempotency WHERE bucket = %s AND consumer_id = %s AND key = %s", owner
    )
    row = await rows.fetchone()
    if row is None:
        return Running()  # its work raised and let the key go a moment ago: look again
    input_hash, status, body = row
    if input_hash != attempt.input_hash:
        raise KeyReused
    return Running() if status is None else Answer(status, body, repeated=True)
