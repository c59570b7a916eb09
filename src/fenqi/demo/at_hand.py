"""The database that is there for a command: your own, that of a running demo, or the embedded one for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from fenqi.database import binaries, migrate, server, source
from fenqi.demo import note, secret
from fenqi.settings import Settings, from_environment

CAN_NOT_START = (server.ServerError, binaries.NoBinaries, migrate.CanNotMigrate)
"""What keeps a database from being there."""


@contextmanager
def database() -> Iterator[Settings]:
    """Settings with a database that answers; raises one of `CAN_NOT_START`."""
    settings = from_environment()
    is_demo = note.read(settings.data_dir) is not None
    settings = replace(settings, demo=is_demo, secret=secret.secret_of(settings.data_dir, settings.secret))
    running = source.find(settings.data_dir)
    if running is not None:
        yield replace(settings, database_url=running)
        return
    with source.provide(settings.data_dir) as found:
        yield replace(settings, database_url=found.app_url)
