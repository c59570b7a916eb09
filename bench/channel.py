"""Payments through the Alipay gateway end to end, and notices into the inbox, each against its own ceiling in one run.

A payment is quoted and pressed at the mall, opened and paid at the gateway's wallet, told of by the gateway's notice
and booked by the mall's listener; its ceiling is the gateway driven straight. A notice is verified and kept, durably,
before it is answered; its ceiling is an endpoint that only verifies. All of it shares the machine with PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import uvloop
from tests import world

from bench import pgbench, plain
from bench.alipay import Teller, Till, handovers
from bench.buyers import METHOD, PLAN, Mall, Spent, press
from bench.crowd import Crowd, Due
from bench.load import Target, drive
from bench.machine import cpu_time, describe, process_s
from bench.pay import SECRET, Serving, request, serving
from fenqi import customer, passage
from fenqi.channels.contract import Passage
from fenqi.channels.gateway import child
from fenqi.channels.gateway.control import Control, Enrolled
from fenqi.customer import Keys
from fenqi.database import migrate, server
from fenqi.database.pool import Database
from fenqi.flows import pay
from fenqi.flows.context import Context
from fenqi.kernel.clock import SystemClock
from fenqi.kernel.ids import new_id
from fenqi.passage import Terms
from fenqi.settings import Settings

HELP = "payments through the Alipay gateway, and notices into the inbox, against their ceilings"
INBOX = "/hooks/alipay-inbox"
Values = dict[str, float]


class Used(NamedTuple):
    """Processor seconds up to now: PostgreSQL, the measured process, the gateway, this one; and the machine's."""

    postgres_s: float
    server_s: float
    gateway_s: float
    load_s: float
    machine_s: float

    def since(self, before: Used, count: int, elapsed_s: float) -> Values:
        """Microseconds each, and the share of a processor that neighbours took."""
        postgres_s, server_s, gateway_s, load_s, machine_s = (
            max(now - then, 0) for now, then in zip(self, before, strict=True)
        )
        us = 1e6 / count
        others_s = max(machine_s - postgres_s - server_s - gateway_s - load_s, 0)
        return {
            "postgres_us": postgres_s * us, "server_us": server_s * us, "gateway_us": gateway_s * us,
            "load_us": load_s * us, "others_percent": others_s / elapsed_s * 100,
        }  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--rounds", type=int, default=3, help="how often each window runs, interleaved (3)")
    parser.add_argument("--payments", type=int, default=1_500, help="payments of a window (1,500)")
    parser.add_argument("--notices", type=int, default=8_000, help="notices of a window (8,000)")
    parser.add_argument("--concurrency", type=int, default=64, help="buyers, or connections, at once (64)")
    parser.add_argument("--seconds", type=float, default=5, help="length of pgbench's windows (5)")
    parser.add_argument("--consumers", type=int, default=4_000, help="buyers to choose from (4,000)")
    parser.add_argument("--scale", type=int, default=50, help="pgbench's scale (50)")
    parser.add_argument("--quick", action="store_true", help="one short round on little data")
    parser.add_argument("--no-yardsticks", action="store_true", help="leave pgbench out")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--py-spy", type=Path, help="py-spy's program: record where the mall's time goes")


def run(options: argparse.Namespace) -> None:
    """Measure, print, check."""
    if options.quick:
        options.rounds, options.seconds, options.scale = 1, 2, 10
        options.payments, options.notices = min(options.payments, 300), min(options.notices, 2_000)
        options.consumers = min(options.consumers, 500)
    with tempfile.TemporaryDirectory(prefix="fenqi-bench-", dir="/var/tmp") as temporary:
        Path(temporary).chmod(0o755)
        with server.start(Path(temporary) / "pg") as running, child.start(Path(temporary) / "gateway") as gateways:
            migrate.upgrade(running.owner_url)
            if not options.no_yardsticks:
                pgbench.prepare(running, options.scale)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(Bench(running, gateways, Path(temporary), options).run())


