"""Who does something, why, and when: handed to every verb that changes a state, and kept in that room's history."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from fenqi.kernel.refusal import Refusal


class By(NamedTuple):
    """`actor` is "consumer:<id>", "merchant:<id>", "staff:<id>" or "system:<job>"; `at` is aware UTC."""

    actor: str
    why: str
    at: datetime


def check_why(why: str) -> str:
    """The reason itself, trimmed; refuses an empty one and one beyond 500 characters."""
    text = why.strip()
    if not 1 <= len(text) <= 500:
        raise Refusal("WHY_REQUIRED", "say why, in 1 to 500 characters")
    return text
