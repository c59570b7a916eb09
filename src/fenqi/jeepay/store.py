"""SQL of the room of Jeepay's partners, every statement with its placement key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.jeepay.model import App, Claimed, NewNotice, Notice, NoticeState, PayOrder, RefundOrder
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of

_APP = "app_id, merchant_id, label, category, sealed, made_at, revoked_at"
_ORDER = ", ".join(PayOrder.__struct_fields__)
_REFUND = ", ".join(RefundOrder.__struct_fields__)
_NEW_NOTICE = ", ".join(NewNotice.__struct_fields__)
_NOTICE = ", ".join(Notice.__struct_fields__)
_DUE = "state = 'pending' AND next_at <= %(at)s AND (leased_until_at IS NULL OR leased_until_at <= %(at)s)"


def _slots(count: int) -> str:
    return ", ".join(["%s"] * count)


async def insert_app(tx: Tx, app: App, by: By) -> None:
    """Keep a new app."""
    await tx.execute(
        f"INSERT INTO jeepay_app ({_APP}, made_by, why) VALUES ({_slots(9)})",
        [*msgspec.structs.astuple(app), by.actor, by.why],
    )


async def app(tx: Tx, app_id: UUID) -> App | None:
    """One app."""
    cursor = await tx.execute(f"SELECT {_APP} FROM jeepay_app WHERE app_id = %s", [app_id])
    row = await cursor.fetchone()
    return App(*row) if row else None


async def apps_of(tx: Tx, merchant_id: UUID) -> list[App]:
    """A merchant's apps, oldest first: a look at every part of the directory."""
    cursor = await tx.execute(
        f"SELECT {_APP} FROM jeepay_app WHERE merchant_id = %s ORDER BY made_at, app_id", [merchant_id]
    )
    return [App(*row) for row in await cursor.fetchall()]


async def revoke_app(tx: Tx, app_id: UUID, by: By) -> bool:
    """False when there is no such app in use."""
    cursor = await tx.execute(
        "UPDATE jeepay_app SET revoked_by = %s, revoked_at = %s WHERE app_id = %s AND revoked_at IS NULL",
        [by.actor, by.at, app_id],
    )
    return cursor.rowcount == 1


async def insert_order(tx: Tx, new: PayOrder) -> bool:
    """False when the number has its pay order already."""
    cursor = await tx.execute(
        f"INSERT INTO jeepay_order (bucket, {_ORDER}) VALUES (%s, {_slots(len(PayOrder.__struct_fields__))})"
        " ON CONFLICT (bucket, merchant_id, pay_order_id) DO NOTHING",
        [bucket_of(new.merchant_id), *msgspec.structs.astuple(new)],
    )
    return cursor.rowcount == 1


async def order(tx: Tx, merchant_id: UUID, pay_order_id: UUID, *, lock: bool = False) -> PayOrder | None:
    """One pay order, locked for change when asked."""
    cursor = await tx.execute(
        f"SELECT {_ORDER} FROM jeepay_order WHERE bucket = %s AND merchant_id = %s AND pay_order_id = %s"
        + (" FOR UPDATE" if lock else ""),
        [bucket_of(merchant_id), merchant_id, pay_order_id],
    )
    row = await cursor.fetchone()
    return PayOrder(*row) if row else None


async def of_orders(tx: Tx, keys: Sequence[tuple[UUID, UUID]]) -> list[PayOrder]:
    """The pay orders that these (merchant id, order id) were placed for, in one statement."""
    cursor = await tx.execute(
        f"SELECT {', '.join('o.' + name for name in PayOrder.__struct_fields__)}"
        " FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[]) AS k (bucket, merchant_id, order_id)"
        " JOIN jeepay_order AS o USING (bucket, merchant_id, order_id)",
        [[bucket_of(key[0]) for key in keys], [key[0] for key in keys], [key[1] for key in keys]],
    )
    return [PayOrder(*row) for row in await cursor.fetchall()]


async def take_order(tx: Tx, merchant_id: UUID, pay_order_id: UUID, consumer_id: UUID) -> None:
    """Write who pays a locked pay order."""
    await tx.execute(
        "UPDATE jeepay_order SET consumer_id = %s WHERE bucket = %s AND merchant_id = %s AND pay_order_id = %s",
        [consumer_id, bucket_of(merchant_id), merchant_id, pay_order_id],
    )


async def close_order(tx: Tx, merchant_id: UUID, pay_order_id: UUID, at: datetime) -> None:
    """Close a locked pay order that nobody took."""
    await tx.execute(
        "UPDATE jeepay_order SET closed_at = %s WHERE bucket = %s AND merchant_id = %s AND pay_order_id = %s",
        [at, bucket_of(merchant_id), merchant_id, pay_order_id],
    )


