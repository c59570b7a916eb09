"""SQL of webhook endpoints: the endpoints, their sealed secrets and their history, and notices to merchants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.merchant.webhook_model import Change, Endpoint, EndpointState, Notice, Secret

_ENDPOINT = "merchant_id, endpoint_id, url, topics, state, failing_since_at, version, created_at"
_THIS = "bucket = %s AND merchant_id = %s AND endpoint_id = %s"


def _endpoint(row: Sequence[Any]) -> Endpoint:
    return Endpoint(row[0], row[1], row[2], tuple(row[3]), EndpointState(row[4]), *row[5:])


def _key(merchant_id: UUID, endpoint_id: UUID) -> list[Any]:
    return [bucket_of(merchant_id), merchant_id, endpoint_id]


async def insert(tx: Tx, new: Endpoint) -> None:
    """Keep a new endpoint."""
    await tx.execute(
        f"INSERT INTO webhook_endpoint (bucket, {_ENDPOINT}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            bucket_of(new.merchant_id),
            new.merchant_id,
            new.endpoint_id,
            new.url,
            list(new.topics),
            new.state,
            new.failing_since_at,
            new.version,
            new.created_at,
        ],
    )


async def endpoint(tx: Tx, merchant_id: UUID, endpoint_id: UUID, *, lock: bool = False) -> Endpoint | None:
    """One endpoint of the merchant, its row locked for change when asked."""
    cursor = await tx.execute(
        f"SELECT {_ENDPOINT} FROM webhook_endpoint WHERE {_THIS}" + (" FOR NO KEY UPDATE" if lock else ""),
        _key(merchant_id, endpoint_id),
    )
    row = await cursor.fetchone()
    return _endpoint(row) if row else None


async def of_merchants(tx: Tx, merchant_ids: Sequence[UUID]) -> list[Endpoint]:
    """Every endpoint of these merchants that was not removed, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_ENDPOINT} FROM webhook_endpoint WHERE bucket = ANY(%s) AND merchant_id = ANY(%s)"
        " AND state <> 'removed' ORDER BY created_at, endpoint_id",
        [[bucket_of(one) for one in merchant_ids], list(merchant_ids)],
    )
    return [_endpoint(row) for row in await cursor.fetchall()]


async def change(tx: Tx, changed: Endpoint, from_version: int) -> None:
    """Write a locked endpoint's new address, topics and state."""
    cursor = await tx.execute(
        "UPDATE webhook_endpoint SET url = %s, topics = %s, state = %s, failing_since_at = %s, version = version + 1"
        f" WHERE {_THIS} AND version = %s",
        [
            changed.url,
            list(changed.topics),
            changed.state,
            changed.failing_since_at,
            *_key(changed.merchant_id, changed.endpoint_id),
            from_version,
        ],
    )
    assert cursor.rowcount == 1


async def note_success(tx: Tx, merchant_id: UUID, endpoint_id: UUID) -> None:
    """It works: forget since when it failed. Writes only where that changes something."""
    await tx.execute(
        f"UPDATE webhook_endpoint SET failing_since_at = NULL WHERE {_THIS} AND failing_since_at IS NOT NULL",
        _key(merchant_id, endpoint_id),
    )


async def note_failure(tx: Tx, merchant_id: UUID, endpoint_id: UUID, at: datetime) -> None:
    """It fails, for the first time since it worked. Writes only where that changes something."""
    await tx.execute(
        f"UPDATE webhook_endpoint SET failing_since_at = %s WHERE {_THIS} AND failing_since_at IS NULL",
        [at, *_key(merchant_id, endpoint_id)],
    )


async def insert_secret(tx: Tx, merchant_id: UUID, endpoint_id: UUID, secret: Secret) -> None:
    """Keep a sealed secret."""
    await tx.execute(
        "INSERT INTO webhook_secret (bucket, merchant_id, endpoint_id, secret_id, sealed, made_at, ends_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [*_key(merchant_id, endpoint_id), secret.secret_id, secret.sealed, secret.made_at, secret.ends_at],
    )


async def end_secrets(tx: Tx, merchant_id: UUID, endpoint_id: UUID, ends_at: datetime) -> None:
    """Let every secret of an endpoint end then, unless it ends earlier."""
    await tx.execute(
        f"UPDATE webhook_secret SET ends_at = %s WHERE {_THIS} AND (ends_at IS NULL OR ends_at > %s)",
        [ends_at, *_key(merchant_id, endpoint_id), ends_at],
    )


async def insert_change(
    tx: Tx, merchant_id: UUID, endpoint_id: UUID, verb: str, by: By, *,
    from_state: str | None = None, to_state: str | None = None, detail: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Keep a change of an endpoint."""
    await tx.execute(
        "INSERT INTO webhook_history"
        " (bucket, merchant_id, endpoint_id, history_id, verb, from_state, to_state, detail, actor, why, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            *_key(merchant_id, endpoint_id),
            new_id(),
            verb,
            from_state,
            to_state,
            Jsonb(detail or {}),
            by.actor,
            by.why,
            by.at,
        ],
    )


async def changes(tx: Tx, merchant_id: UUID, endpoint_id: UUID) -> list[Change]:
    """Every change of an endpoint, oldest first."""
    cursor = await tx.execute(
        f"SELECT verb, from_state, to_state, detail, actor, why, at FROM webhook_history WHERE {_THIS}"
        " ORDER BY at, history_id",
        _key(merchant_id, endpoint_id),
    )
    return [Change(*row) for row in await cursor.fetchall()]


async def insert_notice(tx: Tx, merchant_id: UUID, notice: Notice) -> None:
    """Keep something that the merchant must know."""
    await tx.execute(
        "INSERT INTO merchant_notice (bucket, merchant_id, notice_id, kind, detail, at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [bucket_of(merchant_id), merchant_id, notice.notice_id, notice.kind, Jsonb(notice.detail), notice.at],
    )


async def notices(tx: Tx, merchant_id: UUID, limit: int) -> list[Notice]:
    """The newest notices to a merchant."""
    cursor = await tx.execute(
        "SELECT notice_id, kind, detail, at FROM merchant_notice WHERE bucket = %s AND merchant_id = %s"
        " ORDER BY at DESC, notice_id DESC LIMIT %s",
        [bucket_of(merchant_id), merchant_id, limit],
    )
    return [Notice(*row) for row in await cursor.fetchall()]
