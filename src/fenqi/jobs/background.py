"""What runs beside the requests: the relay of events, the clockwork that expires orders, stock holds and limits, the
janitor that asks channels, the listener that acts on their notices, the courier that calls merchants' webhooks, and
the messenger that tells those who come from Jeepay.

Each pass is one flow, idempotent and resumable; a pass that fails is logged and tried again at the next turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

from fenqi.channels.http import Http
from fenqi.database import outbox
from fenqi.flows import (
    at_stake,
    case_clock,
    events,
    expire,
    hear,
    janitor,
    jeepay_notify,
    monitor,
    passages,
    policy_shadow,
    webhook,
)
from fenqi.flows.context import Context
from fenqi.jobs import backtester

_LOG = logging.getLogger("fenqi.jobs")
_CLOCKWORK_S = 5.0
_JANITOR_S = 1.0
_COUNTER_S = 15.0
_CHALLENGER_S = 5.0
_WEBHOOK_S = 10.0
"""How long a merchant's server may keep silent."""


async def run(ctx: Context, stop: asyncio.Event) -> None:
    """All of it, until `stop` is set."""
    jobs = (_relay, _clockwork, _janitor, _listener, _courier, _messenger, _counter, _challenger, backtester.run)
    await asyncio.gather(*(job(ctx, stop) for job in jobs))


async def _relay(ctx: Context, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await outbox.relay_until(ctx.database, events.handlers(ctx), ctx.now, stop)
        except Exception:  # noqa: BLE001 - the edge of a job: log, wait, go on
            _LOG.exception("the relay stumbled")
            await _pause(stop, 1.0)


async def _clockwork(ctx: Context, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await _tried("the clockwork", expire.tick(ctx))
        await _tried("the clock of cases", case_clock.tick(ctx))
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


async def _courier(ctx: Context, stop: asyncio.Event) -> None:
    """Deliver to webhooks, by connections of its own: slow merchants must not keep payments from the channels."""
    http = Http(_WEBHOOK_S, webhook.AT_ONCE)
    while not stop.is_set():
        try:
            await webhook.deliver_until(ctx, http, stop)
        except Exception:  # noqa: BLE001 - the edge of a job: log, wait, go on
            _LOG.exception("the courier stumbled")
            await _pause(stop, 1.0)
    await http.close()


async def _counter(ctx: Context, stop: asyncio.Event) -> None:
    """Count what was at stake at the cashier."""
    while not stop.is_set():
        await _tried("the counter", at_stake.count(ctx))
        await _tried("the monitor", monitor.tick(ctx))
        await _pause(stop, _COUNTER_S)


async def _challenger(ctx: Context, stop: asyncio.Event) -> None:
    """Ask challengers of the policy about what was decided; it takes its time."""
    while not stop.is_set():
        seen = 0
        try:
            seen = await policy_shadow.tick(ctx)
        except Exception:  # noqa: BLE001 - the edge of a job: log, wait, go on
            _LOG.exception("the challenger stumbled")
        if not seen:
            await _pause(stop, _CHALLENGER_S)


async def _messenger(ctx: Context, stop: asyncio.Event) -> None:
    """Send notices by Jeepay's protocol, by connections of its own."""
    http = Http(_WEBHOOK_S, jeepay_notify.AT_ONCE)
    while not stop.is_set():
        try:
            await jeepay_notify.deliver_until(ctx, http, stop)
        except Exception:  # noqa: BLE001 - the edge of a job: log, wait, go on
            _LOG.exception("the messenger stumbled")
            await _pause(stop, 1.0)
    await http.close()


async def _tried(what: str, work: Awaitable[object]) -> None:
    """Do one job's part; where it stumbles, the parts after it have their turn all the same."""
    try:
        await work
    except Exception:  # noqa: BLE001 - the edge of a job: log, wait, go on
        _LOG.exception("%s stumbled", what)


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
