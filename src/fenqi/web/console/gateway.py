"""The console's way to the local gateways: their state, new keys, faults. Only the demo and tests have them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from fenqi.channels.gateway.control import Control, ControlError
from fenqi.channels.http import NoAnswer
from fenqi.flows.context import Context
from fenqi.kernel.refusal import Conflict, NotFound

T = TypeVar("T")


def control(ctx: Context) -> Control:
    """The client. Refuses GATEWAY_ABSENT where this mall talks to no local gateway."""
    if not ctx.settings.gateway_url:
        raise NotFound("GATEWAY_ABSENT", "there is no local gateway here")
    return Control(ctx.http, ctx.settings.gateway_url, ctx.settings.gateway_token)


async def said(call: Awaitable[T]) -> T:
    """What the gateway answers. Refuses GATEWAY_SILENT and GATEWAY_REFUSED (with what it said)."""
    try:
        return await call
    except NoAnswer as error:
        raise Conflict("GATEWAY_SILENT", str(error)) from error
    except ControlError as error:
        raise Conflict("GATEWAY_REFUSED", str(error)) from error


async def credentials(ctx: Context, channel: str, code: str, *, rotated: bool) -> dict[str, str]:
    """The values of an account at the gateway: new ones that it makes now, or those that it has.

    Refuses as `control` and `said`, and with GATEWAY_ACCOUNT_UNKNOWN.
    """
    there = control(ctx)
    accounts = (await said(there.state())).accounts
    found = next((one for one in accounts if (one.channel, one.code) == (channel, code)), None)
    if found is None:
        raise NotFound("GATEWAY_ACCOUNT_UNKNOWN", "the gateway has no account of this passage")
    ask = there.rotate if rotated else there.account
    return dict((await said(ask(channel, found.account_id))).credentials)
