"""Processes that are killed on purpose: each delivers one event that is due, and dies at its n-th step.

    python -m tests.webhooks.killed URL AT < STEPS

For each line, the number of a step, a child is forked; a line with its exit code (negative: the signal) and its number
of steps is printed. A step is the moment before or after any statement, BEGIN and COMMIT included, or the sending; 0
lets it live. AT is the instant at which their clocks stand, so that what one has leased is left alone by the next.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import datetime
from typing import Any

import psycopg
from tests import world

from fenqi.channels.http import Http
from fenqi.database.pool import Database
from fenqi.flows import webhook

_STEPS = {"seen": 0, "last": 0}


def _step() -> None:
    _STEPS["seen"] += 1
    if _STEPS["seen"] == _STEPS["last"]:
        os.kill(os.getpid(), signal.SIGKILL)


def _around(owner: type, name: str) -> None:
    """Count a step before and after each call of an asynchronous method."""
    plain = getattr(owner, name)

    async def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        _step()
        result = await plain(self, *args, **kwargs)
        _step()
        return result

    setattr(owner, name, counted)


async def _deliver(url: str, at: datetime, last: int) -> None:
    async with await Database.open(url, min_size=1, max_size=4) as database:
        ctx = world.context(database, at)
        _around(psycopg.AsyncCursor, "execute")
        _around(Http, "send")
        for name in ("__aenter__", "__aexit__"):
            _around(psycopg.AsyncTransaction, name)
        _STEPS["last"] = last
        await webhook.deliver_due(ctx, ctx.http, limit=1)
        await ctx.http.close()


def _fork(url: str, at: datetime, last: int) -> tuple[int, int]:
    """(exit code, steps) of a child."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        asyncio.run(_deliver(url, at, last))
        os.write(writes, str(_STEPS["seen"]).encode())
        os._exit(0)
    os.close(writes)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reads) as pipe:
        return os.waitstatus_to_exitcode(status), int(pipe.read() or 0)


if __name__ == "__main__":
    for line in sys.stdin:
        print(*_fork(sys.argv[1], datetime.fromisoformat(sys.argv[2]), int(line)), flush=True)