async def insert_refund(tx: Tx, new: RefundOrder) -> bool:
    """False when the number has its refund already."""
    cursor = await tx.execute(
        f"INSERT INTO jeepay_refund (bucket, {_REFUND}) VALUES (%s, {_slots(len(RefundOrder.__struct_fields__))})"
        " ON CONFLICT (bucket, merchant_id, refund_id) DO NOTHING",
        [bucket_of(new.merchant_id), *msgspec.structs.astuple(new)],
    )
    return cursor.rowcount == 1


async def refund(tx: Tx, merchant_id: UUID, refund_id: UUID) -> RefundOrder | None:
    """One refund."""
    cursor = await tx.execute(
        f"SELECT {_REFUND} FROM jeepay_refund WHERE bucket = %s AND merchant_id = %s AND refund_id = %s",
        [bucket_of(merchant_id), merchant_id, refund_id],
    )
    row = await cursor.fetchone()
    return RefundOrder(*row) if row else None


async def insert_notice(tx: Tx, new: NewNotice) -> None:
    """Let it be sent; one that is kept already is left as it is."""
    await tx.execute(
        f"INSERT INTO jeepay_notice (bucket, {_NEW_NOTICE}, state, next_at) VALUES (%s, {_slots(8)}, 'pending', %s)"
        " ON CONFLICT (bucket, merchant_id, notice_id) DO NOTHING",
        [bucket_of(new.merchant_id), *msgspec.structs.astuple(new), new.made_at],
    )


async def notices_of(tx: Tx, merchant_id: UUID, subject_id: UUID) -> list[Notice]:
    """What was or is to be told of one pay order or refund, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_NOTICE} FROM jeepay_notice WHERE bucket = %s AND merchant_id = %s AND subject_id = %s"
        " ORDER BY made_at, notice_id",
        [bucket_of(merchant_id), merchant_id, subject_id],
    )
    return [_notice(row) for row in await cursor.fetchall()]


def _notice(row: Sequence[Any]) -> Notice:
    values = list(row)
    values[8] = NoticeState(row[8])
    return Notice(*values)


async def buckets_due(tx: Tx, at: datetime) -> list[int]:
    """Buckets in which something is due: a report over all of them."""
    cursor = await tx.execute(f"SELECT DISTINCT bucket FROM jeepay_notice WHERE {_DUE} ORDER BY bucket", {"at": at})
    return [row[0] for row in await cursor.fetchall()]


async def claim(tx: Tx, bucket: int, at: datetime, until_at: datetime, limit: int) -> list[Claimed]:
    """Lease due notices of a bucket, the longest waiting first, and count the try."""
    cursor = await tx.execute(
        f"""
        WITH chosen AS (
            SELECT merchant_id, notice_id FROM jeepay_notice WHERE bucket = %(bucket)s AND {_DUE}
            ORDER BY next_at, notice_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        UPDATE jeepay_notice AS n SET leased_until_at = %(until_at)s, tries = tries + 1 FROM chosen
        WHERE n.bucket = %(bucket)s AND n.merchant_id = chosen.merchant_id AND n.notice_id = chosen.notice_id
        RETURNING n.merchant_id, n.notice_id, n.app_id, n.tries, n.url, n.fields
        """,
        {"bucket": bucket, "at": at, "until_at": until_at, "limit": limit},
    )
    return [Claimed(*row) for row in await cursor.fetchall()]


async def settle(
    tx: Tx, claimed: Claimed, to_state: NoticeState, at: datetime, next_at: datetime, status: int | None, said: str
) -> None:
    """Write what a try came to; one that is taken stays so, and an older try's failure says nothing any more."""
    finished_at = None if to_state is NoticeState.PENDING else at
    await tx.execute(
        "UPDATE jeepay_notice SET state = %(state)s, next_at = %(next_at)s, leased_until_at = NULL,"
        " last_status = %(status)s, last_said = %(said)s, finished_at = %(finished_at)s"
        " WHERE bucket = %(bucket)s AND merchant_id = %(merchant_id)s AND notice_id = %(notice_id)s"
        " AND state <> 'taken' AND (tries = %(try_no)s OR %(state)s = 'taken')",
        {
            "state": to_state, "next_at": next_at, "status": status, "said": said, "finished_at": finished_at,
            "bucket": bucket_of(claimed.merchant_id), "merchant_id": claimed.merchant_id,
            "notice_id": claimed.notice_id, "try_no": claimed.try_no,
        },
    )  # fmt: skip
