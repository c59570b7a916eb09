"""What the operating system knows about a data directory's postmaster: is it alive, is it ours, make it go away.

A pid alone proves nothing: it may be a zombie, or have gone to another program since. A postmaster counts as alive
when its process runs, isn't a zombie, and works in the data directory.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

_PROC = Path("/proc")
_PATIENCE_S = 60.0
_STEP_S = 0.02


def pid_on_file(cluster: Path) -> int | None:
    """The pid in `postmaster.pid`, alive or not; None without a readable file."""
    try:
        return int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def is_ready(cluster: Path, pid_before: int | None = None) -> bool:
    """Whether the postmaster says in its pid file that it takes connections (line 8, PostgreSQL ≥ 10)."""
    try:
        lines = (cluster / "postmaster.pid").read_text().split("\n")
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready" and lines[0].strip() != str(pid_before)


def living_pid(cluster: Path) -> int | None:
    """The pid of the postmaster that runs on this data directory, or None."""
    pid = pid_on_file(cluster)
    return pid if pid is not None and works_in(pid, cluster) else None


def works_in(pid: int, cluster: Path) -> bool:
    """Whether `pid` is a running process (no zombie) of PostgreSQL with `cluster` as its working directory."""
    if pid <= 0:
        return False
    if not _PROC.joinpath("self").exists():
        return _works_in_by_ps(pid, cluster)
    try:
        state = _PROC.joinpath(str(pid), "stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX" and _PROC.joinpath(str(pid), "cwd").resolve(strict=True) == cluster.resolve()
    except (OSError, IndexError):  # gone meanwhile, or of another user: not ours either way
        return False


def _works_in_by_ps(pid: int, cluster: Path) -> bool:
    """The same question on systems without /proc: the postmaster carries its data directory in its command line."""
    answer = subprocess.run(["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, command = answer.stdout.strip().partition(" ")
    return answer.returncode == 0 and "Z" not in state and str(cluster) in command


def orphans(cluster: Path) -> list[int]:
    """Server processes of this data directory, postmaster or not (after kill -9 its children live on for a moment)."""
    if not _PROC.joinpath("self").exists():
        return []
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [pid for pid in pids if pid != os.getpid() and works_in(pid, cluster) and _is_postgres(pid)]


def _is_postgres(pid: int) -> bool:
    try:
        return os.readlink(_PROC / str(pid) / "exe").removesuffix(" (deleted)").endswith("/postgres")
    except OSError:
        return False


def clear_away(cluster: Path) -> None:
    """Stop whatever a dead owner left running on `cluster` and drop a pid file that no living postmaster holds.

    A living postmaster gets a fast shutdown, then an immediate one; orphaned children get SIGQUIT. Only call
    this while holding the data directory's lock. Raises TimeoutError when they don't go.
    """
    postmaster = living_pid(cluster)
    if postmaster is not None and not _stopped(cluster, [postmaster], signal.SIGINT, _PATIENCE_S / 2):
        _stopped(cluster, [postmaster], signal.SIGQUIT, _PATIENCE_S / 2)
    for kill_with in (signal.SIGQUIT, signal.SIGKILL):
        left = orphans(cluster)
        if not left or _stopped(cluster, left, kill_with, 5.0):
            break
    else:
        raise TimeoutError(f"processes {orphans(cluster)} still run on {cluster}")
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _stopped(cluster: Path, pids: list[int], kill_with: signal.Signals, patience_s: float) -> bool:
    """Send the signal to each and wait; True when all are gone in time."""
    for pid in pids:
        try:
            os.kill(pid, kill_with)
        except ProcessLookupError:
            continue
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if not any(works_in(pid, cluster) for pid in pids):
            return True
        time.sleep(_STEP_S)
    return False
