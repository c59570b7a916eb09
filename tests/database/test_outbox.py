"""The relay: at least once, in each consumer's order, nobody held up by another's failure."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenqi.database import inbox, outbox, ranges
from fenqi.database.outbox import Event, Relayed
from fenqi.kernel.ids import new_id

AT = datetime(2026, 11, 11, 12, tzinfo=UTC)


def event(consumer, topic="paid", number=0) -> Event:
    return Event(new_id(1_700_000_000_000 + number), consumer, topic, b'{"n":%d}' % number, AT)


async def write(database, *events: Event) -> None:
    async with database.transaction() as tx:
        await outbox.append(tx, events)


class Receiver:
    """Notes what it was handed, in order; fails on payloads it was told to."""

    def __init__(self, *failing: bytes) -> None:
        self.failing = set(failing)
        self.got: list[Event] = []
        self.called = asyncio.Event()

    async def __call__(self, tx, events) -> None:
        for one in events:
            if one.payload in self.failing:
                raise ValueError(f"can't take {one.payload!r}")
        self.got.extend(events)
        self.called.set()

    def payloads_of(self, consumer) -> list[bytes]:
        return [one.payload for one in self.got if one.consumer_id == consumer]


async def backlog(database) -> tuple[int, int]:
    async with database.snapshot() as tx:
        return await outbox.backlog(tx)


def test_events_leave_with_their_transaction_only(fresh_database, run):
    async def story():
        with pytest.raises(ZeroDivisionError):
            async with fresh_database.transaction() as tx:
                await outbox.append(tx, [event(new_id())])
                raise ZeroDivisionError
        return await backlog(fresh_database)

    assert run(story()) == (0, 0)


def test_each_event_is_handed_on_once_in_its_consumers_order(fresh_database, run):
    consumers = [new_id() for _ in range(40)]
    events = [event(consumer, number=number) for number in range(5) for consumer in consumers]
    receiver = Receiver()

    async def story():
        await write(fresh_database, *random.Random(1).sample(events, len(events)))
        count = await outbox.drain(fresh_database, {"paid": receiver}, AT)
        return count, await backlog(fresh_database)

    assert run(story()) == (200, (0, 0))
    assert {one.event_id for one in receiver.got} == {one.event_id for one in events}
    for consumer in consumers:
        assert receiver.payloads_of(consumer) == [b'{"n":%d}' % number for number in range(5)]
    assert receiver.got[0].written_at == AT


def test_a_small_limit_goes_on_where_it_stopped(fresh_database, run):
    consumer, receiver = new_id(), Receiver()

    async def story():
        await write(fresh_database, *(event(consumer, number=number) for number in range(7)))
        rounds = [await outbox.relay_once(fresh_database, {"paid": receiver}, AT, limit=3) for _ in range(64)]
        return [done for done in rounds if done.delivered]

    assert run(story()) == [Relayed(3, 0, True), Relayed(3, 0, True), Relayed(1, 0, False)]
    assert receiver.payloads_of(consumer) == [b'{"n":%d}' % number for number in range(7)]


def test_a_failing_event_is_parked_and_holds_up_only_its_consumer(fresh_database, run):
    unlucky, lucky = new_id(), new_id()
    receiver = Receiver(b'{"n":1}')
    handlers = {"paid": receiver, "refunded": receiver}

    async def story():
        await write(
            fresh_database,
            event(unlucky, number=0),
            event(unlucky, number=1),
            event(unlucky, number=2),
            event(unlucky, "refunded", number=3),
            event(lucky, number=4),
        )
        await outbox.drain(fresh_database, handlers, AT)
        early = (receiver.payloads_of(unlucky), receiver.payloads_of(lucky), await backlog(fresh_database))
        receiver.failing.clear()
        await outbox.drain(fresh_database, handlers, AT)
        assert await backlog(fresh_database) == (3, 1), "a parked event waits for its time"
        await outbox.drain(fresh_database, handlers, AT + timedelta(seconds=1))
        return early, await backlog(fresh_database)

    early, late = run(story())
    assert early == ([b'{"n":0}'], [b'{"n":4}'], (3, 1))
    assert late == (0, 0)
    assert receiver.payloads_of(unlucky) == [b'{"n":0}', b'{"n":1}', b'{"n":2}', b'{"n":3}']


def test_parked_events_say_why_and_wait_twice_as_long_each_time(fresh_database, run):
    receiver, consumer = Receiver(b'{"n":1}'), new_id()

    async def story():
        await write(fresh_database, event(consumer, number=1), event(consumer, "unknown", number=2))
        waits, at = [], AT
        for _ in range(3):
            await outbox.drain(fresh_database, {"paid": receiver}, at)
            async with fresh_database.snapshot() as tx:
                rows = await tx.execute("SELECT not_before, attempts, error FROM outbox WHERE attempts > 0")
                ((not_before, attempts, error),) = await rows.fetchall()
            waits.append((attempts, not_before - at))
            at = not_before
        return waits, error

    waits, error = run(story())
    assert waits == [(1, timedelta(seconds=1)), (2, timedelta(seconds=2)), (3, timedelta(seconds=4))]
    assert error.endswith("ValueError: can't take b'{\"n\":1}'\n")


def test_an_event_without_a_handler_is_parked(fresh_database, run):
    async def story():
        await write(fresh_database, event(new_id(), "unknown"))
        await outbox.drain(fresh_database, {}, AT)
        async with fresh_database.snapshot() as tx:
            return await (await tx.execute("SELECT attempts, error FROM outbox")).fetchone()

    assert run(story()) == (1, "no handler for topic unknown")


def test_racing_relays_share_the_work_and_the_receiver_drops_repeats(fresh_database, run):
    consumers = [new_id() for _ in range(300)]
    merchant = new_id()
    seen: list = []

    async def mirror(tx, events) -> None:
        new = await inbox.accept(tx, [(merchant, one.event_id) for one in events], AT)
        seen.extend(one.event_id for one in events if (merchant, one.event_id) in new)

    async def story():
        events = [event(consumer, number=number) for number in range(3) for consumer in consumers]
        await write(fresh_database, *events)
        await asyncio.gather(*(outbox.drain(fresh_database, {"paid": mirror}, AT) for _ in range(4)))
        await write(fresh_database, *events[:10])  # a crash after the mirror, before the delete, looks like this
        await outbox.drain(fresh_database, {"paid": mirror}, AT)
        return {one.event_id for one in events}, await backlog(fresh_database)

    ids, left = run(story())
    assert left == (0, 0)
    assert len(seen) == len(ids) == 900
    assert set(seen) == ids


def test_a_range_that_another_relay_works_on_is_skipped(fresh_database, run):
    async def story():
        async with fresh_database.transaction() as setup:
            await ranges.claim(setup, "job")
        async with fresh_database.transaction() as one, fresh_database.transaction() as two:
            first, second = await ranges.claim(one, "job"), await ranges.claim(two, "job")
            return (first.bucket_from, first.bucket_to), (second.bucket_from, second.bucket_to)

    assert run(story()) == ((0, 15), (16, 31))


def test_the_loop_relays_until_it_is_stopped(fresh_database, run):
    receiver, consumer = Receiver(), new_id()

    async def story():
        stop = asyncio.Event()
        loop = asyncio.ensure_future(
            outbox.relay_until(fresh_database, {"paid": receiver}, lambda: AT, stop, idle_s=0.01)
        )
        await write(fresh_database, event(consumer))
        await asyncio.wait_for(receiver.called.wait(), 5)
        stop.set()
        await asyncio.wait_for(loop, 5)

    run(story())
    assert receiver.payloads_of(consumer) == [b'{"n":0}']


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), max_size=30))
def test_runs_keep_each_consumers_order_and_every_event(spec):
    owners = [new_id() for _ in range(4)]
    events = [event(owners[owner], topic, number) for number, (owner, topic) in enumerate(spec)]
    grouped = outbox.runs(events)
    flat = [one for group in grouped for one in group]
    assert sorted(one.payload for one in flat) == sorted(one.payload for one in events)
    assert all(len({one.topic for one in group}) == 1 for group in grouped)
    for owner in owners:
        assert [one for one in flat if one.consumer_id == owner] == [one for one in events if one.consumer_id == owner]
