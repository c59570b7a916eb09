"""Files of stored decisions against a candidate: the tables over all rows, the evaluator where the outcome changes.

Pure but for reading the files, so that any process can do it; the figures of all files add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import msgspec
import polars as pl

from fenqi.catalog import Category, CategoryTree
from fenqi.flows import backtest_exact
from fenqi.flows.backtest_exact import Versions
from fenqi.flows.backtest_figures import NEEDED, Assumptions, Figures, figures
from fenqi.flows.backtest_tables import Tables, codes_of, mask_of
from fenqi.policy import PolicyBook, PolicyDocument, PolicyVersion

_EXACT_ROWS = ("row", "kind", "method", "plan", "pays_minor", "payable_minor", "covered_by", "facts")


class Brief(msgspec.Struct, frozen=True):
    """What is asked of every file."""

    candidate: PolicyVersion
    were: tuple[PolicyVersion, ...]
    """The versions that decisions were made under."""
    categories: tuple[Category, ...]
    assumed: Assumptions = Assumptions()
    exact_at_most: int = 2_000
    """Decisions of the files read together that the evaluator judges again where only tables differ; all of them where
    other parts of the policy do."""
    remedies_at_most: int = 20
    """Decisions of the files read together for which remedies are looked for."""


class Done(NamedTuple):
    """Their figures, and how long its rows and its exact evaluations took, in seconds."""

    figures: Figures
    tables_s: float
    exact_s: float


class _Ready(NamedTuple):
    tables: Tables
    versions: Versions
    other: frozenset[str]
    """The versions whose policy differs in more than its tables."""


@lru_cache(maxsize=2)
def _ready(encoded: bytes) -> _Ready:
    brief = msgspec.msgpack.decode(encoded, type=Brief)
    versions = Versions(
        PolicyBook(brief.candidate),
        {each.number: PolicyBook(each) for each in brief.were},
        CategoryTree(brief.categories),
    )
    same = rest_of(brief.candidate.document)
    other = frozenset(each.number for each in brief.were if rest_of(each.document) != same)
    return _Ready(Tables(brief.candidate.document), versions, other)


def rest_of(document: PolicyDocument) -> PolicyDocument:
    """A policy but for its tables."""
    return msgspec.structs.replace(document, tables=())


def judge_files(paths: Sequence[Path], encoded: bytes) -> Done:
    """The figures of some files, which are read together, for an encoded `Brief`."""
    begun_s = perf_counter()
    ready, brief = _ready(encoded), msgspec.msgpack.decode(encoded, type=Brief)
    needed = sorted({*ready.tables.needs, *NEEDED, *_EXACT_ROWS, "policy_version"} - {"row", "facts"})
    rows = pl.concat([pl.read_parquet(path, columns=needed) for path in paths]).with_row_index("row")
    judged = rows.hstack(ready.tables.judge(rows))
    judged = judged.with_columns(
        changed=(pl.col("before") != pl.col("after")) | (pl.col("available") != pl.col("available_after")),
        wholly=pl.col("policy_version").is_in(list(ready.other)),
    )
    tables_s = perf_counter() - begun_s
    chosen, changed_count = _chosen(judged, brief.exact_at_most)
    facts = _facts(paths, chosen)
    again = _again(judged, facts, ready.versions)
    found = figures(_joined(judged, again), brief.assumed)
    found.changed_decisions = changed_count
    found.judged_exactly = facts.height
    found.agreed, found.disagreed = _agreement(judged, again)
    sampled = facts.filter(pl.col("kind") == "offers")["facts"].head(brief.remedies_at_most).to_list()
    found.remedies = dict(backtest_exact.remedies(sampled, ready.versions))
    found.remedies_sampled = len(sampled)
    return Done(found, tables_s, perf_counter() - begun_s - tables_s)


def _chosen(judged: pl.DataFrame, at_most: int) -> tuple[pl.Series, int]:
    """The decisions for the evaluator, and how many have changed by the tables: evenly spread where too many have."""
    wholly = judged.filter("wholly")["decision_id"].unique()
    changed = judged.filter(pl.col("changed") & ~pl.col("wholly"))["decision_id"].unique(maintain_order=True)
    some = changed.gather_every(-(-len(changed) // at_most)) if len(changed) else changed
    return pl.concat([wholly, some]), len(changed) + len(wholly)


def _facts(paths: Sequence[Path], chosen: pl.Series) -> pl.DataFrame:
    """The facts of these decisions."""
    if not len(chosen):
        return pl.DataFrame(schema={"decision_id": pl.String(), "kind": pl.String(), "facts": pl.Binary()})
    kept = pl.scan_parquet(list(paths)).select("decision_id", "kind", "facts").filter(pl.col("facts").is_not_null())
    return kept.filter(pl.col("decision_id").is_in(chosen.implode())).collect()


def _again(judged: pl.DataFrame, facts: pl.DataFrame, versions: Versions) -> pl.DataFrame:
    if not facts.height:
        return pl.DataFrame(schema=backtest_exact.AGAIN)
    rows = judged.join(facts.select("decision_id", "facts"), on="decision_id", how="inner", maintain_order="left")
    first = pl.col("decision_id").ne_missing(pl.col("decision_id").shift())
    alone = rows.with_columns(facts=pl.when(first).then("facts"))
    return backtest_exact.judge(alone.select(_EXACT_ROWS), versions)


def _joined(judged: pl.DataFrame, again: pl.DataFrame) -> pl.DataFrame:
    """The rows as the evaluator has them where it was asked, and as the tables have them elsewhere."""
    exact = again.filter(pl.col("new_plan").is_null()).select("row", exact="available_after", said="codes_after")
    others = judged.filter(pl.col("changed") & ~pl.col("row").is_in(exact["row"].implode()))
    told = pl.concat([_said(judged, exact), _by_tables(others)])
    rows = judged.join(told, on="row", how="left", maintain_order="left").with_columns(
        available_after=pl.coalesce("exact", "available_after"),
        changed=(pl.col("codes") != pl.col("codes_after")).fill_null(False),
    )
    new = again.filter(pl.col("new_plan").is_not_null())
    return rows if not new.height else pl.concat([rows, _new_plans(rows, new)])


def _codes(*lists: str) -> pl.Expr:
    return pl.concat_list(lists).list.unique().list.sort().list.join(",")


def _said(judged: pl.DataFrame, exact: pl.DataFrame) -> pl.DataFrame:
    """What the evaluator said of rows, beside what was said before."""
    both = exact.join(judged.select("row", "other_reasons", "policy_reasons"), on="row", how="left")
    return both.select("row", "exact", codes=_codes("other_reasons", "policy_reasons"), codes_after=_codes("said"))


def _by_tables(changed: pl.DataFrame) -> pl.DataFrame:
    """Rows that only the tables were asked about, with the codes that would stand against them."""
    masks = changed["after"].unique()
    said = {"after": masks, "said": pl.Series([list(codes_of(mask)) for mask in masks], dtype=pl.List(pl.String()))}
    known = changed.join(pl.DataFrame(said), on="after", how="left", maintain_order="left").with_columns(
        derived=pl.col("policy_reasons").list.set_intersection(["MIXED_CART_PARTIAL"])
    )
    return known.select(
        "row", exact=pl.lit(None, pl.Boolean()), codes=_codes("other_reasons", "policy_reasons"),
        codes_after=_codes("other_reasons", "said", "derived"),
    )  # fmt: skip


def _new_plans(rows: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Rows for plans that only the candidate has: nothing could be paid by them before."""
    found = rows.join(
        new.select("row", "new_plan", now="available_after"), on="row", how="inner", maintain_order="left"
    )
    return found.with_columns(
        plan="new_plan", available=pl.lit(False), available_after="now", changed=pl.lit(False), is_head=pl.lit(False)
    ).select(rows.columns)


def _agreement(judged: pl.DataFrame, again: pl.DataFrame) -> tuple[int, int]:
    """How many rows the tables alone told as the evaluator does, and how many not."""
    exact = again.filter(pl.col("new_plan").is_null())
    both = judged.filter(~pl.col("wholly")).join(
        exact.select("row", "codes_after", exact="available_after"), on="row", how="inner"
    )
    fields = ("available_after", "exact", "after", "other_reasons", "codes_after")
    same = sum(
        available == exactly and mask | mask_of(others) == mask_of(codes)
        for available, exactly, mask, others, codes in both.select(fields).iter_rows()
    )
    return same, both.height - same
