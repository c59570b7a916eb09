"""Limits granted and changed: opening a limit account, moving its ceiling, each change a row with who, when and why."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import Conflict, NotFound
from fenqi.ledger import locks
from fenqi.ledger.limit import LimitAccount


class Change(msgspec.Struct, frozen=True):
    """Who changes a limit, when (an instant in UTC) and why."""

    by: str
    at: datetime
    why: str


class LimitChange(msgspec.Struct, frozen=True):
    """One row of a limit's history: the version it made, and the ceiling before (None: opened) and after."""

    path: str
    version: int
    from_minor: int | None
    to_minor: int
    changed_at: datetime
    changed_by: str
    why: str


async def open_account(tx: Tx, consumer_id: UUID, path: str, ceiling_minor: int, change: Change) -> LimitAccount:
    """Open a limit account with version 1. Refuses with Conflict LIMIT_EXISTS where it is open already."""
    cursor = await tx.execute(
        "INSERT INTO limit_account (bucket, consumer_id, path, ceiling_minor) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (bucket, consumer_id, path) DO NOTHING",
        [bucket_of(consumer_id), consumer_id, path, ceiling_minor],
    )
    if cursor.rowcount == 0:
        raise Conflict("LIMIT_EXISTS", path)
    await _record(tx, consumer_id, path, 1, None, ceiling_minor, change)
    return (await accounts_of(tx, consumer_id))[path]


async def set_ceiling(tx: Tx, consumer_id: UUID, path: str, ceiling_minor: int, change: Change) -> int:
    """Move the ceiling: the new version. It may go below what is used; then nothing new fits. Refuses NotFound.

    Setting it to what it is makes a new version too: that is how a change of the limit's state, which the ledger
    does not know, makes judgements of before stale.
    """
    account = (await locks.accounts(tx, consumer_id, [path])).get(path)
    if account is None:
        raise NotFound("LIMIT_NOT_FOUND", path)
    version = account.version + 1
    await tx.execute(
        "UPDATE limit_account SET ceiling_minor = %s, version = %s"
        " WHERE bucket = %s AND consumer_id = %s AND path = %s",
        [ceiling_minor, version, bucket_of(consumer_id), consumer_id, path],
    )
    await _record(tx, consumer_id, path, version, account.ceiling_minor, ceiling_minor, change)
    return version


async def accounts_of(tx: Tx, consumer_id: UUID) -> dict[str, LimitAccount]:
    """A consumer's limit accounts by path, not locked."""
    rows = await tx.execute(
        "SELECT path, balance_minor, reserved_minor, ceiling_minor, day_on, day_minor, month_on, month_minor, version"
        " FROM limit_account WHERE bucket = %s AND consumer_id = %s ORDER BY path",
        [bucket_of(consumer_id), consumer_id],
    )
    return {row[0]: LimitAccount(*row) for row in await rows.fetchall()}


async def changes_of(tx: Tx, consumer_id: UUID) -> list[LimitChange]:
    """Every change of the consumer's limits, oldest first."""
    rows = await tx.execute(
        "SELECT path, version, from_minor, to_minor, changed_at, changed_by, why FROM limit_change"
        " WHERE bucket = %s AND consumer_id = %s ORDER BY changed_at, path, version",
        [bucket_of(consumer_id), consumer_id],
    )
    return [LimitChange(*row) for row in await rows.fetchall()]


async def _record(
    tx: Tx, consumer_id: UUID, path: str, version: int, from_minor: int | None, to_minor: int, change: Change
) -> None:
    await tx.execute(
        "INSERT INTO limit_change"
        " (bucket, consumer_id, path, version, from_minor, to_minor, changed_at, changed_by, why)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [bucket_of(consumer_id), consumer_id, path, version, from_minor, to_minor, change.at, change.by, change.why],
    )
