"""All SQL of orders and carts. Lock order: order rows by (bucket, consumer_id, order_id), never anything else after.

`lock_for_payment` and `mark_paid` take a whole batch in one statement each.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from fenqi.database import packing
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of
from fenqi.order.model import Coupon, Line, LockedOrder, Order, OrderMove, OrderState, PaidOrder

_ORDER = (
    "consumer_id, order_id, number, scene, state, currency, payable_minor, buyer_kind, delivery, presale_stage,"
    " tail_from_at, made_from_order_id, placed_at, pay_by_at, paid_at, payment_id, version, attempts_open,"
    " address_id"
)
_O_ORDER = ", ".join(f"o.{name}" for name in _ORDER.split(", "))
_LINE = (
    "line_id, sku_id, merchant_id, category, title_zh, title_en, quantity, unit_price_minor, is_gift, is_virtual,"
    " is_cross_border, is_subscription, is_trade_in_subsidised, discount_minor, position"
)
_KEYS = "unnest(%b::smallint[], %b::uuid[], %b::uuid[]) AS k (bucket, consumer_id, order_id)"

Key = tuple[UUID, UUID]
"""(consumer id, order id)."""


def _order(row: Sequence[Any], lines: Sequence[Line] = (), coupons: Sequence[Coupon] = ()) -> Order:
    values: list[Any] = [*row[:4], OrderState(row[4]), *row[5:], tuple(lines), tuple(coupons)]
    return Order(*values)


def _columns(keys: Sequence[Key]) -> list[packing.PackedArray]:
    return [
        packing.pack_int2([bucket_of(consumer) for consumer, _ in keys]),
        packing.pack_uuid([consumer for consumer, _ in keys]),
        packing.pack_uuid([order for _, order in keys]),
    ]


async def insert_order(tx: Tx, order: Order) -> bool:
    """False when the consumer has an order with this id already."""
    cursor = await tx.execute(
        f"INSERT INTO orders (bucket, {_ORDER})"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (bucket, consumer_id, order_id) DO NOTHING",
        [
            bucket_of(order.consumer_id),
            order.consumer_id,
            order.order_id,
            order.number,
            order.scene,
            order.state,
            order.currency,
            order.payable_minor,
            order.buyer_kind,
            order.delivery,
            order.presale_stage,
            order.tail_from_at,
            order.made_from_order_id,
            order.placed_at,
            order.pay_by_at,
            order.paid_at,
            order.payment_id,
            order.version,
            order.attempts_open,
            order.address_id,
        ],
    )
    return cursor.rowcount == 1


async def upsert_lines(tx: Tx, consumer_id: UUID, order_id: UUID, lines: Sequence[Line]) -> None:
    """Write lines as they are now; a line that was another order's moves here."""
    names = [name.strip() for name in _LINE.split(",")] + ["amount_minor", "order_id"]
    updates = ", ".join(f"{name} = excluded.{name}" for name in names if name != "line_id")
    marks = ", ".join(["%s"] * (len(names) + 2))
    await (tx.cursor()).executemany(
        f"INSERT INTO order_line (bucket, consumer_id, {', '.join(names)}) VALUES ({marks})"
        f" ON CONFLICT (bucket, consumer_id, line_id) DO UPDATE SET {updates}",
        [
            (
                bucket_of(consumer_id),
                consumer_id,
                line.line_id,
                line.sku_id,
                line.merchant_id,
                line.category,
                line.title_zh,
                line.title_en,
                line.quantity,
                line.unit_price_minor,
                line.is_gift,
                line.is_virtual,
                line.is_cross_border,
                line.is_subscription,
                line.is_trade_in_subsidised,
                line.discount_minor,
                line.position,
                line.amount_minor,
                order_id,
            )
            for line in lines
        ],
    )


