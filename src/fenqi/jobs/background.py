"""What runs beside the requests: the relay of events, the clockwork that expires orders, stock holds and limits, the
janitor that asks channels, and the listener that acts on their notices.

Each pass is one flow, idempotent and resumable; a pass that fails is logged and tried again at the next turn.
"""

from __future__ import annotations

import asyncio
import logging

from fenqi.database import outbox
from fenqi.flows import events, expire, hear, janitor, passages
from fenqi.flows.context import Context

_LOG = logging.getLogger("fenqi.jobs")
_CLOCKWORK_S = 5.0
_JANITOR_S = 1.0


async def run(ctx: Context, stop: asyncio.Event) -> None:
    """All of it, until `stop` is set."""
    await asyncio.gather(_relay(ctx, stop), _clockwork(ctx, stop), _janitor(ctx, stop), _listener(ctx, stop))


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


async def _janitor(ctx: Context, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await janitor.tick(ctx)
            await passages.hand_in(ctx)
        except Exception:  # noqa: BLE001 - the edge of a job: log, wait, go on
            _LOG.exception("the janitor stumbled")
        await _pause(stop, _JANITOR_S)


async def _listener(ctx: Context, stop: asyncio.Event) -> None:
    """Act on notices as they come; those that another process kept, or left behind, within a second."""
    while not stop.is_set():
        try:
            ctx.news.clear()
            while await hear.drain(ctx) and not stop.is_set():
                pass
        except Exception:  # noqa: BLE001 - the edge of a job: log, wait, go on
            _LOG.exception("the listener stumbled")
        await _news_or(ctx, stop)


async def _news_or(ctx: Context, stop: asyncio.Event) -> None:
    """Until there is news, a second has passed, or all is to stop."""
    waits = [asyncio.create_task(ctx.news.wait()), asyncio.create_task(stop.wait())]
    await asyncio.wait(waits, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
    for each in waits:
        each.cancel()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
