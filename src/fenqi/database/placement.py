"""Placement: every table says in the database what it is keyed by, and gets its grants and its shards in one call.

The class stands in the table's comment, where the placement lint reads it (docs/decisions/0004-placement.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, get_args

from fenqi.database import roles

Kind = Literal["consumer", "party", "directory", "reference", "local"]
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


def place(
    execute: Callable[[str], Any], table: str, kind: Kind, *, append_only: bool = False, by: str = "bucket"
) -> None:
    """Give `table` its class, its grants for fenqi_app, and on a database with Citus its distribution.

    Call it in a migration right after CREATE TABLE, as `place(op.execute, "journal", "consumer", append_only=True)`.
    `append_only` grants no UPDATE and no DELETE. A `directory` table is distributed by the looked-up value,
    named in `by`; consumer and party tables by their bucket; reference tables are copied everywhere.
    """
    if not _NAME.match(table) or not _NAME.match(by) or kind not in get_args(Kind):
        raise ValueError(f"place({table!r}, {kind!r}, by={by!r})")
    if kind == "directory" and by == "bucket":
        raise ValueError(f"directory table {table} must say which looked-up column it is distributed by")
    rights = "SELECT, INSERT" if append_only else "SELECT, INSERT, UPDATE, DELETE"
    execute(f"COMMENT ON TABLE {table} IS 'placement: {kind}'")
    execute(f"GRANT {rights} ON {table} TO {roles.APP}")
    if kind != "local":
        execute(_distribute(table, "reference" if kind == "reference" else by))


def _distribute(table: str, by: str) -> str:
    call = f"create_reference_table('{table}')" if by == "reference" else f"create_distributed_table('{table}', '{by}')"
    return (
        "DO $place$ BEGIN IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') "
        f"THEN PERFORM {call}; END IF; END $place$"
    )
