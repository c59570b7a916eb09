"""A policy version ready to be asked: its decision tables, methods, plans, campaigns.

One book per version and process; what a table said is remembered by what the table can tell apart.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from fenqi.kernel.refusal import NotFound
from fenqi.policy.cell import Value
from fenqi.policy.engine import Engine
from fenqi.policy.model import (
    NOT_COVERED,
    GoodsVerdict,
    InterestFreeRow,
    MethodRow,
    Numbers,
    PlanRow,
    PolicyVersion,
    Who,
)
from fenqi.policy.table import Answered, Table

_TOLD_AFTER_END = timedelta(days=30)
NOBODY = Who()
"""A buyer of whom nothing is known, as on the pages of a shop."""


class PolicyBook:
    """The tables of one version, indexed."""

    def __init__(self, version: PolicyVersion) -> None:
        self.number = version.number
        self.document = version.document
        self._methods = {row.method: row for row in version.document.methods}
        self._engine = Engine(version.document.tables)
        self._goods: dict[tuple[Hashable, ...], GoodsVerdict] = {}
        tested = self._engine.tested("goods")
        self._asks_merchant = "merchant" in tested
        self._asks_who = tuple(name for name in Who.__struct_fields__ if name in tested)

    @property
    def numbers(self) -> Numbers:
        """Numbers of law and of the operator."""
        return self.document.numbers

    @property
    def methods(self) -> tuple[MethodRow, ...]:
        """All methods, in the order in which they are shown."""
        return self.document.methods

    def ask(self, key: str, inputs: Mapping[str, Value]) -> Answered:
        """What the table of this key says of a case; `missing` names what nobody knew: then nothing is decided."""
        return self._engine.ask(key, inputs)

    def table(self, key: str) -> Table:
        """The table of this key; NotFound (TABLE_UNKNOWN) when the version has none."""
        found = self._engine.table(key)
        if found is None:
            raise NotFound("TABLE_UNKNOWN", f"policy {self.number} has no table {key!r}")
        return found

    def method(self, method: str) -> MethodRow:
        """The method's row, or NotFound (METHOD_UNKNOWN)."""
        if method not in self._methods:
            raise NotFound("METHOD_UNKNOWN", f"no payment method {method!r}")
        return self._methods[method]

    def goods(
        self,
        scene: str,
        category_path: tuple[str, ...],
        seller_kind: str,
        method: str,
        merchant: str = "",
        who: Who = NOBODY,
    ) -> GoodsVerdict:
        """What holds for goods; `category_path` is the leaf's code, then its ancestors up to the root.

        Where nothing is laid down, or something that the table asks isn't known, the answer is `matched=False`, which
        is POLICY_MISSING.
        """
        like: tuple[Hashable, ...] = ()
        if self._asks_who:
            like = tuple([self._engine.sort("goods", name, getattr(who, name)) for name in self._asks_who])
        shop = self._engine.sort("goods", "merchant", merchant) if self._asks_merchant else None
        key = (scene, category_path, seller_kind, method, shop, like)
        found = self._goods.get(key)
        if found is None:
            found = self._goods[key] = self._judge(scene, category_path, seller_kind, method, merchant, who)
        return found

    def _judge(
        self, scene: str, category_path: tuple[str, ...], seller_kind: str, method: str, merchant: str, who: Who
    ) -> GoodsVerdict:
        where: dict[str, Value] = {
            "method": method,
            "scene": scene,
            "category": category_path,
            "seller_kind": seller_kind,
            "merchant": merchant,
        }
        hit = self.ask("goods", where | msgspec.structs.asdict(who)).hit
        if hit is None or hit.then["verdict"] == NOT_COVERED:
            return GoodsVerdict(scene, category_path[0], seller_kind, method, matched=False)
        said = {"scene": scene, "category": category_path[0], "seller_kind": seller_kind, "method": method}
        return msgspec.convert({**said, **hit.then, "rule_id": hit.rule_id}, GoodsVerdict)

    def plans(self, method: str, scene: str) -> tuple[PlanRow, ...]:
        """The method's plans in a scene, in their order."""
        return tuple(
            row for row in self.document.plans if row.method == method and (not row.scenes or scene in row.scenes)
        )

    def interest_free(
        self, plan: str, at: datetime, goods: Sequence[tuple[UUID, tuple[str, ...]]]
    ) -> InterestFreeRow | None:
        """The campaign that has begun and pays the plan's fee for all of these goods: (merchant id, category path).

        Of several the one that lasts longest. One that ended is told for 30 days more while nothing better runs, so
        that the buyer learns why the fee is back.
        """
        fitting = [
            row
            for row in self.document.interest_free
            if plan in row.plans
            and row.from_at <= at < row.until_at + _TOLD_AFTER_END
            and all(_covers(row, *one) for one in goods)
        ]
        return max(fitting, key=lambda row: (row.until_at, row.campaign), default=None)

    def has_forbidden_word(self, title: str) -> bool:
        """Whether a title contains a word that payment channels block."""
        lowered = title.lower()
        return any(word.lower() in lowered for word in self.document.forbidden_words)


def _covers(row: InterestFreeRow, merchant_id: UUID, category_path: tuple[str, ...]) -> bool:
    if row.merchant_id is not None and row.merchant_id != merchant_id:
        return False
    return not row.categories or any(category in row.categories for category in category_path)
