"""The door for channels: POST /hooks/{passage}, one address for every notice of an account, payments and refunds alike.

Raw ASGI like the API's edge: a channel sends its notices by the thousand and wants its answer within seconds. There is
no session, no form token and no redirect here; what a notice is worth, its signature says.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from fenqi.channels.contract import Incoming, Reply
from fenqi.flows import hear
from fenqi.flows.context import Context
from fenqi.kernel.refusal import NotFound

PREFIX = "/hooks/"
_BODY_MOST = 256 * 1024
_PLAIN = "text/plain; charset=utf-8"


class Hooks:
    """Answers channels before anything else looks at the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A notice, or whatever else the application has."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        reply = await _answer(scope["app"].state.context, scope, receive)
        headers = [
            (b"content-type", reply.content_type.encode()),
            (b"content-length", str(len(reply.body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})


async def _answer(ctx: Context, scope: Scope, receive: Receive) -> Reply:
    if scope["method"] != "POST":
        return Reply(405, _PLAIN, b"notices come by POST")
    body = await _body(receive)
    if body is None:
        return Reply(413, _PLAIN, b"too long for a notice")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    incoming = Incoming("POST", scope["path"], headers, body)
    try:
        return await hear.hear(ctx, scope["path"][len(PREFIX) :], incoming)
    except NotFound:
        return Reply(404, _PLAIN, b"no such passage")


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when it is longer than any notice or its sender hung up."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > _BODY_MOST:
            return None
        if not message.get("more_body"):
            return b"".join(parts)
