"""Raising alarms from findings, and what people do with them: acknowledge, close; thresholds set anew.

One standing alarm for a measure and subject: a finding that comes again moves its reading, not its state. A closed one
that is found again in a later report is a new alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.insight import monitor_store as store
from fenqi.insight.alarm import (
    ALARM_MOVES,
    DEFAULT_THRESHOLDS,
    Alarm,
    AlarmMove,
    AlarmState,
    Finding,
    Measure,
    Threshold,
)
from fenqi.kernel.by import By, check_why
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, Forbidden, NotFound, Refusal


async def raise_all(tx: Tx, findings: Sequence[Finding], by: By) -> int:
    """Raise what was found; how many alarms are new. One that was not found again stays until a person closes it."""
    standing = {(each.measure, each.subject): each for each in await store.standing_alarms(tx)}
    new = 0
    for finding in findings:
        reading = finding.reading
        kept = standing.get((reading.measure, reading.subject))
        alarm = Alarm(
            new_id(epoch_ms(by.at)), reading.measure, reading.subject, finding.level, reading.value_ppm,
            finding.threshold_ppm, reading.cases, finding.owner, AlarmState.OPEN, by.at, by.at,
        )  # fmt: skip
        if kept is not None:
            again = {"alarm_id": kept.alarm_id, "state": kept.state, "version": kept.version, "owner": kept.owner}
            await store.update_alarm(tx, msgspec.structs.replace(alarm, **again, opened_at=kept.opened_at))
            continue
        await store.insert_alarm(tx, alarm)
        await store.insert_move(tx, AlarmMove(alarm.alarm_id, 1, AlarmState.OPEN, by.actor, by.why, by.at))
        new += 1
    return new


async def move(tx: Tx, alarm_id: UUID, to_state: AlarmState, roles: Sequence[str], by: By) -> Alarm:
    """Acknowledge or close an alarm. Refuses ALARM_UNKNOWN, NOT_ALLOWED to whom it isn't addressed, WHY_REQUIRED and
    STATE_CONFLICT."""
    check_why(by.why)
    kept = await store.alarm(tx, alarm_id, lock=True)
    if kept is None:
        raise NotFound("ALARM_UNKNOWN", "no such alarm")
    if kept.owner not in roles:
        raise Forbidden("NOT_ALLOWED", "the alarm is another role's", owner=kept.owner)
    if to_state not in ALARM_MOVES[kept.state]:
        raise Conflict("STATE_CONFLICT", "the alarm doesn't stand so any more", state=str(kept.state))
    after = msgspec.structs.replace(kept, state=to_state, version=kept.version + 1)
    await store.update_alarm(tx, after)
    await store.insert_move(tx, AlarmMove(alarm_id, after.version, to_state, by.actor, by.why, by.at))
    return after


async def thresholds(tx: Tx) -> dict[Measure, Threshold]:
    """The thresholds in force: what people have set, else what fenqi starts with."""
    return {each.measure: each for each in DEFAULT_THRESHOLDS} | {
        each.measure: each for each, _ in await store.thresholds(tx)
    }


async def set_threshold(tx: Tx, wanted: Threshold, by: By) -> None:
    """Set a threshold anew; the earlier ones are kept. Refuses THRESHOLD_INVALID and WHY_REQUIRED."""
    check_why(by.why)
    if not 0 < wanted.warn_ppm <= wanted.act_ppm or wanted.least_count < 1:
        raise Refusal("THRESHOLD_INVALID", "above nothing, the warning not above the action, and at least one case")
    versions = {each.measure: version for each, version in await store.thresholds(tx)}
    await store.insert_threshold(tx, wanted, versions.get(wanted.measure, 0) + 1, by.actor, by.why, by.at)
