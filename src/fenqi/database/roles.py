"""The two roles: `fenqi_owner` owns the tables and migrates, `fenqi_app` works with what it is granted.

Neither is a superuser; the grants of `fenqi_app` come table by table from `placement.place`.
"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg import sql

SUPERUSER = "fenqi_superuser"
OWNER = "fenqi_owner"
APP = "fenqi_app"


def ensure(superuser_url: str, database: str, passwords: Mapping[str, str]) -> None:
    """Make both roles with their passwords, and `database` owned by the owner; what is there stays."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for role in (OWNER, APP):
            _ensure_role(connection, role, passwords[role])
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(OWNER))
            )


def _ensure_role(connection: psycopg.Connection, role: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = sql.SQL("ALTER" if known else "CREATE")
    options = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION")
    connection.execute(
        sql.SQL("{} ROLE {} {} PASSWORD {}").format(verb, sql.Identifier(role), options, sql.Literal(password))
    )
