"""The pool and the transaction: one verb is one `async with database.transaction() as tx`.

A `Tx` is psycopg's own asynchronous connection inside a READ COMMITTED transaction, with binary results, rows as
tuples and instants in UTC; a store gets it as its first argument and never opens one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import psycopg
from psycopg import IsolationLevel, pq
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Tx = psycopg.AsyncConnection[TupleRow]

WRITERS = 2
"""Connections that only batches use."""

_STARTUP_OPTIONS = "-c timezone=UTC -c intervalstyle=iso_8601"


class BinaryCursor(psycopg.AsyncCursor[Any]):
    """A cursor whose results come in PostgreSQL's binary format unless asked otherwise."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], *, row_factory: Any = None) -> None:
        super().__init__(connection, row_factory=row_factory or connection.row_factory)
        self.format = pq.Format.BINARY


class Database:
    """A pool of connections to one database, and a few more that only batches use."""

    def __init__(self, pool: AsyncConnectionPool[Tx], writers: AsyncConnectionPool[Tx]) -> None:
        self._pool, self._writers = pool, writers

    @classmethod
    async def open(cls, url: str, min_size: int = 1, max_size: int = 16, *, relaxed: bool = False) -> Database:
        """Open the pool and wait for its first connections; raises psycopg_pool.PoolTimeout after 10 s without.

        `relaxed` commits don't wait for the disk: for data that is made anew after a crash, as the demo's past is.
        """
        options = f"{_STARTUP_OPTIONS} -c synchronous_commit=off" if relaxed else _STARTUP_OPTIONS
        pool, writers = _pool(url, options, min_size, max_size), _pool(url, options, 0, WRITERS)
        try:
            await pool.open(wait=True, timeout=10)
            await writers.open()
        except BaseException:
            await pool.close()
            raise
        return cls(pool, writers)

    async def close(self) -> None:
        """Close all connections."""
        await self._writers.close()
        await self._pool.close()

    async def __aenter__(self) -> Database:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """A READ COMMITTED transaction: committed at the end, rolled back by any exception."""
        async with _begun(self._pool, IsolationLevel.READ_COMMITTED, read_only=None) as tx:
            yield tx

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[Tx]:
        """A transaction on one of the connections kept for batches: what they run stays planned there."""
        async with _begun(self._writers, IsolationLevel.READ_COMMITTED, read_only=None) as tx:
            yield tx

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Tx]:
        """A read-only transaction that sees one moment (REPEATABLE READ), for pages and reports."""
        async with _begun(self._pool, IsolationLevel.REPEATABLE_READ, read_only=True) as tx:
            yield tx

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[Tx]:
        """A connection on which each statement is a transaction of its own: one round trip instead of three."""
        async with self._pool.connection() as connection:
            await connection.set_autocommit(True)
            try:
                yield connection
            finally:
                await _leave_autocommit(connection)


def _pool(url: str, options: str, min_size: int, max_size: int) -> AsyncConnectionPool[Tx]:
    return AsyncConnectionPool(
        url,
        kwargs={"cursor_factory": BinaryCursor, "options": options, "application_name": "fenqi"},
        min_size=min_size,
        max_size=max_size,
        configure=_configure,
        open=False,
    )


@asynccontextmanager
async def _begun(pool: AsyncConnectionPool[Tx], isolation: IsolationLevel, read_only: bool | None) -> AsyncIterator[Tx]:
    """Begin on a living connection: one that died in the pool (server restart) is noticed by BEGIN and replaced."""
    for _ in range(pool.max_size + 1):
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(pool.connection())
            try:
                await _set_mode(connection, isolation, read_only)
                await stack.enter_async_context(connection.transaction())
            except psycopg.OperationalError:
                continue
            yield connection
            return
    raise psycopg.OperationalError("no connection of the pool is alive")


async def _set_mode(connection: Tx, isolation: IsolationLevel, read_only: bool | None) -> None:
    """What the next BEGIN will say; costs no round trip."""
    if connection.isolation_level != isolation or connection.read_only != read_only:
        await connection.set_isolation_level(isolation)
        await connection.set_read_only(read_only)


async def _configure(connection: Tx) -> None:
    await connection.set_isolation_level(IsolationLevel.READ_COMMITTED)


async def _leave_autocommit(connection: Tx) -> None:
    if not connection.closed:
        await connection.rollback()
        await connection.set_autocommit(False)
