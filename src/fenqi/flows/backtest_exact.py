"""Stored decisions judged again by the evaluator itself, under a candidate: reasons, remedies, and what became other.

Pure. What tables alone would change is held against it; what else a policy says is judged here only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import polars as pl

from fenqi import cashier
from fenqi.cashier import Facts, Offer
from fenqi.cashier.case import View
from fenqi.cashier.evaluate import reasons_of
from fenqi.catalog import CategoryTree
from fenqi.flows import repolicy
from fenqi.flows.basis import covered
from fenqi.policy import PolicyBook

AGAIN: dict[str, Any] = {
    "row": pl.UInt32(), "new_plan": pl.String(), "available_after": pl.Boolean(), "codes_after": pl.List(pl.String()),
}  # fmt: skip
"""`row`: the row that is judged again, by its place in the file. With a `new_plan`: another plan of that row's method,
which only the candidate has."""


class Versions(NamedTuple):
    """The candidate, and the versions that decisions were made under, by their numbers."""

    candidate: PolicyBook
    were: Mapping[str, PolicyBook]
    tree: CategoryTree

    def under(self, facts: Facts) -> Facts:
        """The facts under the candidate."""
        return repolicy.under(facts, self.candidate, self.tree, self.were.get(facts.policy_version))


class _Again:
    """One decision under the candidate."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._views: dict[tuple[int, str], View] = {}
        self.new = {(plan.method, plan.plan) for plan in facts.plans}

    def judge(self, method: str, plan: str | None, beside_minor: int, by: str) -> tuple[bool, list[str]]:
        """Whether the method with the plan could pay beside another tender, and the codes that speak against it."""
        view = self._views.get((beside_minor, by))
        if view is None:
            view = self._views[beside_minor, by] = View(covered(self.facts, beside_minor, by))
        reasons = reasons_of(view, method, plan)
        return not reasons, list(dict.fromkeys(reason.code for reason in reasons))


def judge(rows: pl.DataFrame, versions: Versions) -> pl.DataFrame:
    """Whole decisions, judged again, as `AGAIN`.

    `rows` has the columns row, kind, method, plan, pays_minor, payable_minor, covered_by and facts, in the file's
    order.
    """
    found: list[tuple[int, str | None, bool, list[str]]] = []
    for some in _decisions(rows):
        again = _Again(versions.under(cashier.decode_facts(some[0]["facts"])))
        heads: dict[str, int] = {}
        for each in some:
            beside_minor = each["payable_minor"] - each["pays_minor"]
            said = again.judge(each["method"], each["plan"], beside_minor, each["covered_by"])
            found.append((each["row"], None, *said))
            heads.setdefault(each["method"], each["row"])
            again.new.discard((each["method"], each["plan"]))
        for method, plan in sorted(again.new) if some[0]["kind"] == "offers" else ():
            if method in heads:
                found.append((heads[method], plan, *again.judge(method, plan, 0, "")))
    return pl.DataFrame(found, schema=AGAIN, orient="row")


def _decisions(rows: pl.DataFrame) -> Iterator[list[dict[str, Any]]]:
    columns = ("row", "kind", "method", "plan", "pays_minor", "payable_minor", "covered_by", "facts")
    some: list[dict[str, Any]] = []
    for each in rows.select(columns).iter_rows(named=True):
        if each["facts"] is not None and some:
            yield some
            some = []
        some.append(each)
    if some:
        yield some


def remedies(facts: Iterable[bytes], versions: Versions) -> Counter[str]:
    """Of decisions by their facts: by the steps that remedies consist of, how many more refused methods and plans would
    have such a remedy, less those that would lose it because nothing of the kind works any more."""
    told: Counter[str] = Counter()
    for raw in facts:
        stored = cashier.decode_facts(raw)
        before = {(one.method, one.plan): _kinds(one) for one in cashier.offers(stored)}
        for one in cashier.offers(versions.under(stored)):
            was, now = before.get((one.method, one.plan), set()), _kinds(one)
            told.update(now - was)
            if not one.available:
                told.subtract(was - now)
    return Counter({kind: count for kind, count in told.items() if count})


def _kinds(offer: Offer) -> set[str]:
    """Each remedy of an offer as the kinds of its steps."""
    return {"+".join(str(type(step).__struct_config__.tag) for step in remedy.actions) for remedy in offer.remedies}
