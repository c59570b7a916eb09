"""Directory claims: the first owner keeps a value, racing ones hear whose it is, and orphans can be swept."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fenqi.database import directory
from fenqi.database.directory import Claim
from fenqi.kernel.ids import new_id

AT = datetime(2026, 11, 11, 12, tzinfo=UTC)


async def claim(database, kind, value, owner, at=AT):
    async with database.transaction() as tx:
        return await directory.claim(tx, kind, value, owner, at)


def test_a_value_belongs_to_its_first_owner_and_kinds_are_apart(fresh_database, run):
    first, second = new_id(), new_id()

    async def story():
        owners = [
            await claim(fresh_database, "email", "a@example.org", first),
            await claim(fresh_database, "email", "a@example.org", second),
            await claim(fresh_database, "email", "a@example.org", first),
            await claim(fresh_database, "phone", "a@example.org", second),
        ]
        async with fresh_database.snapshot() as tx:
            return owners, await directory.find(tx, "email", "b@example.org")

    assert run(story()) == ([first, first, first, second], None)


def test_of_racing_claims_one_wins_and_all_hear_of_it(fresh_database, run):
    owners = [new_id() for _ in range(12)]

    async def story():
        return await asyncio.gather(*(claim(fresh_database, "email", "x", owner) for owner in owners))

    heard = run(story())
    assert len(set(heard)) == 1
    assert heard[0] in owners


def test_orphans_are_found_confirmed_or_released(fresh_database, run):
    confirmed, orphan, young = new_id(), new_id(), new_id()

    async def story():
        await claim(fresh_database, "token", "confirmed", confirmed)
        await claim(fresh_database, "token", "orphan", orphan)
        await claim(fresh_database, "token", "young", young, AT + timedelta(hours=2))
        async with fresh_database.transaction() as tx:
            await directory.confirm(tx, "token", "confirmed", confirmed, AT)
            await directory.confirm(tx, "token", "confirmed", confirmed, AT + timedelta(days=1))
            left = await directory.unconfirmed(tx, "token", AT + timedelta(hours=1))
            await directory.release(tx, "token", "orphan", new_id())
            held = await directory.find(tx, "token", "orphan")
            await directory.release(tx, "token", "orphan", orphan)
            return left, held, await directory.find(tx, "token", "orphan")

    assert run(story()) == ([Claim("token", "orphan", orphan)], orphan, None)


def test_confirming_somebody_elses_claim_is_a_bug(fresh_database, run):
    async def story():
        await claim(fresh_database, "token", "mine", new_id())
        async with fresh_database.transaction() as tx:
            with pytest.raises(AssertionError, match="isn't there"):
                await directory.confirm(tx, "token", "mine", new_id(), AT)

    run(story())
