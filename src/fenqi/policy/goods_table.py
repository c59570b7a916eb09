"""Rows of the goods table written shortly, and put into the order in which the nearest of them decides. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from fenqi.policy.model import NOT_COVERED
from fenqi.policy.table import Answer, Row, Table

Named = str | tuple[str, ...]
UNCOVERED = Row(NOT_COVERED, {}, {"verdict": NOT_COVERED}, "what nobody has laid down is an alarm, never a yes")


def listed(codes: Named) -> str:
    """A cell that admits these codes; none: whatever it is."""
    return ", ".join(json.dumps(code, ensure_ascii=False) for code in ((codes,) if isinstance(codes, str) else codes))


def goods_row(
    rule_id: str,
    method: Named,
    category: Named = (),
    *,
    scene: Named = (),
    seller_kind: Named = (),
    merchant: Named = (),
    segments: Named = (),
    clean_months: str = "",
    note: str = "",
    **then: Answer,
) -> Row:
    """A row of `goods`: what holds for goods of a category (and what lies under it) in a scene, from a seller."""
    cells = {
        "method": listed(method),
        "scene": listed(scene),
        "category": listed(category),
        "seller_kind": listed(seller_kind),
        "merchant": listed(merchant),
        "segments": listed(segments),
        "clean_months": clean_months,
    }
    return Row(rule_id, {name: cell for name, cell in cells.items() if cell}, dict(then), note)


_WHO = ("segments", "clean_months", "account_age_days", "pd_ppm")


def goods_table(rows: Iterable[Row], depths: Mapping[str, int] | None = None) -> Table:
    """The table in which the nearest row decides: rows about a kind of buyer first, then about a merchant, then by
    category (the deeper in the tree by `depths`, the earlier; any category last), a named scene before any, a named
    kind of seller before any. Rows alike keep their order; the row for what nobody covers comes last."""
    return Table("goods", (*sorted(rows, key=lambda row: _rank(row, depths or {})), UNCOVERED))


def _rank(row: Row, depths: Mapping[str, int]) -> tuple[int | bool, ...]:
    named = json.loads(f"[{row.when['category']}]") if "category" in row.when else []
    return (
        not any(name in row.when for name in _WHO),
        "merchant" not in row.when,
        -max((1 + depths.get(code, 0) for code in named), default=0),
        "scene" not in row.when,
        "seller_kind" not in row.when,
    )
