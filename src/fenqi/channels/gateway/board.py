"""The fault board."""

from __future__ import annotations

from starlette.routing import Route

from fenqi.channels.gateway.house import House


def routes(house: House, token: str) -> list[Route]:
    return []
