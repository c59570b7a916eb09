"""Rows and moves of refunds through channels. Lock order: after the attempt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Json

from fenqi.attempt.model import ChannelRefund, Move, RefundState
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of

_NAMES = tuple(ChannelRefund.__struct_fields__)
_SELECT = ", ".join(_NAMES)
_MUTABLE = ("state", "channel_no", "code", "reason", "message", "finished_at", "ask_at", "asks", "version")


def _refund(row: Sequence[Any]) -> ChannelRefund:
    values = dict(zip(_NAMES, row, strict=True))
    values["state"] = RefundState(values["state"])
    return ChannelRefund(**values)


def _value(refund: ChannelRefund, name: str) -> Any:
    value = getattr(refund, name)
    return str(value) if name == "state" else value


async def insert(tx: Tx, refund: ChannelRefund) -> None:
    """A new refund."""
    marks = ", ".join(["%s"] * (len(_NAMES) + 1))
    await tx.execute(
        f"INSERT INTO channel_refund (bucket, {_SELECT}) VALUES ({marks})",
        [bucket_of(refund.consumer_id), *(_value(refund, name) for name in _NAMES)],
    )


async def update(tx: Tx, before: ChannelRefund, after: ChannelRefund) -> None:
    """Write what a move may change, of a row that is locked."""
    sets = ", ".join(f"{name} = %s" for name in _MUTABLE)
    cursor = await tx.execute(
        f"UPDATE channel_refund SET {sets} WHERE bucket = %s AND consumer_id = %s AND refund_id = %s AND version = %s",
        [
            *(_value(after, name) for name in _MUTABLE),
            bucket_of(after.consumer_id), after.consumer_id, after.refund_id, before.version,
        ],
    )  # fmt: skip
    assert cursor.rowcount == 1, "the refund was locked"


async def insert_move(tx: Tx, refund: ChannelRefund, from_state: str | None, detail: dict[str, Any], by: By) -> None:
    """Keep who moved it, when, why."""
    await tx.execute(
        "INSERT INTO channel_refund_move"
        " (bucket, consumer_id, refund_id, version, from_state, to_state, detail, actor, why, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            bucket_of(refund.consumer_id), refund.consumer_id, refund.refund_id, refund.version, from_state,
            str(refund.state), Json(detail), by.actor, by.why, by.at,
        ],
    )  # fmt: skip


async def select(tx: Tx, consumer_id: UUID, refund_id: UUID, *, lock: bool = False) -> ChannelRefund | None:
    """One refund, or None."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM channel_refund WHERE bucket = %s AND consumer_id = %s AND refund_id = %s"
        + (" FOR UPDATE" if lock else ""),
        [bucket_of(consumer_id), consumer_id, refund_id],
    )
    row = await cursor.fetchone()
    return None if row is None else _refund(row)


async def of_attempts(tx: Tx, consumer_id: UUID, attempt_ids: Sequence[UUID]) -> list[ChannelRefund]:
    """The refunds of these attempts, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM channel_refund WHERE bucket = %s AND consumer_id = %s AND attempt_id = ANY(%s)"
        " ORDER BY made_at, refund_id",
        [bucket_of(consumer_id), consumer_id, list(attempt_ids)],
    )
    return [_refund(row) for row in await cursor.fetchall()]


async def moves(tx: Tx, consumer_id: UUID, refund_id: UUID) -> list[Move]:
    """A refund's moves, oldest first."""
    cursor = await tx.execute(
        "SELECT version, 'refund', from_state, to_state, detail, actor, why, at FROM channel_refund_move"
        " WHERE bucket = %s AND consumer_id = %s AND refund_id = %s ORDER BY version",
        [bucket_of(consumer_id), consumer_id, refund_id],
    )
    return [Move(*row) for row in await cursor.fetchall()]


async def to_ask(tx: Tx, at: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """(consumer id, refund id) of refunds whose time has come, the longest waiting first."""
    cursor = await tx.execute(
        "SELECT consumer_id, refund_id FROM channel_refund WHERE bucket BETWEEN 0 AND 255 AND ask_at <= %s"
        " ORDER BY ask_at LIMIT %s",
        [at, limit],
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def waiting(tx: Tx, limit: int) -> list[ChannelRefund]:
    """Refunds that are on their way, the oldest first."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM channel_refund WHERE bucket BETWEEN 0 AND 255 AND ask_at IS NOT NULL"
        " ORDER BY made_at LIMIT %s",
        [limit],
    )
    return [_refund(row) for row in await cursor.fetchall()]


async def stuck(tx: Tx, limit: int) -> list[ChannelRefund]:
    """Refunds that a channel won't carry out and nobody has decided on, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM channel_refund WHERE bucket BETWEEN 0 AND 255 AND state = 'failed'"
        " ORDER BY made_at LIMIT %s",
        [limit],
    )
    return [_refund(row) for row in await cursor.fetchall()]
