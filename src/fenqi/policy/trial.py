"""Back-tests that were asked for: kept with who asked and why, claimed by whoever runs them, ending in a report.

A run that stops without a word is taken up again when its claim is over, three times at most.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import NotFound
from fenqi.policy.store import trials as store

_CLAIM = timedelta(minutes=5)
MOST_TRIES = 3


class TrialState(StrEnum):
    """Where a back-test stands."""

    ASKED = "asked"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Trial(msgspec.Struct, frozen=True):
    """A back-test of a version (`policy_number`), or of the one in force with a rule loosened (`rule_id`)."""

    backtest_id: UUID
    policy_number: str
    rule_id: str
    days: int
    asked_by: str
    why: str
    asked_at: datetime
    state: TrialState
    tries: int = 0
    percent: int = 0
    row_count: int = 0
    rows_a_second: int = 0
    ended_at: datetime | None = None
    refusal: str = ""
    """The code of what was refused, of one that failed."""
    report: bytes | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in (TrialState.ASKED, TrialState.RUNNING)


async def ask_trial(tx: Tx, backtest_id: UUID, policy_number: str, rule_id: str, days: int, by: By) -> Trial:
    """Keep what is to be tested; the same id again is the same back-test. Refuses WHY_REQUIRED."""
    asked = Trial(backtest_id, policy_number, rule_id, days, by.actor, check_why(by.why), by.at, TrialState.ASKED)
    await store.insert(tx, asked)
    return await get_trial(tx, backtest_id)


async def get_trial(tx: Tx, backtest_id: UUID) -> Trial:
    """One back-test; NotFound (BACKTEST_UNKNOWN) otherwise."""
    row = await store.select(tx, backtest_id)
    if row is None:
        raise NotFound("BACKTEST_UNKNOWN", "no such back-test")
    return _trial(row)


async def trials(tx: Tx, limit: int = 30) -> list[Trial]:
    """The latest back-tests, newest first, without their reports."""
    return [_trial(row) for row in await store.latest(tx, limit)]


async def claim_trial(tx: Tx, now: datetime) -> Trial | None:
    """The oldest back-test that nobody runs, claimed for five minutes; None when there is none."""
    await store.give_up(tx, now, MOST_TRIES)
    row = await store.claim(tx, now, now + _CLAIM)
    return None if row is None else _trial(row)


async def move_on(tx: Tx, backtest_id: UUID, percent: int, row_count: int, rows_a_second: int, now: datetime) -> None:
    """How far a back-test is; its claim goes on."""
    await store.progress(tx, backtest_id, (percent, row_count, rows_a_second), now + _CLAIM)


async def end_trial(tx: Tx, backtest_id: UUID, now: datetime, report: bytes | None, refusal: str = "") -> None:
    """It is done, with its report, or it can't be done."""
    await store.end(tx, backtest_id, now, report, refusal)


def _trial(row: tuple[Any, ...]) -> Trial:
    report = None if row[14] is None else row[14].encode()
    return Trial(*row[:7], TrialState(row[7]), *row[8:14], report)  # type: ignore[call-arg]
