"""The warden: a tiny process between fenqi and its PostgreSQL, so that the server never outlives whoever started it.

It starts the postmaster, reaps it, and stops it when its own standard input closes, which the kernel does for
any death of the parent, kill -9 included. Run as a script, standard library only: it must start in milliseconds.

    python -I -S warden.py SIGNAL USER GROUP LOG POSTGRES ARGUMENTS…
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Any

STOP_TIMEOUT_S = 60


def main(arguments: list[str]) -> int:
    """Run the postmaster until it ends; its exit code, or 128 + signal."""
    stop_signal, user, group, log, *command = arguments
    account: dict[str, Any] = {"user": int(user), "group": int(group), "extra_groups": []} if user else {}
    with open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
        postmaster = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, cwd="/", umask=0o077, **account
        )
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: postmaster.send_signal(int(stop_signal)))
    threading.Thread(target=stop_when_orphaned, args=(postmaster, int(stop_signal)), daemon=True).start()
    code = postmaster.wait()
    return code if code >= 0 else 128 - code


def stop_when_orphaned(postmaster: subprocess.Popen[bytes], stop_signal: int) -> None:
    """Wait for the end of standard input, then stop the postmaster, at last with SIGQUIT."""
    while os.read(0, 4096):
        pass
    postmaster.send_signal(stop_signal)
    try:
        postmaster.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        postmaster.send_signal(signal.SIGQUIT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
