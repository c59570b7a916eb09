"""The gateway as one application: the protocols of all sides, the wallets' pages, the board and the control API.

`create_gateway` puts it together on a data directory, `serve` runs it on a socket that is already bound.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Router

from fenqi.channels.gateway import board, control_api, wallet
from fenqi.channels.gateway.book import Book
from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.notifier import Notifier
from fenqi.channels.gateway.side import Side
from fenqi.channels.gateway.wire import Cuttable, Wire
from fenqi.kernel.clock import SteeredClock

BOOK = "gateway.db"
TOKEN = "control_token"


def create_gateway(
    data_dir: Path, sides: Sequence[Side], base_url: str, *, clock: SteeredClock | None = None,
    control_token: str | None = None,
) -> Starlette:  # fmt: skip
    """The application; its house is `app.state.house`. The clock goes on where the last process left it, if none is
    given; so does the token, which is made at the first start."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    house = House(Book(_private(data_dir / BOOK)), tuple(sides), clock or SteeredClock(), base_url.rstrip("/"))
    if clock is None:
        house.steer_as_kept()
    token = token_of(data_dir) if control_token is None else control_token
    app = Starlette(routes=_routes(house, token), lifespan=_running)
    app.state.house = house
    app.state.token = token
    return app


def _routes(house: House, token: str) -> list[BaseRoute]:
    routes: list[BaseRoute] = [*control_api.routes(house, token), *board.routes(house, token)]
    for side in house.sides.values():
        routes += wallet.routes(house, side)
        routes.append(Mount(f"/{side.channel}", Wire(Router(side.routes(house)), house, side)))
    return routes


@asynccontextmanager
async def _running(app: Starlette) -> AsyncIterator[None]:
    house: House = app.state.house
    clerk = asyncio.create_task(Notifier(house).run())
    clerk.add_done_callback(_crash_loudly)
    yield
    clerk.cancel()
    with suppress(asyncio.CancelledError):
        await clerk
    await house.shut()


def _crash_loudly(clerk: asyncio.Task[None]) -> None:
    """A notifier that ends by itself is a bug: the gateway ends with it."""
    if not clerk.cancelled() and (error := clerk.exception()) is not None:
        raise SystemExit(f"the notifier has stopped: {error!r}") from error


def token_of(data_dir: Path) -> str:
    """The control token that is kept in the data directory, made at the first call (mode 0600)."""
    path = data_dir / TOKEN
    if not path.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _private(path).write_text(secrets.token_urlsafe(24) + "\n")
    return path.read_text().strip()


def _private(path: Path) -> Path:
    """The file, there and readable by its owner only."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return path


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises OSError."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def address(listener: socket.socket) -> str:
    """The base URL at which a bound socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server(app: Starlette, on_up: Callable[[], None] | None = None) -> uvicorn.Server:
    """Uvicorn around the application, not yet running; it calls `on_up` once it answers."""
    config = uvicorn.Config(
        Cuttable(app), http="httptools", access_log=False, log_level="warning", timeout_graceful_shutdown=2
    )  # fmt: skip
    return _Telling(config, on_up)


class _Telling(uvicorn.Server):
    """A server that says when it is up."""

    def __init__(self, config: uvicorn.Config, on_up: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._on_up = on_up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._on_up is not None:
            self._on_up()


def serve(app: Starlette, listener: socket.socket, on_up: Callable[[], None] | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    with suppress(KeyboardInterrupt):
        server(app, on_up).run(sockets=[listener])
