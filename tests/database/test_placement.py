"""`place` writes the class, grants what fenqi_app may do, and what is append-only stays so for it."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from fenqi.database import migrate
from fenqi.database.placement import place

CREATE = "CREATE TABLE thing (bucket smallint, consumer_id uuid, n int, PRIMARY KEY (bucket, consumer_id))"
INSERT = "INSERT INTO thing VALUES (1, '00000000-0000-0000-0000-000000000001', 1)"


@pytest.fixture
def tables(fresh_urls):
    with psycopg.connect(fresh_urls.owner, autocommit=True) as owner:
        owner.execute(CREATE)
        with psycopg.connect(fresh_urls.app, autocommit=True) as app:
            yield owner, app


def test_an_append_only_table_takes_inserts_and_nothing_else_from_the_application(tables):
    owner, app = tables
    place(owner.execute, "thing", "consumer", append_only=True)
    app.execute(INSERT)
    app.execute("GRANT UPDATE ON thing TO fenqi_app")  # only a warning: there is nothing it may grant
    for forbidden in (
        "UPDATE thing SET n = 2",
        "DELETE FROM thing",
        "TRUNCATE thing",
        "SELECT * FROM thing FOR UPDATE",
        "DROP TABLE thing",
        "ALTER TABLE thing ADD m int",
        "CREATE TRIGGER t BEFORE INSERT ON thing FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE TABLE other (id int)",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            app.execute(forbidden)
    assert app.execute("SELECT n FROM thing").fetchall() == [(1,)]


def test_other_tables_may_be_changed_but_not_emptied_or_altered(tables):
    owner, app = tables
    place(owner.execute, "thing", "consumer")
    app.execute(INSERT)
    app.execute("UPDATE thing SET n = 2")
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("TRUNCATE thing")
    app.execute("DELETE FROM thing")
    assert owner.execute("SELECT obj_description('thing'::regclass)").fetchone() == ("placement: consumer",)


def test_the_application_is_neither_superuser_nor_owner(urls):
    with psycopg.connect(urls.app) as app:
        role = app.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles"
            " WHERE rolname = current_user"
        ).fetchone()
        owned = app.execute("SELECT relname FROM pg_class WHERE relowner = current_user::regrole").fetchall()
        member = app.execute("SELECT pg_has_role(current_user, 'fenqi_owner', 'member')").fetchone()
    assert (role, owned, member) == ((False,) * 5, [], (False,))


def test_the_application_can_not_write_journals_and_entries(urls):
    with psycopg.connect(urls.app, autocommit=True) as app:
        for table in ("journal", "party_journal"):
            for verb in (f"UPDATE {table} SET bucket = 0", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(errors.InsufficientPrivilege):
                    app.execute(verb)
        granted = app.execute(
            "SELECT relname FROM pg_class WHERE relname ~ 'journal|entry' AND relkind IN ('r', 'p', 'v')"
            " AND has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')"
        ).fetchall()
        assert granted == []


@pytest.mark.parametrize(
    ("table", "kind", "by"), [("a b", "party", "bucket"), ("t", "shard", "bucket"), ("t", "directory", "bucket")]
)
def test_a_placement_that_makes_no_sense_is_a_bug(table, kind, by):
    with pytest.raises(ValueError, match="t"):
        place(lambda _: None, table, kind, by=by)


def test_a_database_with_citus_gets_its_tables_distributed():
    said: list[str] = []
    place(said.append, "thing", "consumer")
    place(said.append, "mail", "directory", by="value")
    place(said.append, "rule", "reference")
    place(said.append, "job", "local")
    calls = [text.partition("PERFORM ")[2].partition(";")[0] for text in said if "citus" in text]
    assert calls == [
        "create_distributed_table('thing', 'bucket')",
        "create_distributed_table('mail', 'value')",
        "create_reference_table('rule')",
    ]


def test_migrating_again_changes_nothing(fresh_urls):
    newest = migrate.current(fresh_urls.owner)
    migrate.upgrade(fresh_urls.owner)
    assert newest is not None
    assert migrate.current(fresh_urls.owner) == newest
