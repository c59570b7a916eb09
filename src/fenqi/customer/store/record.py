"""SQL of consumers, persons, history and the directory. Lock order: directory rows, then the consumer's row, then
codes, cards and sessions of that consumer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from fenqi.customer.model import (
    Consumer,
    Credentials,
    HistoryRow,
    MoneyAccount,
    NewConsumer,
    PayPassword,
    RealName,
    Region,
)
from fenqi.database import packing
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of, new_id

_CONSUMER = (
    "c.consumer_id, c.state, c.pay_password, c.pay_password_locked_until_at, c.real_name, c.person_hash, c.birth_on,"
    " c.sex, c.id_document_until_on, c.region, c.is_student, c.child_mode, c.phone_reachable, c.sms_blocked_until_at,"
    " c.stepped_up_until_at, c.money_account, c.pay_switch_on, c.version, c.created_at,"
    " (SELECT count(*) FROM bound_card b WHERE b.bucket = c.bucket AND b.consumer_id = c.consumer_id"
    " AND b.state = 'bound'), c.segments, c.kind, c.id_checked_until_at"
)
_CREDENTIALS = (
    "password_hash, pay_password_hash, pay_password_failures, sms_window_from_at, sms_window_count, sms_last_at"
)
_COLUMNS = set(Credentials.__struct_fields__) | set(Consumer.__struct_fields__) - {
    "consumer_id",
    "version",
    "created_at",
    "cards",
    "kind",
}


def _consumer(row: Sequence[Any]) -> Consumer:
    values: list[Any] = list(row)
    values[2], values[4], values[9] = PayPassword(row[2]), RealName(row[4]), Region(row[9])
    values[15], values[20] = MoneyAccount(row[15]), tuple(row[20])
    return Consumer(*values)


async def insert_consumer(
    tx: Tx, new: NewConsumer, password_hash: str, pay_password_hash: str | None, at: datetime
) -> bool:
    """False when this id is taken."""
    cursor = await tx.execute(
        "INSERT INTO consumer (bucket, consumer_id, state, password_hash, pay_password, pay_password_hash, region,"
        " phone_reachable, created_at) VALUES (%s, %s, 'active', %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (bucket, consumer_id) DO NOTHING",
        [
            bucket_of(new.consumer_id),
            new.consumer_id,
            password_hash,
            PayPassword.NONE if pay_password_hash is None else PayPassword.SET,
            pay_password_hash,
            new.region,
            new.phone_reachable,
            at,
        ],
    )
    return cursor.rowcount == 1


async def insert_walk_in(tx: Tx, consumer_id: UUID, at: datetime) -> bool:
    """A row that nobody can sign in to: what stands for the password is no hash. False when it is there already."""
    cursor = await tx.execute(
        "INSERT INTO consumer (bucket, consumer_id, kind, state, password_hash, phone_reachable, created_at)"
        " VALUES (%s, %s, 'walk_in', 'active', '', false, %s) ON CONFLICT (bucket, consumer_id) DO NOTHING",
        [bucket_of(consumer_id), consumer_id, at],
    )
    return cursor.rowcount == 1


async def consumers(tx: Tx, consumer_ids: Sequence[UUID]) -> dict[UUID, Consumer]:
    """Consumers by id, in one statement; unknown ids are left out."""
    cursor = await tx.execute(
        f"SELECT {_CONSUMER} FROM unnest(%b::smallint[], %b::uuid[]) AS k (bucket, consumer_id)"
        " JOIN consumer c USING (bucket, consumer_id)",
        [[bucket_of(consumer_id) for consumer_id in consumer_ids], list(consumer_ids)],
    )
    return {row[0]: _consumer(row) for row in await cursor.fetchall()}


async def versions(tx: Tx, consumer_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What a paying batch compares."""
    cursor = await tx.execute(
        "SELECT consumer_id, version FROM unnest(%b::smallint[], %b::uuid[]) AS k (bucket, consumer_id)"
        " JOIN consumer USING (bucket, consumer_id)",
        [packing.pack_int2([bucket_of(one) for one in consumer_ids]), packing.pack_uuid(consumer_ids)],
    )
    return dict(await cursor.fetchall())


async def lock(tx: Tx, consumer_id: UUID) -> tuple[Consumer, Credentials] | None:
    """The consumer, locked for change, with what proves them."""
    cursor = await tx.execute(
        f"SELECT {_CREDENTIALS}, {_CONSUMER} FROM consumer c WHERE bucket = %s AND consumer_id = %s FOR UPDATE OF c",
        [bucket_of(consumer_id), consumer_id],
    )
    row = await cursor.fetchone()
    return (_consumer(row[6:]), Credentials(*row[:6])) if row else None


async def update(tx: Tx, consumer_id: UUID, changes: dict[str, Any], *, facts_change: bool = True) -> None:
    """Write columns of a locked consumer; the version grows when a decision could come out otherwise."""
    assert set(changes) <= _COLUMNS
    names = ", ".join(f"{name} = %s" for name in changes)
    step = 1 if facts_change else 0
    cursor = await tx.execute(
        f"UPDATE consumer SET {names}, version = version + %s WHERE bucket = %s AND consumer_id = %s",
        [*changes.values(), step, bucket_of(consumer_id), consumer_id],
    )
    assert cursor.rowcount == 1


