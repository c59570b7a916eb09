"""Migrations: brings a database to the newest schema, from a clone or from an installed wheel.

The versions lie in the top-level `migrations/`; a wheel carries them as `fenqi/_migrations`.
"""

from __future__ import annotations

import io
from pathlib import Path

import psycopg
from psycopg import errors, sql

import fenqi
from fenqi.database import roles

LOCK_TIMEOUT = "5s"


class CanNotMigrate(Exception):
    """The database can't be brought to the newest schema; the message says what to do."""


def upgrade(owner_url: str) -> None:
    """Run the migrations that `owner_url`'s database lacks; returns quickly when there are none.

    Refuses with CanNotMigrate where the role fenqi_app is missing and can't be made.
    """
    if current(owner_url) == newest():
        return
    with psycopg.connect(owner_url, autocommit=True) as connection:
        _ensure_app_role(connection)
    import alembic.command  # here and not above: it takes longer than a start that has nothing to migrate
    import alembic.config

    settings = alembic.config.Config(output_buffer=io.StringIO(), stdout=io.StringIO())
    settings.set_main_option("script_location", str(folder()).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["owner_url"] = owner_url
    alembic.command.upgrade(settings, "head")


def require_newest(app_url: str) -> None:
    """Check as the application that the schema is the newest. Refuses with CanNotMigrate."""
    if (found := current(app_url)) != newest():
        raise CanNotMigrate(f"the schema is {found or 'empty'}, not {newest()}: give FENQI_DATABASE_OWNER_URL")


def newest() -> str:
    """The last version: the chain is linear, and each file is named as its revision (tests/contracts holds both)."""
    return max(version.stem for version in (folder() / "versions").glob("*.py"))


def connect(owner_url: str) -> psycopg.Connection:
    """A connection for migrations: it waits for a lock 5 s at most, so that a migration never queues traffic up."""
    return psycopg.connect(owner_url, options=f"-c lock_timeout={LOCK_TIMEOUT} -c timezone=UTC")


def current(url: str) -> str | None:
    """The database's schema version, None before the first migration; either role may ask."""
    with psycopg.connect(url, autocommit=True) as connection:
        return _version(connection)


def folder() -> Path:
    """Where the migrations lie: in the wheel, else at the top of the clone."""
    package = Path(fenqi.__file__).parent
    for candidate in (package / "_migrations", package.parent.parent / "migrations"):
        if (candidate / "env.py").exists():
            return candidate
    raise FileNotFoundError("fenqi's migrations are neither in the package nor beside it")


def _version(connection: psycopg.Connection) -> str | None:
    if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def _ensure_app_role(connection: psycopg.Connection) -> None:
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [roles.APP]).fetchone():
        return
    try:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(roles.APP)))
    except errors.InsufficientPrivilege:
        raise CanNotMigrate(f"create the role first: CREATE ROLE {roles.APP} LOGIN PASSWORD '…'") from None