async def insert_coupons(
    tx: Tx, consumer_id: UUID, order_id: UUID, coupons: Sequence[Coupon], shares: dict[UUID, dict[UUID, int]]
) -> None:
    """Write an order's coupons, and each one's share by line: `shares[coupon id][line id]`."""
    bucket = bucket_of(consumer_id)
    cursor = tx.cursor()
    await cursor.executemany(
        "INSERT INTO order_coupon (bucket, consumer_id, order_id, coupon_id, methods, combines_with_credit,"
        " combines_with_interest_free) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [
            (
                bucket,
                consumer_id,
                order_id,
                coupon.coupon_id,
                list(coupon.methods),
                coupon.combines_with_credit,
                coupon.combines_with_interest_free,
            )
            for coupon in coupons
        ],
    )
    await cursor.executemany(
        "INSERT INTO order_line_coupon (bucket, consumer_id, line_id, coupon_id, amount_minor)"
        " VALUES (%s, %s, %s, %s, %s)",
        [
            (bucket, consumer_id, line_id, coupon_id, amount)
            for coupon_id, by_line in shares.items()
            for line_id, amount in by_line.items()
            if amount > 0
        ],
    )


async def delete_coupons(tx: Tx, consumer_id: UUID, order_id: UUID, line_ids: Sequence[UUID]) -> None:
    """Take all coupons off an order and its lines; the move that is kept tells of them."""
    bucket = bucket_of(consumer_id)
    await tx.execute(
        "DELETE FROM order_line_coupon WHERE bucket = %s AND consumer_id = %s AND line_id = ANY(%s)",
        [bucket, consumer_id, list(line_ids)],
    )
    await tx.execute(
        "DELETE FROM order_coupon WHERE bucket = %s AND consumer_id = %s AND order_id = %s",
        [bucket, consumer_id, order_id],
    )


async def delete_lines(tx: Tx, consumer_id: UUID, order_id: UUID, line_ids: Sequence[UUID]) -> None:
    """Take lines out of an order for good."""
    await tx.execute(
        "DELETE FROM order_line WHERE bucket = %s AND consumer_id = %s AND order_id = %s AND line_id = ANY(%s)",
        [bucket_of(consumer_id), consumer_id, order_id, list(line_ids)],
    )


async def lock(tx: Tx, consumer_id: UUID, order_id: UUID) -> bool:
    """Lock the order's row for change; False when there is none."""
    cursor = await tx.execute(
        "SELECT 1 FROM orders WHERE bucket = %s AND consumer_id = %s AND order_id = %s FOR UPDATE",
        [bucket_of(consumer_id), consumer_id, order_id],
    )
    return await cursor.fetchone() is not None


async def load(tx: Tx, keys: Sequence[Key]) -> dict[Key, Order]:
    """Whole orders by key, in two statements, three where any has a discount. Unknown keys are left out."""
    columns = _columns(keys)
    cursor = await tx.execute(
        f"SELECT {_O_ORDER} FROM {_KEYS} JOIN orders o USING (bucket, consumer_id, order_id)", columns
    )
    rows = {(row[0], row[1]): row for row in await cursor.fetchall()}
    # Lines after their order: what changes in between makes the version look old, never new.
    cursor = await tx.execute(
        f"SELECT k.consumer_id, k.order_id, l.{_LINE.replace(', ', ', l.')}"
        f" FROM {_KEYS} JOIN order_line l USING (bucket, consumer_id, order_id) ORDER BY l.position, l.line_id",
        columns,
    )
    lines: dict[Key, list[Line]] = {}
    for row in await cursor.fetchall():
        lines.setdefault((row[0], row[1]), []).append(Line(*row[2:]))
    discounted = [key for key, some in lines.items() if any(line.discount_minor for line in some)]
    coupons = await _coupons(tx, discounted) if discounted else {}
    return {key: _order(row, lines.get(key, ()), coupons.get(key, ())) for key, row in rows.items()}


async def _coupons(tx: Tx, keys: Sequence[Key]) -> dict[Key, list[Coupon]]:
    cursor = await tx.execute(
        "SELECT k.consumer_id, k.order_id, c.coupon_id, sum(s.amount_minor)::bigint, c.methods,"
        " c.combines_with_credit, c.combines_with_interest_free"
        f" FROM {_KEYS} JOIN order_coupon c USING (bucket, consumer_id, order_id)"
        " JOIN order_line l USING (bucket, consumer_id, order_id)"
        " JOIN order_line_coupon s USING (bucket, consumer_id, line_id, coupon_id)"
        " GROUP BY 1, 2, 3, 5, 6, 7 ORDER BY 3",
        _columns(keys),
    )
    coupons: dict[Key, list[Coupon]] = {}
    for consumer_id, order_id, coupon_id, amount, methods, *combines in await cursor.fetchall():
        coupons.setdefault((consumer_id, order_id), []).append(Coupon(coupon_id, amount, tuple(methods), *combines))
    return coupons


