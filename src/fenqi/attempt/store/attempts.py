"""Attempts' rows and moves. Lock order: an attempt is locked after its order, before anything of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Json

from fenqi.attempt.model import Attempt, AttemptState, Move
from fenqi.database import packing
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of

_NAMES = tuple(field for field in Attempt.__struct_fields__)
_JSON = {"terms", "handover"}
_SELECT = ", ".join(f"{name}::text" if name in _JSON else name for name in _NAMES)
_MUTABLE = (
    "state", "disposition", "handover", "channel_no", "code", "reason", "message", "paid_minor", "paid_currency",
    "payer_hint", "paid_at", "ask_at", "asks", "version",
)  # fmt: skip


def _attempt(row: Sequence[Any]) -> Attempt:
    values = dict(zip(_NAMES, row, strict=True))
    values["state"] = AttemptState(values["state"])
    for name in _JSON:
        values[name] = None if values[name] is None else values[name].encode()
    return Attempt(**values)


def _value(name: str, value: Any) -> Any:
    if name in _JSON and value is not None:
        return value.decode()
    return str(value) if name == "state" else value


async def insert(tx: Tx, attempt: Attempt) -> bool:
    """A new attempt; False when its key (of a top-up or withdrawal) has one already."""
    names = ", ".join(("bucket", *_NAMES))
    marks = ", ".join(["%s"] * (len(_NAMES) + 1))
    values = [bucket_of(attempt.consumer_id), *(_value(name, getattr(attempt, name)) for name in _NAMES)]
    cursor = await tx.execute(f"INSERT INTO attempt ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING", values)
    return cursor.rowcount == 1


async def update(tx: Tx, before: Attempt, after: Attempt) -> None:
    """Write what a move may change, of a row that is locked."""
    sets = ", ".join(f"{name} = %s" for name in _MUTABLE)
    values = [_value(name, getattr(after, name)) for name in _MUTABLE]
    key = [bucket_of(after.consumer_id), after.consumer_id, after.attempt_id, before.version]
    cursor = await tx.execute(
        f"UPDATE attempt SET {sets} WHERE bucket = %s AND consumer_id = %s AND attempt_id = %s AND version = %s",
        [*values, *key],
    )
    assert cursor.rowcount == 1, "the attempt was locked"


async def insert_move(
    tx: Tx, attempt: Attempt, verb: str, from_state: str | None, detail: dict[str, Any], by: By
) -> None:
    """Keep who moved it, when, why."""
    await tx.execute(
        "INSERT INTO attempt_move"
        " (bucket, consumer_id, attempt_id, version, verb, from_state, to_state, detail, actor, why, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            bucket_of(attempt.consumer_id), attempt.consumer_id, attempt.attempt_id, attempt.version, verb, from_state,
            str(attempt.state), Json(detail, dumps=_dumps), by.actor, by.why, by.at,
        ],
    )  # fmt: skip


def _dumps(value: Any) -> str:
    return msgspec.json.encode(value).decode()


async def select(tx: Tx, consumer_id: UUID, attempt_id: UUID, *, lock: bool = False) -> Attempt | None:
    """One attempt, or None."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM attempt WHERE bucket = %s AND consumer_id = %s AND attempt_id = %s"
        + (" FOR UPDATE" if lock else ""),
        [bucket_of(consumer_id), consumer_id, attempt_id],
    )
    row = await cursor.fetchone()
    return None if row is None else _attempt(row)


async def of_order(tx: Tx, consumer_id: UUID, order_id: UUID) -> list[Attempt]:
    """An order's attempts, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM attempt WHERE bucket = %s AND consumer_id = %s AND order_id = %s"
        " ORDER BY made_at, attempt_id",
        [bucket_of(consumer_id), consumer_id, order_id],
    )
    return [_attempt(row) for row in await cursor.fetchall()]


async def of_payment(tx: Tx, consumer_id: UUID, payment_id: UUID) -> list[Attempt]:
    """The attempts of one press, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM attempt WHERE bucket = %s AND consumer_id = %s AND payment_id = %s"
        " ORDER BY made_at, attempt_id",
        [bucket_of(consumer_id), consumer_id, payment_id],
    )
    return [_attempt(row) for row in await cursor.fetchall()]


