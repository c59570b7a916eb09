"""The demo's clock: read it, or move it forward. In production there is nothing to move."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta

import msgspec

from fenqi.channels.gateway.control import Control, ControlError
from fenqi.channels.http import NoAnswer
from fenqi.database import clock as database_clock
from fenqi.flows.context import Context
from fenqi.kernel.clock import SteeredClock, business_date
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.web.api.resource import Call, resource

_LOG = logging.getLogger("fenqi.web")
_MOST = timedelta(days=3_660)


class ClockView(msgspec.Struct, frozen=True):
    """The instant by fenqi's clock, and its business date."""

    now: datetime
    today_on: date
    steerable: bool


class Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far to move forward, in whole seconds."""

    seconds: int


def _view(call: Call) -> ClockView:
    now = call.context.now()
    return ClockView(now, business_date(now), isinstance(call.context.clock, SteeredClock))


@resource("GET", "/v1/clock", answer=ClockView, who=())
async def read(call: Call) -> ClockView:
    """What time it is."""
    return _view(call)


@resource("POST", "/v1/clock:advance", body=Advance, answer=ClockView, who=(), problems=(404,))
async def advance(call: Call) -> ClockView:
    """Move the demo's clock forward; it stays there after a restart. NOT_FOUND outside the demo."""
    ctx = call.context
    if not ctx.settings.demo or not isinstance(ctx.clock, SteeredClock):
        raise NotFound("NOT_FOUND", "this clock can't be moved")
    by = timedelta(seconds=call.body.seconds) if 0 < call.body.seconds < _MOST.total_seconds() else None
    if by is None:
        raise Refusal("CLOCK_STEP_INVALID", "between a second and ten years forward")
    ctx.clock.advance(by)
    ahead = ctx.clock.now() - datetime.now(UTC)
    async with ctx.database.transaction() as tx:
        await database_clock.set_offset(tx, ahead)
    await _steer_gateways(ctx, ahead)
    return _view(call)


async def _steer_gateways(ctx: Context, ahead: timedelta) -> None:
    """The channels' gateways live on the same time, if there are any; those that are away get it at the next start."""
    if not ctx.settings.gateway_url:
        return
    try:
        control = Control(ctx.http, ctx.settings.gateway_url, ctx.settings.gateway_token)
        await control.steer(offset_s=ahead.total_seconds())
    except (NoAnswer, ControlError) as error:
        _LOG.warning("the gateways' clock could not be moved: %s", error)
