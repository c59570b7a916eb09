"""The gateways in a process of their own: started by a parent that waits until they answer, ended when it goes.

    with child.start(data_dir, port=8461, notice_speed=600) as gateways:
        Control(http, gateways.base_url, gateways.token)

The child holds the read end of a pipe whose other end only the parent has: when the parent dies, however it dies, the
pipe ends and the child with it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

from starlette.applications import Starlette

from fenqi.channels.gateway import shelf
from fenqi.channels.gateway.app import address, create_gateway, listen, server, token_of

_END_S = 8


class CanNotStart(Exception):
    """The child has ended before it answered; it has said why on its standard error."""


class Child:
    """A running child. `token` is that of the control API."""

    def __init__(self, process: subprocess.Popen[str], base_url: str, token: str) -> None:
        self._process = process
        self.base_url = base_url
        self.token = token

    @property
    def pid(self) -> int:
        """The process's id, for who wants to kill it."""
        return self._process.pid

    def stop(self) -> None:
        """End it in order; it is killed when it doesn't."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self.stop()


def start(data_dir: Path, port: int = 0, host: str = "127.0.0.1", notice_speed: int | None = None) -> Child:
    """Start the gateways and wait until they answer; `notice_speed` None: as it was left. Raises CanNotStart."""
    command = [sys.executable, "-m", __name__, str(data_dir), host, str(port), str(notice_speed or 0)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()  # one line once they answer, or the end of the file
    if not line:
        code = process.wait()
        raise CanNotStart(f"the gateways have ended with {code} before they answered")
    return Child(process, json.loads(line)["base_url"], token_of(data_dir))


def _run(data_dir: Path, host: str, port: int, notice_speed: int) -> None:
    try:
        listener = listen(host, port)
    except OSError as error:
        sys.exit(f"fenqi: the gateways can't be served on {host}:{port} ({error.strerror})")
    app = create_gateway(data_dir, shelf(), address(listener))
    if notice_speed:
        app.state.house.set_speed(notice_speed)
    threading.Thread(target=_follow_parent, daemon=True).start()
    _serve(app, listener)


def _serve(app: Starlette, listener: socket.socket) -> None:
    """Serve, and say so to the parent as soon as the gateways answer."""
    running = server(app, lambda: print(json.dumps({"base_url": address(listener)}), flush=True))  # noqa: T201
    running.run(sockets=[listener])


def _follow_parent() -> None:
    """Wait for the end of the pipe, then end as by SIGTERM."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    _run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
