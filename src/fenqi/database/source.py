"""Where the database comes from: the embedded server on a data directory, or the URLs of a server of your own.

FENQI_DATABASE_URL is the application's (role fenqi_app, or a member of it), FENQI_DATABASE_OWNER_URL the one that
migrates; without the second the schema must be the newest already.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fenqi.database import migrate, server


@dataclass(frozen=True)
class Source:
    """A migrated database: the application's URL, and the embedded server behind it, if it is one."""

    app_url: str
    embedded: server.Server | None = None


@contextmanager
def provide(data_dir: Path) -> Iterator[Source]:
    """A migrated database for the length of the `with`; an embedded server is stopped at its end.

    Refuses with server.ServerError, binaries.NoBinaries, migrate.CanNotMigrate.
    """
    if app_url := os.environ.get("FENQI_DATABASE_URL"):
        _bring_up_to_date(app_url, os.environ.get("FENQI_DATABASE_OWNER_URL"))
        yield Source(app_url)
        return
    with server.start(data_dir) as running:
        migrate.upgrade(running.owner_url)
        yield Source(running.app_url, running)


def find(data_dir: Path) -> str | None:
    """The application's URL of a database that is there already: your own, or one that another process runs."""
    if app_url := os.environ.get("FENQI_DATABASE_URL"):
        return app_url
    urls = server.running_urls(data_dir)
    return urls[1] if urls else None


def is_own() -> bool:
    """Whether the environment names a server of your own, whose data fenqi never throws away."""
    return bool(os.environ.get("FENQI_DATABASE_URL"))


def _bring_up_to_date(app_url: str, owner_url: str | None) -> None:
    if owner_url:
        migrate.upgrade(owner_url)
    else:
        migrate.require_newest(app_url)
