"""The door for those who come from Jeepay: its five calls at its own addresses, each proved by the app's signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from fenqi import jeepay
from fenqi.flows import jeepay as flow
from fenqi.flows.context import Context
from fenqi.kernel.refusal import Forbidden, Refusal
from fenqi.web.jeepay.answer import refused
from fenqi.web.jeepay.asked import Asked, invalid, read
from fenqi.web.jeepay.calls import CALLS, Call

BODY_MOST = 64 * 1024


def routes() -> list[Route]:
    """A route a call. What only asks may be asked by GET, too, as the protocol's own server allows."""
    asks = ("/api/pay/query", "/api/refund/query")
    return [
        Route(path, _endpoint(path), methods=["GET", "POST"] if path in asks else ["POST"], include_in_schema=False)
        for path in CALLS
    ]


def _endpoint(path: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        secret = None
        try:
            asked = read(request.headers.get("content-type", ""), request.url.query.encode(), await _body(request))
            call = await _proved(request.app.state.context, asked)
            secret = call.secret
            return await CALLS[path](call)
        except Refusal as no:
            return refused(no, secret)
        except ClientDisconnect:
            return Response(status_code=400)

    return endpoint


async def _body(request: Request) -> bytes:
    """The whole body; refuses REQUEST_MALFORMED as soon as it is known to be too long."""
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_MOST:
            raise Refusal("REQUEST_MALFORMED", f"at most {BODY_MOST} bytes")
        parts.append(chunk)
    return b"".join(parts)


async def _proved(context: Context, asked: Asked) -> Call:
    """The call of the app that signed it. Refuses PARAMETER_INVALID, APP_UNKNOWN, SIGN_INVALID."""
    mch_no, app_no = asked.text("mchNo", 64, required=True), asked.text("appId", 64, required=True)
    for name in ("version", "reqTime", "sign"):
        asked.text(name, 64, required=True)
    if asked.text("signType", 32, required=True).upper() != "MD5":
        raise invalid("signType", "is MD5")
    app, merchant, secret = await flow.known_app(context, mch_no, app_no)
    if not jeepay.is_signed(asked.fields, secret):
        raise Forbidden("SIGN_INVALID", "the signature is not the app's")
    return Call(context, app, merchant.number, secret, asked)
