"""`fenqi gateway`: the local gateways of all payment channels, with their fault board, until Ctrl-C.

Beside cli.py on the top floor; what they do is in `fenqi.channels.gateway`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fenqi.channels.gateway import shelf
from fenqi.channels.gateway.app import TOKEN, address, create_gateway, listen, serve
from fenqi.settings import from_environment

PORT = 8461
_EVERYWHERE = ("0.0.0.0", "::")


def register(app: typer.Typer) -> None:
    """Put `gateway` on the command line."""
    app.command("gateway")(gateway)


def gateway(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to serve on; 0 picks one.")] = PORT,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    base_url: Annotated[str, typer.Option(help="Where browsers and merchants reach it, if not there.")] = "",
    notice_speed: Annotated[
        int,
        typer.Option(min=0, help="Divide the waits between a notice's tries by this; 0: as it was left."),
    ] = 0,
) -> None:
    """Serve the payment channels' local gateways: real protocols, no real money, faults at will."""
    try:
        listener = listen(host, port)
    except OSError as error:
        typer.echo(f"fenqi: {host}:{port} can't be served on ({error.strerror}): give another --port", err=True)
        raise typer.Exit(1) from error
    data_dir = from_environment().data_dir / "gateway"
    reached = base_url or _reached(address(listener), host)
    sides = shelf()
    made = create_gateway(data_dir, sides, reached)
    if notice_speed:
        made.state.house.set_speed(notice_speed)
    serve(made, listener, lambda: _say(reached, data_dir, [side.channel for side in sides]))
    typer.echo("stopped; the same line goes on where it was")


def _reached(bound: str, host: str) -> str:
    """The base URL for this machine's own use."""
    return f"http://127.0.0.1:{bound.rpartition(':')[2]}" if host in _EVERYWHERE else bound


def _say(base_url: str, data_dir: Path, channels: list[str]) -> None:
    typer.echo(f"{base_url}/  the fault board; Ctrl-C stops it")
    for channel in channels:
        typer.echo(f"{base_url}/{channel}  endpoint of {channel}")
    typer.echo(f"{base_url}/control  the control API; its token is in {data_dir / TOKEN}")
