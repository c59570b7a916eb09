"""Which client a buyer looks through: it decides how a channel leads them there (a code to scan, a page, a sheet)."""

from __future__ import annotations

from starlette.requests import Request

_NARROW_PX = 600


def client_of(request: Request) -> str:
    """web | wap | wechat, by what the browser says of itself; one that says nothing is on a desk."""
    headers = request.headers
    agent = headers.get("user-agent", "")
    if "MicroMessenger" in agent:
        return "wechat"
    width = headers.get("sec-ch-viewport-width", headers.get("viewport-width", ""))
    is_narrow = width.isascii() and width.isdigit() and int(width) <= _NARROW_PX
    if is_narrow or headers.get("sec-ch-ua-mobile") == "?1" or "Mobile" in agent:
        return "wap"
    return "web"
