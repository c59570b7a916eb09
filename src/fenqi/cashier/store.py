"""All of the cashier's SQL: checkouts, decisions and payments, every statement with its placement key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import msgspec

from fenqi.cashier.model import Checkout, Payment, StoredDecision, Tender
from fenqi.database import packing
from fenqi.database.pool import Tx
from fenqi.kernel.reason import Reason

_JSON = msgspec.json.Encoder()
_REASONS = msgspec.json.Decoder(tuple[Reason, ...])


async def insert_intent(tx: Tx, bucket: int, consumer_id: UUID, intent_id: UUID, order_id: UUID, at: Any) -> UUID:
    """Open the checkout of an order, or find the one it has; returns its id."""
    cursor = await tx.execute(
        """INSERT INTO payment_intent (bucket, consumer_id, intent_id, order_id, created_at)
           VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (bucket, consumer_id, order_id) DO NOTHING RETURNING intent_id""",
        (bucket, consumer_id, intent_id, order_id, at),
    )
    row = await cursor.fetchone()
    if row is not None:
        return intent_id
    cursor = await tx.execute(
        "SELECT intent_id FROM payment_intent WHERE bucket = %s AND consumer_id = %s AND order_id = %s",
        (bucket, consumer_id, order_id),
    )
    found = await cursor.fetchone()
    assert found is not None, "an intent that conflicts is there"
    intent: UUID = found[0]
    return intent


async def select_intent(tx: Tx, bucket: int, consumer_id: UUID, intent_id: UUID) -> Checkout | None:
    """A checkout of this consumer, or None."""
    cursor = await tx.execute(
        "SELECT order_id FROM payment_intent WHERE bucket = %s AND consumer_id = %s AND intent_id = %s",
        (bucket, consumer_id, intent_id),
    )
    row = await cursor.fetchone()
    return None if row is None else Checkout(bucket, consumer_id, intent_id, row[0])


async def insert_decisions(tx: Tx, decisions: Sequence[StoredDecision]) -> None:
    """Keep decisions with their facts and verdicts."""
    if not decisions:
        return
    await tx.execute(
        """INSERT INTO decision (bucket, consumer_id, decision_id, intent_id, kind, decided_at, evaluator_version,
                                 policy_version, facts, verdict)
           SELECT u.bucket, u.consumer_id, u.decision_id, u.intent_id, u.kind, u.decided_at, u.evaluator_version,
                  u.policy_version, u.facts::json, u.verdict::json
           FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::timestamptz[],
                       %b::smallint[], %b::text[], %b::text[], %b::text[])
             AS u(bucket, consumer_id, decision_id, intent_id, kind, decided_at, evaluator_version, policy_version,
                  facts, verdict)""",
        [
            packing.pack_int2([d.bucket for d in decisions]),
            packing.pack_uuid([d.consumer_id for d in decisions]),
            packing.pack_uuid([d.decision_id for d in decisions]),
            packing.pack_uuid([d.intent_id for d in decisions]),
            packing.pack_text([d.kind for d in decisions]),
            packing.pack_timestamp([d.decided_at for d in decisions]),
            packing.pack_int2([d.evaluator_version for d in decisions]),
            packing.pack_text([d.policy_version for d in decisions]),
            packing.pack_text([d.facts.decode() for d in decisions]),
            packing.pack_text([d.verdict.decode() for d in decisions]),
        ],
    )


_DECISION = """SELECT bucket, consumer_id, decision_id, intent_id, kind, decided_at, evaluator_version, policy_version,
                      facts::text, verdict::text FROM decision"""


def _decision(row: tuple[Any, ...]) -> StoredDecision:
    return StoredDecision(*(*row[:-2], row[-2].encode(), row[-1].encode()))


async def select_decision(tx: Tx, bucket: int, consumer_id: UUID, decision_id: UUID) -> StoredDecision | None:
    """A stored decision of this consumer, or None."""
    cursor = await tx.execute(
        f"{_DECISION} WHERE bucket = %s AND consumer_id = %s AND decision_id = %s", (bucket, consumer_id, decision_id)
    )
    row = await cursor.fetchone()
    return None if row is None else _decision(row)


async def select_decisions(tx: Tx, bucket: int, consumer_id: UUID, intent_id: UUID) -> list[StoredDecision]:
    """Every decision on a checkout, oldest first."""
    cursor = await tx.execute(
        f"{_DECISION} WHERE bucket = %s AND consumer_id = %s AND intent_id = %s ORDER BY decided_at, decision_id",
        (bucket, consumer_id, intent_id),
    )
    return [_decision(row) for row in await cursor.fetchall()]


async def insert_payments(tx: Tx, payments: Sequence[Payment]) -> None:
    """Keep payments and their tenders: two statements whatever their number."""
    columns = [
        packing.pack_int2([p.bucket for p in payments]),
        packing.pack_uuid([p.consumer_id for p in payments]),
        packing.pack_uuid([p.payment_id for p in payments]),
        packing.pack_uuid([p.intent_id for p in payments]),
        packing.pack_uuid([p.order_id for p in payments]),
        packing.pack_bytea([p.input_hash for p in payments]),
        packing.pack_int8([p.amount_minor for p in payments]),
        packing.pack_text([p.method for p in payments]),
        packing.pack_text([p.plan for p in payments]),
        packing.pack_text([p.outcome for p in payments]),
        packing.pack_uuid([p.decision_id for p in payments]),
        packing.pack_int8([p.decided_ms for p in payments]),
        packing.pack_uuid([p.loan_id for p in payments]),
        packing.pack_text([_JSON.encode(p.reasons).decode() if p.reasons else None for p in payments]),
        packing.pack_timestamp([p.paid_at for p in payments]),
    ]
    await tx.execute(
        """INSERT INTO payment (bucket, consumer_id, payment_id, intent_id, order_id, input_hash, amount_minor, method,
                                plan, outcome, decision_id, decided_ms, loan_id, reasons, paid_at)
           SELECT u.bucket, u.consumer_id, u.payment_id, u.intent_id, u.order_id, u.input_hash, u.amount_minor,
                  u.method, u.plan, u.outcome, u.decision_id, u.decided_ms, u.loan_id, u.reasons::json, u.paid_at
           FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::bytea[], %b::bigint[],
                       %b::text[], %b::text[], %b::text[], %b::uuid[], %b::bigint[], %b::uuid[], %b::text[],
                       %b::timestamptz[])
             AS u(bucket, consumer_id, payment_id, intent_id, order_id, input_hash, amount_minor, method, plan,
                  outcome, decision_id, decided_ms, loan_id, reasons, paid_at)""",
        columns,
    )
    await _insert_tenders(tx, payments)


async def _insert_tenders(tx: Tx, payments: Sequence[Payment]) -> None:
    rows = [(p, line, tender) for p in payments for line, tender in enumerate(p.tenders, start=1)]
    if not rows:
        return
    await tx.execute(
        """INSERT INTO tender (bucket, consumer_id, payment_id, line, method, plan, amount_minor)
           SELECT * FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::smallint[], %b::text[], %b::text[],
                                %b::bigint[])""",
        [
            packing.pack_int2([p.bucket for p, _, _ in rows]),
            packing.pack_uuid([p.consumer_id for p, _, _ in rows]),
            packing.pack_uuid([p.payment_id for p, _, _ in rows]),
            packing.pack_int2([line for _, line, _ in rows]),
            packing.pack_text([tender.method for _, _, tender in rows]),
            packing.pack_text([tender.plan for _, _, tender in rows]),
            packing.pack_int8([tender.amount_minor for _, _, tender in rows]),
        ],
    )


_PAYMENT = """SELECT bucket, consumer_id, payment_id, intent_id, order_id, input_hash, amount_minor, method, plan,
                     outcome, decision_id, decided_ms, paid_at, loan_id, reasons::text FROM payment"""


async def _payments(tx: Tx, rows: list[tuple[Any, ...]]) -> list[Payment]:
    if not rows:
        return []
    cursor = await tx.execute(
        """SELECT payment_id, method, plan, amount_minor FROM tender
           WHERE bucket = ANY(%b) AND consumer_id = ANY(%b) AND payment_id = ANY(%b) ORDER BY payment_id, line""",
        (sorted({row[0] for row in rows}), list({row[1] for row in rows}), [row[2] for row in rows]),
    )
    tenders: dict[UUID, list[Tender]] = {}
    for payment_id, method, plan, amount_minor in await cursor.fetchall():
        tenders.setdefault(payment_id, []).append(Tender(method, plan, amount_minor))
    return [_payment(row, tuple(tenders.get(row[2], ()))) for row in rows]


def _payment(row: tuple[Any, ...], tenders: tuple[Tender, ...]) -> Payment:
    reasons = _REASONS.decode(row[-1]) if row[-1] else ()
    return Payment(*(*row[:-2], tenders, row[-2], reasons))


async def select_payment(tx: Tx, bucket: int, consumer_id: UUID, payment_id: UUID) -> Payment | None:
    """One payment of this consumer, or None."""
    cursor = await tx.execute(
        f"{_PAYMENT} WHERE bucket = %s AND consumer_id = %s AND payment_id = %s", (bucket, consumer_id, payment_id)
    )
    found = await _payments(tx, await cursor.fetchall())
    return found[0] if found else None


async def select_payments_of_order(tx: Tx, bucket: int, consumer_id: UUID, order_id: UUID) -> list[Payment]:
    """Every press of the button for an order, oldest first."""
    cursor = await tx.execute(
        f"{_PAYMENT} WHERE bucket = %s AND consumer_id = %s AND order_id = %s ORDER BY paid_at, payment_id",
        (bucket, consumer_id, order_id),
    )
    return await _payments(tx, await cursor.fetchall())


async def select_answers(tx: Tx, keys: Sequence[tuple[int, UUID, UUID]]) -> dict[tuple[UUID, UUID], Payment]:
    """The payments that already carry these keys (bucket, consumer, payment), by (consumer, payment)."""
    cursor = await tx.execute(
        f"""{_PAYMENT} WHERE (bucket, consumer_id, payment_id) IN
            (SELECT * FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[]))""",
        [
            packing.pack_int2([k[0] for k in keys]),
            packing.pack_uuid([k[1] for k in keys]),
            packing.pack_uuid([k[2] for k in keys]),
        ],
    )
    found = await _payments(tx, await cursor.fetchall())
    return {(p.consumer_id, p.payment_id): p for p in found}


async def select_intents(tx: Tx, bucket: int, consumer_id: UUID, order_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The checkouts of a consumer's orders: order id → intent id."""
    cursor = await tx.execute(
        """SELECT order_id, intent_id FROM payment_intent
           WHERE bucket = %s AND consumer_id = %s AND order_id = ANY(%b)""",
        (bucket, consumer_id, list(order_ids)),
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def find_payment(tx: Tx, payment_id: UUID) -> Payment | None:
    """A payment by its id alone, wherever it lies: for staff, because it looks through all buckets."""
    cursor = await tx.execute(f"{_PAYMENT} WHERE payment_id = %s LIMIT 1", (payment_id,))
    found = await _payments(tx, await cursor.fetchall())
    return found[0] if found else None


Key = tuple[int, UUID, UUID]
"""(bucket, consumer id, checkout id)."""


async def decided_between(tx: Tx, after_at: Any, until_at: Any, limit: int) -> list[tuple[Key, Any]]:
    """The checkouts with decisions after one instant and up to another, with the first of these, oldest first; all
    of the last instant, even beyond the limit. A report: it looks through all buckets."""
    cursor = await tx.execute(
        """SELECT bucket, consumer_id, intent_id, min(decided_at) FROM decision
           WHERE decided_at > %s AND decided_at <= %s GROUP BY bucket, consumer_id, intent_id
           ORDER BY min(decided_at) FETCH FIRST %s ROWS WITH TIES""",
        (after_at, until_at, limit),
    )
    return [((row[0], row[1], row[2]), row[3]) for row in await cursor.fetchall()]


async def decisions_after(tx: Tx, after_at: Any, after_id: UUID, until_at: Any, limit: int) -> list[StoredDecision]:
    """The next decisions behind an instant and id, up to another instant, oldest first; a job's look through all
    buckets."""
    cursor = await tx.execute(
        f"""{_DECISION} WHERE decided_at BETWEEN %s AND %s AND (decided_at, decision_id) > (%s, %s)
            ORDER BY decided_at, decision_id LIMIT %s""",
        (after_at, until_at, after_at, after_id, limit),
    )
    return [_decision(row) for row in await cursor.fetchall()]


_OF_KEYS = "(bucket, consumer_id, intent_id) IN (SELECT * FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[]))"


def _columns(keys: Sequence[Key]) -> list[Any]:
    return [
        packing.pack_int2([k[0] for k in keys]),
        packing.pack_uuid([k[1] for k in keys]),
        packing.pack_uuid([k[2] for k in keys]),
    ]


async def decisions_of_checkouts(tx: Tx, keys: Sequence[Key]) -> list[StoredDecision]:
    """Every decision on these checkouts, oldest first."""
    cursor = await tx.execute(f"{_DECISION} WHERE {_OF_KEYS} ORDER BY decided_at, decision_id", _columns(keys))
    return [_decision(row) for row in await cursor.fetchall()]


async def orders_of_checkouts(tx: Tx, keys: Sequence[Key]) -> dict[UUID, UUID]:
    """Checkout id → order id."""
    cursor = await tx.execute(f"SELECT intent_id, order_id FROM payment_intent WHERE {_OF_KEYS}", _columns(keys))
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def paid_tenders(tx: Tx, keys: Sequence[Key]) -> dict[UUID, list[Tender]]:
    """The tenders of the payments that succeeded at these checkouts, by checkout."""
    cursor = await tx.execute(
        """SELECT p.intent_id, t.method, t.plan, t.amount_minor FROM payment p
            JOIN tender t USING (bucket, consumer_id, payment_id)
            WHERE p.outcome = 'succeeded' AND (p.bucket, p.consumer_id, p.intent_id) IN
              (SELECT * FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[])) ORDER BY t.payment_id, t.line""",
        _columns(keys),
    )
    found: dict[UUID, list[Tender]] = {}
    for intent_id, *tender in await cursor.fetchall():
        found.setdefault(intent_id, []).append(Tender(*tender))
    return found


async def decisions_of_day(tx: Tx, from_at: Any, until_at: Any, at_once: int) -> AsyncIterator[list[tuple[Any, ...]]]:
    """Every decision taken in a span of time, checkout by checkout, in portions of about so many: (decision, order id,
    method and plan of the payment that succeeded or None, what of it is on credit, whether a press was refused).

    A report: it looks through all buckets.
    """
    async with tx.cursor(name="decisions_of_day") as cursor:
        await cursor.execute(
            """SELECT d.bucket, d.consumer_id, d.decision_id, d.intent_id, d.kind, d.decided_at, d.evaluator_version,
                      d.policy_version, d.facts::text, d.verdict::text, i.order_id, p.method, p.plan,
                      coalesce(t.on_credit_minor, CASE WHEN p.method = 'credit' THEN p.amount_minor END, 0)::bigint,
                      EXISTS (SELECT FROM payment r WHERE r.bucket = d.bucket AND r.consumer_id = d.consumer_id
                              AND r.order_id = i.order_id AND r.outcome = 'refused')
               FROM decision d JOIN payment_intent i USING (bucket, consumer_id, intent_id)
               LEFT JOIN LATERAL (SELECT payment_id, method, plan, amount_minor FROM payment s
                   WHERE s.bucket = d.bucket AND s.consumer_id = d.consumer_id AND s.order_id = i.order_id
                     AND s.outcome = 'succeeded' ORDER BY s.paid_at LIMIT 1) p ON true
               LEFT JOIN LATERAL (SELECT sum(amount_minor) AS on_credit_minor FROM tender c
                   WHERE c.bucket = d.bucket AND c.consumer_id = d.consumer_id AND c.payment_id = p.payment_id
                     AND c.method = 'credit') t ON true
               WHERE d.decided_at >= %s AND d.decided_at < %s
               ORDER BY d.bucket, d.consumer_id, d.intent_id, d.decided_at, d.decision_id""",
            (from_at, until_at),
        )
        while rows := await cursor.fetchmany(at_once):
            yield [(_decision(row[:10]), *row[10:]) for row in rows]


async def first_decided_at(tx: Tx) -> Any:
    """When the oldest decision was taken; None while there is none."""
    cursor = await tx.execute("SELECT min(decided_at) FROM decision")
    row = await cursor.fetchone()
    return None if row is None else row[0]
