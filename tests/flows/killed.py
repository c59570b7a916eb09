"""Processes that are killed on purpose: each pays an order and hands its events on, and dies at its n-th step.

    python -m tests.flows.killed < JOBS

A job is a JSON line [url, consumer, intent, payment, method, plan, part, n]; for each a child is forked, and a line
with its exit code (negative: the signal) and its number of steps is printed. A step is the moment before or after any
statement reaches the database, BEGIN and COMMIT included; n = 0 lets it live.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any
from uuid import UUID

import psycopg
from tests import world

from fenqi.database import outbox
from fenqi.database.pool import Database
from fenqi.flows import events, pay
from fenqi.flows.context import Context
from fenqi.flows.request import PayRequest
from fenqi.kernel.ids import bucket_of

_STEPS = {"seen": 0, "last": 0}


def _step() -> None:
    _STEPS["seen"] += 1
    if _STEPS["seen"] == _STEPS["last"]:
        os.kill(os.getpid(), signal.SIGKILL)


def _around(owner: type, name: str) -> None:
    """Count a step before and after each call of an asynchronous method."""
    plain = getattr(owner, name)

    async def counted(self, *args, **kwargs):
        _step()
        result = await plain(self, *args, **kwargs)
        _step()
        return result

    setattr(owner, name, counted)


async def _first_in_line(ctx: Context, consumer_id: UUID) -> None:
    """Let the relay's next round be the one that finds this consumer's events."""
    await outbox.drain(ctx.database, events.handlers(ctx), ctx.now())
    async with ctx.database.transaction() as tx:
        await tx.execute(
            "UPDATE job_range SET worked_at = '-infinity' WHERE job = %s AND %s BETWEEN bucket_from AND bucket_to",
            [outbox.JOB, bucket_of(consumer_id)],
        )


async def _pay_and_relay(job: list[Any]) -> None:
    url, consumer, intent, payment, method, plan, part, last = job
    async with await Database.open(url, min_size=1, max_size=4) as database:
        ctx = world.context(database)
        await _first_in_line(ctx, UUID(consumer))
        _around(psycopg.AsyncCursor, "execute")
        for name in ("__aenter__", "__aexit__"):
            _around(psycopg.AsyncTransaction, name)
        _STEPS["last"] = last
        part_by = ("money_account", part) if part else None
        asked = PayRequest(UUID(consumer), UUID(payment), UUID(intent), method, plan, b"body", None, part_by)
        await pay.pay(ctx, asked)
        await outbox.relay_once(database, events.handlers(ctx), ctx.now())


def _fork(job: list[Any]) -> tuple[int, int]:
    """(exit code, steps) of a child that does the job."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        asyncio.run(_pay_and_relay(job))
        os.write(writes, str(_STEPS["seen"]).encode())
        os._exit(0)
    os.close(writes)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reads) as pipe:
        return os.waitstatus_to_exitcode(status), int(pipe.read() or 0)


if __name__ == "__main__":
    for line in sys.stdin:
        print(*_fork(json.loads(line)), flush=True)
