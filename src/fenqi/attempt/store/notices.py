"""Notices: kept as they came, once each, found again by the number that they speak of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from fenqi.attempt.model import NoticeRow
from fenqi.database import packing
from fenqi.database.pool import Tx

_SELECT = (
    "number, notice_id, passage, channel, kind, state, code, headers, body, result::text, received_at, times, done_at"
)


def _notice(row: Sequence[Any]) -> NoticeRow:
    values = list(row)
    values[9] = None if values[9] is None else values[9].encode()
    return NoticeRow(*values)


async def insert(tx: Tx, notices: Sequence[NoticeRow]) -> None:
    """Keep a batch; of those that are there already only the count goes up. No two of the batch are the same."""
    await tx.execute(
        "INSERT INTO channel_notice"
        " (number, notice_id, passage, channel, kind, state, code, headers, body, result, received_at, times)"
        " SELECT number, notice_id, passage, channel, kind, state, code, headers::json, body, result::json,"
        " received_at, times"
        " FROM unnest(%b::text[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],"
        " %b::bytea[], %b::text[], %b::timestamptz[], %b::bigint[])"
        " AS new (number, notice_id, passage, channel, kind, state, code, headers, body, result, received_at, times)"
        " ON CONFLICT (number, notice_id) DO UPDATE SET times = channel_notice.times + EXCLUDED.times",
        [
            packing.pack_text([n.number for n in notices]),
            packing.pack_uuid([n.notice_id for n in notices]),
            packing.pack_text([n.passage for n in notices]),
            packing.pack_text([n.channel for n in notices]),
            packing.pack_text([n.kind for n in notices]),
            packing.pack_text([n.state for n in notices]),
            packing.pack_text([n.code for n in notices]),
            packing.pack_text([msgspec.json.encode(n.headers).decode() for n in notices]),
            packing.pack_bytea([n.body for n in notices]),
            packing.pack_text([None if n.result is None else n.result.decode() for n in notices]),
            packing.pack_timestamp([n.received_at for n in notices]),
            packing.pack_int8([n.times for n in notices]),
        ],
    )


async def waiting(tx: Tx, limit: int) -> list[NoticeRow]:
    """Notices that nobody has acted on yet, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM channel_notice WHERE state = 'received' ORDER BY received_at LIMIT %s", [limit]
    )
    return [_notice(row) for row in await cursor.fetchall()]


async def settle(tx: Tx, notice: NoticeRow, state: str, code: str, at: datetime) -> None:
    """Say what became of a notice."""
    await tx.execute(
        "UPDATE channel_notice SET state = %s, code = %s, done_at = %s WHERE number = %s AND notice_id = %s",
        [state, code, at, notice.number, notice.notice_id],
    )


async def of_number(tx: Tx, numbers: Sequence[str]) -> list[NoticeRow]:
    """Every notice that speaks of these numbers, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM channel_notice WHERE number = ANY(%s) ORDER BY received_at", [list(numbers)]
    )
    return [_notice(row) for row in await cursor.fetchall()]


async def latest(tx: Tx, limit: int, before: datetime | None = None, state: str | None = None) -> list[NoticeRow]:
    """The latest notices, newest first."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM channel_notice WHERE (%s::timestamptz IS NULL OR received_at < %s)"
        " AND (%s::text IS NULL OR state = %s) ORDER BY received_at DESC LIMIT %s",
        [before, before, state, state, limit],
    )
    return [_notice(row) for row in await cursor.fetchall()]


async def one(tx: Tx, number: str, notice_id: UUID) -> NoticeRow | None:
    """One notice, or None."""
    cursor = await tx.execute(
        f"SELECT {_SELECT} FROM channel_notice WHERE number = %s AND notice_id = %s", [number, notice_id]
    )
    row = await cursor.fetchone()
    return None if row is None else _notice(row)
