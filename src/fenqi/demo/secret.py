"""The operator's secret of this installation: made once, kept in the data directory, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_NAME = "secret"
_BYTES = 32


def secret_of(data_dir: Path, given: bytes) -> bytes:
    """`given` where the environment says one, else the kept one, made at the first call (mode 0600)."""
    if given:
        return given
    path = data_dir / _NAME
    if not path.exists():
        data_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        with open(fresh, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
            stream.write(secrets.token_hex(_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    return bytes.fromhex(path.read_text().strip())


def forget(data_dir: Path) -> None:
    """Throw the secret away, with the data that it sealed."""
    (data_dir / _NAME).unlink(missing_ok=True)
