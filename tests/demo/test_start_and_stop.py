"""`fenqi demo` as a process: it comes up, says whom to sign in as, refuses a second one, stops, and goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.demo.visitor import Visitor, gateways_now, is_gone

from fenqi.seed.cast import MEMBERS

_WAIT_S = 150


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="fenqi-demo-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_comes_up_stops_and_goes_on(data_dir: Path) -> None:
    port = _free_port()
    first = _start(data_dir, port, "--days", "0")
    try:
        _wait_until_up(first, port)
        assert (data_dir / "secret").stat().st_mode & 0o777 == 0o600
        assert json.loads((data_dir / "demo.json").read_text())["state"] == "ready"
        gateway_url = Visitor(port).pays_by_alipay()
        second = _start(data_dir, _free_port())
        assert second.communicate(timeout=60)[0].count("already runs fenqi on") == 1
        assert second.returncode == 1
        taken = _start(data_dir, port)
        assert "can't be served on" in taken.communicate(timeout=60)[0]
    finally:
        said = _stop(first)
    assert first.returncode in (0, 130)
    for member in MEMBERS:
        assert re.search(rf"^ *{re.escape(member.name)} ", said, re.MULTILINE), member.name
    assert "goes on where it was" in said
    assert f"{gateway_url}/ " in said
    assert is_gone(gateway_url)
    again = _start(data_dir, port)
    try:
        _wait_until_up(again, port)
        visitor = Visitor(port)
        gateway_url = visitor.pays_by_alipay()
        now = visitor.moves_the_clock()
        assert timedelta() <= gateways_now(gateway_url, data_dir) - now < timedelta(minutes=1)
    finally:
        _stop(again)
    explained = _run(data_dir, "explain", "NOSUCHNUMB")
    assert (explained.returncode, "SUBJECT_UNKNOWN" in explained.stderr) == (1, True)


def test_begins_anew_after_an_interrupted_preparation(data_dir: Path) -> None:
    (data_dir / "demo.json").write_text('{"state": "preparing", "days": 90}')
    port = _free_port()
    demo = _start(data_dir, port, "--days", "0")
    try:
        _wait_until_up(demo, port)
    finally:
        said = _stop(demo)
    assert "interrupted: beginning anew" in said


def test_the_gateways_die_with_the_demo(data_dir: Path) -> None:
    port = _free_port()
    demo = _start(data_dir, port, "--days", "0")
    try:
        _wait_until_up(demo, port)
        gateway_url = Visitor(port).pays_by_alipay()
    finally:
        demo.kill()
        demo.communicate()
    assert is_gone(gateway_url)
    again = _start(data_dir, port)
    try:
        _wait_until_up(again, port)
        Visitor(port).pays_by_alipay()
    finally:
        _stop(again)


def _start(data_dir: Path, port: int, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "fenqi", "demo", "--port", str(port), *more]
    return subprocess.Popen(
        command, env=_environment(data_dir), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _run(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fenqi", *arguments]
    return subprocess.run(command, env=_environment(data_dir), capture_output=True, text=True, timeout=90, check=False)


def _environment(data_dir: Path) -> dict[str, str]:
    left = {name: value for name, value in os.environ.items() if not name.startswith("FENQI_DATABASE_")}
    return left | {"FENQI_DATA_DIR": str(data_dir), "COLUMNS": "120"}


def _wait_until_up(demo: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        assert demo.poll() is None, demo.stdout.read() if demo.stdout else ""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/clock", timeout=2) as answer:
                assert json.load(answer)["steerable"] is True
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the demo didn't come up in {_WAIT_S} s")


def _stop(demo: subprocess.Popen[str]) -> str:
    """Ctrl-C, and everything it said."""
    demo.send_signal(signal.SIGINT)
    return demo.communicate(timeout=60)[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
