"""Several processes on the same consumers and one merchant: never overdrawn or deadlocked, and right after kill -9."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.ledger.cases import AT, GENERAL, MONEY, open_limits, rows
from tests.ledger.racer import LIMITS

from fenqi.database import migrate, outbox, server
from fenqi.database.pool import Database
from fenqi.ledger import balances, relay

ROOT = Path(__file__).parents[2]
CEILINGS = {GENERAL: 2_000, LIMITS[1]: 500, MONEY: 300}


def start_racers(url: str, consumers: Sequence[UUID], count: int, seconds: float) -> list[subprocess.Popen[str]]:
    ids = [str(consumer) for consumer in consumers]
    return [
        subprocess.Popen(
            [sys.executable, "-m", "tests.ledger.racer", url, str(seed), str(seconds), *ids],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(count)
    ]


def finish(racers: Sequence[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    try:
        outputs = [racer.communicate(timeout=60)[0] for racer in racers]
    finally:
        for racer in racers:
            racer.kill()
    assert [racer.returncode for racer in racers] == [0] * len(racers)
    return [json.loads(output.splitlines()[-1]) for output in outputs]


def check(owner_url: str, app_url: str, reports: Sequence[dict[str, Any]]) -> int:
    """Books right, nobody over a limit, every acknowledged verdict stored once; how many were posted."""
    stored = {
        str(journal): str(outcome) for journal, outcome in rows(owner_url, "SELECT journal_id, outcome FROM journal")
    }
    for report in reports:
        assert report["acknowledged"].items() <= stored.items()
    over = "SELECT * FROM limit_account WHERE balance_minor + reserved_minor > ceiling_minor OR reserved_minor <> 0"
    assert rows(owner_url, over) == []

    async def settle() -> list[str]:
        async with await Database.open(app_url) as database:
            await outbox.drain(database, {relay.TOPIC: relay.mirror}, AT)
            async with database.snapshot() as tx:
                assert all(row.in_flight_minor == 0 for row in await balances.clearing(tx))
                return await balances.faults(tx)

    assert asyncio.run(settle()) == []
    return sum(1 for outcome in stored.values() if outcome == "posted")


def test_processes_race_on_few_consumers(fresh_urls: Any) -> None:
    consumers = open_limits(fresh_urls.owner, CEILINGS, count=3)
    reports = finish(start_racers(fresh_urls.app, consumers, count=4, seconds=3))
    assert check(fresh_urls.owner, fresh_urls.app, reports) > 500
    assert [report["retried"] for report in reports] == [0, 0, 0, 0]
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert rows(fresh_urls.owner, deadlocks) == [(0,)]


@pytest.fixture
def own_server() -> Iterator[server.Server]:
    """A durable server that may be hurt."""
    if "FENQI_DATABASE_URL" in os.environ:
        pytest.skip("needs a server of its own")
    folder = Path(tempfile.mkdtemp(prefix="fenqi-race-", dir="/tmp"))
    folder.chmod(0o755)
    with server.start(folder) as running:
        migrate.upgrade(running.owner_url)
        yield running
    shutil.rmtree(folder)


def test_killed_backends_leave_the_books_right(own_server: server.Server) -> None:
    """kill -9 of a backend in the middle of a batch, several times: PostgreSQL restarts, racers go on."""
    consumers = open_limits(own_server.owner_url, CEILINGS, count=50)
    racers = start_racers(own_server.app_url, consumers, count=2, seconds=6)
    while connected(own_server.superuser_url) < 3:
        time.sleep(0.1)
    kills = 0
    for _ in range(3):
        time.sleep(1)
        kills += kill_one_posting(own_server.superuser_url)
    reports = finish(racers)
    assert kills >= 2
    assert sum(report["retried"] for report in reports) > 0
    assert check(own_server.owner_url, own_server.app_url, reports) > 500


def connected(superuser_url: str) -> int:
    """How many racers have posted: each has its own pool."""
    query = "SELECT count(DISTINCT pid) FROM pg_stat_activity WHERE query LIKE '%%ledger_post_batch%%'"
    ((count,),) = rows(superuser_url, query + " AND pid <> pg_backend_pid()")
    return int(str(count))


def kill_one_posting(superuser_url: str) -> int:
    """kill -9 of a backend that is inside the door right now."""
    query = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE state = 'active' AND query LIKE '%ledger_post_batch%' AND pid <> pg_backend_pid()"
    )
    for _ in range(200):
        try:
            with psycopg.connect(superuser_url, autocommit=True) as superuser:
                for (pid,) in superuser.execute(query).fetchall():
                    os.kill(pid, signal.SIGKILL)
                    return 1
        except psycopg.OperationalError:
            time.sleep(0.05)
    return 0
