"""A candidate policy over ten million stored decisions, and how much faster that is than asking one at a time.

A little trade is run through the flows and exported as each day is; its rows are then copied under other ids with other
amounts, hours, counts and probabilities until there are enough, and written as files of the same kind. A decision is
one method with one plan judged for an order. Measured is what the product does: files from the disk, the tables over
all rows, the figures, two processes. The first pass over the real rows also asks the evaluator, which must agree.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random

import msgspec
import polars as pl
from tests import world
from tests.flows.trade import trade

from bench.machine import describe, process_s
from fenqi.catalog import CategoryTree
from fenqi.database import migrate, server
from fenqi.database.pool import Database
from fenqi.flows import facts_export
from fenqi.flows.backtest_exact import Versions, judge
from fenqi.flows.backtest_figures import Figures, total
from fenqi.flows.backtest_file import Brief, judge_files
from fenqi.flows.backtest_tables import Tables, codes_of
from fenqi.flows.context import Context
from fenqi.flows.reference import Reference
from fenqi.kernel.ids import new_id
from fenqi.policy import PolicyBook, PolicyDocument, PolicyState, PolicyVersion
from fenqi.policy.table import Row, Table

HELP = "a candidate policy over ten million stored decisions"
GOAL_S = 60.0
ORDERS = 300
FILE_ROWS = 400_000
PROCESSES = 2
_COUNTS = ("presses_1h_count", "refused_1h_count", "same_seller_30d_count", "device_consumers_count",
           "card_consumers_count", "returns_90d_count", "wrong_passwords_24h_count")  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--decisions", type=int, default=10_000_000, help="how many (10,000,000)")
    parser.add_argument("--keep", type=Path, help="a folder for the files, which are used again when they are there")


def run(options: argparse.Namespace) -> None:
    """Measure and print."""
    print(describe())
    with tempfile.TemporaryDirectory(prefix="fenqi-bench-", dir="/tmp") as scratch:
        folder = options.keep or Path(scratch) / "rows"
        real, ref = _traded(Path(scratch))
        brief = _brief(ref)
        one_at_a_time = _exactly(real, brief)
        paths = _tiled(pl.read_parquet(real), folder, options.decisions, Tables(ref.policy.document))
        _measure(paths, brief, one_at_a_time)


def _traded(scratch: Path) -> tuple[Path, Reference]:
    """The export of a little trade."""
    scratch.chmod(0o755)
    with server.start(scratch / "postgres", throwaway=True) as running:
        migrate.upgrade(running.owner_url)
        return asyncio.run(_trade(running.app_url, scratch))


async def _trade(url: str, scratch: Path) -> tuple[Path, Reference]:
    async with await Database.open(url) as database:
        ctx: Context = world.context(database)
        ctx.settings = replace(ctx.settings, data_dir=scratch)
        ref = await world.furnish(ctx)
        await trade(ctx, ORDERS)
        await facts_export.up_to_now(ctx)
        assert ctx.pay_queue is not None
        await ctx.pay_queue.close()
    found = [path for path in (scratch / facts_export.FOLDER).glob("*.parquet") if pl.read_parquet(path).height]
    whole = scratch / "2026-08-24.parquet"
    pl.concat([pl.read_parquet(path) for path in found]).write_parquet(whole)
    return whole, ref


def _brief(ref: Reference) -> Brief:
    """A candidate with a change in each table that is asked at a purchase."""
    document = ref.policy.document
    tables = tuple(Table(table.key, _changed(table)) for table in document.tables)
    candidate = msgspec.structs.replace(document, tables=tables)
    were = _version(document, ref.policy.number)
    return Brief(
        _version(candidate, "candidate"), (were,), tuple(ref.tree.get(code) for code in sorted(ref.tree.codes))
    )


def _version(document: PolicyDocument, number: str) -> PolicyVersion:
    return PolicyVersion(new_id(), number, PolicyState.PUBLISHED, document, "bench", world.AT, None, None, world.AT)


def _changed(table: Table) -> tuple[Row, ...]:
    if table.key == "goods":
        gold = Row(
            "gold-for-some", {"category": '"gold"', "method": '"credit"', "clean_months": ">= 24"}, {"terms": (3,)}
        )
        return (gold, *table.rows)
    if table.key == "transaction":
        large = {"amount_minor": "> 900000", "hour": "[0..5]", "method": '"credit"'}
        return (Row("large-at-night", large, {"code": "RISK_CASHOUT_SUSPECT", "cure": "review"}), *table.rows)
    if table.key == "exposure":
        unsafe = {"pd_ppm": "> 60000", "method": '"credit"'}
        return (Row("cap-unsafe", unsafe, {"programme": "unsafe", "cap_minor": 400_000}), *table.rows)
    return table.rows


def _exactly(real: Path, brief: Brief) -> float:
    """Every real decision by the evaluator, one at a time, and by the tables, which must agree: decisions a second."""
    rows = pl.read_parquet(real).with_row_index("row")
    tree = CategoryTree(brief.categories)
    versions = Versions(PolicyBook(brief.candidate), {each.number: PolicyBook(each) for each in brief.were}, tree)
    begun_s = time.perf_counter()
    again = judge(rows, versions)
    took_s = time.perf_counter() - begun_s
    by_tables = Tables(brief.candidate.document).judge(rows).with_row_index("row")
    both = by_tables.join(again.filter(pl.col("new_plan").is_null()), on="row", suffix="_exactly")
    same = int((both["available_after"] == both["available_after_exactly"]).sum())
    print(
        f"{rows.height:,} real decisions at {rows['order_id'].n_unique()} checkouts, one at a time by the evaluator:"
        f" {took_s:.2f} s, {rows.height / took_s:,.0f}/s; the tables say the same of {same:,}"
    )
    assert same == rows.height, "tables and evaluator differ"
    return rows.height / took_s


def _tiled(real: pl.DataFrame, folder: Path, count: int, tables: Tables) -> list[Path]:
    """Files of so many rows: the real ones under other ids with other inputs, and what the policy says of those."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = sorted(folder.glob("*.parquet"))
    count -= sum(pl.scan_parquet(path).select(pl.len()).collect().item() for path in paths)
    copies, begun_s = max(1, FILE_ROWS // real.height), time.perf_counter()
    while count > 0:
        number = len(paths)
        some = pl.concat([_copy(real, number * copies + n) for n in range(copies)]).head(count)
        judged = tables.judge(some)
        masks = judged["after"].unique()
        said = pl.DataFrame({"after": masks, "said": [list(codes_of(mask)) for mask in masks]})
        some = some.with_columns(
            policy_reasons=judged.join(said, on="after", how="left", maintain_order="left")["said"]
        )
        beside = folder / "writing"
        some.with_columns(available=judged["available_after"]).write_parquet(beside, row_group_size=250_000)
        paths.append(beside.rename(folder / f"{number:04}.parquet"))
        count -= some.height
    size_mb = sum(path.stat().st_size for path in paths) / 2**20
    print(f"{len(paths)} files of {size_mb:,.0f} MB, made in {time.perf_counter() - begun_s:.0f} s")
    return paths


def _copy(real: pl.DataFrame, number: int) -> pl.DataFrame:
    """The real rows as those of other people, with everything that a table asks of a number varied by checkout."""
    rng = Random(number)
    orders = real.select("order_id").unique(maintain_order=True)
    drawn = pl.DataFrame(
        {
            "order_id": orders["order_id"],
            "times": [rng.randrange(300, 3_000) for _ in range(orders.height)],
            "hour": [rng.randrange(24) for _ in range(orders.height)],
            "pd_ppm": [int(rng.lognormvariate(9.9, 1.0)) for _ in range(orders.height)],
            "clean_months": [rng.randrange(60) for _ in range(orders.height)],
            "account_age_days": [rng.randrange(1_500) for _ in range(orders.height)],
            **{name: [min(9, int(rng.expovariate(1.5))) for _ in range(orders.height)] for name in _COUNTS},
        }
    )
    varied = [name for name in drawn.columns if name in real.columns and name != "order_id"]
    changed = real.drop(varied).join(drawn, on="order_id", how="left", maintain_order="left")
    money = ("pays_minor", "payable_minor", "amount_minor", "on_credit_minor")
    return changed.with_columns(
        *(pl.col(name) * pl.col("times") // 1_000 for name in money),
        *(pl.col(name) + f"-{number}" for name in ("order_id", "decision_id", "consumer_id")),
        facts=pl.lit(None, pl.Binary()),
    ).select(real.columns)


def _measure(paths: list[Path], brief: Brief, one_at_a_time: float) -> None:
    """The whole pass, as the product does it."""
    encoded = msgspec.msgpack.encode(brief)
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(judge_files, [[path] for path in paths[:PROCESSES]], [encoded] * PROCESSES))
        begun_s, used_s = time.perf_counter(), _children_s(pool)
        whole: Figures = total(
            done.figures for done in pool.map(judge_files, [[path] for path in paths], [encoded] * len(paths))
        )
        took_s, used_s = time.perf_counter() - begun_s, _children_s(pool) - used_s
    rate = whole.rows / took_s
    print(
        f"{whole.rows:,} stored decisions at {whole.orders:,} checkouts: {took_s:.1f} s with {PROCESSES} processes,"
        f" {rate:,.0f} decisions/s, {whole.orders / took_s:,.0f} checkouts/s"
    )
    print(
        f"{used_s:.1f} s of processor time: {used_s / PROCESSES:.1f} s on {PROCESSES} processors that do nothing else"
    )
    print(
        f"{whole.changed_decisions:,} of {whole.decisions:,} looks and presses decided otherwise;"
        f" {whole.opened:,} checkouts opened, {whole.closed:,} closed"
    )
    print(f"{rate / one_at_a_time:,.0f} times as fast as the evaluator, one at a time in one process")
    met = "met" if took_s <= GOAL_S * whole.rows / 10_000_000 else "missed"
    print(f"goal: 10,000,000 decisions within {GOAL_S:g} s on two cores: {met}")


def _children_s(pool: ProcessPoolExecutor) -> float:
    """Processor time of the pool's processes."""
    return sum(process_s(pid) for pid in pool._processes)
