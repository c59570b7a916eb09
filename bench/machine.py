"""Processor time of PostgreSQL (postmaster and all its children) and of this process, and the machine in one line."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class CpuTime:
    """Seconds of processor time since the start."""

    postgres_s: float
    python_s: float
    machine_s: float

    def __sub__(self, before: CpuTime) -> CpuTime:
        return CpuTime(
            self.postgres_s - before.postgres_s, self.python_s - before.python_s, self.machine_s - before.machine_s
        )

    @property
    def others_s(self) -> float:
        """What everything else on the machine used: neighbours that spoil the figures."""
        return max(self.machine_s - self.postgres_s - self.python_s, 0)


def cpu_time(postmaster_pid: int) -> CpuTime:
    """PostgreSQL's time, dead children included (the postmaster has waited for them), and this process's."""
    ticks = sum(_stat(postmaster_pid)[11:15])
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) and stat[1] == postmaster_pid:
            ticks += stat[11] + stat[12]
    return CpuTime(ticks * _TICK_S, time.process_time(), _busy_ticks() * _TICK_S)


def process_s(pid: int) -> float:
    """Processor time of one process."""
    return sum(_stat(pid)[11:13]) * _TICK_S


def _busy_ticks() -> int:
    """user, nice, system, irq, softirq and steal of all processors."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4]


def _stat(pid: int) -> list[int]:
    """The numbers of /proc/PID/stat from the state on (the state itself as 0); empty for a process that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [0, *(int(field) for field in fields[1:])]


def describe() -> str:
    """Processors and memory of this machine."""
    memory_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "processor",
    )
    return f"{os.cpu_count()} × {model}, {memory_gb:.0f} GB"
