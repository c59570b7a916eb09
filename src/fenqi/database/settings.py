"""The embedded server's settings: durable, sized for a laptop, tuned for batches of small rows.

They are given on the command line at each start, so that a new release brings its own. Durability is not
negotiable (fsync, synchronous_commit, full_page_writes on); only a throwaway test server may do without.
"""

from __future__ import annotations

import os
from pathlib import Path

_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "20s",
}


def settings(port: int, sockets: Path | None, *, throwaway: bool = False) -> dict[str, str]:
    """PostgreSQL settings by name, valid from version 15 to 18."""
    return {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": _quoted(sockets),
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        "max_connections": "100",
        "shared_buffers": f"{_shared_buffers_mb()}MB",
        "effective_cache_size": f"{max(_memory_mb() // 2, 256)}MB",
        "work_mem": "8MB",
        "maintenance_work_mem": "128MB",
        "wal_buffers": "16MB",
        "min_wal_size": "256MB",
        "max_wal_size": "2GB",
        "wal_compression": "on",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "deadlock_timeout": "200ms",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        "log_line_prefix": "%m [%p] ",
        "log_checkpoints": "off",
        **(_THROWAWAY if throwaway else _DURABLE),
    }


def _quoted(directory: Path | None) -> str:
    """One directory in a setting that takes several, separated by commas."""
    return '"' + str(directory).replace('"', '""') + '"' if directory else ""


def _shared_buffers_mb() -> int:
    """An eighth of the memory, between 64 and 1,024 MB."""
    return min(max(_memory_mb() // 8, 64), 1024)


def _memory_mb() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
