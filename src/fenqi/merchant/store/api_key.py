"""SQL of API keys: kept by the key's hash, listed by merchant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.merchant.model import ApiKey, Scope

_COLUMNS = "key_id, merchant_id, label, scopes, expires_at, revoked_at, created_by, created_at, last_used_on"


def _api_key(row: Sequence[Any]) -> ApiKey:
    return ApiKey(row[0], row[1], row[2], tuple(Scope(scope) for scope in row[3]), *row[4:])


async def insert(tx: Tx, key_hash: bytes, key: ApiKey) -> None:
    """Keep a key by its hash."""
    await tx.execute(
        f"INSERT INTO merchant_api_key (key_hash, {_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            key_hash,
            key.key_id,
            key.merchant_id,
            key.label,
            list(key.scopes),
            key.expires_at,
            key.revoked_at,
            key.created_by,
            key.created_at,
            key.last_used_on,
        ],
    )


async def by_hash(tx: Tx, key_hash: bytes) -> ApiKey | None:
    """The key with this hash."""
    cursor = await tx.execute(f"SELECT {_COLUMNS} FROM merchant_api_key WHERE key_hash = %s", [key_hash])
    row = await cursor.fetchone()
    return _api_key(row) if row else None


async def of_merchant(tx: Tx, merchant_id: UUID) -> list[tuple[bytes, ApiKey]]:
    """(hash, key) of every key that a merchant ever had, oldest first: a report over the directory."""
    cursor = await tx.execute(
        f"SELECT key_hash, {_COLUMNS} FROM merchant_api_key WHERE merchant_id = %s ORDER BY created_at, key_id",
        [merchant_id],
    )
    return [(row[0], _api_key(row[1:])) for row in await cursor.fetchall()]


async def revoke(tx: Tx, key_hash: bytes, by: By) -> bool:
    """False when there is no such key in use."""
    cursor = await tx.execute(
        "UPDATE merchant_api_key SET revoked_by = %s, revoked_at = %s WHERE key_hash = %s AND revoked_at IS NULL",
        [by.actor, by.at, key_hash],
    )
    return cursor.rowcount == 1


async def touch(tx: Tx, key_hash: bytes, on: date) -> None:
    """Note that the key was used that day."""
    await tx.execute("UPDATE merchant_api_key SET last_used_on = %s WHERE key_hash = %s", [on, key_hash])
