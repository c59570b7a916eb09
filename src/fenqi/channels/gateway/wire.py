"""Faults that need no protocol: being down, slow, silent before or after the work, or garbled on the way back.

An ASGI layer around a side's routes. It reads the request whole, asks the side which operation it is, and lets the
book count the fault down.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fenqi.channels.gateway.fault import WIRE, Fault
from fenqi.channels.gateway.side import Side

if TYPE_CHECKING:
    from fenqi.channels.gateway.house import House

_CUT = "fenqi.cut"
_DOWN = "<html><head><title>503 Service Temporarily Unavailable</title></head><body>503</body></html>"


class Wire:
    """A side's routes with the faults of the wire in front of them."""

    def __init__(self, app: ASGIApp, house: House, side: Side) -> None:
        self._app = app
        self._house = house
        self._side = side

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        called = self._side.called(Request(scope, _replay(body, receive)), body)
        fault = None
        if called is not None:
            fault = self._house.fault(self._side.channel, called.operation, *WIRE, account_id=called.account_id)
        await self._with(fault, body, scope, receive, send)

    async def _with(self, fault: Fault | None, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        again = _replay(body, receive)
        name = "" if fault is None else fault.name
        if fault is not None and name == "down":
            if fault.text("mode", "503") == "drop":
                await _cut(scope, receive, send)
            else:
                await HTMLResponse(_DOWN, 503)(scope, again, send)
        elif fault is not None and name in ("timeout_before", "timeout_after"):
            if name == "timeout_after":
                await self._app(scope, again, _swallow)
            await _hang(receive, fault.number("seconds", 60))
            await _cut(scope, receive, send)
        else:
            if fault is not None and name == "slow":
                await asyncio.sleep(fault.number("seconds", 3))
            await self._app(scope, again, _Garbling(send) if name == "garbled" else send)


class Cuttable:
    """The outermost layer under uvicorn: keeps hold of the connection, so that a fault can cut it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope[_CUT] = getattr(getattr(send, "__self__", None), "transport", None)
        await self._app(scope, receive, send)


class _Garbling:
    """Passes an answer on with its body changed: the second half is lost, and one byte before that is another."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        half = self._body[: len(self._body) // 2]
        body = half[:-1] + bytes([half[-1] ^ 1]) if half else b"?"
        headers = [(k, v) for k, v in self._start["headers"] if k != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        await self._send({**self._start, "headers": [*headers, length]})
        await self._send({"type": "http.response.body", "body": body})


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was already read, then what really comes."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again


async def _swallow(_message: Message) -> None:
    """The answer that is never sent."""


async def _hang(receive: Receive, seconds: int) -> None:
    """Until the client gives up, or for so long at most."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


async def _cut(scope: Scope, receive: Receive, send: Send) -> None:
    """Break the connection without an answer; where it can't be had, begin one that never ends."""
    transport: asyncio.Transport | None = scope.get(_CUT)
    if transport is None:
        await send({"type": "http.response.start", "status": 502, "headers": [(b"content-length", b"1")]})
        return
    transport.abort()
    await _hang(receive, 5)
