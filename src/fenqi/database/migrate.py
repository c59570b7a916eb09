"""Migrations: brings a database to the newest schema, from a clone or from an installed wheel.

The versions lie in the top-level `migrations/`; a wheel carries them as `fenqi/_migrations`.
"""

from __future__ import annotations

import io
from pathlib import Path

import alembic.command
import alembic.config
import psycopg
from alembic.script import ScriptDirectory
from psycopg import errors, sql

import fenqi
from fenqi.database import roles

LOCK_TIMEOUT = "5s"


class NoAppRole(Exception):
    """On a server of your own the role fenqi_app must be there before the migrations, which grant to it."""


def upgrade(owner_url: str) -> None:
    """Run the migrations that `owner_url`'s database lacks; returns quickly when there are none."""
    settings = _settings(owner_url)
    newest = ScriptDirectory.from_config(settings).get_current_head()
    with psycopg.connect(owner_url, autocommit=True) as connection:
        if _version(connection) == newest:
            return
        _ensure_app_role(connection)
    alembic.command.upgrade(settings, "head")


def connect(owner_url: str) -> psycopg.Connection:
    """A connection for migrations: it waits for a lock 5 s at most, so that a migration never queues traffic up."""
    return psycopg.connect(owner_url, options=f"-c lock_timeout={LOCK_TIMEOUT} -c timezone=UTC")


def current(owner_url: str) -> str | None:
    """The database's schema version, None before the first migration."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        return _version(connection)


def folder() -> Path:
    """Where the migrations lie: in the wheel, else at the top of the clone."""
    package = Path(fenqi.__file__).parent
    for candidate in (package / "_migrations", package.parent.parent / "migrations"):
        if (candidate / "env.py").exists():
            return candidate
    raise FileNotFoundError("fenqi's migrations are neither in the package nor beside it")


def _settings(owner_url: str) -> alembic.config.Config:
    settings = alembic.config.Config(output_buffer=io.StringIO(), stdout=io.StringIO())
    settings.set_main_option("script_location", str(folder()).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["owner_url"] = owner_url
    return settings


def _version(connection: psycopg.Connection) -> str | None:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except errors.UndefinedTable:
        return None
    return row[0] if row else None


def _ensure_app_role(connection: psycopg.Connection) -> None:
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [roles.APP]).fetchone():
        return
    try:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(roles.APP)))
    except errors.InsufficientPrivilege:
        raise NoAppRole(f"create the role first: CREATE ROLE {roles.APP} LOGIN PASSWORD '…'") from None
