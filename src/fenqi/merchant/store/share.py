"""SQL of merchants' shares of payments and refunds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from fenqi.database import packing
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.merchant.model import PaymentShare, RefundShare, RefundState

_PAYMENT = "merchant_id, payment_id, consumer_id, order_id, order_number, amount_minor, currency, paid_at"
_REFUND = "merchant_id, refund_id, payment_id, order_id, amount_minor, state, code, made_at, changed_at"
_WITH_REFUNDED = f"""
    SELECT {_PAYMENT}, coalesce((
        SELECT sum(r.amount_minor) FROM merchant_refund AS r
        WHERE r.bucket = p.bucket AND r.merchant_id = p.merchant_id AND r.payment_id = p.payment_id
          AND r.state <> 'failed'), 0)::bigint
    FROM merchant_payment AS p"""


def _refund(row: Sequence[Any]) -> RefundShare:
    return RefundShare(row[0], row[1], row[2], row[3], row[4], RefundState(row[5]), *row[6:])


async def insert_payments(tx: Tx, shares: Sequence[PaymentShare]) -> None:
    """Keep shares of payments; repeats are left out."""
    await tx.execute(
        f"INSERT INTO merchant_payment (bucket, {_PAYMENT})"
        " SELECT * FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[],"
        " %b::bigint[], %b::text[], %b::timestamptz[]) ON CONFLICT DO NOTHING",
        [
            packing.pack_int2([bucket_of(one.merchant_id) for one in shares]),
            packing.pack_uuid([one.merchant_id for one in shares]),
            packing.pack_uuid([one.payment_id for one in shares]),
            packing.pack_uuid([one.consumer_id for one in shares]),
            packing.pack_uuid([one.order_id for one in shares]),
            packing.pack_text([one.order_number for one in shares]),
            packing.pack_int8([one.amount_minor for one in shares]),
            packing.pack_text([one.currency for one in shares]),
            packing.pack_timestamp([one.paid_at for one in shares]),
        ],
    )


async def insert_refund(tx: Tx, share: RefundShare) -> bool:
    """False when the refund is there already."""
    cursor = await tx.execute(
        f"INSERT INTO merchant_refund (bucket, {_REFUND}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (bucket, merchant_id, refund_id) DO NOTHING",
        [bucket_of(share.merchant_id), *msgspec.structs.astuple(share)],
    )
    return cursor.rowcount == 1


async def change_refund(tx: Tx, share: RefundShare) -> bool:
    """Write what became of a refund; False when it stands there already, or has succeeded."""
    cursor = await tx.execute(
        "UPDATE merchant_refund SET state = %s, code = %s, changed_at = %s"
        " WHERE bucket = %s AND merchant_id = %s AND refund_id = %s AND state NOT IN (%s, 'succeeded')",
        [
            share.state,
            share.code,
            share.changed_at,
            bucket_of(share.merchant_id),
            share.merchant_id,
            share.refund_id,
            share.state,
        ],
    )
    return cursor.rowcount == 1


async def payments(tx: Tx, merchant_id: UUID, payment_ids: Sequence[UUID]) -> list[PaymentShare]:
    """Those of these payments that paid for the merchant's goods."""
    cursor = await tx.execute(
        f"{_WITH_REFUNDED} WHERE bucket = %s AND merchant_id = %s AND payment_id = ANY(%s)",
        [bucket_of(merchant_id), merchant_id, list(payment_ids)],
    )
    return [PaymentShare(*row) for row in await cursor.fetchall()]


async def payments_before(tx: Tx, merchant_id: UUID, before_id: UUID | None, limit: int) -> list[PaymentShare]:
    """The newest payments, or those older than one of them."""
    owner = [bucket_of(merchant_id), merchant_id]
    older = (
        ""
        if before_id is None
        else " AND (paid_at, payment_id) < (SELECT paid_at, payment_id FROM merchant_payment"
        " WHERE bucket = %s AND merchant_id = %s AND payment_id = %s)"
    )
    cursor = await tx.execute(
        f"{_WITH_REFUNDED} WHERE bucket = %s AND merchant_id = %s{older}"
        " ORDER BY paid_at DESC, payment_id DESC LIMIT %s",
        [*owner, *([*owner, before_id] if before_id is not None else []), limit],
    )
    return [PaymentShare(*row) for row in await cursor.fetchall()]


async def refunds_of_payment(tx: Tx, merchant_id: UUID, payment_id: UUID) -> list[RefundShare]:
    """The refunds of one payment, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_REFUND} FROM merchant_refund WHERE bucket = %s AND merchant_id = %s AND payment_id = %s"
        " ORDER BY made_at, refund_id",
        [bucket_of(merchant_id), merchant_id, payment_id],
    )
    return [_refund(row) for row in await cursor.fetchall()]


async def refunds_before(tx: Tx, merchant_id: UUID, before_id: UUID | None, limit: int) -> list[RefundShare]:
    """The newest refunds, or those older than one of them."""
    owner = [bucket_of(merchant_id), merchant_id]
    older = (
        ""
        if before_id is None
        else " AND (made_at, refund_id) < (SELECT made_at, refund_id FROM merchant_refund"
        " WHERE bucket = %s AND merchant_id = %s AND refund_id = %s)"
    )
    cursor = await tx.execute(
        f"SELECT {_REFUND} FROM merchant_refund WHERE bucket = %s AND merchant_id = %s{older}"
        " ORDER BY made_at DESC, refund_id DESC LIMIT %s",
        [*owner, *([*owner, before_id] if before_id is not None else []), limit],
    )
    return [_refund(row) for row in await cursor.fetchall()]


async def refund(tx: Tx, merchant_id: UUID, refund_id: UUID) -> RefundShare | None:
    """One refund."""
    cursor = await tx.execute(
        f"SELECT {_REFUND} FROM merchant_refund WHERE bucket = %s AND merchant_id = %s AND refund_id = %s",
        [bucket_of(merchant_id), merchant_id, refund_id],
    )
    row = await cursor.fetchone()
    return _refund(row) if row else None
