"""The embedded PostgreSQL: one call starts it on a data directory, makes roles and database, and gives the URLs.

The data stays; the server goes with whoever started it. The errors::

    ServerError
    ├── DataDirectoryInUse      another fenqi runs on this data directory
    ├── OtherVersion            the data was made by another major version of PostgreSQL
    └── StartFailed             PostgreSQL said no; the end of its log is in the message
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from urllib.parse import quote

from fenqi.database import binaries, postmaster, roles
from fenqi.database.binaries import Account
from fenqi.database.settings import settings

DATABASE = "fenqi"
_HOMES_OF_ROOT = (Path("/var/lib/fenqi"), Path("/var/tmp/fenqi"))
_LONGEST_SOCKET_DIRECTORY = 85
_START_TIMEOUT_S = 120.0
_LOG_KEPT_BYTES = 8 * 2**20


class ServerError(Exception):
    """The embedded server can't run; the message is for the person at the prompt."""


class DataDirectoryInUse(ServerError):
    """Another fenqi runs on this data directory."""


class OtherVersion(ServerError):
    """The data directory was made by another major version of PostgreSQL."""


class StartFailed(ServerError):
    """PostgreSQL didn't start; the message ends with its log."""


@dataclass(frozen=True)
class Home:
    """Where a server lives: `at` holds `cluster/` (PGDATA), `run/` (socket) and `server.json` (port and passwords)."""

    at: Path
    log: Path

    @property
    def cluster(self) -> Path:
        return self.at / "cluster"

    @property
    def sockets(self) -> Path | None:
        """The socket's directory; None where the path is longer than the kernel takes, or has libpq's separator."""
        run = self.at / "run"
        return run if len(os.fsencode(run)) <= _LONGEST_SOCKET_DIRECTORY and "," not in str(run) else None

    @property
    def note(self) -> Path:
        return self.at / "server.json"


@dataclass
class Server:
    """A running server. `owner_url` is for migrations, `app_url` for the application, `superuser_url` for tests."""

    data_dir: Path
    home: Home
    port: int
    passwords: dict[str, str] = field(repr=False)
    programs: Path
    _warden: subprocess.Popen[bytes] = field(repr=False)
    _lock: IO[str] = field(repr=False)

    @property
    def owner_url(self) -> str:
        return self.url(roles.OWNER)

    @property
    def app_url(self) -> str:
        return self.url(roles.APP)

    @property
    def superuser_url(self) -> str:
        return self.url(roles.SUPERUSER, "postgres")

    @property
    def postmaster_pid(self) -> int | None:
        return postmaster.living_pid(self.home.cluster)

    def url(self, role: str, database: str = DATABASE, *, tcp: bool = False) -> str:
        """A libpq URL over the socket (the faster way), over TCP where asked for or where there is no socket."""
        sockets = self.home.sockets
        place = f"127.0.0.1:{self.port}/{database}"
        if sockets is not None and not tcp:
            place = f"/{database}?host={quote(str(sockets), safe='')}&port={self.port}"
        return f"postgresql://{role}:{self.passwords[role]}@{place}"

    def stop(self) -> None:
        """Stop cleanly (fast shutdown, data flushed) and give the data directory free; twice is once."""
        if self._lock.closed:
            return
        if self._warden.stdin is not None:
            self._warden.stdin.close()
        self._warden.wait()
        postmaster.clear_away(self.home.cluster)  # nothing is left, unless somebody killed the warden
        self._lock.close()

    def has_ended(self) -> bool:
        """Whether PostgreSQL is gone though nobody called `stop`: start again to go on."""
        return self._warden.poll() is not None

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(data_dir: Path, *, throwaway: bool = False) -> Server:
    """Start PostgreSQL on `data_dir` (made when missing) with roles and database.

    What a dead owner left running is cleared away first. `throwaway` is for test servers: no fsync, stopped
    without a checkpoint. Refuses with ServerError or NoBinaries.
    """
    data_dir = data_dir.absolute()
    data_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    lock = _lock(data_dir)
    try:
        return _start_locked(data_dir, lock, throwaway)
    except BaseException:
        lock.close()
        raise


def wipe(data_dir: Path) -> None:
    """Remove the data of a server that doesn't run. Refuses with DataDirectoryInUse."""
    if not data_dir.exists():
        return
    data_dir = data_dir.absolute()
    lock = _lock(data_dir)
    try:
        home = _home(data_dir, binaries.account())
        if home.cluster.exists():
            postmaster.clear_away(home.cluster)
        for folder in (home.cluster, home.at / "run", home.at / "cluster.new"):
            shutil.rmtree(folder, ignore_errors=True)
        home.note.unlink(missing_ok=True)
    finally:
        lock.close()


def running_urls(data_dir: Path) -> tuple[str, str] | None:
    """Owner's and application's URL of the server that another process runs on `data_dir`, or None."""
    home = _home(data_dir.absolute(), binaries.account())
    if not home.note.exists() or postmaster.living_pid(home.cluster) is None:
        return None
    note = json.loads(home.note.read_text())
    owner, app = (
        f"postgresql://{role}:{note['passwords'][role]}@127.0.0.1:{note['port']}/{DATABASE}"
        for role in (roles.OWNER, roles.APP)
    )
    return owner, app


