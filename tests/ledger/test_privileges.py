"""What the application's role may not do: write journals and entries past the door, or change any of them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import errors

FORBIDDEN = [
    "UPDATE {table} SET business_on = '2026-01-01'",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "INSERT INTO {table} DEFAULT VALUES",
    "ALTER TABLE {table} ADD COLUMN x int",
    "DROP TABLE {table}",
]


@pytest.mark.parametrize("table", ["journal", "party_journal", "party_entry"])
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_books_can_only_be_read(urls: Any, table: str, statement: str) -> None:
    with psycopg.connect(urls.app) as app:
        assert app.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        with pytest.raises(errors.InsufficientPrivilege):
            app.execute(statement.format(table=table))


@pytest.mark.parametrize("statement", ["UPDATE limit_change SET why = 'x'", "DELETE FROM limit_change"])
def test_the_history_of_limits_stays(urls: Any, statement: str) -> None:
    with psycopg.connect(urls.app) as app, pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement)


def test_the_doors_are_for_the_application_only(urls: Any) -> None:
    with psycopg.connect(urls.owner) as owner:
        found = owner.execute(
            "SELECT proname, prosecdef, array_to_string(proacl, ' ') FROM pg_proc"
            " WHERE proname IN ('ledger_post_batch', 'ledger_mirror') ORDER BY proname"
        ).fetchall()
    grants = {name: (definer, sorted(acl.split())) for name, definer, acl in found}
    only = (True, ["fenqi_app=X/fenqi_owner", "fenqi_owner=X/fenqi_owner"])
    assert grants == {"ledger_mirror": only, "ledger_post_batch": only}