class Bench:
    """One run: the crowd, the passages, the servers, the rounds, the table, the checks."""

    def __init__(
        self, running: server.Server, gateways: child.Child, folder: Path, options: argparse.Namespace
    ) -> None:  # fmt: skip
        self.server, self.gateways, self.folder, self.options = running, gateways, folder, options
        self.keys = Keys(SECRET.encode())
        self.windows: dict[str, list[Values]] = {}
        port = urlsplit(gateways.base_url).port
        assert port is not None
        self.gateway = Serving(gateways.pid, port)

    async def run(self) -> None:
        async with await Database.open(self.server.app_url, max_size=16) as database:
            settings = Settings(database_url=self.server.app_url, secret=SECRET.encode())
            self.ctx = Context(database, SystemClock(), settings, self.keys)
            self.ctx.pay_queue = pay.open_queue(self.ctx)
            await self._prepare()
            os.environ[plain.KEY] = self.teller.account.credentials["alipay_public_key"]
            with ExitStack() as stack:
                self.mall = stack.enter_context(serving(self.server.app_url, "jobs"))
                self.plain = stack.enter_context(serving("", module="bench.plain"))
                self.buyers = Mall(database, self.mall.port, self.gateway.port, (self._offers, self._pay))
                for number in range(self.options.rounds):
                    await self._round(number)
                    print(f"round {number + 1} of {self.options.rounds}", flush=True)
                await self._check()
            await self.ctx.pay_queue.close()
            await self.ctx.http.close()
        self._print()

    async def _prepare(self) -> None:
        """Buyers with orders to copy, the passage that is paid through, the one whose inbox is filled, its notices."""
        started = time.perf_counter()
        self.till = Till()
        await self.till.open()
        enrolled = await Control(self.ctx.http, self.gateways.base_url, self.gateways.token).enrol(METHOD, METHOD)
        self.passage = await self._register(enrolled)
        self.teller = Teller(self.folder / "teller")
        account = self.teller.account
        told = Enrolled(
            METHOD, account.account_id, account.code, "http://127.0.0.1:1/alipay", 1, account.credentials, "active", 0
        )
        await self._register(told, merchant_cost_ppm=900_000)
        self.crowd = Crowd(self.ctx, self.server.owner_url, "mall", (METHOD, PLAN))
        await self.crowd.gather(self.options.consumers)
        self.notices = self.teller.notices(self.options.notices, INBOX)
        print(f"{self.options.consumers:,} buyers, {len(self.crowd.samples)} sellers, {len(self.notices):,} notices"
              f" signed in {time.perf_counter() - started:.0f} s", flush=True)  # fmt: skip

    async def _register(self, enrolled: Enrolled, merchant_cost_ppm: int = 6_000) -> Passage:
        """A passage through this account, with its keys."""
        by = self.ctx.by_system("bench", "a passage to be measured")
        made = enrolled.passage(new_id())
        async with self.ctx.database.transaction() as tx:
            terms = Terms(enrolled.endpoint, merchant_cost_ppm, may_be_spare=merchant_cost_ppm == 6_000)
            await passage.register(tx, made.passage_id, made.code, METHOD, terms, by)
            await passage.rotate(tx, self.keys, made.passage_id, by, enrolled.credentials)
        return made

    async def _round(self, number: int) -> None:
        if not self.options.no_yardsticks:
            self._keep("pgbench", {"per_s": pgbench.window(self.server, self.options.seconds).per_s})
        if number == 0:
            await self._at_gateway(self.options.payments // 5)
            await self._paid(self.options.payments // 5)
            await self._told(self.plain, self.notices[: len(self.notices) // 5])
            await self._absorbed(self.notices[: len(self.notices) // 5])
            self.windows = {name: kept for name, kept in self.windows.items() if name == "pgbench"}
        await self._at_gateway(self.options.payments)
        await self._paid(self.options.payments)
        await self._told(self.plain, self.notices)
        await self._absorbed(self.notices)

    async def _at_gateway(self, count: int) -> None:
        """The gateway driven straight, by the same calls."""
        trades = await handovers(self.passage, count, self.till.url)
        before = self._used(0)
        spent_s, elapsed_s = await self.till.drive(self.gateway.port, trades, self.options.concurrency)
        self._keep("ceiling", _rate(spent_s, elapsed_s) | self._used(0).since(before, count, elapsed_s))

    async def _paid(self, count: int) -> None:
        """Payments through the mall."""
        dues = self.crowd.order(count, hot=False)
        now = self.ctx.now()
        self.tokens = {d.consumer_id: customer.issue_access_token(self.keys, d.consumer_id, now) for d in dues}
        spy = self._spy("channel-payments", len(dues) == self.options.payments)
        before = self._used(self.mall.pid)
        gc.collect()
        gc.disable()
        spent, elapsed_s = await self.buyers.drive(dues, self.options.concurrency)
        gc.enable()
        used = self._used(self.mall.pid).since(before, count, elapsed_s)
        _end(spy)
        self._keep("payments", _rate([each.whole_s for each in spent], elapsed_s) | _legs(spent) | used)

    async def _told(self, to: Serving, notices: Sequence[bytes]) -> Values:
        """Notices to a server, as fast as it takes them."""
        before = self._used(to.pid)
        gc.collect()
        gc.disable()
        [answers], elapsed_s = await drive([Target(to.port, notices, self.options.concurrency)])
        gc.enable()
        used = self._used(to.pid).since(before, len(notices), elapsed_s)
        assert all((each.status, each.body) == (200, b"success") for each in answers), answers[0]
        figures = _rate([each.latency_s for each in answers], elapsed_s) | used
        if to is self.plain:
            self._keep("verifier", figures)
        return figures

    async def _absorbed(self, notices: Sequence[bytes]) -> None:
        """Notices into the inbox, and the seconds until the listener has acted on the last."""
        with psycopg.connect(self.server.owner_url, autocommit=True) as owner:
            owner.execute("TRUNCATE channel_notice")
        spy = self._spy("channel-inbox", len(notices) == self.options.notices)
        figures = await self._told(self.mall, notices)
        ended = time.perf_counter()
        while await self._waiting():  # noqa: ASYNC110 - another process acts on them
            await asyncio.sleep(0.05)
        behind_s = time.perf_counter() - ended
        _end(spy)
        took_s = len(notices) / figures["per_s"] + behind_s
        self._keep("notices", figures | {"acted_on_per_s": len(notices) / took_s})

    async def _waiting(self) -> int:
        async with self.ctx.database.autocommit() as tx:
            rows = await tx.execute("SELECT count(*) FROM channel_notice WHERE state = 'received'")
            [found] = await rows.fetchall()
        return int(found[0])

    def _offers(self, due: Due) -> bytes:
        return request(f"/v1/checkouts/{due.intent_id}/offers", self.tokens[due.consumer_id], {})

    def _pay(self, due: Due, decision_id: UUID) -> bytes:
        body, key = press(due, decision_id)
        return request("/v1/payments", self.tokens[due.consumer_id], body, key)

    def _keep(self, name: str, figures: Values) -> None:
        self.windows.setdefault(name, []).append(figures)

    def _used(self, server_pid: int) -> Used:
        pid = self.server.postmaster_pid
        assert pid is not None
        cpu = cpu_time(pid)
        server_s = process_s(server_pid) if server_pid else 0.0
        return Used(cpu.postgres_s, server_s, process_s(self.gateway.pid), cpu.python_s, cpu.machine_s)

    def _spy(self, name: str, wanted: bool) -> subprocess.Popen[bytes] | None:
        if self.options.py_spy is None or not wanted:
            return None
        spy = subprocess.Popen(
            [self.options.py_spy, "record", "-r", "200", "-f", "raw", "-o", f"{name}.txt", "-d", "60", "-p",
             str(self.mall.pid)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(0.5)
        return spy

    async def _check(self) -> None:
        """Every payment is booked once, by the attempt that the gateway was paid for, and the books are right."""
        faults = await world.settle(self.ctx)
        async with self.ctx.database.snapshot() as tx:
            rows = await tx.execute(
                "SELECT (SELECT count(*) FROM attempt WHERE state = 'succeeded' AND disposition = 'applied'),"
                " (SELECT count(*) FROM attempt), (SELECT count(*) FROM payment WHERE outcome = 'succeeded'),"
                " (SELECT count(*) FROM orders o JOIN payment p USING (bucket, consumer_id, order_id)"
                "  WHERE o.state = 'paid' AND p.outcome = 'succeeded'), (SELECT count(*) FROM channel_refund)"
            )
            found = await rows.fetchone()
        count = len(self.buyers.paid)
        assert found == (count, count, count, count, 0), (found, count)
        assert faults == [], faults
        await self.till.close()
        print(f"checked: {count:,} payments booked once each, their orders paid, nothing to give back, books right")

    def _print(self) -> None:
        """The table, and the file."""
        medians = {name: _medians(kept) for name, kept in self.windows.items()}
        tps = medians.get("pgbench", {}).get("per_s", 0.0)
        heads = ("per s", "x ceiling", "x pgbench", "p50 ms", "p99 ms", "PG us", "server us", "gateway us", "load us",
                 "others %")  # fmt: skip
        at_once = self.options.concurrency
        rows = (
            (f"Alipay's gateway alone, {at_once} at once", "ceiling", "ceiling"),
            (f"payments through the mall, {at_once} at once", "payments", "ceiling"),
            (f"an endpoint that only verifies, {at_once} at once", "verifier", "verifier"),
            (f"notices into the inbox, {at_once} at once", "notices", "verifier"),
        )
        print(f"{describe()}; medians of {self.options.rounds} rounds, {self.options.payments:,} payments and"
              f" {self.options.notices:,} notices a window; pgbench TPC-B {tps:,.0f} tps")  # fmt: skip
        print(f"{'':<46}" + "".join(f"{head:>11}" for head in heads))
        for name, key, ceiling in rows:
            f = medians[key]
            f["of_ceiling"], f["of_pgbench"] = f["per_s"] / medians[ceiling]["per_s"], f["per_s"] / tps if tps else 0
            print(
                f"{name:<46}{f['per_s']:>11,.0f}{f['of_ceiling']:>11.2f}{f['of_pgbench']:>11.2f}"
                f"{f['p50_ms']:>11.1f}{f['p99_ms']:>11.1f}{f['postgres_us']:>11.0f}{f['server_us']:>11.0f}"
                f"{f['gateway_us']:>11.0f}{f['load_us']:>11.0f}{f['others_percent']:>11.0f}"
            )
        p = medians["payments"]
        print(f"legs of a payment, p50 ms: quote {p['quote_ms']:.1f}, press {p['press_ms']:.1f}, wallet"
              f" {p['wallet_ms']:.1f}, notice and booking {p['concluded_ms']:.1f}; notices of unknown numbers acted on:"
              f" {medians['notices']['acted_on_per_s']:,.0f} per s")  # fmt: skip
        if self.options.json is not None:
            said = {"machine": describe(), "options": {k: str(v) for k, v in vars(self.options).items()},
                    "medians": medians, "windows": self.windows}  # fmt: skip
            self.options.json.write_text(json.dumps(said, indent=1) + "\n")


def _rate(spent_s: Sequence[float], elapsed_s: float) -> Values:
    cuts = statistics.quantiles(spent_s, n=100)
    return {"per_s": len(spent_s) / elapsed_s, "p50_ms": cuts[49] * 1e3, "p99_ms": cuts[98] * 1e3}


def _legs(spent: Sequence[Spent]) -> Values:
    names = ("quote_ms", "press_ms", "wallet_ms", "concluded_ms")
    return {name: statistics.median(leg) * 1e3 for name, leg in zip(names, zip(*spent, strict=True), strict=True)}


def _medians(windows: Sequence[Values]) -> Values:
    return {name: statistics.median(each[name] for each in windows) for name in windows[0]}


def _end(spy: subprocess.Popen[bytes] | None) -> None:
    if spy is not None:
        spy.send_signal(2)
        spy.wait()