async def shares(tx: Tx, consumer_id: UUID, line_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, int]]:
    """Each coupon's share by line: `shares[coupon id][line id]`."""
    cursor = await tx.execute(
        "SELECT coupon_id, line_id, amount_minor FROM order_line_coupon"
        " WHERE bucket = %s AND consumer_id = %s AND line_id = ANY(%s)",
        [bucket_of(consumer_id), consumer_id, list(line_ids)],
    )
    found: dict[UUID, dict[UUID, int]] = {}
    for coupon_id, line_id, amount in await cursor.fetchall():
        found.setdefault(coupon_id, {})[line_id] = amount
    return found


async def update_order(tx: Tx, before: Order, after: Order) -> None:
    """Write what an amendment or a move may change; `after.version` must be the next one."""
    cursor = await tx.execute(
        "UPDATE orders SET state = %s, scene = %s, delivery = %s, payable_minor = %s, pay_by_at = %s,"
        " attempts_open = %s, version = %s"
        " WHERE bucket = %s AND consumer_id = %s AND order_id = %s AND state = %s AND version = %s",
        [
            after.state,
            after.scene,
            after.delivery,
            after.payable_minor,
            after.pay_by_at,
            after.attempts_open,
            after.version,
            bucket_of(before.consumer_id),
            before.consumer_id,
            before.order_id,
            before.state,
            before.version,
        ],
    )
    assert cursor.rowcount == 1
    assert after.version == before.version + 1


async def insert_move(
    tx: Tx, order: Order, verb: str, from_state: OrderState | None, by: By, detail: dict[str, Any] | None = None
) -> None:
    """Keep a change: `order` as it is after it."""
    await tx.execute(
        "INSERT INTO order_move"
        " (bucket, consumer_id, order_id, version, verb, from_state, to_state, detail, actor, why, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            bucket_of(order.consumer_id),
            order.consumer_id,
            order.order_id,
            order.version,
            verb,
            from_state,
            order.state,
            Jsonb(detail or {}),
            *by,
        ],
    )


async def count_attempt(tx: Tx, key: Key, change: int, verb: str, by: By) -> int:
    """Add to the open attempts of a locked order and keep that as a move; how many orders were found (0 or 1)."""
    cursor = await tx.execute(
        "WITH counted AS (UPDATE orders SET attempts_open = attempts_open + %s, version = version + 1"
        " WHERE bucket = %s AND consumer_id = %s AND order_id = %s RETURNING bucket, consumer_id, order_id, version,"
        " state) INSERT INTO order_move"
        " (bucket, consumer_id, order_id, version, verb, from_state, to_state, detail, actor, why, at)"
        " SELECT bucket, consumer_id, order_id, version, %s, state, state, '{}', %s, %s, %s FROM counted RETURNING 1",
        [change, bucket_of(key[0]), *key, verb, *by],
    )
    return len(await cursor.fetchall())


async def moves(tx: Tx, consumer_id: UUID, order_id: UUID) -> list[OrderMove]:
    """All changes of an order, oldest first."""
    cursor = await tx.execute(
        "SELECT version, verb, from_state, to_state, detail, actor, why, at FROM order_move"
        " WHERE bucket = %s AND consumer_id = %s AND order_id = %s ORDER BY version",
        [bucket_of(consumer_id), consumer_id, order_id],
    )
    return [OrderMove(*row) for row in await cursor.fetchall()]


