"""The gateways as a process of their own: they answer when start returns, and go with their parent."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fenqi.channels.gateway import child
from fenqi.channels.gateway.control import Control, State
from fenqi.channels.http import Http

_PARENT = """
import json, sys
from pathlib import Path
from fenqi.channels.gateway import child
made = child.start(Path(sys.argv[1]))
print(json.dumps([made.base_url, made.pid]), flush=True)
sys.stdin.read()
"""


def glance(base_url: str, token: str) -> State:
    async def ask() -> State:
        http = Http()
        try:
            return await Control(http, base_url, token).state()
        finally:
            await http.close()

    return asyncio.run(ask())


def address(base_url: str) -> tuple[str, int]:
    parts = urlsplit(base_url)
    assert parts.hostname is not None and parts.port is not None
    return parts.hostname, parts.port


def test_it_answers_when_it_has_started_and_is_gone_when_it_is_stopped(tmp_path: Path) -> None:
    with child.start(tmp_path, notice_speed=600) as made:
        state = glance(made.base_url, made.token)
        assert (state.base_url, state.notice_speed) == (made.base_url, 600)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address(made.base_url)).close()


def test_a_port_in_use_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(child.CanNotStart):
        child.start(tmp_path, port=taken.getsockname()[1])
    assert "can't be served on 127.0.0.1" in capfd.readouterr().err


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert parent.stdout is not None and parent.stdin is not None
    base_url, _ = json.loads(parent.stdout.readline())
    with socket.create_connection(address(base_url), timeout=30) as held:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        with suppress(ConnectionResetError):  # how the kernel says it when the child had not yet accepted
            assert held.recv(1) == b""  # the child closes what it holds and goes
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address(base_url)).close()
    parent.stdin.close()
    parent.stdout.close()
