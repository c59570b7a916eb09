"""All SQL about back-tests."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fenqi.database.pool import Tx

if TYPE_CHECKING:
    from fenqi.policy.trial import Trial

_HEAD = """backtest_id, policy_number, rule_id, days, asked_by, why, asked_at, state, tries, percent, row_count,
    rows_a_second, ended_at, refusal"""


async def insert(tx: Tx, one: Trial) -> None:
    """Keep a back-test that is asked for; nothing happens where it is there."""
    await tx.execute(
        f"INSERT INTO backtest ({_HEAD}) VALUES (%s, %s, %s, %s, %s, %s, %s, 'asked', 0, 0, 0, 0, NULL, '')"
        " ON CONFLICT DO NOTHING",
        [one.backtest_id, one.policy_number, one.rule_id, one.days, one.asked_by, one.why, one.asked_at],
    )


async def select(tx: Tx, backtest_id: UUID) -> tuple[Any, ...] | None:
    """One with its report."""
    cursor = await tx.execute(f"SELECT {_HEAD}, report::text FROM backtest WHERE backtest_id = %s", [backtest_id])
    return await cursor.fetchone()


async def latest(tx: Tx, limit: int) -> list[tuple[Any, ...]]:
    """The newest, without reports."""
    cursor = await tx.execute(
        f"SELECT {_HEAD}, NULL FROM backtest ORDER BY asked_at DESC, backtest_id DESC LIMIT %s", [limit]
    )
    return await cursor.fetchall()


async def claim(tx: Tx, now: datetime, until_at: datetime) -> tuple[Any, ...] | None:
    """The oldest that waits, or whose run has fallen silent, for this process."""
    cursor = await tx.execute(
        f"""UPDATE backtest SET state = 'running', tries = tries + 1, claimed_until_at = %s, percent = 0
            WHERE backtest_id = (SELECT backtest_id FROM backtest
                                 WHERE state = 'asked' OR (state = 'running' AND claimed_until_at < %s)
                                 ORDER BY asked_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING {_HEAD}, report::text""",
        [until_at, now],
    )
    return await cursor.fetchone()


async def give_up(tx: Tx, now: datetime, most_tries: int) -> None:
    """End those that fell silent too often."""
    await tx.execute(
        """UPDATE backtest SET state = 'failed', claimed_until_at = NULL, ended_at = %s, refusal = 'BACKTEST_STOPPED'
           WHERE state = 'running' AND claimed_until_at < %s AND tries >= %s""",
        [now, now, most_tries],
    )


async def progress(tx: Tx, backtest_id: UUID, figures: tuple[int, int, int], until_at: datetime) -> None:
    """Percent, rows, rows a second."""
    await tx.execute(
        """UPDATE backtest SET percent = %s, row_count = %s, rows_a_second = %s, claimed_until_at = %s
           WHERE backtest_id = %s AND state = 'running'""",
        [*figures, until_at, backtest_id],
    )


async def end(tx: Tx, backtest_id: UUID, now: datetime, report: bytes | None, refusal: str) -> None:
    """Done with a report, or failed."""
    await tx.execute(
        """UPDATE backtest SET state = %s, report = %s, refusal = %s, ended_at = %s, claimed_until_at = NULL,
                  percent = CASE WHEN %s THEN 100 ELSE percent END
           WHERE backtest_id = %s AND state = 'running'""",
        [
            "failed" if report is None else "done", None if report is None else report.decode(), refusal, now,
            report is not None, backtest_id,
        ],
    )  # fmt: skip
