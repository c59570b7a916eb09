"""The simulation's clock: every task lives at an instant of its own, so that people act at once on different minutes.

The instant is carried by the task's context; what a task starts begins where the task stands.
"""

from __future__ import annotations

from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_INSTANT: ContextVar[datetime] = ContextVar("fenqi_simulated_instant")


class TaskClock:
    """A clock that each task moves for itself. `begin` is where a task stands that has not moved yet."""

    def __init__(self, begin: datetime) -> None:
        self._begin = begin.astimezone(UTC)

    def now(self) -> datetime:
        """The instant of the running task, aware, in UTC."""
        return _INSTANT.get(self._begin)

    def go_to(self, at: datetime) -> None:
        """This task, and what it starts from now on, lives at `at` (aware)."""
        _INSTANT.set(at.astimezone(UTC))

    def pass_by(self, span: timedelta) -> None:
        """Let `span` pass for this task."""
        _INSTANT.set(self.now() + span)
