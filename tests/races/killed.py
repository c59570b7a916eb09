"""Processes that are killed on purpose while money is at a channel: each plays one scene, and dies at its n-th step.

    python -m tests.races.killed < JOBS

The first line is a JSON object with what all share, each line after it a job; for each a child is forked, and a line
with its exit code (negative: the signal) and its number of steps is printed. A step is the moment before any statement
reaches the database (BEGIN and COMMIT included) or any request a channel, and the moment after the last of them: what
is after one is before the next, nothing outside can tell the two apart. n = 0 lets it live.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import psycopg
from tests import world

from fenqi import attempt
from fenqi.channels import shelf
from fenqi.channels.contract import Incoming
from fenqi.channels.gateway.control import Control
from fenqi.channels.http import Http
from fenqi.customer import Keys
from fenqi.database.pool import Database
from fenqi.flows import give_back, hear, passages, pay, refund
from fenqi.flows.context import Context
from fenqi.flows.request import PayRequest
from fenqi.kernel.clock import SteeredClock
from fenqi.settings import Settings

_STEPS = {"seen": 0, "last": 0}
_RESTING = [True]


@dataclass(frozen=True)
class Shared:
    """What all jobs have in common: the database, where notices go, and the gateway."""

    url: str
    postbox: str
    gateway: str
    token: str


class Job(msgspec.Struct):
    """One child's part. `scene`: pays | refunds."""

    scene: str
    consumer_id: UUID
    order_id: UUID
    intent_id: UUID
    key: UUID
    method: str
    plan: str
    part_by: tuple[str, int] | None
    client: str
    last: int
    ahead_s: float = 0
    """How far the house's clock is ahead of the machine's."""


def _step() -> None:
    if _RESTING[0]:
        return
    _STEPS["seen"] += 1
    if _STEPS["seen"] == _STEPS["last"]:
        os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: type, name: str) -> None:
    """Count a step before each call of an asynchronous method."""
    plain = getattr(owner, name)

    async def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        _step()
        return await plain(self, *args, **kwargs)

    setattr(owner, name, counted)


@contextmanager
def _counting() -> Any:
    _RESTING[0] = False
    yield
    _RESTING[0] = True


class Stage:
    """A context of its own, the wallet that the buyer holds, and the notices that have come to the house.

    It is made before the fork, without a database, so that what a process reads once at its start is read once for all.
    """

    def __init__(self, shared: Shared) -> None:
        self.clock = SteeredClock()
        settings = Settings(demo=True, secret=world.SECRET, public_url=shared.postbox)
        nowhere: Any = None
        self.shared = shared
        self.ctx = Context(nowhere, self.clock, settings, Keys(world.SECRET))
        self.control = Control(Http(), shared.gateway, shared.token)
        self.client = httpx.AsyncClient(trust_env=False, timeout=30)

    async def warm(self) -> None:
        """Read the reference data, and load the channels with the passages' keys."""
        http = Http()
        async with await Database.open(self.shared.url, max_size=2) as self.ctx.database:
            async with self.ctx.database.snapshot() as tx:
                ref = await self.ctx.reference.current(tx, self.ctx.now())
            for each in ref.passages:
                keyed = await passages.by_code(self.ctx, each.code)
                assert await shelf.channel(each.channel).probe(http, keyed)
        await http.close()

    async def plays_on(self, job: Job) -> None:
        """The job, in a process that has just been born."""
        self.clock.run_with_offset(timedelta(seconds=job.ahead_s))
        async with await Database.open(self.shared.url, max_size=3) as self.ctx.database:
            self.ctx.pay_queue = pay.open_queue(self.ctx)
            self.ctx.notice_queue = hear.open_queue(self.ctx)
            for name in ("execute", "executemany"):
                _before(psycopg.AsyncCursor, name)
            for name in ("__aenter__", "__aexit__"):
                _before(psycopg.AsyncTransaction, name)
            _before(Http, "send")
            _STEPS["last"] = job.last
            await self.plays(job)

    async def plays(self, job: Job) -> None:
        if job.scene == "pays":
            await self._pays(job)
        else:
            await self._refunds(job)
        with _counting():
            _step()

    async def _pays(self, job: Job) -> None:
        asked = PayRequest(
            job.consumer_id, job.key, job.intent_id, job.method, job.plan, b"body", None, job.part_by,
            client=job.client,
        )  # fmt: skip
        with _counting():
            pressed = await pay.pay(self.ctx, asked)
        assert pressed.outcome in ("pending", "succeeded"), pressed
        async with self.ctx.database.snapshot() as tx:
            [begun] = await attempt.of_order(tx, job.consumer_id, job.order_id)
        if pressed.outcome == "pending":
            seen = await self.control.find(begun.channel, begun.attempt_no)
            assert seen is not None
            await self.control.pay(seen.trade.trade_no)
        await self._hears(begun.attempt_no)

    async def _refunds(self, job: Job) -> None:
        by = self.ctx.by_consumer(job.consumer_id, "sent it back")
        with _counting():
            await refund.refund(self.ctx, job.consumer_id, job.key, job.order_id, None, by)
        async with self.ctx.database.snapshot() as tx:
            tries = await attempt.of_order(tx, job.consumer_id, job.order_id)
            [back] = await attempt.refunds_of(tx, job.consumer_id, [each.attempt_id for each in tries])
        with _counting():
            after = await give_back.carry_out(self.ctx, job.consumer_id, back.refund_id)
        if after.state == "pending":
            await self._hears(back.refund_no)

    async def _hears(self, number: str) -> None:
        """Take in the notices of one's own number, and act on no others: those are other children's."""
        got = await self.client.get(f"{self.shared.postbox}/{number}")
        incoming = msgspec.json.decode(got.content, type=Incoming)
        waiting = attempt.notices_waiting

        async def own(tx: Any, limit: int) -> list[Any]:
            return [each for each in await waiting(tx, limit) if each.number == number]

        hear.attempt.notices_waiting = own  # type: ignore[attr-defined]
        with _counting():
            await hear.hear(self.ctx, incoming.path.rpartition("/")[2], incoming)
            await hear.drain(self.ctx, 100_000)


def _fork(stage: Stage, job: Job) -> tuple[int, int]:
    """(exit code, steps) of a child that plays the job."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            asyncio.run(stage.plays_on(job))
            os.write(writes, str(_STEPS["seen"]).encode())
            code = 0
        except BaseException:  # noqa: BLE001 - the end of a process: it says what it died of
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(writes)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reads) as pipe:
        return os.waitstatus_to_exitcode(status), int(pipe.read() or 0)


if __name__ == "__main__":
    stage = Stage(Shared(**json.loads(sys.stdin.readline())))
    asyncio.run(stage.warm())
    for line in sys.stdin:
        print(*_fork(stage, msgspec.json.decode(line, type=Job)), flush=True)
