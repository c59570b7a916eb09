"""The transaction: committed or not at all, READ COMMITTED, instants in UTC, and dead connections replaced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import errors

from fenqi.database import clock
from fenqi.database.pool import Database
from fenqi.kernel.ids import bucket_of, new_id

AT = datetime(2026, 11, 11, 12, tzinfo=UTC)


async def one(tx, query: str):
    row = await (await tx.execute(query)).fetchone()
    return row[0] if len(row) == 1 else row


def test_settings_of_a_transaction_and_of_a_snapshot(database, run):
    asked = (
        "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'),"
        " current_setting('timezone'), current_setting('synchronous_commit')"
    )

    async def story():
        seen = []
        for begin in (database.transaction, database.snapshot, database.transaction):
            async with begin() as tx:
                seen.append(await one(tx, asked))
        return seen

    first, snapshot, last = run(story())
    assert first[:3] == last[:3] == ("read committed", "off", "UTC")
    assert snapshot[:3] == ("repeatable read", "on", "UTC")


def test_values_come_back_as_they_went_in(database, run):
    consumer = new_id()

    async def story():
        async with database.transaction() as tx:
            rows = await tx.execute(
                "SELECT %s::uuid, %s::smallint, %s::timestamptz, %s::bytea, %s::bigint[]",
                [consumer, bucket_of(consumer), AT, b"\0\xff", [1, -2]],
            )
            return await rows.fetchone()

    row = run(story())
    assert row == (consumer, bucket_of(consumer), AT, b"\0\xff", [1, -2])
    assert row[2].tzinfo.utcoffset(None) in (None, timedelta())


def test_an_exception_rolls_back_and_the_connection_is_good_again(database, run):
    async def story():
        with pytest.raises(ZeroDivisionError):
            async with database.transaction() as tx:
                await clock.set_offset(tx, timedelta(days=3))
                raise ZeroDivisionError
        with pytest.raises(errors.DivisionByZero):
            async with database.transaction() as tx:
                await clock.set_offset(tx, timedelta(days=3))
                await tx.execute("SELECT 1 / 0")
        async with database.transaction() as tx:
            return await clock.read_offset(tx)

    assert run(story()) == timedelta()


def test_a_snapshot_writes_nothing(database, run):
    async def story():
        with pytest.raises(errors.ReadOnlySqlTransaction):
            async with database.snapshot() as tx:
                await clock.set_offset(tx, timedelta(days=3))

    run(story())


def test_each_statement_of_autocommit_is_a_transaction(fresh_database, run):
    async def story():
        with pytest.raises(errors.DivisionByZero):
            async with fresh_database.autocommit() as connection:
                await clock.set_offset(connection, timedelta(hours=5))
                await connection.execute("SELECT 1 / 0")
        async with fresh_database.transaction() as tx:
            kept = await clock.read_offset(tx)
            return kept, await one(tx, "SELECT current_setting('transaction_isolation')")

    assert run(story()) == (timedelta(hours=5), "read committed")


def test_the_clock_of_the_demo_is_kept(fresh_database, run):
    async def story():
        seen = []
        async with fresh_database.transaction() as tx:
            seen.append(await clock.read_offset(tx))
            await clock.set_offset(tx, timedelta(days=90, microseconds=1))
            await clock.set_offset(tx, timedelta(days=-2, hours=3))
            seen.append(await clock.read_offset(tx))
        return seen

    assert run(story()) == [timedelta(), timedelta(days=-2, hours=3)]


def test_connections_that_died_in_the_pool_are_replaced_before_the_work_begins(fresh_urls, run):
    async def story():
        async with await Database.open(fresh_urls.app, min_size=3, max_size=3) as database:
            with psycopg.connect(fresh_urls.app) as other:
                ended = other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fenqi'"
                    " AND usename = current_user AND datname = current_database()"
                ).fetchall()
                assert ended == [(True,)] * 3
            async with database.transaction() as tx:
                return await one(tx, "SELECT 1")

    assert run(story()) == 1
