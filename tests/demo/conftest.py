"""The crew that brings up the demo's cast, on a database with reference data only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.channels.running import Running

from fenqi import customer, seed
from fenqi.channels.gateway.control import Control
from fenqi.customer import Keys
from fenqi.database.pool import Database
from fenqi.demo import gateways
from fenqi.flows import pay
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.clock import SteeredClock
from fenqi.seed import staff
from fenqi.seed.casting import Casting
from fenqi.seed.moment import TaskClock
from fenqi.seed.till import Till
from fenqi.settings import Settings

NOW = datetime(2026, 8, 19, 4, 30, tzinfo=UTC)
PAY_PASSWORD = "246802"

Live = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(scope="module")
def crew(database: Database, run: Any, tmp_path_factory: Any) -> Iterator[Casting]:
    """A crew whose now is a Wednesday at half past twelve in Shanghai, in a world with payment channels."""
    clock = TaskClock(NOW - timedelta(days=102))
    gateway = Running(tmp_path_factory.mktemp("gateway"), clock=SteeredClock(clock.now()))
    ctx = Context(database, clock, Settings(demo=True), Keys(b"the demo's tests only"))
    control = Control(ctx.http, gateway.base_url, gateway.token)

    async def set_up() -> Casting:
        ctx.pay_queue = pay.open_queue(ctx)
        async with database.transaction() as tx:
            await seed.reference(tx, clock.now(), as_of=NOW)
            await staff.hire_all(tx, "fenqi-demo", By("system:test", "the crew's clerks", clock.now()))
        await gateways.silence(control)
        await gateways.connect(database, ctx.keys, control, By("system:test", "the crew's passages", clock.now()))
        async with database.snapshot() as tx:
            reference = await ctx.reference.current(tx, NOW)
        hashes = await customer.hash_password("fenqi-demo"), await customer.hash_password(PAY_PASSWORD)
        return Casting(ctx, clock, reference, NOW, *hashes, PAY_PASSWORD, till=Till(ctx, clock, control))

    yield run(set_up())
    assert ctx.pay_queue is not None
    run(ctx.pay_queue.close())
    run(ctx.http.close())
    gateway.stop()


@pytest.fixture
def live(run: Any) -> Live:
    """Runs a life in a task of its own, so that its clock is its own too."""

    async def in_task(life: Coroutine[Any, Any, Any]) -> Any:
        return await asyncio.create_task(life)

    return lambda life: run(in_task(life))