async def pressed(tx: Tx, keys: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Of these presses, (consumer id, payment id) each, those that have an attempt."""
    cursor = await tx.execute(
        "SELECT DISTINCT consumer_id, payment_id FROM attempt WHERE (bucket, consumer_id, payment_id) IN"
        " (SELECT * FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[]))",
        [
            packing.pack_int2([bucket_of(consumer_id) for consumer_id, _ in keys]),
            packing.pack_uuid([consumer_id for consumer_id, _ in keys]),
            packing.pack_uuid([payment_id for _, payment_id in keys]),
        ],
    )
    return {(row[0], row[1]) for row in await cursor.fetchall()}


async def moves(tx: Tx, consumer_id: UUID, attempt_id: UUID) -> list[Move]:
    """An attempt's moves, oldest first."""
    cursor = await tx.execute(
        "SELECT version, verb, from_state, to_state, detail, actor, why, at FROM attempt_move"
        " WHERE bucket = %s AND consumer_id = %s AND attempt_id = %s ORDER BY version",
        [bucket_of(consumer_id), consumer_id, attempt_id],
    )
    return [Move(*row) for row in await cursor.fetchall()]


async def to_ask(tx: Tx, at: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """(consumer id, attempt id) of attempts whose time to be asked has come, the longest waiting first."""
    cursor = await tx.execute(
        "SELECT consumer_id, attempt_id FROM attempt WHERE bucket BETWEEN 0 AND 255 AND ask_at <= %s"
        " ORDER BY ask_at LIMIT %s",
        [at, limit],
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def of_consumer(tx: Tx, consumer_id: UUID, limit: int) -> list[Attempt]:
    """A consumer's latest attempts, newest first."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM attempt WHERE bucket = %s AND consumer_id = %s ORDER BY attempt_id DESC LIMIT %s",
        [bucket_of(consumer_id), consumer_id, limit],
    )
    return [_attempt(row) for row in await cursor.fetchall()]


async def waiting(tx: Tx, limit: int) -> list[Attempt]:
    """Attempts that the janitor still asks about, the oldest first."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM attempt WHERE bucket BETWEEN 0 AND 255 AND ask_at IS NOT NULL"
        " ORDER BY made_at LIMIT %s",
        [limit],
    )
    return [_attempt(row) for row in await cursor.fetchall()]


async def of_press(tx: Tx, payment_id: UUID) -> Attempt | None:
    """The last attempt of a press by its id alone: for staff, because it looks through all buckets."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM attempt WHERE payment_id = %s ORDER BY made_at DESC LIMIT 1", [payment_id]
    )
    row = await cursor.fetchone()
    return None if row is None else _attempt(row)


async def latest(tx: Tx, limit: int, before: datetime | None = None) -> list[Attempt]:
    """The latest attempts of all consumers, newest first: for the console."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM attempt WHERE bucket BETWEEN 0 AND 255 AND (%s::timestamptz IS NULL OR made_at < %s)"
        " ORDER BY made_at DESC LIMIT %s",
        [before, before, limit],
    )
    return [_attempt(row) for row in await cursor.fetchall()]


async def declined_of(
    tx: Tx, consumer_id: UUID, since: datetime
) -> list[tuple[str, str, int, datetime, UUID | None, str]]:
    """(method, reason, amount, when, order, instrument) of a consumer's refused attempts since then, newest first."""
    cursor = await tx.execute(
        "SELECT method, reason, amount_minor, made_at, order_id, instrument FROM attempt"
        " WHERE bucket = %s AND consumer_id = %s"
        " AND state = 'declined' AND made_at > %s ORDER BY made_at DESC LIMIT 50",
        [bucket_of(consumer_id), consumer_id, since],
    )
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in await cursor.fetchall()]
