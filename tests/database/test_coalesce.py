"""The coalescer: no linger, batches under load, retries of the whole batch, errors to each, a drain at the end."""

from __future__ import annotations

import asyncio

import pytest
from psycopg import errors

from fenqi.database.coalesce import Closed, Coalescer, Overloaded


def test_a_lone_item_goes_at_once(run):
    batches = []

    async def double(items):
        batches.append(list(items))
        return [item * 2 for item in items]

    async def story():
        coalescer = Coalescer(double)
        return await coalescer.submit(21)

    assert run(story()) == 42
    assert batches == [[21]]


def test_items_that_wait_are_taken_together_in_order_and_get_their_own_answer(run):
    batches = []

    async def slow(items):
        batches.append(list(items))
        await asyncio.sleep(0.01)
        return [-item for item in items]

    async def story():
        coalescer = Coalescer(slow, writers=1, max_batch=4)
        first = coalescer.submit(0)
        await asyncio.sleep(0)
        rest = [coalescer.submit(number) for number in range(1, 10)]
        return await asyncio.gather(first, *rest)

    assert run(story()) == [-number for number in range(10)]
    assert batches == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9]]


def test_no_more_than_the_writers_run_at_once(run):
    running, most = set(), []

    async def handle(items):
        running.add(id(items))
        most.append(len(running))
        await asyncio.sleep(0.005)
        running.discard(id(items))
        return items

    async def story():
        coalescer = Coalescer(handle, writers=2, max_batch=3)
        await asyncio.gather(*(coalescer.submit(number) for number in range(30)))

    run(story())
    assert max(most) == 2


@pytest.mark.parametrize("clash", [errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation])
def test_a_clash_runs_the_whole_batch_again(run, clash):
    tries = []

    async def handle(items):
        tries.append(list(items))
        if len(tries) < 3:
            raise clash
        return items

    async def story():
        coalescer = Coalescer(handle)
        return await asyncio.gather(*(coalescer.submit(number) for number in range(3)))

    assert run(story()) == [0, 1, 2]
    assert tries == [[0, 1, 2]] * 3


def test_a_clash_that_never_ends_reaches_the_waiters(run):
    tries = []

    async def handle(items):
        tries.append(1)
        raise errors.DeadlockDetected

    async def story():
        coalescer = Coalescer(handle, attempts=4)
        with pytest.raises(errors.DeadlockDetected):
            await coalescer.submit(1)

    run(story())
    assert len(tries) == 4


def test_another_exception_goes_to_each_waiter_and_the_next_batch_works(run):
    async def handle(items):
        if 13 in items:
            raise ValueError("unlucky")
        return items

    async def story():
        coalescer = Coalescer(handle)
        failed = await asyncio.gather(*(coalescer.submit(number) for number in (12, 13)), return_exceptions=True)
        return [str(error) for error in failed], await coalescer.submit(14)

    assert run(story()) == (["unlucky", "unlucky"], 14)


def test_a_missing_result_is_a_bug_that_everyone_hears_of(run):
    async def handle(items):
        return items[1:]

    async def story():
        coalescer = Coalescer(handle)
        with pytest.raises(AssertionError, match="1 results for 2 items"):
            await asyncio.gather(coalescer.submit(1), coalescer.submit(2))

    run(story())


def test_a_waiter_who_gives_up_takes_nothing_back(run):
    done = []

    async def handle(items):
        await asyncio.sleep(0.02)
        done.extend(items)
        return items

    async def story():
        coalescer = Coalescer(handle)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(coalescer.submit(1), 0.001)
        other = coalescer.submit(2)
        return await other

    assert run(story()) == 2
    assert sorted(done) == [1, 2]


def test_closing_answers_what_waits_and_takes_no_more(run):
    async def handle(items):
        await asyncio.sleep(0.005)
        return items

    async def story():
        coalescer = Coalescer(handle, writers=1, max_batch=2)
        waiting = [coalescer.submit(number) for number in range(7)]
        await coalescer.close()
        with pytest.raises(Closed):
            coalescer.submit(8)
        return [future.result() for future in waiting]

    assert run(story()) == list(range(7))


def test_too_many_waiting_items_are_refused_at_once(run):
    async def handle(items):
        await asyncio.sleep(0.005)
        return items

    async def story():
        coalescer = Coalescer(handle, max_waiting=2)
        waiting = [coalescer.submit(1), coalescer.submit(2)]
        with pytest.raises(Overloaded):
            coalescer.submit(3)
        return await asyncio.gather(*waiting)

    assert run(story()) == [1, 2]
