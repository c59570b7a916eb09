"""`fenqi gateway` on the command line: where it says the board is, and its end by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path


def test_it_says_where_the_board_is_and_stops_by_ctrl_c(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "fenqi", "gateway", "--port", "0", "--notice-speed", "60"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "FENQI_DATA_DIR": str(tmp_path)},
    )  # fmt: skip
    assert process.stdout is not None
    base_url, said = process.stdout.readline().split("/  ")
    assert said == "the fault board; Ctrl-C stops it\n"
    with urllib.request.urlopen(f"{base_url}/?lang=en") as page:
        assert b"Fault board" in page.read()
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    process.stdout.close()
    process.wait()
    assert f"its token is in {tmp_path / 'gateway' / 'control_token'}" in rest
    assert rest.endswith("stopped; the same line goes on where it was\n")
