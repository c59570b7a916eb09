"""The local gateways: one house that plays every channel over its real protocol, with faults at will.

`side` says how a channel's protocol plugs in, `create_gateway` puts the house together, `shelf` finds the sides.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil

from fenqi import channels
from fenqi.channels.gateway.side import Side

__all__ = ["shelf"]


def shelf() -> tuple[Side, ...]:
    """The `SIDE` of every channel's `gateway` module, in the order of their names."""
    found: list[Side] = []
    for entry in sorted(pkgutil.iter_modules(channels.__path__), key=lambda one: one.name):
        name = f"{channels.__name__}.{entry.name}"
        if entry.ispkg and name != __name__ and importlib.util.find_spec(f"{name}.gateway") is not None:
            side: Side | None = getattr(importlib.import_module(f"{name}.gateway"), "SIDE", None)
            found += [] if side is None else [side]
    return tuple(found)
