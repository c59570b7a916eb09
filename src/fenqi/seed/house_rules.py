"""The demo's own rules of policy beside the default ones: furniture on credit is kept small, so that there is something
to open for buyers who have earned it."""

from __future__ import annotations

import msgspec

from fenqi.policy import PolicyDocument, goods_row, goods_table
from fenqi.policy.table import Table

_FURNITURE = goods_row(
    "credit-furniture",
    "credit",
    "furniture",
    scene=("mall", "instalment_mall"),
    max_minor=500_000,
    terms=(1, 3),
    excluded=("gift", "subscription", "enterprise", "presale_deposit", "cross_border"),
    note="delivered late and disputed often",
)


def with_house_rules(document: PolicyDocument) -> PolicyDocument:
    """The document with the demo's rules among those of the goods table."""
    return msgspec.structs.replace(document, tables=tuple(_with(table) for table in document.tables))


def _with(table: Table) -> Table:
    return goods_table((*table.rows[:-1], _FURNITURE)) if table.key == "goods" else table
