"""The whole paying call over HTTP against pgbench and the ledger's door, interleaved in one run on one server.

A payment is evaluated for its method and plan on the facts of the quote that the buyer looked at, its limit and
caps are judged, journal, loan, order, payment and event are written and durable before the answer. Making the quote is
a call of its own and reported apart. The relay runs after the windows; then everything acknowledged is looked up.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import msgspec
import uvloop

from bench import ledger, pgbench
from bench.crowd import METHOD, PLAN, Crowd, Due
from bench.load import Answer, Target, drive
from bench.machine import cpu_time, describe, process_s
from fenqi import customer, staff
from fenqi.customer import Keys
from fenqi.database import migrate, outbox, server
from fenqi.database.pool import Database
from fenqi.flows import events, pay
from fenqi.flows.context import Context
from fenqi.kernel.clock import SystemClock
from fenqi.kernel.ids import new_id
from fenqi.ledger import balances
from fenqi.settings import Settings
from fenqi.staff import Role

HELP = "the whole HTTP paying call against pgbench"
DOOR = "coalesced, 512 waiting, 2 writers"
SECRET = "a secret of the measurements"
QUOTING = 16
"""Connections that make the quotes before a window."""


@dataclass(frozen=True)
class Workload:
    """One row of the table. `bulk` is how many payments a call carries, 0 for the plain call."""

    concurrency: int
    hot: bool = False
    bulk: int = 0
    processes: int = 1
    share: float = 1.0
    """Of `--payments`."""

    @property
    def name(self) -> str:
        to = "one merchant" if self.hot else "uniform"
        calls = f"{self.concurrency} call{'s' * (self.concurrency > 1)} at once"
        what = f"bulk of {self.bulk:,}" if self.bulk else "HTTP pay"
        by = f", {self.processes} processes" if self.processes > 1 else ""
        return f"{what}, {calls}, {to}{by}"


WORKLOADS = (
    Workload(1, share=0.1),
    Workload(32),
    Workload(256),
    Workload(32, hot=True),
    Workload(256, hot=True),
    Workload(4, bulk=100),
    Workload(2, bulk=1_000),
    Workload(256, processes=2),
)


@dataclass
class Figures:
    """What one workload came to, window by window."""

    per_s: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    postgres_us: list[float] = field(default_factory=list)
    server_us: list[float] = field(default_factory=list)
    client_us: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--rounds", type=int, default=3, help="how often each workload runs, interleaved (3)")
    parser.add_argument("--seconds", type=float, default=5, help="length of pgbench's and the door's windows (5)")
    parser.add_argument("--payments", type=int, default=5_000, help="payments of a window (5,000)")
    parser.add_argument("--consumers", type=int, default=20_000, help="buyers (20,000)")
    parser.add_argument("--scale", type=int, default=50, help="pgbench's scale (50)")
    parser.add_argument("--only", default="", help="only the workloads whose name contains this")
    parser.add_argument("--quick", action="store_true", help="one short round on little data")
    parser.add_argument("--no-yardsticks", action="store_true", help="leave pgbench and the ledger's door out")
    parser.add_argument("--py-spy", type=Path, help="py-spy's program: record where the server's time goes")


def run(options: argparse.Namespace) -> None:
    """Measure, print, check."""
    if options.quick:
        options.rounds, options.seconds, options.payments = 1, 2, min(options.payments, 1_500)
        options.consumers, options.scale = min(options.consumers, 4_000), 10
    with tempfile.TemporaryDirectory(prefix="fenqi-bench-", dir="/var/tmp") as temporary:
        Path(temporary).chmod(0o755)
        with server.start(Path(temporary)) as running:
            migrate.upgrade(running.owner_url)
            if not options.no_yardsticks:
                pgbench.prepare(running, options.scale)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(Bench(running, options).run())


class Bench:
    """One run: the crowd, the servers, the rounds, the table, the checks."""

    def __init__(self, running: server.Server, options: argparse.Namespace) -> None:
        self.server, self.options = running, options
        self.keys = Keys(SECRET.encode())
        self.workloads = [workload for workload in WORKLOADS if options.only in workload.name]
        self.figures = {workload: Figures() for workload in self.workloads}
        self.yardstick: list[pgbench.Tps] = []
        self.quotes_per_s: list[float] = []
        self.acknowledged: list[UUID] = []
        self.door: ledger.Bench | None = None

    async def run(self) -> None:
        async with await Database.open(self.server.app_url, max_size=8) as database:
            settings = Settings(database_url=self.server.app_url, secret=SECRET.encode())
            self.ctx = Context(database, SystemClock(), settings, self.keys)
            self.ctx.pay_queue = pay.open_queue(self.ctx)
            await self._prepare()
            with ExitStack() as stack:
                count = max(workload.processes for workload in self.workloads)
                self.servers = [stack.enter_context(serving(self.server.app_url)) for _ in range(count)]
                for number in range(self.options.rounds):
                    await self._round(number)
            print(self._table())
            await self._check()

    async def _prepare(self) -> None:
        started = time.perf_counter()
        self.crowd = Crowd(self.ctx, self.server.owner_url)
        await self.crowd.gather(self.options.consumers)
        by = self.ctx.by_system("bench", "for the bulk calls")
        async with self.ctx.database.transaction() as tx:
            await staff.hire(tx, new_id(), "operator", "Operator", "correct horse battery", [Role.OPERATOR], by)
            signed = await staff.sign_in(tx, "operator", "correct horse battery", by.at)
        assert isinstance(signed, staff.SignedIn)
        self.operator = signed.token
        if not self.options.no_yardsticks:
            given = argparse.Namespace(
                consumers=self.options.consumers, scale=self.options.scale, rounds=1, seconds=1, only=DOOR
            )
            self.door = ledger.Bench(self.server, given)
            self.door.populate()
            self.door.database = self.ctx.database
        print(f"{self.options.consumers:,} buyers, {len(self.crowd.samples)} sellers"
              f" in {time.perf_counter() - started:.0f} s", flush=True)  # fmt: skip

    async def _round(self, number: int) -> None:
        if self.door is not None:
            self.yardstick.append(pgbench.window(self.server, self.options.seconds))
            for workload in self.door.figures:
                if number == 0:
                    await self.door.window(workload, 0.3, keep=False)
                await self.door.window(workload, self.options.seconds, keep=True)
        for workload in self.workloads:
            if number == 0:
                await self._window(workload, self.options.payments // 5, keep=False)
            await self._window(workload, int(self.options.payments * workload.share), keep=True)
        print(f"round {number + 1} of {self.options.rounds}", flush=True)

    async def _window(self, workload: Workload, count: int, *, keep: bool) -> None:
        """Orders and quotes first, then the timed payments."""
        servers = self.servers[: workload.processes]
        dues = self.crowd.order(max(count, workload.bulk * workload.concurrency), workload.hot)
        parts = [dues[i :: len(servers)] for i in range(len(servers))]
        now = self.ctx.now()
        tokens = {d.consumer_id: customer.issue_access_token(self.keys, d.consumer_id, now) for d in dues}
        quoted, took_s = await drive(
            [Target(s.port, [_offers(d, tokens[d.consumer_id]) for d in part], QUOTING)
             for s, part in zip(servers, parts, strict=True)]
        )  # fmt: skip
        targets = []
        for s, part, answers in zip(servers, parts, quoted, strict=True):
            decisions = _decisions(answers)
            if workload.bulk:
                requests = [
                    _bulk(part[i : i + workload.bulk], decisions[i : i + workload.bulk], self.operator)
                    for i in range(0, len(part), workload.bulk)
                ]
            else:
                requests = [_pay(d, o, tokens[d.consumer_id]) for d, o in zip(part, decisions, strict=True)]
            targets.append(Target(s.port, requests, workload.concurrency // len(servers)))
        pid = self.server.postmaster_pid
        assert pid is not None
        gc.collect()
        gc.disable()
        spy = self._spy(workload, servers[0].pid) if keep else None
        cpu, served = cpu_time(pid), sum(process_s(s.pid) for s in servers)
        answers, elapsed_s = await drive(targets)
        cpu, served = cpu_time(pid) - cpu, sum(process_s(s.pid) for s in servers) - served
        gc.enable()
        if spy is not None:
            spy.send_signal(2)
            spy.wait()
        latencies = [answer.latency_s for part in answers for answer in part]
        self._acknowledge(workload, answers)
        if keep:
            f, per_us = self.figures[workload], 1e6 / len(dues)
            cuts = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else latencies * 99
            self.quotes_per_s.append(len(dues) / took_s)
            f.per_s.append(len(dues) / elapsed_s)
            f.p50_ms.append(cuts[49] * 1e3)
            f.p99_ms.append(cuts[98] * 1e3)
            f.postgres_us.append(cpu.postgres_s * per_us)
            f.server_us.append(served * per_us)
            f.client_us.append(cpu.python_s * per_us)
            f.others.append((cpu.others_s - served) / elapsed_s * 100)

    def _spy(self, workload: Workload, pid: int) -> subprocess.Popen[bytes] | None:
        if self.options.py_spy is None:
            return None
        name = workload.name.replace(" ", "-").replace(",", "")
        spy = subprocess.Popen(
            [self.options.py_spy, "record", "-r", "200", "-f", "raw", "-o", f"{name}.txt", "-d", "60", "-p", str(pid)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(0.5)
        return spy

    def _acknowledge(self, workload: Workload, answers: Sequence[Sequence[Answer]]) -> None:
        """Remember every payment that a server said was made; anything else is a fault of the run."""
        for part in answers:
            for answer in part:
                assert answer.status == 200, answer.body[:600]
                if workload.bulk:
                    made = _BULK.decode(answer.body)
                    assert all(one.payment is not None for one in made), made
                    self.acknowledged += [one.payment.payment_id for one in made if one.payment is not None]
                else:
                    self.acknowledged.append(_PAID.decode(answer.body).payment_id)

    def _table(self) -> str:
        heads = ("per s", "x pgbench", "p50 ms", "p99 ms", "PG us", "server us", "load us", "others %")
        lines = [
            f"{describe()}; medians of {self.options.rounds} rounds, {self.options.payments:,} payments a window",
            f"{'workload':<52}" + "".join(f"{head:>10}" for head in heads),
        ]
        tps = 0.0
        if self.yardstick:
            tps, latency, postgres, client = (
                statistics.median(getattr(window, name) for window in self.yardstick)
                for name in ("per_s", "latency_ms", "postgres_us", "client_us")
            )
            name = f"pgbench TPC-B, {pgbench.CLIENTS} clients, scale {self.options.scale}"
            lines.append(
                f"{name:<52}{tps:>10,.0f}{1:>10.2f}{latency:>10.1f}{'':>10}{postgres:>10.0f}{'':>10}{client:>10.0f}"
            )
        rows = [(f"ledger's door: {w.name}", f.per_s, f.p50_ms, f.p99_ms, f.postgres_us, f.python_us, None, f.others)
                for w, f in (self.door.figures.items() if self.door else ())]  # fmt: skip
        rows += [
            (w.name, f.per_s, f.p50_ms, f.p99_ms, f.postgres_us, f.server_us, f.client_us, f.others)
            for w, f in self.figures.items()
        ]
        for name, per_s, p50, p99, *rest in rows:
            rate = statistics.median(per_s)
            ratio = f"{rate / tps:>10.2f}" if tps else f"{'':>10}"
            cells = "".join(f"{'':>10}" if one is None else f"{statistics.median(one):>10.0f}" for one in rest)
            lines.append(
                f"{name:<52}{rate:>10,.0f}{ratio}{statistics.median(p50):>10.1f}{statistics.median(p99):>10.1f}{cells}"
            )
        lines.append(f"quotes (POST offers), {QUOTING} at once: {statistics.median(self.quotes_per_s):,.0f} per s")
        return "\n".join(lines)

    async def _check(self) -> None:
        """Every acknowledged payment is there, the books are right once relayed, and nobody is over a limit."""
        started = time.perf_counter()
        relayed = await outbox.drain(self.ctx.database, events.handlers(self.ctx), self.ctx.now())
        took_s = time.perf_counter() - started
        async with self.ctx.database.snapshot() as tx:
            rows = await tx.execute(
                "SELECT (SELECT count(*) FROM unnest(%b::uuid[]) AS a (id) WHERE NOT EXISTS"
                " (SELECT FROM payment p JOIN loan l USING (bucket, consumer_id, payment_id)"
                " JOIN journal j USING (bucket, consumer_id, journal_id)"
                " WHERE p.payment_id = a.id AND p.outcome = 'succeeded' AND j.outcome = 'posted')),"
                " (SELECT count(*) FROM payment WHERE outcome = 'succeeded'),"
                " (SELECT count(*) FROM limit_account WHERE balance_minor + reserved_minor > ceiling_minor),"
                " (SELECT count(*) FROM outbox)",
                [self.acknowledged],
            )
            found = await rows.fetchone()
            faults = await balances.faults(tx)
        assert found == (0, len(self.acknowledged), 0, 0), found
        assert len(set(self.acknowledged)) == len(self.acknowledged)
        assert faults == [], faults
        print(f"checked: {len(self.acknowledged):,} acknowledged payments stored, {relayed:,} events relayed"
              f" ({relayed / took_s:,.0f} per s), books right, nobody over a limit")  # fmt: skip


@dataclass(frozen=True)
class Serving:
    """A server process."""

    pid: int
    port: int


@contextmanager
def serving(database_url: str, *options: str, module: str = "bench.serve") -> Iterator[Serving]:
    """A server process of its own on a free port, until the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "FENQI_DATABASE_URL": database_url, "FENQI_SECRET": SECRET, "FENQI_PUBLIC_URL": f"http://127.0.0.1:{port}"
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", module, str(port), *options], env=environment)
    try:
        for _ in range(600):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "the server process ended"
            time.sleep(0.05)
        yield Serving(process.pid, port)
    finally:
        process.terminate()
        process.wait()


