"""Where the database comes from: embedded and migrated, or a server of your own by its URLs."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest

from fenqi.database import migrate, roles, source


@pytest.fixture
def empty_urls(server_urls):
    """A database without a schema, as on a server of one's own before the first start."""
    with psycopg.connect(server_urls.admin, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS fenqi_empty WITH (FORCE)")
        admin.execute(f"CREATE DATABASE fenqi_empty OWNER {roles.OWNER}")
        yield server_urls.at("fenqi_empty")
        admin.execute("DROP DATABASE fenqi_empty WITH (FORCE)")


@pytest.fixture
def folder(monkeypatch):
    monkeypatch.delenv("FENQI_DATABASE_URL", raising=False)
    monkeypatch.delenv("FENQI_DATABASE_OWNER_URL", raising=False)
    made = Path(tempfile.mkdtemp(prefix="fenqi-source-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def test_the_embedded_server_is_migrated_found_by_others_and_stopped(folder):
    assert source.find(folder) is None
    with source.provide(folder) as provided:
        assert provided.embedded is not None
        assert migrate.current(provided.app_url) == migrate.newest()
        found = source.find(folder)
        assert found is not None
        with psycopg.connect(found) as other:
            assert other.execute("SELECT current_user").fetchone() == (roles.APP,)
    assert provided.embedded.has_ended()
    assert source.find(folder) is None


def test_a_server_of_your_own_is_migrated_by_its_owner(folder, empty_urls, monkeypatch):
    monkeypatch.setenv("FENQI_DATABASE_URL", empty_urls.app)
    with pytest.raises(migrate.CanNotMigrate, match="the schema is empty, not 0"), source.provide(folder):
        pass
    monkeypatch.setenv("FENQI_DATABASE_OWNER_URL", empty_urls.owner)
    with source.provide(folder) as provided:
        assert provided == source.Source(empty_urls.app)
        assert migrate.current(empty_urls.app) == migrate.newest()
    monkeypatch.delenv("FENQI_DATABASE_OWNER_URL")
    with source.provide(folder) as provided:
        assert source.find(folder) == provided.app_url == empty_urls.app
    assert list(folder.iterdir()) == []
