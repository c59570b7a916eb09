"""PostgreSQL's own TPC-B-like benchmark on the same server: the yardstick of every table."""

from __future__ import annotations

import os
import re
import resource
import subprocess
from dataclasses import dataclass

import psycopg

from bench.machine import cpu_time
from fenqi.database import roles
from fenqi.database.server import Server

DATABASE = "pgbench"
CLIENTS = 32


@dataclass(frozen=True)
class Tps:
    """One window: transactions a second, the mean latency, and processor time a transaction."""

    per_s: float
    latency_ms: float
    postgres_us: float
    client_us: float


def prepare(server: Server, scale: int) -> None:
    """Make pgbench's tables once, `scale` × 100,000 accounts."""
    with psycopg.connect(server.superuser_url, autocommit=True) as superuser:
        if superuser.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            return
        superuser.execute(f"CREATE DATABASE {DATABASE}")
    _run(server, "-i", "-q", "-s", str(scale))


def window(server: Server, seconds: float) -> Tps:
    """One run of TPC-B with prepared statements and 32 clients."""
    pid = server.postmaster_pid
    assert pid is not None
    cpu, client = cpu_time(pid), _children_s()
    output = _run(
        server, "-M", "prepared", "-n", "-c", str(CLIENTS), "-j", str(os.cpu_count()), "-T", str(round(seconds))
    )
    cpu, client = cpu_time(pid) - cpu, _children_s() - client
    tps, latency, count = (
        re.search(pattern, output)
        for pattern in (r"tps = ([\d.]+)", r"latency average = ([\d.]+) ms", r"actually processed: (\d+)")
    )
    assert tps and latency and count, output
    per_us = 1e6 / int(count[1])
    return Tps(float(tps[1]), float(latency[1]), cpu.postgres_s * per_us, client * per_us)


def _children_s() -> float:
    """Processor time of this process's children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(server: Server, *arguments: str) -> str:
    command = [str(server.programs / "pgbench"), *arguments, server.url(roles.SUPERUSER, DATABASE)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
