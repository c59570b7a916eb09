"""States and the one door through which they move: an enum with a table of allowed transitions."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from fenqi.kernel.refusal import Conflict

S = TypeVar("S", bound=StrEnum)


def move(table: Mapping[S, frozenset[S]], from_state: S, to_state: S) -> S:
    """`to_state` when the table allows the step, a `Conflict` (STATE_CONFLICT) otherwise."""
    if to_state not in table[from_state]:
        raise Conflict("STATE_CONFLICT", f"{from_state} can't become {to_state}", state=str(from_state))
    return to_state
