"""The placement lint: reads the migrated catalogue and holds the rules that keep one code for a laptop and a cluster.

Every table says its class, keys begin with the placement columns, and nothing depends on sequences, triggers,
notifications, advisory locks or values that the database invents. Tables of class `local` are exempt from the keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from fenqi.database import migrate

CLASSES = {"consumer", "party", "directory", "reference", "local"}
EXEMPT_SCHEMAS = ("pg_catalog", "information_schema", "procrastinate", "pg_toast")
EXEMPT_TABLES = {"alembic_version"}


@dataclass(frozen=True)
class Key:
    """A primary key, a unique index or a foreign key; `to` is the table that a foreign key points to."""

    name: str
    columns: tuple[str, ...]
    to: str | None = None
    to_columns: tuple[str, ...] = ()


@dataclass
class Table:
    name: str
    comment: str
    columns: dict[str, str]
    defaults: dict[str, str]
    primary: Key | None = None
    unique: list[Key] = field(default_factory=list)
    foreign: list[Key] = field(default_factory=list)

    @property
    def kind(self) -> str | None:
        found = re.match(r"placement: (\w+)", self.comment)
        return found[1] if found and found[1] in CLASSES else None


TABLES = """
    SELECT c.relname, coalesce(obj_description(c.oid, 'pg_class'), ''),
           (SELECT json_object_agg(attname, format_type(atttypid, atttypmod)
                                            || CASE WHEN attnotnull THEN '' ELSE ' null' END ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
           (SELECT coalesce(json_object_agg(a.attname, pg_get_expr(d.adbin, d.adrelid)), '{}')
            FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
            WHERE d.adrelid = c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT n.nspname = ANY(%s) AND n.nspname NOT LIKE 'pg_temp%%'
    ORDER BY 1
"""
UNIQUE = """
    SELECT t.relname, x.relname, i.indisprimary,
           array(SELECT coalesce(a.attname, '(expression)') FROM unnest(i.indkey::int[]) WITH ORDINALITY AS k(att, pos)
                 LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.att AND k.att > 0
                 WHERE k.pos <= i.indnkeyatts ORDER BY k.pos)
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indisunique
"""
FOREIGN = """
    SELECT t.relname, k.conname, f.relname,
           array(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY AS c(att, pos)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.att ORDER BY c.pos),
           array(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY AS c(att, pos)
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.att ORDER BY c.pos)
    FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
    WHERE k.contype = 'f'
"""


def read(connection: psycopg.Connection[Any]) -> dict[str, Table]:
    """The catalogue's tables by name, without the exempt ones."""
    tables = {
        name: Table(name, comment, columns, defaults)
        for name, comment, columns, defaults in connection.execute(TABLES, [list(EXEMPT_SCHEMAS)])
        if name not in EXEMPT_TABLES
    }
    for table, name, primary, columns in connection.execute(UNIQUE):
        if table in tables:
            key = Key(name, tuple(columns))
            if primary:
                tables[table].primary = key
            else:
                tables[table].unique.append(key)
    for table, name, to, columns, to_columns in connection.execute(FOREIGN):
        if table in tables:
            tables[table].foreign.append(Key(name, tuple(columns), to, tuple(to_columns)))
    return tables


def owner_columns(table: Table) -> tuple[str, ...]:
    """What the keys must begin with: (bucket, consumer_id), or for a party (bucket, <its own>_id)."""
    if table.kind == "consumer":
        return ("bucket", "consumer_id")
    assert table.primary is not None
    return table.primary.columns[:2]


def faults(tables: dict[str, Table]) -> list[str]:
    """What breaks the rules, one line each."""
    found: list[str] = []
    for table in tables.values():
        if table.kind is None:
            found.append(f"{table.name}: no class; call place() after CREATE TABLE (comment {table.comment!r})")
        elif table.kind != "local":
            found += [f"{table.name}: {fault}" for fault in table_faults(table, tables)]
    return found


def table_faults(table: Table, tables: dict[str, Table]) -> list[str]:
    if table.primary is None:
        return ["no primary key"]
    found = [f"default of {column} is {text}: values come in as parameters" for column, text in volatile(table)]
    found += [f"{column} is {kind}, not bigint" for column, kind in table.columns.items() if bad_amount(column, kind)]
    if table.kind in ("consumer", "party"):
        found += placement_faults(table)
    if table.kind == "directory" and table.unique:
        found.append(f"{table.unique[0].name}: a directory table is looked up by its primary key only")
    return found + [fault for key in table.foreign for fault in foreign_faults(table, key, tables)]


def placement_faults(table: Table) -> list[str]:
    owner = owner_columns(table)
    found = []
    if len(owner) < 2 or owner[0] != "bucket" or not owner[1].endswith("_id"):
        return [f"primary key begins with {owner}, not (bucket, …_id)"]
    if table.columns.get("bucket") != "smallint" or table.columns.get(owner[1]) != "uuid":
        found.append(f"bucket and {owner[1]} must be smallint and uuid, not null")
    keys = [table.primary, *table.unique]
    found += [
        f"{key.name} begins with {key.columns[:2]}, not {owner}" for key in keys if key and key.columns[:2] != owner
    ]
    return found


def foreign_faults(table: Table, key: Key, tables: dict[str, Table]) -> list[str]:
    target = tables[key.to or ""]
    if target.kind == "reference":
        return []
    if table.kind not in ("consumer", "party") or target.kind != table.kind:
        return [f"{key.name} points from {table.kind} to {target.kind} table {target.name}"]
    if key.columns[:2] != owner_columns(table) or key.to_columns[:2] != owner_columns(target):
        return [f"{key.name} is {key.columns} → {target.name}{key.to_columns}: not within one owner"]
    return []


def volatile(table: Table) -> list[tuple[str, str]]:
    pattern = re.compile(r"nextval|now\(\)|clock_timestamp|CURRENT_|LOCALTIME|random|uuid", re.IGNORECASE)
    return [(column, text) for column, text in table.defaults.items() if pattern.search(text)]


def bad_amount(column: str, kind: str) -> bool:
    plain = kind.removesuffix(" null")
    return (column.endswith("_minor") and plain not in ("bigint", "bigint[]")) or plain in ("real", "double precision")


@pytest.fixture
def catalogue(urls):
    with psycopg.connect(urls.owner) as connection:
        yield connection


def test_every_table_keeps_the_rules(catalogue):
    assert faults(read(catalogue)) == []


def test_nothing_counts_fires_or_waits_in_the_database(catalogue):
    local = [name for name, table in read(catalogue).items() if table.kind == "local"]
    sequences = catalogue.execute(
        "SELECT c.relname FROM pg_class c LEFT JOIN pg_depend d ON d.objid = c.oid AND d.deptype IN ('a', 'i')"
        " WHERE c.relkind = 'S' AND c.relnamespace = 'public'::regnamespace"
        " AND coalesce(d.refobjid::regclass::text, '') <> ALL(%s)",
        [local],
    ).fetchall()
    triggers = catalogue.execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
        " AND tgrelid::regclass::text <> ALL(%s)",
        [local],
    ).fetchall()
    functions = catalogue.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        r" AND prosrc ~* '\m(pg_(try_)?advisory\w*|pg_notify|notify|listen|clock_timestamp|gen_random_uuid|random)\M'"
        " AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e')"
    ).fetchall()
    assert (sequences, triggers, functions) == ([], [], [])


def test_functions_with_their_owners_rights_look_tables_up_in_one_place_only(catalogue):
    """Otherwise whoever calls them could put a table of his own in the way, in pg_temp."""
    functions = catalogue.execute(
        "SELECT proname, coalesce((SELECT s FROM unnest(proconfig) AS s WHERE s LIKE 'search_path=%'), '')"
        " FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    ).fetchall()
    assert [name for name, path in functions if not path.endswith("pg_temp")] == []


def test_the_chain_of_migrations_is_linear():
    versions = sorted((migrate.folder() / "versions").glob("*.py"))
    names = [re.search(r'^revision(?:: str)? = "(.+)"', text.read_text(), re.MULTILINE)[1] for text in versions]
    before = [
        re.search(r"^down_revision.*= (.+)$", text.read_text(), re.MULTILINE)[1].strip("'\"") for text in versions
    ]
    assert before == ["None", *names[:-1]]
    assert [text.stem for text in versions] == names


def test_migrations_wait_for_locks_only_shortly(urls):
    with migrate.connect(urls.owner) as connection:
        assert connection.execute("SHOW lock_timeout").fetchone() == ("5s",)


BROKEN = [
    ("CREATE TABLE t (id int PRIMARY KEY)", None, "no class"),
    ("CREATE TABLE t (bucket smallint, consumer_id uuid)", "consumer", "no primary key"),
    (
        "CREATE TABLE t (bucket smallint, consumer_id uuid, id uuid PRIMARY KEY)",
        "consumer",
        "bucket and consumer_id must be smallint and uuid",
    ),
    ("CREATE TABLE t (bucket smallint, id uuid, PRIMARY KEY (bucket, id))", "party", "not (bucket, …_id)"),
    (
        "CREATE TABLE t (bucket int, consumer_id uuid, PRIMARY KEY (bucket, consumer_id))",
        "consumer",
        "smallint and uuid",
    ),
    (
        "CREATE TABLE t (bucket smallint, consumer_id uuid, mail text UNIQUE, PRIMARY KEY (bucket, consumer_id))",
        "consumer",
        "t_mail_key begins with ('mail',)",
    ),
    (
        "CREATE TABLE t (bucket smallint, consumer_id uuid, mail text, PRIMARY KEY (bucket, consumer_id));"
        "CREATE UNIQUE INDEX t_lower ON t (lower(mail))",
        "consumer",
        "t_lower begins with ('(expression)',)",
    ),
    (
        "CREATE TABLE t (bucket smallint, consumer_id uuid, PRIMARY KEY (bucket, consumer_id),"
        " FOREIGN KEY (bucket, consumer_id) REFERENCES p (bucket, party_id))",
        "consumer",
        "points from consumer to party table p",
    ),
    (
        "CREATE TABLE t (bucket smallint, party_id uuid, other uuid, PRIMARY KEY (bucket, party_id),"
        " FOREIGN KEY (bucket, other) REFERENCES p (bucket, party_id))",
        "party",
        "not within one owner",
    ),
    (
        "CREATE TABLE t (bucket smallint, consumer_id uuid, at timestamptz DEFAULT now(),"
        " PRIMARY KEY (bucket, consumer_id))",
        "consumer",
        "default of at is now()",
    ),
    (
        "CREATE TABLE t (code text PRIMARY KEY, price_minor numeric)",
        "reference",
        "price_minor is numeric null, not bigint",
    ),
    ("CREATE TABLE t (value text PRIMARY KEY, code text UNIQUE)", "directory", "by its primary key only"),
]


@pytest.mark.parametrize(("create", "kind", "fault"), BROKEN)
def test_the_lint_finds_what_it_looks_for(catalogue, create, kind, fault):
    catalogue.execute("CREATE SCHEMA lint; SET LOCAL search_path = lint")
    catalogue.execute("CREATE TABLE p (bucket smallint, party_id uuid, PRIMARY KEY (bucket, party_id))")
    catalogue.execute("COMMENT ON TABLE p IS 'placement: party'")
    catalogue.execute(create)
    if kind:
        catalogue.execute(f"COMMENT ON TABLE t IS 'placement: {kind}'")
    tables = {name: table for name, table in read(catalogue).items() if name in ("p", "t")}
    found = faults(tables)
    catalogue.rollback()
    assert fault in found[0]
    assert {line.partition(":")[0] for line in found} == {"t"}