def _start_locked(data_dir: Path, lock: IO[str], throwaway: bool) -> Server:
    runs_as = binaries.account()
    programs = binaries.find(runs_as)
    home = _home(data_dir, runs_as)
    _prepare(home, runs_as)
    note = _read_note(home)
    postmaster.clear_away(home.cluster)
    for stale in home.sockets.glob(".s.PGSQL.*") if home.sockets else ():
        stale.unlink()  # its lock file names a pid too, which a zombie or another program may have
    if not (home.cluster / "PG_VERSION").exists():
        _make_cluster(home, programs, runs_as, note["passwords"][roles.SUPERUSER], throwaway)
    _check_version(home, programs)
    note["port"] = _free_port(note["port"])
    _write_note(home, note)
    warden = _launch(home, programs, runs_as, note["port"], throwaway)
    server = Server(data_dir, home, note["port"], note["passwords"], programs, warden, lock)
    try:
        roles.ensure(server.superuser_url, DATABASE, note["passwords"])
    except BaseException:
        server.stop()
        raise
    return server


def _lock(data_dir: Path) -> IO[str]:
    """The data directory's lock, held as long as the process lives; the kernel frees it even after kill -9."""
    handle = os.fdopen(os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = handle.read().strip()
        handle.close()
        raise DataDirectoryInUse(f"process {owner or '?'} already runs fenqi on {data_dir}") from None
    handle.truncate(0)
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle


def _home(data_dir: Path, runs_as: Account) -> Home:
    """`data_dir` itself, or where the server's account can't reach it (below a 0700 home), a place of root's own."""
    log = data_dir / "postgres.log"
    if runs_as.uid is None or not data_dir.exists() or runs_as.can_reach(data_dir):
        return Home(data_dir, log)
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    for parent in _HOMES_OF_ROOT:
        try:
            parent.mkdir(mode=0o755, exist_ok=True)
        except OSError:
            continue
        mark = parent.lstat()
        if mark.st_uid == 0 and not mark.st_mode & 0o022 and os.access(parent, os.W_OK):
            return Home(parent / name, log)
    raise ServerError(f"PostgreSQL's account can't reach {data_dir}, and {_HOMES_OF_ROOT[0]} can't be made")


def _prepare(home: Home, runs_as: Account) -> None:
    """Make the folders, say beside the log where they are, and keep the log from growing for ever."""
    home.at.mkdir(mode=0o755, parents=True, exist_ok=True)
    if home.at != home.log.parent:
        home.log.with_name("cluster-lies-in").write_text(f"{home.at}\n")
    if home.sockets is not None:
        home.sockets.mkdir(mode=0o700, exist_ok=True)
        runs_as.own(home.sockets)
    if home.log.exists() and home.log.stat().st_size > _LOG_KEPT_BYTES:
        home.log.replace(home.log.with_suffix(".log.1"))


def _read_note(home: Home) -> dict[str, Any]:
    """Port and passwords of the last run; made and kept before the cluster is, so that no cluster is without."""
    if home.note.exists():
        note: dict[str, Any] = json.loads(home.note.read_text())
        return note
    if (home.cluster / "PG_VERSION").exists():
        raise ServerError(f"{home.note} is missing, and with it the passwords of the server in {home.cluster}")
    words = {role: secrets.token_urlsafe(24) for role in (roles.SUPERUSER, roles.OWNER, roles.APP)}
    note = {"port": 0, "passwords": words}
    _write_note(home, note)
    return note


def _write_note(home: Home, note: dict[str, Any]) -> None:
    fresh = home.note.with_suffix(".new")
    with open(fresh, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
        json.dump(note, stream)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(home.note)


def _make_cluster(home: Home, programs: Path, runs_as: Account, password: str, throwaway: bool) -> None:
    """initdb beside, then rename: a cluster that is there is whole."""
    fresh = home.at / "cluster.new"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(home.cluster, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    word = home.at / "password.new"
    with open(word, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
        stream.write(password + "\n")
    runs_as.own(fresh)
    runs_as.own(word)
    command = [str(programs / "initdb"), "-D", str(fresh), "-U", roles.SUPERUSER, f"--pwfile={word}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-instructions"]
    try:
        done = subprocess.run(
            [*command, *(["--no-sync"] if throwaway else [])],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **runs_as.popen,
        )
    finally:
        word.unlink()
    if done.returncode != 0:
        raise StartFailed(f"initdb failed: {done.stderr.strip()}")
    fresh.rename(home.cluster)


def _check_version(home: Home, programs: Path) -> None:
    made_by, ours = int((home.cluster / "PG_VERSION").read_text()), binaries.version(programs)
    if made_by != ours:
        raise OtherVersion(f"{home.cluster} was made by PostgreSQL {made_by}, the programs are version {ours}")


def _free_port(preferred: int) -> int:
    """The port of the last run where it is free, else one that the system picks."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StartFailed("no free port on 127.0.0.1")


def _launch(home: Home, programs: Path, runs_as: Account, port: int, throwaway: bool) -> subprocess.Popen[bytes]:
    """Start the warden with the postmaster and wait until it takes connections."""
    options = [f"--{name}={value}" for name, value in settings(port, home.sockets, throwaway=throwaway).items()]
    stop_signal = signal.SIGQUIT if throwaway else signal.SIGINT
    script = Path(__file__).with_name("warden.py")
    log_start = home.log.stat().st_size if home.log.exists() else 0
    warden = subprocess.Popen(
        [
            sys.executable,
            "-I",
            "-S",
            str(script),
            str(int(stop_signal)),
            *runs_as.arguments,
            str(home.log),
            str(programs / "postgres"),
            "-D",
            str(home.cluster),
            *options,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not postmaster.is_ready(home.cluster):
        if warden.poll() is not None or time.monotonic() > deadline:
            warden.terminate()
            warden.wait()
            raise StartFailed(f"PostgreSQL didn't start: {_log_since(home.log, log_start)}")
        time.sleep(0.01)
    return warden


def _log_since(log: Path, position: int) -> str:
    if not log.exists():
        return "it wrote no log"
    with log.open("rb") as stream:
        stream.seek(position)
        return stream.read()[-2000:].decode(errors="replace").strip()
