"""What looks back beside the requests: each day's decisions written to files, and back-tests run as they are asked for.

The heavy work is done by processes of its own with a low priority, which are there only while there is any.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from fenqi.flows import backtests, facts_export
from fenqi.flows.context import Context
from fenqi.flows.facts_export import Run

_LOG = logging.getLogger("fenqi.jobs")
_LOOKS_S = 1.5
_EXPORTS_S = 600.0
_WORKERS = 2
_NICE, _FOLLOWS_S = 10, 0.5


@asynccontextmanager
async def workers() -> AsyncIterator[Run]:
    """Processes that do work handed to them, for the length of the `async with`."""
    loop = asyncio.get_running_loop()
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(_WORKERS, spawn, initializer=_begin, initargs=(os.getpid(),))

    async def run(work: Callable[..., Any], *given: Any) -> Any:
        return await loop.run_in_executor(pool, work, *given)

    try:
        yield run
    finally:
        await asyncio.to_thread(pool.shutdown, True, cancel_futures=True)


def _begin(parent: int) -> None:
    """In a worker: give way to whatever else runs, and go when the parent goes, however it does."""
    os.nice(_NICE)

    def follow() -> None:
        while os.getppid() == parent:
            time.sleep(_FOLLOWS_S)
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


async def run(ctx: Context, stop: asyncio.Event) -> None:
    """Until `stop` is set."""
    export_at_s = 0.0
    while not stop.is_set():
        try:
            if time.monotonic() >= export_at_s:
                export_at_s = time.monotonic() + _EXPORTS_S
                await _export(ctx)
            if await backtests.waits(ctx):
                async with workers() as on:
                    while not stop.is_set() and await backtests.run_next(ctx, on):
                        pass
        except Exception:  # noqa: BLE001 - the edge of a job: log, wait, go on
            _LOG.exception("the back-tester stumbled")
        await _pause(stop, _LOOKS_S)


async def _export(ctx: Context) -> None:
    """Write the days that are missing; without a process of its own where there is none."""
    if await facts_export.is_behind(ctx):
        async with workers() as on:
            await facts_export.catch_up(ctx, on)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
