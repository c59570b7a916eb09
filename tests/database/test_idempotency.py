"""Law 8: the same key with the same body gives the same answer; with another body, a refusal of its own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fenqi.database import idempotency
from fenqi.database.idempotency import Answer, Attempt, KeyReused, Running, StillRunning
from fenqi.database.pool import Database
from fenqi.kernel.ids import bucket_of, new_id

AT = datetime(2026, 11, 11, 12, tzinfo=UTC)


def attempt(body: bytes = b"{}", key: str = "k1", consumer=None) -> Attempt:
    return Attempt.of(consumer or new_id(), key, "pay", body)


def same(first: Attempt, body: bytes = b"{}", verb: str = "pay") -> Attempt:
    return Attempt.of(first.consumer_id, first.key, verb, body)


async def never(tx) -> Answer:
    raise AssertionError("a repeat must not run the effect")


async def records(database: Database, of: Attempt) -> list[tuple]:
    async with database.snapshot() as tx:
        rows = await tx.execute(
            "SELECT status, answer FROM idempotency WHERE bucket = %s AND consumer_id = %s",
            [bucket_of(of.consumer_id), of.consumer_id],
        )
        return await rows.fetchall()


def test_a_repeat_gets_the_first_answer_byte_for_byte(database, run):
    first = attempt()

    async def effect(tx) -> Answer:
        return Answer(201, b'{"payment":1}')

    async def story():
        made = await idempotency.once(database, first, AT, effect)
        repeated = await idempotency.once(database, same(first), AT + timedelta(hours=1), never)
        return made, repeated

    made, repeated = run(story())
    assert made == Answer(201, b'{"payment":1}', repeated=False)
    assert repeated == Answer(201, b'{"payment":1}', repeated=True)


@pytest.mark.parametrize(("body", "verb"), [(b'{"other":1}', "pay"), (b"{}", "refund")])
def test_another_body_or_verb_is_its_own_refusal(database, run, body, verb):
    first = attempt()

    async def effect(tx) -> Answer:
        return Answer(200, b"done")

    async def story():
        await idempotency.once(database, first, AT, effect)
        with pytest.raises(KeyReused) as refusal:
            await idempotency.once(database, same(first, body, verb), AT, never)
        return refusal.value

    refusal = run(story())
    assert (refusal.code, refusal.status) == ("IDEMPOTENCY_KEY_REUSED", 409)
    assert run(records(database, first)) == [(200, b"done")]


def test_keys_belong_to_a_consumer(database, run):
    async def effect(tx) -> Answer:
        return Answer(200, b"mine")

    async def story():
        return [await idempotency.once(database, attempt(), AT, effect) for _ in range(2)]

    assert [answer.repeated for answer in run(story())] == [False, False]


def test_an_effect_that_raises_leaves_no_record_and_the_key_free(database, run):
    first = attempt()

    async def failing(tx) -> Answer:
        raise ZeroDivisionError

    async def effect(tx) -> Answer:
        return Answer(200, b"second try")

    async def story():
        with pytest.raises(ZeroDivisionError):
            await idempotency.once(database, first, AT, failing)
        assert await records(database, first) == []
        return await idempotency.once(database, same(first), AT, effect)

    assert run(story()) == Answer(200, b"second try", repeated=False)


def test_a_second_caller_waits_for_the_first(database, run):
    first, runs = attempt(), []

    async def slow(tx) -> Answer:
        runs.append(1)
        await asyncio.sleep(0.3)
        return Answer(200, b"one")

    async def story():
        return await asyncio.gather(*(idempotency.once(database, same(first), AT, slow) for _ in range(8)))

    answers = run(story())
    assert [answer.body for answer in answers] == [b"one"] * 8
    assert sorted(answer.repeated for answer in answers) == [False] + [True] * 7
    assert runs == [1]


def test_a_second_caller_does_the_work_when_the_first_fails(database, run):
    first, runs = attempt(), []

    async def fails_once(tx) -> Answer:
        runs.append(1)
        await asyncio.sleep(0.2)
        if len(runs) == 1:
            raise ZeroDivisionError
        return Answer(200, b"two")

    async def story():
        calls = (idempotency.once(database, same(first), AT, fails_once) for _ in range(2))
        return await asyncio.gather(*calls, return_exceptions=True)

    outcomes = run(story())
    assert {type(outcome) for outcome in outcomes} == {ZeroDivisionError, Answer}
    assert Answer(200, b"two", repeated=False) in outcomes


def test_a_second_caller_gets_409_when_the_first_takes_too_long(database, run, monkeypatch):
    monkeypatch.setattr(idempotency, "WAIT_S", 0.2)
    first = attempt()

    async def slow(tx) -> Answer:
        await asyncio.sleep(0.8)
        return Answer(200, b"late")

    async def story():
        working = asyncio.ensure_future(idempotency.once(database, first, AT, slow))
        await asyncio.sleep(0.1)
        with pytest.raises(StillRunning) as refusal:
            await idempotency.once(database, same(first), AT, never)
        return refusal.value, await working, await idempotency.once(database, same(first), AT, never)

    refusal, answer, repeated = run(story())
    assert (refusal.code, refusal.status, refusal.extra) == ("IDEMPOTENCY_KEY_IN_USE", 409, {"retry_after_s": 2})
    assert (answer.body, repeated.body) == (b"late", b"late")


def test_a_verb_of_several_transactions_is_running_until_it_is_settled(database, run, monkeypatch):
    monkeypatch.setattr(idempotency, "WAIT_S", 0.2)
    first = attempt()

    async def story():
        async with database.transaction() as tx:
            assert await idempotency.claim(tx, first, AT) is None
        async with database.transaction() as tx:
            assert isinstance(await idempotency.claim(tx, same(first), AT), Running)
        with pytest.raises(StillRunning):
            await idempotency.once(database, same(first), AT, never)
        async with database.transaction() as tx:
            await idempotency.settle(tx, first, Answer(200, b"end"), AT)
        return await idempotency.once(database, same(first), AT, never)

    assert run(story()) == Answer(200, b"end", repeated=True)


def test_settling_twice_is_a_bug(database, run):
    first = attempt()

    async def story():
        async with database.transaction() as tx:
            await idempotency.claim(tx, first, AT)
            await idempotency.settle(tx, first, Answer(200, b"1"), AT)
            with pytest.raises(AssertionError, match="settled already"):
                await idempotency.settle(tx, first, Answer(200, b"2"), AT)

    run(story())
    assert run(records(database, first)) == [(200, b"1")]


def test_old_settled_records_are_forgotten(database, run):
    old, young, running = attempt(), attempt(), attempt()

    async def effect(tx) -> Answer:
        return Answer(200, b"")

    async def story():
        await idempotency.once(database, old, AT - timedelta(days=40), effect)
        await idempotency.once(database, young, AT, effect)
        async with database.transaction() as tx:
            await idempotency.claim(tx, running, AT - timedelta(days=40))
        async with database.transaction() as tx:
            count = await idempotency.forget(tx, 0, 255, AT - timedelta(days=30))
        return count, [len(await records(database, one)) for one in (old, young, running)]

    assert run(story()) == (1, [0, 1, 1])
