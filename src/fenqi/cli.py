"""The command line: `demo`, `serve`, `migrate`, `gateway`, `explain`, `policy`, `backtest`, `plan`, `apr`.

What goes wrong before anything is served is said in one sentence, with what to do.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
import uvicorn
import uvloop

from fenqi import backtest_cli, demo, explain_cli, gateway_cli, plan_cli, policy_cli
from fenqi.channels.gateway.child import CanNotStart, Child
from fenqi.database import binaries, migrate, server, source
from fenqi.demo import gateways, note, screen, secret
from fenqi.main import create_app, settle_memory
from fenqi.settings import Settings, from_environment

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="fenqi: an instalment mall, a credit line, and a cashier that can always say why.",
)
plan_cli.register(app)
explain_cli.register(app)
gateway_cli.register(app)
policy_cli.register(app)
backtest_cli.register(app)

_CAN_NOT_START = (
    server.ServerError,
    binaries.NoBinaries,
    migrate.CanNotMigrate,
    demo.OtherData,
    demo.PreparationFailed,
    CanNotStart,
)

Host = Annotated[str | None, typer.Option(help="Address to serve on. Default 127.0.0.1.")]
Port = Annotated[int | None, typer.Option(min=0, max=65_535, help="Port to serve on. Default 8460; 0 picks one.")]


def main() -> None:
    """The program `fenqi`."""
    app()


@app.command("demo")
def run_demo(
    reset: Annotated[bool, typer.Option("--reset", help="Throw the demo's data away and begin anew.")] = False,
    port: Port = None,
    days: Annotated[int, typer.Option(min=0, max=730, help="Days of trade to simulate at the first start.")] = 90,
    host: Host = None,
) -> None:
    """Open the mall with goods, people and a past in your browser; Ctrl-C stops it, the same line goes on."""
    with _said_plainly():
        settings = _settings(host, port)
        with _listening(settings) as listener:
            _begin_anew_if_needed(settings.data_dir, reset)
            with source.provide(settings.data_dir) as found, _gateways(settings) as running:
                settings = replace(
                    gateways.reached(settings, running),
                    database_url=found.app_url,
                    port=listener.getsockname()[1],
                    public_url=settings.public_url or gateways.own_address(listener),
                    demo=True,
                    demo_people=demo.sign_in_list(),
                    secret=secret.secret_of(settings.data_dir, settings.secret),
                )
                _prepare(settings, days)
                screen.where_to_go(settings, note.read(settings.data_dir))
                _serve(settings, listener)
        screen.stopped()


@app.command()
def serve(port: Port = None, host: Host = None) -> None:
    """Serve the mall on its own data, without the demo's people, phone page and steerable clock."""
    with _said_plainly():
        settings = _settings(host, port)
        with _listening(settings) as listener, source.provide(settings.data_dir) as found:
            kept = secret.secret_of(settings.data_dir, settings.secret)
            settings = replace(settings, database_url=found.app_url, secret=kept)
            screen.serving(settings)
            _serve(settings, listener)
        screen.stopped()


@app.command("migrate")
def bring_up_to_date() -> None:
    """Bring the database to the newest schema: your own (FENQI_DATABASE_OWNER_URL), else the embedded one."""
    with _said_plainly(), source.provide(from_environment().data_dir) as found:
        screen.say(f"schema {migrate.current(found.app_url)}")


def _settings(host: str | None, port: int | None) -> Settings:
    given = from_environment()
    return replace(given, host=given.host if host is None else host, port=given.port if port is None else port)


def _begin_anew_if_needed(data_dir: Path, reset: bool) -> None:
    """Remove what `--reset` says, and what a preparation that was interrupted has left."""
    left = note.read(data_dir)
    interrupted = left is not None and left.state == "preparing"
    if not reset and not interrupted:
        return
    if source.is_own():
        what = "--reset removes the embedded server's data only" if reset else "the last preparation was interrupted"
        _stop(f"{what}: drop your own database, create it again, remove {note.path(data_dir)}, and start the demo")
    if interrupted and not reset:
        screen.say("the last preparation was interrupted: beginning anew")
    server.wipe(data_dir)
    note.forget(data_dir)
    secret.forget(data_dir)


def _gateways(settings: Settings) -> Child:
    """The payment channels' gateways, to be stopped with the demo; a demo that begins has nothing in their book."""
    if note.read(settings.data_dir) is None:
        gateways.forget(settings.data_dir)
    return gateways.start(settings.data_dir, settings.host)


def _prepare(settings: Settings, days: int) -> None:
    """Simulate the past at the first start; afterwards only renew what has lapsed since."""
    left = note.read(settings.data_dir)
    with screen.progress(days) as say, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if left is not None:
            runner.run(demo.renew(settings))
            return
        note.write(settings.data_dir, note.Note("preparing", days))
        try:
            made = runner.run(demo.prepare(settings, days, say))
        except demo.OtherData:
            note.forget(settings.data_dir)
            raise
        note.write(settings.data_dir, note.Note("ready", days, made.tally.orders, made.consumers))


def _serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM; requests under way are answered, jobs end their round."""
    config = uvicorn.Config(
        create_app(settings), loop="uvloop", http="httptools", access_log=False, log_level="warning",
        timeout_graceful_shutdown=5,
    )  # fmt: skip
    settle_memory()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        return


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """The socket, taken before anything else, so that a port in use is said at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            _stop(f"{settings.host}:{settings.port} can't be served on ({error.strerror}): give another --port")
        yield listener


@contextmanager
def _said_plainly() -> Iterator[None]:
    """What keeps fenqi from starting, in a sentence; SIGTERM ends it as Ctrl-C does."""

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    except _CAN_NOT_START as error:
        _stop(str(error))
    except KeyboardInterrupt:
        left = note.read(from_environment().data_dir)
        screen.stopped(left is None or left.state == "ready")
        sys.exit(130)


def _stop(sentence: str) -> NoReturn:
    sys.stderr.write(f"fenqi: {sentence}\n")
    sys.exit(1)
