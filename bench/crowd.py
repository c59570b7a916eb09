"""Buyers with a credit line and orders that wait for their payment: one is made by the flows, the rest are copies.

The first buyer signs up, is approved and orders once at each seller through the flows' own doors; every other buyer and
order is the same rows again under other ids, so that a payment finds what it would find in trade.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID

import psycopg
from tests import world

from fenqi import catalog, customer, seed
from fenqi.flows import money, pay, quote, shop
from fenqi.flows.context import Context
from fenqi.flows.reference import Reference
from fenqi.flows.shop import Wish, line_id_of
from fenqi.kernel.ids import bucket_of, new_id, short_number

SCENE, METHOD, PLAN = "instalment_mall", "credit", "instalment_12"
_PIECES = 1_000_000
_MOST_MINOR = 60_000
_PAY_WINDOW = timedelta(days=1)


@dataclass(frozen=True)
class Due:
    """An order that waits for its payment."""

    consumer_id: UUID
    order_id: UUID
    intent_id: UUID
    merchant_id: UUID


class Crowd:
    """All buyers, and the first one's orders to copy: one at each seller that takes the method."""

    def __init__(self, ctx: Context, owner_url: str, scene: str = SCENE, way: tuple[str, str] = (METHOD, PLAN)) -> None:
        self.ctx, self.owner_url = ctx, owner_url
        self.scene, self.way = scene, way
        self.dice = Random(11)
        self.consumers: list[UUID] = []
        self.samples: list[tuple[UUID, UUID]] = []
        """(order id, merchant id) of the first buyer's orders."""

    async def gather(self, count: int) -> None:
        """Shops, goods, policy, and `count` buyers."""
        ref = await world.furnish(self.ctx)
        first = await self._first()
        await self._sample(ref, first)
        others = [new_id() for _ in range(count - 1)]
        self._copy_buyer(first, others)
        self.consumers = [first, *others]

    async def _first(self) -> UUID:
        ctx = self.ctx
        by = ctx.by_system("bench", "a buyer to be copied")
        person = next(one for one in seed.people(50, by.at.date()) if not one.is_student and one.birth_on.year < 1996)
        async with ctx.database.transaction() as tx:
            await seed.enrol(
                tx, ctx.keys, person, await customer.hash_password("correct horse battery"), by,
                pay_password_hash=await customer.hash_password(world.PAY_PASSWORD),
            )  # fmt: skip
            await money.open_within(tx, person.consumer_id, by)
        await world.give_line(ctx, person.consumer_id)
        return person.consumer_id

    async def _sample(self, ref: Reference, first: UUID) -> None:
        """Order once at each seller; those orders stay that the method can pay as they are."""
        by = self.ctx.by_system("bench", "enough for everybody")
        for merchant_id, offers in sorted(_cheap(ref, self.scene).items()):
            for sku_id in offers[:3]:
                async with self.ctx.database.transaction() as tx:
                    await catalog.receive(tx, merchant_id, {sku_id: _PIECES}, by)
                placed = await shop.place_order(
                    self.ctx, first, new_id(), self.scene, [Wish(sku_id, merchant_id)], pay_window=_PAY_WINDOW
                )
                quoted = await quote.quote(self.ctx, first, placed.intent_id)
                if any(o.available for o in quoted.offers if (o.method, o.plan) == self.way):
                    self.samples.append((placed.order.order_id, merchant_id))
                    await pay.open_caps(self.ctx, await quote.gather(self.ctx, first, placed.intent_id))
                    break
        assert self.samples, f"no seller's goods can be paid by {self.way}"

    def _copy_buyer(self, first: UUID, others: Sequence[UUID]) -> None:
        with psycopg.connect(self.owner_url, autocommit=True) as owner:
            owner.execute("CREATE TEMP TABLE other (bucket smallint, consumer_id uuid)")
            with owner.cursor().copy("COPY other FROM STDIN") as copy:
                for one in others:
                    copy.write_row((bucket_of(one), one))
            for table, columns in _consumer_tables(owner):
                rest = "".join(f", t.{name}" for name in columns)
                owner.execute(
                    f"INSERT INTO {table} (bucket, consumer_id{rest.replace('t.', '')})"
                    f" SELECT o.bucket, o.consumer_id{rest} FROM {table} t, other o"
                    " WHERE t.bucket = %s AND t.consumer_id = %s",
                    [bucket_of(first), first],
                )
            owner.execute("VACUUM ANALYZE")

    def order(self, count: int, hot: bool) -> list[Due]:
        """`count` new orders of any buyers, at any sellers or all at one."""
        dues, rows = [], []
        for _ in range(count):
            sample_id, merchant_id = self.samples[0] if hot else self.dice.choice(self.samples)
            due = Due(self.dice.choice(self.consumers), new_id(), new_id(), merchant_id)
            dues.append(due)
            rows.append(
                (bucket_of(due.consumer_id), due.consumer_id, due.order_id, due.intent_id, sample_id,
                 line_id_of(due.order_id, 1), short_number(due.order_id), new_id())
            )  # fmt: skip
        first = self.consumers[0]
        with psycopg.connect(self.owner_url, autocommit=True) as owner:
            owner.execute(
                "CREATE TEMP TABLE new (bucket smallint, consumer_id uuid, order_id uuid, intent_id uuid,"
                " sample_id uuid, line_id uuid, number text, move_id uuid)"
            )
            with owner.cursor().copy("COPY new FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            for statement in _ORDER:
                owner.execute(statement.format(bucket=bucket_of(first), first=f"'{first}'"))
            owner.execute("ANALYZE orders, order_line, payment_intent")
        return dues


_ORDER = (
    "INSERT INTO order_directory SELECT number, consumer_id, order_id, now() FROM new",
    """INSERT INTO orders (bucket, consumer_id, order_id, number, scene, state, currency, payable_minor, buyer_kind,
                           delivery, presale_stage, tail_from_at, placed_at, pay_by_at)
       SELECT n.bucket, n.consumer_id, n.order_id, n.number, o.scene, o.state, o.currency, o.payable_minor,
              o.buyer_kind, o.delivery, o.presale_stage, o.tail_from_at, o.placed_at, o.pay_by_at
       FROM new n JOIN orders o ON o.bucket = {bucket} AND o.consumer_id = {first} AND o.order_id = n.sample_id""",
    """INSERT INTO order_line (bucket, consumer_id, line_id, order_id, position, sku_id, merchant_id, category,
                               title_zh, title_en, quantity, unit_price_minor, discount_minor, amount_minor, is_gift,
                               is_virtual, is_cross_border, is_subscription, is_trade_in_subsidised)
       SELECT n.bucket, n.consumer_id, n.line_id, n.order_id, l.position, l.sku_id, l.merchant_id, l.category,
              l.title_zh, l.title_en, l.quantity, l.unit_price_minor, l.discount_minor, l.amount_minor, l.is_gift,
              l.is_virtual, l.is_cross_border, l.is_subscription, l.is_trade_in_subsidised
       FROM new n JOIN order_line l ON l.bucket = {bucket} AND l.consumer_id = {first} AND l.order_id = n.sample_id""",
    """INSERT INTO order_move (bucket, consumer_id, order_id, version, verb, from_state, to_state, actor, why, at)
       SELECT n.bucket, n.consumer_id, n.order_id, m.version, m.verb, m.from_state, m.to_state,
              'consumer:' || n.consumer_id, m.why, m.at
       FROM new n JOIN order_move m ON m.bucket = {bucket} AND m.consumer_id = {first} AND m.order_id = n.sample_id""",
    """INSERT INTO payment_intent (bucket, consumer_id, intent_id, order_id, created_at)
       SELECT bucket, consumer_id, intent_id, order_id, now() FROM new""",
    """INSERT INTO stock_reservation (bucket, merchant_id, line_id, sku_id, quantity, state, expires_at)
       SELECT get_byte(uuid_send(l.merchant_id), 15), l.merchant_id, n.line_id, l.sku_id, l.quantity, 'held',
              now() + interval '1 day'
       FROM new n JOIN order_line l USING (bucket, consumer_id, line_id)""",
    """INSERT INTO stock_move (bucket, merchant_id, move_id, sku_id, verb, on_hand_change, reserved_change, line_id,
                               actor, why, at)
       SELECT get_byte(uuid_send(l.merchant_id), 15), l.merchant_id, n.move_id, l.sku_id, 'reserve', 0, l.quantity,
              n.line_id, 'consumer:' || n.consumer_id, 'placed an order', now()
       FROM new n JOIN order_line l USING (bucket, consumer_id, line_id)""",
    """UPDATE stock s SET reserved = s.reserved + g.pieces
       FROM (SELECT l.merchant_id, l.sku_id, sum(l.quantity) AS pieces
             FROM new n JOIN order_line l USING (bucket, consumer_id, line_id) GROUP BY 1, 2) g
       WHERE s.bucket = get_byte(uuid_send(g.merchant_id), 15) AND s.merchant_id = g.merchant_id
         AND s.sku_id = g.sku_id""",
    "DROP TABLE new",
)


def _cheap(ref: Reference, scene: str) -> dict[UUID, list[UUID]]:
    """By seller: goods under the sum that asks for a password, dearest first."""
    found: dict[UUID, list[tuple[int, UUID]]] = {}
    for offer in ref.offers.values():
        plain = not (offer.is_gift or offer.is_subscription or offer.is_cross_border or offer.is_trade_in_subsidised)
        seller = ref.sellers[offer.merchant_id].merchant
        fits = offer.state == "on_sale" and scene in offer.scenes and offer.deposit_minor is None
        if plain and fits and seller.state == "active" and 0 < offer.price_minor <= _MOST_MINOR:
            found.setdefault(offer.merchant_id, []).append((-offer.price_minor, offer.sku_id))
    return {merchant_id: [sku for _, sku in sorted(some)] for merchant_id, some in found.items()}


def _consumer_tables(owner: psycopg.Connection) -> list[tuple[str, list[str]]]:
    """The buyers' own tables (orders and what hangs on them aside) with their other columns, referenced ones first."""
    rows = owner.execute(
        "SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
        " AND obj_description(c.oid) LIKE 'placement: consumer%%'"
        " GROUP BY c.relname ORDER BY c.relname NOT IN ('consumer', 'credit_line'), c.relname"
    ).fetchall()
    skip = ("order", "payment", "tender", "decision", "outbox", "cart", "sms", "phone", "consumer_session")
    return [
        (table, [name for name in columns if name not in ("bucket", "consumer_id")])
        for table, columns in rows
        if not table.startswith(skip)
    ]