async def touch(tx: Tx, consumer_id: UUID) -> None:
    """Let the version grow: something beside the row (a card) changed what decisions see."""
    await tx.execute(
        "UPDATE consumer SET version = version + 1 WHERE bucket = %s AND consumer_id = %s",
        [bucket_of(consumer_id), consumer_id],
    )


async def insert_history(tx: Tx, consumer_id: UUID, verb: str, by: By, detail: dict[str, Any] | None = None) -> None:
    """Keep a change. Never a name, number, phone or address in `detail`."""
    await tx.execute(
        "INSERT INTO consumer_history (bucket, consumer_id, history_id, verb, detail, actor, why, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [bucket_of(consumer_id), consumer_id, new_id(), verb, Jsonb(detail or {}), *by],
    )


async def history(tx: Tx, consumer_id: UUID) -> list[HistoryRow]:
    """All changes of a consumer, oldest first."""
    cursor = await tx.execute(
        "SELECT verb, detail, actor, why, at FROM consumer_history WHERE bucket = %s AND consumer_id = %s"
        " ORDER BY at, history_id",
        [bucket_of(consumer_id), consumer_id],
    )
    return [HistoryRow(*row) for row in await cursor.fetchall()]


async def insert_person(tx: Tx, consumer_id: UUID, sign_in_name: bytes, phone: bytes) -> None:
    """Keep who signed up, sealed."""
    await tx.execute(
        "INSERT INTO consumer_person (bucket, consumer_id, sign_in_name_sealed, phone_sealed) VALUES (%s, %s, %s, %s)",
        [bucket_of(consumer_id), consumer_id, sign_in_name, phone],
    )


async def update_person(tx: Tx, consumer_id: UUID, changes: dict[str, bytes]) -> None:
    """Write sealed columns."""
    assert set(changes) <= {"phone_sealed", "name_sealed", "id_number_sealed"}
    names = ", ".join(f"{name} = %s" for name in changes)
    cursor = await tx.execute(
        f"UPDATE consumer_person SET {names} WHERE bucket = %s AND consumer_id = %s",
        [*changes.values(), bucket_of(consumer_id), consumer_id],
    )
    assert cursor.rowcount == 1


async def person(tx: Tx, consumer_id: UUID) -> tuple[bytes, bytes, bytes | None, bytes | None] | None:
    """Sealed sign-in name, phone, name and id number."""
    cursor = await tx.execute(
        "SELECT sign_in_name_sealed, phone_sealed, name_sealed, id_number_sealed FROM consumer_person"
        " WHERE bucket = %s AND consumer_id = %s",
        [bucket_of(consumer_id), consumer_id],
    )
    row = await cursor.fetchone()
    return (row[0], row[1], row[2], row[3]) if row else None


async def claim(tx: Tx, kind: str, value_hash: bytes, consumer_id: UUID, at: datetime) -> UUID:
    """Claim a value in the directory; whose it is now (somebody else's when it was taken before)."""
    await tx.execute(
        "INSERT INTO consumer_directory (value_hash, kind, consumer_id, claimed_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (value_hash) DO NOTHING",
        [value_hash, kind, consumer_id, at],
    )
    owner = await owner_of(tx, value_hash)
    assert owner is not None
    return owner


async def owner_of(tx: Tx, value_hash: bytes) -> UUID | None:
    """Whose a value is."""
    cursor = await tx.execute("SELECT consumer_id FROM consumer_directory WHERE value_hash = %s", [value_hash])
    row = await cursor.fetchone()
    return row[0] if row else None


async def give_up(tx: Tx, value_hash: bytes, consumer_id: UUID) -> None:
    """Take the consumer's claim on a value back."""
    await tx.execute(
        "DELETE FROM consumer_directory WHERE value_hash = %s AND consumer_id = %s", [value_hash, consumer_id]
    )


async def count_sign_in(tx: Tx, value_hash: bytes, at: datetime, window_from_at: datetime) -> tuple[int, Any]:
    """Count a try to sign in under a name or from an address: (tries in the window, blocked until).

    The row stays locked until the transaction ends, so tries under one name wait for one another.
    """
    cursor = await tx.execute(
        "INSERT INTO sign_in_throttle AS t (value_hash, failures, window_from_at) VALUES (%(hash)s, 1, %(at)s)"
        " ON CONFLICT (value_hash) DO UPDATE SET"
        " failures = CASE WHEN t.window_from_at <= %(from)s THEN 1 ELSE t.failures + 1 END,"
        " window_from_at = CASE WHEN t.window_from_at <= %(from)s THEN %(at)s ELSE t.window_from_at END"
        " RETURNING failures, blocked_until_at",
        {"hash": value_hash, "at": at, "from": window_from_at},
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0], row[1]


async def block_sign_in(tx: Tx, value_hash: bytes, until_at: datetime) -> None:
    """Refuse tries under this name or from this address until then."""
    await tx.execute("UPDATE sign_in_throttle SET blocked_until_at = %s WHERE value_hash = %s", [until_at, value_hash])


async def forget_sign_ins(tx: Tx, value_hash: bytes) -> None:
    """Forget the tries: one succeeded."""
    await tx.execute("DELETE FROM sign_in_throttle WHERE value_hash = %s", [value_hash])


async def forget_one_sign_in(tx: Tx, value_hash: bytes) -> None:
    """Take back the count of a try from an address: it succeeded, others from there may not have."""
    await tx.execute("UPDATE sign_in_throttle SET failures = failures - 1 WHERE value_hash = %s", [value_hash])
