"""The ledger's batch door: through the coalescer at several concurrencies, and in plain batches of several sizes.

A payment is a purchase by credit: idempotency key, limit with day and month ceilings, four entries in two books and
an event for the relay, durable before the answer; 0.8 % are refused by the limit, 0.1 % repeat a key.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import uvloop

from bench import pgbench
from bench.machine import CpuTime, cpu_time, describe
from fenqi.database import migrate, server
from fenqi.database.coalesce import Coalescer
from fenqi.database.pool import Database
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.ledger import balances, chart
from fenqi.ledger.door import post_batch
from fenqi.ledger.model import Leg, PostingItem, Verdict
from fenqi.ledger.postings.parts import Draw, Share
from fenqi.ledger.postings.purchase import KIND, purchase

HELP = "the ledger's batch door against pgbench"
GENERAL = chart.loan_principal("general")
DAY, AT = date(2026, 1, 31), datetime(2026, 1, 31, 4, 0, tzinfo=UTC)
POOR_EVERY = 125
REPEATED = 0.001


@dataclass(frozen=True)
class Workload:
    """One row of the table. `writers` 0 means plain batches of `concurrency` items, one after the other."""

    concurrency: int
    writers: int
    hot: bool

    @property
    def name(self) -> str:
        to = "one merchant" if self.hot else "uniform"
        if self.writers == 0:
            return f"batches of {self.concurrency:,}, {to}"
        return f"coalesced, {self.concurrency} waiting, {self.writers} writer{'s' * (self.writers > 1)}, {to}"


@dataclass
class Figures:
    """What one workload came to, window by window."""

    per_s: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    postgres_us: list[float] = field(default_factory=list)
    python_us: list[float] = field(default_factory=list)
    batch: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    def add(self, count: int, elapsed_s: float, cpu: CpuTime, latencies_s: Sequence[float], batches: int) -> None:
        cuts = statistics.quantiles(latencies_s, n=100) if len(latencies_s) > 1 else [latencies_s[0]] * 99
        self.per_s.append(count / elapsed_s)
        self.p50_ms.append(cuts[49] * 1e3)
        self.p99_ms.append(cuts[98] * 1e3)
        self.postgres_us.append(cpu.postgres_s / count * 1e6)
        self.python_us.append(cpu.python_s / count * 1e6)
        self.batch.append(count / batches)
        self.others.append(cpu.others_s / elapsed_s * 100)


WRITERS = ((1, 1), (32, 1), (256, 1), (256, 2), (512, 1), (512, 2))
WORKLOADS = (
    *(
        Workload(c, w, hot)
        for hot in (False, True)
        for c, w in ((1, 1), (32, 1), (256, 1), (256, 2), (512, 1), (512, 2))
    ),
    *(Workload(size, 0, False) for size in (1, 32, 256, 2_048)),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="how often each workload runs, interleaved (3)")
    parser.add_argument("--seconds", type=float, default=3, help="length of one window (3)")
    parser.add_argument("--consumers", type=int, default=100_000, help="consumers, and as many merchants (100,000)")
    parser.add_argument("--scale", type=int, default=50, help="pgbench's scale (50)")
    parser.add_argument("--only", default="", help="only the workloads whose name contains this")
    parser.add_argument("--data", type=Path, help="directory of the server's data, kept (a temporary one)")


def run(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="fenqi-bench-", dir="/var/tmp") as temporary:
        Path(temporary).chmod(0o755)
        with server.start(options.data or Path(temporary)) as running:
            migrate.upgrade(running.owner_url)
            pgbench.prepare(running, options.scale)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(Bench(running, options).run())


class Bench:
    """One run: the population, the rounds, the table, the checks."""

    def __init__(self, running: server.Server, options: argparse.Namespace) -> None:
        self.server, self.options = running, options
        self.dice = random.Random(7)
        self.consumers = [new_id() for _ in range(options.consumers)]
        self.merchants = [new_id() for _ in range(options.consumers)]
        self.yardstick: list[pgbench.Tps] = []
        self.figures = {workload: Figures() for workload in WORKLOADS if options.only in workload.name}

    async def run(self) -> None:
        self.populate()
        async with await Database.open(self.server.app_url, min_size=3, max_size=4) as database:
            self.database = database
            for workload in self.figures:
                await self.window(workload, seconds=0.3, keep=False)
            for number in range(self.options.rounds):
                self.yardstick.append(pgbench.window(self.server, self.options.seconds))
                for workload in self.figures:
                    await self.window(workload, self.options.seconds, keep=True)
                print(f"round {number + 1} of {self.options.rounds}: pgbench {self.yardstick[-1].per_s:,.0f} tps")
            print(self._table())
            await self._check()

    def populate(self) -> None:
        """Consumers with a limit; every 125th has one so small that nothing fits."""
        with psycopg.connect(self.server.owner_url, autocommit=True) as owner:
            with owner.cursor().copy(
                "COPY limit_account (bucket, consumer_id, path, ceiling_minor) FROM STDIN"
            ) as copy:
                for n, consumer in enumerate(self.consumers):
                    copy.write_row((bucket_of(consumer), consumer, GENERAL, 5 if n % POOR_EVERY == 0 else 10**12))
            owner.execute("VACUUM ANALYZE limit_account")

    def _items(self, count: int, hot: bool) -> list[PostingItem]:
        items: list[PostingItem] = []
        for _ in range(count):
            if items and self.dice.random() < REPEATED:
                items.append(self.dice.choice(items))
                continue
            consumer = self.dice.choice(self.consumers)
            merchant = self.merchants[0] if hot else self.dice.choice(self.merchants)
            items.append(payment(consumer, merchant, self.dice.randrange(10, 1_000_000)))
        return items

    async def window(self, workload: Workload, seconds: float, *, keep: bool) -> None:
        """One timed window over items made beforehand; their number comes from the window before."""
        figures = self.figures[workload]
        rate = figures.per_s[-1] if figures.per_s else {True: 400, False: 6_000}[workload.concurrency == 1]
        items = self._items(max(int(rate * seconds), workload.concurrency), workload.hot)
        drive = self._batches if workload.writers == 0 else self._coalesced
        pid = self.server.postmaster_pid
        assert pid is not None
        gc.collect()
        gc.disable()
        cpu, started = cpu_time(pid), time.perf_counter()
        latencies, batches = await drive(workload, items)
        elapsed, used = time.perf_counter() - started, cpu_time(pid) - cpu
        gc.enable()
        if not keep:
            figures.per_s[:] = [len(items) / elapsed]
        else:
            if len(figures.p50_ms) == 0:
                figures.per_s.clear()
            figures.add(len(items), elapsed, used, latencies, batches)

    async def _batches(self, workload: Workload, items: Sequence[PostingItem]) -> tuple[list[float], int]:
        latencies: list[float] = []
        for batch in _chunks(items, workload.concurrency):
            begun = time.perf_counter()
            await self._post(batch)
            latencies.append(time.perf_counter() - begun)
        return latencies, len(latencies)

    async def _coalesced(self, workload: Workload, items: Sequence[PostingItem]) -> tuple[list[float], int]:
        latencies: list[float] = []
        batches = 0

        async def handle(batch: list[PostingItem]) -> list[Verdict]:
            nonlocal batches
            batches += 1
            return await self._post(batch)

        door: Coalescer[PostingItem, Verdict] = Coalescer(handle, writers=workload.writers)
        queue = iter(items)

        async def client() -> None:
            for one in queue:
                begun = time.perf_counter()
                await door.submit(one)
                latencies.append(time.perf_counter() - begun)

        await asyncio.gather(*[client() for _ in range(workload.concurrency)])
        await door.close()
        return latencies, batches

    async def _post(self, batch: Sequence[PostingItem]) -> list[Verdict]:
        """The door alone is one statement, so it needs no transaction around it."""
        async with self.database.autocommit() as tx:
            return await post_batch(tx, batch)

    def _table(self) -> str:
        tps, latency, postgres, client = (
            statistics.median(getattr(window, name) for window in self.yardstick)
            for name in ("per_s", "latency_ms", "postgres_us", "client_us")
        )
        yardstick = f"pgbench TPC-B, {pgbench.CLIENTS} clients, scale {self.options.scale}"
        heads = ("per s", "× pgbench", "p50 ms", "p99 ms", "PG µs", "Py µs", "batch", "others %")
        lines = [
            f"{describe()}; medians of {self.options.rounds} rounds of {self.options.seconds:g} s",
            f"{'workload':<48}" + "".join(f"{head:>10}" for head in heads),
            f"{yardstick:<48}{tps:>10,.0f}{1:>10.2f}{latency:>10.1f}{'':>10}{postgres:>10.1f}{client:>10.1f}",
        ]
        for workload, f in self.figures.items():
            m = {name: statistics.median(getattr(f, name)) for name in Figures.__dataclass_fields__}
            lines.append(
                f"{workload.name:<48}{m['per_s']:>10,.0f}{m['per_s'] / tps:>10.2f}"
                f"{m['p50_ms']:>10.2f}{m['p99_ms']:>10.2f}{m['postgres_us']:>10.1f}{m['python_us']:>10.1f}"
                f"{m['batch']:>10.0f}{m['others']:>10.0f}"
            )
        return "\n".join(lines)

    async def _check(self) -> None:
        """The books after all of it: every standing check, and nobody over a limit."""
        async with self.database.snapshot() as tx:
            faults = await balances.faults(tx)
            rows = await tx.execute(
                "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM journal WHERE outcome = 'limit'),"
                " (SELECT sum(amount_minor) FROM entry),"
                " (SELECT count(*) FROM limit_account WHERE balance_minor + reserved_minor > ceiling_minor)"
            )
            counted = await rows.fetchone()
        assert counted is not None
        journals, refused, total, over = counted
        assert (faults, int(total), over) == ([], 0, 0), (faults, total, over)
        print(
            f"checked: {journals:,} journals, {refused:,} refused, entries sum to 0, books right, nobody over a limit"
        )


def payment(consumer_id: UUID, merchant_id: UUID, amount_minor: int) -> PostingItem:
    """A purchase by credit, judged by version 1 of the limit and by ceilings of day and month."""
    return PostingItem(
        journal_id=new_id(),
        bucket=bucket_of(consumer_id),
        consumer_id=consumer_id,
        kind=KIND,
        input_hash=consumer_id.bytes + merchant_id.bytes,
        business_on=DAY,
        posted_at=AT,
        reference=new_id(),
        legs=(Leg(GENERAL, amount_minor, 10**12, 10**12, 1),),
        entries=purchase([Share(merchant_id, amount_minor)], [Draw(GENERAL, amount_minor)]),
    )


def _chunks(items: Sequence[PostingItem], size: int) -> Iterator[Sequence[PostingItem]]:
    starts = itertools.count(0, size)
    return itertools.takewhile(bool, (items[start : start + size] for start in starts))
