"""PostgreSQL's own TPC-B-like benchmark on the same server: the yardstick of every table."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass

import psycopg

from fenqi.database import roles
from fenqi.database.server import Server

DATABASE = "pgbench"
CLIENTS = 32


@dataclass(frozen=True)
class Tps:
    """One window: transactions a second and the mean latency."""

    per_s: float
    latency_ms: float


def prepare(server: Server, scale: int) -> None:
    """Make pgbench's tables once, `scale` × 100,000 accounts."""
    with psycopg.connect(server.superuser_url, autocommit=True) as superuser:
        if superuser.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            return
        superuser.execute(f"CREATE DATABASE {DATABASE}")
    _run(server, "-i", "-q", "-s", str(scale))


def window(server: Server, seconds: float) -> Tps:
    """One run of TPC-B with prepared statements and 32 clients."""
    output = _run(
        server, "-M", "prepared", "-n", "-c", str(CLIENTS), "-j", str(os.cpu_count()), "-T", str(round(seconds))
    )
    tps = re.search(r"tps = ([\d.]+)", output)
    latency = re.search(r"latency average = ([\d.]+) ms", output)
    assert tps and latency, output
    return Tps(float(tps[1]), float(latency[1]))


def _run(server: Server, *arguments: str) -> str:
    command = [str(server.programs / "pgbench"), *arguments, server.url(roles.SUPERUSER, DATABASE)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
