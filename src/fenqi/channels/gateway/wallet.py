"""The wallet's pages."""

from __future__ import annotations

from starlette.routing import Route

from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.side import Side


def routes(house: House, side: Side) -> list[Route]:
    return []
