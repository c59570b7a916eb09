"""What the data directory remembers of the demo: that it is being prepared, or ready, and with how many days.

A demo that was stopped in the middle of its preparation is begun anew; one that is ready goes on where it was.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

_NAME = "demo.json"


class Note(NamedTuple):
    """The demo's state on disk."""

    state: str
    """preparing | ready"""
    days: int
    orders: int = 0
    consumers: int = 0


def read(data_dir: Path) -> Note | None:
    """The note, None where no demo was begun."""
    path = data_dir / _NAME
    if not path.exists():
        return None
    return Note(**json.loads(path.read_text()))


def write(data_dir: Path, note: Note) -> None:
    """Keep the note, whole or not at all."""
    data_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = (data_dir / _NAME).with_suffix(".new")
    fresh.write_text(json.dumps(note._asdict()) + "\n")
    fresh.replace(data_dir / _NAME)


def path(data_dir: Path) -> Path:
    """Where the note lies."""
    return data_dir / _NAME


def forget(data_dir: Path) -> None:
    """No demo was begun here."""
    (data_dir / _NAME).unlink(missing_ok=True)
