"""Orders under contention: a payment, a cancellation and the clock race for one order, and exactly one wins."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

from fenqi import order
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Refusal
from fenqi.order import NewLine, NewOrder, OrderState

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
PAY_BY = AT + timedelta(minutes=30)


def _new(consumer_id, lines=3):
    made = (NewLine(new_id(), new_id(), new_id(), "tea", "茶", "Tea", 1, 100 + n) for n in range(lines))
    return NewOrder(consumer_id, new_id(), "mall", tuple(made), PAY_BY)


async def _in(database, verb):
    async with database.transaction() as tx:
        return await verb(tx)


async def _pay(database, keys):
    async with database.transaction() as tx:
        locked = await order.lock_for_payment(tx, keys)
        open_ = [key for key in keys if locked[key].state is OrderState.AWAITING_PAYMENT]
        await order.mark_paid(tx, [order.PaidOrder(*key, new_id(), AT) for key in open_])
        return ["paid"] * len(open_)


async def _close(database, key):
    try:
        await _in(database, lambda tx: order.close(tx, *key, By(f"consumer:{key[0]}", "changed my mind", AT)))
    except Refusal as refused:
        return [refused.code]
    return ["closed"]


async def _expire(database, bucket):
    by = By("system:expire", "not paid in time", PAY_BY)
    return ["expired" for _ in await _in(database, lambda tx: order.expire_due(tx, bucket, by))]


def test_an_order_ends_once(database, run):
    async def race():
        consumers = [new_id() for _ in range(12)]
        news = [_new(consumer) for consumer in consumers]
        for new in news:
            await _in(database, lambda tx, n=new: order.place(tx, n, By(f"consumer:{n.consumer_id}", "bought", AT)))
        keys = [(n.consumer_id, n.order_id) for n in news]
        verbs = [_pay(database, keys), _pay(database, keys[::-1]), *(_close(database, key) for key in keys)]
        verbs += [_expire(database, bucket_of(key[0])) for key in keys]
        outcomes = Counter(word for words in await asyncio.gather(*verbs) for word in words)
        found = await _in(database, lambda tx: order.get_many(tx, keys))
        moves = [await _in(database, lambda tx, k=key: order.moves(tx, *k)) for key in keys]
        return outcomes, found, moves

    outcomes, found, moves = run(race())
    assert outcomes["paid"] + outcomes["closed"] + outcomes["expired"] == 12
    assert Counter(str(o.state) for o in found.values()) == Counter(
        {word: outcomes[word] for word in ("paid", "closed", "expired") if outcomes[word]}
    )
    assert {len(kept) for kept in moves} == {2}


def test_racing_splits_lose_no_line(database, run):
    async def race():
        new = _new(new_id(), lines=6)
        by = By(f"consumer:{new.consumer_id}", "split it", AT)
        await _in(database, lambda tx: order.place(tx, new, by))

        async def split(line):
            try:
                return await _in(database, lambda tx: order.split(
                    tx, new.consumer_id, new.order_id, [line.line_id], new_id(), by))  # fmt: skip
            except Refusal as refused:
                return refused.code

        outcomes = await asyncio.gather(*(split(line) for line in new.lines))
        return new, outcomes, await _in(database, lambda tx: order.of_consumer(tx, new.consumer_id))

    new, outcomes, orders = run(race())
    assert outcomes.count("LINES_INVALID") == 1, "the last line stays"
    assert len(orders) == 6
    assert {line.line_id for o in orders for line in o.lines} == {line.line_id for line in new.lines}
    assert sum(o.payable_minor for o in orders) == sum(line.unit_price_minor for line in new.lines)