class _Offered(msgspec.Struct):
    decision_id: UUID


class _Paid(msgspec.Struct):
    payment_id: UUID
    outcome: str


class _Item(msgspec.Struct):
    key: str
    payment: _Paid | None = None
    problem_code: str | None = None


_OFFERED = msgspec.json.Decoder(_Offered)
_PAID = msgspec.json.Decoder(_Paid)
_BULK = msgspec.json.Decoder(list[_Item])


def _decisions(answers: Sequence[Answer]) -> list[UUID]:
    """The quotes' ids in the order of the requests."""
    ordered = sorted(answers, key=lambda answer: answer.place)
    assert all(answer.status == 200 for answer in ordered), ordered[0].body[:600]
    return [_OFFERED.decode(answer.body).decision_id for answer in ordered]


def request(path: str, token: str, body: object, key: str | None = None) -> bytes:
    raw = msgspec.json.encode(body)
    once = f"Idempotency-Key: {key}\r\n" if key else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        f"{once}Content-Length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


def _offers(due: Due, token: str) -> bytes:
    return request(f"/v1/checkouts/{due.intent_id}/offers", token, {})


def _press(due: Due, decision_id: UUID) -> dict[str, object]:
    return {"checkout_id": due.intent_id, "method": METHOD, "plan": PLAN, "decision_id": decision_id}


def _pay(due: Due, decision_id: UUID, token: str) -> bytes:
    return request("/v1/payments", token, _press(due, decision_id), str(new_id()))


def _bulk(dues: Sequence[Due], decisions: Sequence[UUID], token: str) -> bytes:
    items = [
        {**_press(due, decision), "consumer_id": due.consumer_id, "key": str(new_id())}
        for due, decision in zip(dues, decisions, strict=True)
    ]
    return request("/v1/payments:bulk", token, {"payments": items})
