"""The policy that fenqi starts with, as applications ask it, and the same with other tables."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from fenqi.flows.opening import OpeningPolicy
from fenqi.policy import PolicyBook, PolicyState, PolicyVersion, default_document
from fenqi.policy.table import Row, Table

_AT = datetime(2026, 1, 1, tzinfo=UTC)


def policy_with(*tables: Table, number: str = "test") -> OpeningPolicy:
    """The default policy with these tables in place of its own of the same keys."""
    document = default_document(_AT)
    others = {table.key: table for table in tables}
    changed = msgspec.structs.replace(document, tables=tuple(others.get(each.key, each) for each in document.tables))
    version = PolicyVersion(UUID(int=1), number, PolicyState.PUBLISHED, changed, "maker", _AT, "checker", _AT, _AT)
    return OpeningPolicy(PolicyBook(version))


def opening(*rows: Row) -> Table:
    """A table of conditions, with the row that says nothing at its end."""
    return Table("opening", (*rows, Row("nothing")))


APPLICATION_POLICY = policy_with()
