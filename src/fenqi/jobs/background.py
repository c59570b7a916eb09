"""What runs beside the requests: the relay of events, and the clockwork that expires orders, stock holds and limits.

Each pass is one flow, idempotent and resumable; a pass that fails is logged and tried again at the next turn.
"""

from __future__ import annotations

import asyncio
import logging

from fenqi.database import outbox
from fenqi.flows import events, expire
from fenqi.flows.context import Context

_LOG = logging.getLogger("fenqi.jobs")
_CLOCKWORK_S = 5.0


async def run(ctx: Context, stop: asyncio.Event) -> None:
    """Relay and tick until `stop` is set."""
    await asyncio.gather(_relay(ctx, stop), _clockwork(ctx, stop))


async def _relay(ctx: Context, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await outbox.relay_until(ctx.database, events.handlers(ctx), ctx.now, stop)
        except Exception:  # noqa: BLE001 - the edge of a job: log, wait, go on
            _LOG.exception("the relay stumbled")
            await _pause(stop, 1.0)


async def _clockwork(ctx: Context, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await expire.tick(ctx)
        except Exception:  # noqa: BLE001 - the edge of a job: log, wait, go on
            _LOG.exception("the clockwork stumbled")
        await _pause(stop, _CLOCKWORK_S)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