async def of_consumer(tx: Tx, consumer_id: UUID, before_order_id: UUID | None, limit: int) -> list[Key]:
    """Keys of a consumer's orders, newest first, older than `before_order_id` (ids are time-ordered)."""
    cursor = await tx.execute(
        "SELECT consumer_id, order_id FROM orders WHERE bucket = %s AND consumer_id = %s"
        " AND (%s::uuid IS NULL OR order_id < %s) ORDER BY order_id DESC LIMIT %s",
        [bucket_of(consumer_id), consumer_id, before_order_id, before_order_id, limit],
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def lock_for_payment(tx: Tx, keys: Sequence[Key]) -> list[LockedOrder]:
    """Lock a batch's orders in the order of their keys; unknown ones are left out."""
    cursor = await tx.execute(
        "SELECT o.consumer_id, o.order_id, o.state, o.version, o.payable_minor, o.pay_by_at, o.attempts_open"
        f" FROM {_KEYS} JOIN orders o USING (bucket, consumer_id, order_id)"
        " ORDER BY o.bucket, o.consumer_id, o.order_id FOR UPDATE OF o",
        _columns(keys),
    )
    return [LockedOrder(row[0], row[1], OrderState(row[2]), *row[3:]) for row in await cursor.fetchall()]


async def mark_paid(tx: Tx, paid: Sequence[PaidOrder]) -> int:
    """Move locked orders to paid and keep the moves, all in one statement; how many there were."""
    cursor = await tx.execute(
        "WITH moved AS ("
        " UPDATE orders o SET state = 'paid', paid_at = k.paid_at, payment_id = k.payment_id, version = o.version + 1"
        " FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::timestamptz[])"
        " AS k (bucket, consumer_id, order_id, payment_id, paid_at)"
        " WHERE o.bucket = k.bucket AND o.consumer_id = k.consumer_id AND o.order_id = k.order_id"
        " AND o.state = 'awaiting_payment'"
        " RETURNING o.bucket, o.consumer_id, o.order_id, o.version, o.payment_id, o.paid_at),"
        " kept AS ("
        " INSERT INTO order_move"
        " (bucket, consumer_id, order_id, version, verb, from_state, to_state, actor, why, at)"
        " SELECT bucket, consumer_id, order_id, version, 'pay', 'awaiting_payment', 'paid',"
        " 'consumer:' || consumer_id, 'payment ' || payment_id, paid_at FROM moved RETURNING 1)"
        " SELECT count(*) FROM kept",
        [
            *_columns([(p.consumer_id, p.order_id) for p in paid]),
            packing.pack_uuid([p.payment_id for p in paid]),
            packing.pack_timestamp([p.paid_at for p in paid]),
        ],
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def expire(tx: Tx, bucket: int, since_at: datetime, by: By, limit: int) -> list[Key]:
    """Move unpaid orders of a bucket to expired whose deadline lies in (since_at, by.at]; their keys.

    An order with an open attempt waits until that is closed at its channel.
    """
    cursor = await tx.execute(
        "WITH due AS ("
        " SELECT consumer_id, order_id FROM orders WHERE bucket = %(bucket)s AND pay_by_at > %(since)s"
        " AND pay_by_at <= %(at)s AND state = 'awaiting_payment' AND attempts_open = 0"
        " ORDER BY consumer_id, order_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED),"
        " moved AS ("
        " UPDATE orders o SET state = 'expired', version = o.version + 1 FROM due"
        " WHERE o.bucket = %(bucket)s AND o.consumer_id = due.consumer_id AND o.order_id = due.order_id"
        " RETURNING o.consumer_id, o.order_id, o.version)"
        " INSERT INTO order_move"
        " (bucket, consumer_id, order_id, version, verb, from_state, to_state, actor, why, at)"
        " SELECT %(bucket)s, consumer_id, order_id, version, 'expire', 'awaiting_payment', 'expired',"
        " %(actor)s, %(why)s, %(at)s FROM moved RETURNING consumer_id, order_id",
        {"bucket": bucket, "since": since_at, "at": by.at, "limit": limit, "actor": by.actor, "why": by.why},
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def buckets_due(tx: Tx, since_at: datetime, at: datetime) -> list[int]:
    """Buckets with unpaid orders whose deadline lies in (since_at, at]: a look over all of them, for the clockwork."""
    cursor = await tx.execute(
        "SELECT DISTINCT bucket FROM orders WHERE bucket BETWEEN 0 AND 255 AND pay_by_at > %s AND pay_by_at <= %s"
        " AND state = 'awaiting_payment' AND attempts_open = 0 ORDER BY bucket",
        [since_at, at],
    )
    return [row[0] for row in await cursor.fetchall()]


async def existing(tx: Tx, keys: Sequence[Key]) -> set[Key]:
    """Those of the keys that have an order."""
    cursor = await tx.execute(
        f"SELECT o.consumer_id, o.order_id FROM {_KEYS} JOIN orders o USING (bucket, consumer_id, order_id)",
        _columns(keys),
    )
    return {(row[0], row[1]) for row in await cursor.fetchall()}
