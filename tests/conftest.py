"""Fixtures that stand on a real PostgreSQL: the embedded one, or the one that FENQI_DATABASE_URL names.

    urls, database                one fresh, migrated database per test module, and an open pool on it
    fresh_urls, fresh_database    the same per test
    new_database                  makes one whenever called: `new_database() -> Urls`
    run                           runs a coroutine on the session's one event loop: `run(verb(database))`

Tests are plain functions; whatever is asynchronous goes through `run`, which works with Hypothesis and keeps
pools usable from test to test. The server is thrown away at the end (no fsync); FENQI_PG_BIN chooses other
binaries. With FENQI_DATABASE_URL (role fenqi_app) give FENQI_DATABASE_OWNER_URL too, with the right CREATEDB.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from fenqi.database import migrate, roles, server
from fenqi.database.pool import Database

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]


@dataclass(frozen=True)
class Urls:
    """One database as its owner, as the application, and as whoever may create databases."""

    owner: str
    app: str
    admin: str

    def at(self, name: str) -> Urls:
        return Urls(_at(self.owner, name), _at(self.app, name), self.admin)


def _at(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def server_urls() -> Iterator[Urls]:
    """The server of this session: an embedded throwaway one, or your own."""
    if app := os.environ.get("FENQI_DATABASE_URL"):
        owner = os.environ["FENQI_DATABASE_OWNER_URL"]
        yield Urls(owner, app, owner)
        return
    folder = Path(tempfile.mkdtemp(prefix="fenqi-tests-", dir="/tmp"))
    folder.chmod(0o755)
    with server.start(folder, throwaway=True) as running:
        yield Urls(running.owner_url, running.app_url, running.superuser_url)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def new_database(server_urls: Urls) -> Iterator[Callable[[], Urls]]:
    """Makes a fresh, migrated database at each call, from one template migrated once."""
    prefix = f"fenqi_test_{os.getpid()}"
    copying = "wal_log" if "FENQI_DATABASE_URL" in os.environ else "file_copy"  # cheaper where nothing is synced
    template, numbers, made = f"{prefix}_template", itertools.count(1), []

    def create(name: str, source: str) -> Urls:
        made.append(name)
        owner = urlsplit(server_urls.owner).username or roles.OWNER
        with psycopg.connect(server_urls.admin, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE {source} OWNER "{owner}" STRATEGY {copying}')
        return server_urls.at(name)

    migrate.upgrade(create(template, "template1").owner)
    yield lambda: create(f"{prefix}_{next(numbers)}", f'"{template}"')
    if "FENQI_DATABASE_URL" not in os.environ:
        return  # the server is thrown away whole; dropping would checkpoint for each
    with psycopg.connect(server_urls.admin, autocommit=True) as admin:
        for name in made:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def urls(new_database: Callable[[], Urls]) -> Urls:
    """A database for this test module."""
    return new_database()


@pytest.fixture
def fresh_urls(new_database: Callable[[], Urls]) -> Urls:
    """A database for this test."""
    return new_database()


@pytest.fixture(scope="module")
def database(urls: Urls, run: Run[Any]) -> Iterator[Database]:
    """An open pool on the module's database, as the application's role."""
    pool = run(Database.open(urls.app))
    yield pool
    run(pool.close())


@pytest.fixture
def fresh_database(fresh_urls: Urls, run: Run[Any]) -> Iterator[Database]:
    """An open pool on the test's own database, as the application's role."""
    pool = run(Database.open(fresh_urls.app))
    yield pool
    run(pool.close())


@pytest.fixture(scope="session")
def run() -> Iterator[Run[Any]]:
    """Runs a coroutine to its end on the session's event loop, which has a thread of its own.

    On the test's own thread there may be another loop already: Playwright's.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="tests' event loop", daemon=True)
    thread.start()

    def run_there(coroutine: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        try:
            return future.result()
        finally:
            future.cancel()  # for whoever is interrupted; nothing once it is done

    yield run_there
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
