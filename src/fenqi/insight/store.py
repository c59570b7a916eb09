"""All SQL of the room of insight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.insight.model import AtStake, Experiment, Outcome, Step
from fenqi.insight.weigh import way_of

Key = tuple[int, UUID, UUID]
"""(bucket, consumer id, checkout id)."""


async def insert_step(tx: Tx, step: Step) -> None:
    """Keep a step; the same one again changes nothing."""
    await tx.execute(
        """INSERT INTO cashier_step (bucket, consumer_id, step_id, intent_id, kind, method, plan, actions, to_intent_id,
                                     at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
        [
            step.bucket, step.consumer_id, step.step_id, step.intent_id, step.kind, step.method, step.plan,
            list(step.actions), step.to_intent_id, step.at,
        ],
    )  # fmt: skip


def _step(row: tuple[Any, ...]) -> Step:
    way = way_of(2 if (row[6] or "").startswith(("instalment_", "hb_")) else 1)
    return Step(*(*row[:7], way, tuple(row[7]), *row[8:]))


async def steps_of(tx: Tx, keys: Sequence[Key]) -> dict[UUID, list[Step]]:
    """The steps of checkouts, oldest first."""
    cursor = await tx.execute(
        """SELECT bucket, consumer_id, step_id, intent_id, kind, method, plan, actions, to_intent_id, at
           FROM cashier_step WHERE (bucket, consumer_id, intent_id) IN
             (SELECT * FROM unnest(%s::smallint[], %s::uuid[], %s::uuid[])) ORDER BY at, step_id""",
        _columns(keys),
    )
    found: dict[UUID, list[Step]] = {}
    for row in await cursor.fetchall():
        step = _step(row)
        found.setdefault(step.intent_id, []).append(step)
    return found


def _columns(keys: Sequence[Key]) -> list[list[Any]]:
    return [list(column) for column in zip(*keys, strict=True)] if keys else [[], [], []]


async def replace_at_stake(tx: Tx, keys: Sequence[Key], rows: Sequence[AtStake]) -> None:
    """Put down anew what was at stake in these checkouts."""
    await tx.execute(
        """DELETE FROM at_stake WHERE (bucket, consumer_id, intent_id) IN
             (SELECT * FROM unnest(%s::smallint[], %s::uuid[], %s::uuid[]))""",
        _columns(keys),
    )
    if not rows:
        return
    async with tx.cursor() as cursor:
        await cursor.executemany(
            """INSERT INTO at_stake (bucket, consumer_id, intent_id, method, way, order_id, day_on, amount_minor, scene,
                                     category, merchant_id, codes, rules, is_wanted, shown, taken, outcome, arm)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            [
                (
                    r.bucket, r.consumer_id, r.intent_id, r.method, r.way, r.order_id, r.day_on, r.amount_minor,
                    r.scene, r.category, r.merchant_id, list(r.codes), list(r.rules), r.is_wanted, list(r.shown),
                    list(r.taken), str(r.outcome), r.arm,
                )
                for r in rows
            ],
        )  # fmt: skip


async def open_checkouts(tx: Tx) -> list[Key]:
    """The checkouts whose end nobody has counted yet. A report: it looks through all buckets."""
    cursor = await tx.execute("SELECT DISTINCT bucket, consumer_id, intent_id FROM at_stake WHERE outcome = 'open'")
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]


async def at_stake(tx: Tx, from_on: date, until_on: date) -> list[AtStake]:
    """What was at stake from one business date to another, both included. A report."""
    cursor = await tx.execute(
        """SELECT bucket, consumer_id, intent_id, method, way, order_id, day_on, amount_minor, scene, category,
                  merchant_id, codes, rules, is_wanted, shown, taken, outcome, arm
           FROM at_stake WHERE day_on BETWEEN %s AND %s ORDER BY day_on, intent_id, method, way""",
        [from_on, until_on],
    )
    return [_at_stake(row) for row in await cursor.fetchall()]


def _at_stake(row: tuple[Any, ...]) -> AtStake:
    lists = [tuple(value) if isinstance(value, list) else value for value in row]
    return AtStake(*(*lists[:16], Outcome(row[16]), row[17]))


async def claim_mark(tx: Tx, job: str, first_at: datetime) -> datetime | None:
    """Until when a job has counted, its row locked; None while another process counts."""
    await tx.execute("INSERT INTO insight_mark VALUES (%s, %s) ON CONFLICT DO NOTHING", [job, first_at])
    cursor = await tx.execute("SELECT counted_until_at FROM insight_mark WHERE job = %s FOR UPDATE SKIP LOCKED", [job])
    row = await cursor.fetchone()
    return row[0] if row else None


async def move_mark(tx: Tx, job: str, until_at: datetime) -> None:
    """A locked mark goes on."""
    await tx.execute("UPDATE insight_mark SET counted_until_at = %s WHERE job = %s", [until_at, job])


async def mark(tx: Tx, job: str) -> datetime | None:
    """Until when a job has counted; None when it never has."""
    cursor = await tx.execute("SELECT counted_until_at FROM insight_mark WHERE job = %s", [job])
    row = await cursor.fetchone()
    return row[0] if row else None


async def insert_experiment(tx: Tx, experiment: Experiment) -> None:
    """Keep an experiment; one of that name stays as it is."""
    await tx.execute(
        "INSERT INTO cashier_experiment VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        list(_values(experiment)),
    )


def _values(one: Experiment) -> tuple[Any, ...]:
    return one.name, one.bare_ppm, one.from_at, one.until_at, one.made_by, one.why, one.made_at


async def experiments(tx: Tx) -> list[Experiment]:
    """All experiments, the newest first."""
    cursor = await tx.execute(
        """SELECT name, bare_ppm, from_at, until_at, made_by, why, made_at FROM cashier_experiment
           ORDER BY from_at DESC, name"""
    )
    return [Experiment(*row) for row in await cursor.fetchall()]
