"""The back-test: what a candidate policy would have decided in the past, and what that would have meant in money.

All tables go over all rows; the evaluator itself judges what changes, and everything where more than tables differs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from fenqi import policy as policies
from fenqi.flows import facts_export
from fenqi.flows.backtest_figures import Assumptions, Change, Figures
from fenqi.flows.backtest_file import Brief, Done, judge_files, rest_of
from fenqi.flows.context import Context
from fenqi.flows.facts_export import Run, inline
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.policy import PolicyDocument, PolicyState, PolicyVersion
from fenqi.policy.table import Answer, Row, Table

MOST_DAYS = 730
_SHOWN = 15
_PORTIONS, _PORTION_BYTES = 16, 16 * 2**20
PURCHASES = ("goods", "transaction", "exposure", "counter_offer")
"""The tables that are asked at a purchase."""


class Progress(NamedTuple):
    """How far a back-test is: portions of files done, of how many."""

    done: int
    of: int
    rows: int
    rows_a_second: int

    @property
    def percent(self) -> int:
        """Of all of them."""
        return 100 * self.done // self.of if self.of else 100


Say = Callable[[Progress], Awaitable[None]]


class Report(msgspec.Struct, frozen=True):
    """What came out. `figures` has no sets of merchants and buyers any more, only how many they are."""

    candidate: str
    against: tuple[str, ...]
    """The versions that the decisions were made under."""
    from_on: date
    until_on: date
    is_exact: bool
    """More than tables differs: every decision went through the evaluator."""
    figures: Figures
    merchants_count: int
    buyers_count: int
    seconds_ms: int
    tables_ms: int
    """Time spent on tables, over all processes; `exact_ms` on exact evaluation."""
    exact_ms: int
    assumed: Assumptions
    loosened: str = ""
    """The rule that the candidate lets everything through at."""

    @property
    def rows_a_second(self) -> int:
        """Rows that the tables went over in a second."""
        return self.figures.rows * 1000 // max(1, self.tables_ms)


async def backtest(
    ctx: Context, candidate: PolicyVersion | PolicyDocument, days: int, *, run: Run = inline, say: Say | None = None,
    assumed: Assumptions = Assumptions(), loosened: str = "",
) -> Report:  # fmt: skip
    """The stored decisions of the last `days` business days, and of today so far, under a candidate.

    `run` does the work, here or in other processes; `say` hears how far it is. Refuses DAYS_INVALID, and NO_DECISIONS
    where there is nothing to judge.
    """
    if not 1 <= days <= MOST_DAYS:
        raise Refusal("DAYS_INVALID", f"1 to {MOST_DAYS} days", days_most=MOST_DAYS)
    begun_s = time.monotonic()
    await facts_export.up_to_now(ctx, run)
    today_on = business_date(ctx.now())
    paths = facts_export.files_of(facts_export.folder_of(ctx), today_on - timedelta(days=days), today_on)
    brief = await _brief(ctx, candidate, assumed)
    whole, tables_s, exact_s = await _judge(paths, brief, run, say)
    if not whole.rows:
        raise NotFound("NO_DECISIONS", "no decisions have been stored in these days")
    return Report(
        candidate=brief.candidate.number,
        against=tuple(each.number for each in brief.were),
        from_on=date.fromisoformat(paths[0].name[:10]),
        until_on=date.fromisoformat(paths[-1].name[:10]),
        is_exact=any(rest_of(each.document) != rest_of(brief.candidate.document) for each in brief.were),
        merchants_count=len(whole.merchants),
        buyers_count=len(whole.buyers),
        figures=_cut(whole),
        seconds_ms=round((time.monotonic() - begun_s) * 1000),
        tables_ms=round(tables_s * 1000),
        exact_ms=round(exact_s * 1000),
        assumed=assumed,
        loosened=loosened,
    )


async def loosen(ctx: Context, rule_id: str, days: int = 90, *, run: Run = inline, say: Say | None = None) -> Report:
    """What it would have meant if a rule of the policy in force had let everything through: orders, amounts, expected
    loss. Refuses RULE_UNKNOWN and RULE_NOT_ABOUT_PURCHASES."""
    async with ctx.database.snapshot() as tx:
        now = await policies.in_force(tx, ctx.now())
    return await backtest(ctx, loosened(now.document, rule_id), days, run=run, say=say, loosened=rule_id)


def loosened(document: PolicyDocument, rule_id: str) -> PolicyDocument:
    """The policy with one rule that lets everything through which it matches. Refuses RULE_UNKNOWN, and
    RULE_NOT_ABOUT_PURCHASES of rules that applications are judged by."""
    for place, table in enumerate(document.tables):
        found = next((n for n, row in enumerate(table.rows) if row.rule_id == rule_id), None)
        if found is None:
            continue
        if table.key not in PURCHASES:
            raise Refusal("RULE_NOT_ABOUT_PURCHASES", f"{rule_id} is about applications, which aren't tested here")
        rows = (*table.rows[:found], _loose(table, table.rows[found]), *table.rows[found + 1 :])
        tables = (*document.tables[:place], Table(table.key, rows), *document.tables[place + 1 :])
        return msgspec.structs.replace(document, tables=tables)
    raise NotFound("RULE_UNKNOWN", f"the policy has no rule {rule_id!r}")


def _loose(table: Table, row: Row) -> Row:
    """What a row leaves out says yes; a programme keeps its name and loses its cap."""
    kept: dict[str, Answer] = {"programme": row.then.get("programme", "")} if table.key == "exposure" else {}
    return msgspec.structs.replace(row, then=kept)


async def _brief(ctx: Context, candidate: PolicyVersion | PolicyDocument, assumed: Assumptions) -> Brief:
    async with ctx.database.snapshot() as tx:
        ref = await ctx.reference.current(tx, ctx.now())
        every = await policies.versions(tx)
    never = (PolicyState.DRAFT, PolicyState.SUBMITTED, PolicyState.REJECTED)
    were = tuple(each for each in every if each.state not in never)
    if isinstance(candidate, PolicyDocument):
        candidate = PolicyVersion(
            new_id(), "candidate", PolicyState.DRAFT, candidate, "system:backtest", ctx.now(), None, None, None
        )
    tree = ref.tree
    return Brief(candidate, were, tuple(tree.get(code) for code in sorted(tree.codes)), assumed)


async def _judge(paths: list[Path], brief: Brief, run: Run, say: Say | None) -> tuple[Figures, float, float]:
    """Two portions at a time, which is one for each processor of the smallest machine."""
    encoded, portions = msgspec.msgpack.encode(brief), portions_of(paths)
    whole, done, tables_s, exact_s, begun_s = Figures(), 0, 0.0, 0.0, time.monotonic()
    gate = asyncio.Semaphore(2)

    async def one(some: list[Path]) -> Done:
        async with gate:
            found: Done = await run(judge_files, some, encoded)
            return found

    for each in asyncio.as_completed([one(some) for some in portions]):
        found = await each
        whole.take_in(found.figures)
        done, tables_s, exact_s = done + 1, tables_s + found.tables_s, exact_s + found.exact_s
        if say is not None:
            rate = int(whole.rows / max(1e-6, time.monotonic() - begun_s))
            await say(Progress(done, len(portions), whole.rows, rate))
    return whole, tables_s, exact_s


def portions_of(paths: list[Path]) -> list[list[Path]]:
    """Files to be read together: small days by the dozen, so that little is spent on each, a large one alone."""
    most, size = max(1, -(-len(paths) // _PORTIONS)), 0
    portions: list[list[Path]] = [[]]
    for path in paths:
        size += path.stat().st_size
        if portions[-1] and (size > _PORTION_BYTES or len(portions[-1]) >= most):
            portions.append([])
            size = path.stat().st_size
        portions[-1].append(path)
    return [some for some in portions if some]


def _cut(whole: Figures) -> Figures:
    """The figures as they are kept: of long lists the merchants whose credit changes most."""
    by_merchant = sorted(
        whole.exposure.get("merchant", {}).items(), key=lambda item: (-abs(item[1].after - item[1].before), item[0])
    )
    rest = Change()
    for _, change in by_merchant[_SHOWN:]:
        rest.add(change.before, change.after)
    kept = dict(by_merchant[:_SHOWN]) | ({"": rest} if by_merchant[_SHOWN:] else {})
    return msgspec.structs.replace(whole, merchants=set(), buyers=set(), exposure={**whole.exposure, "merchant": kept})
