"""Alarms: a reading beyond its threshold, with somebody to own it, until a person says that it is dealt with. Pure.

Thresholds are data: what is worth a warning and what calls for action, from how many cases on, and whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class Measure(StrEnum):
    """What is watched. Values in millionths; each alarms when it is at or above its threshold."""

    PSI = "psi"
    """Of a feature or score against an earlier time or the training data."""
    KS = "ks"
    APPROVAL_DROP = "approval_drop"
    """By how much the share of approvals is lower than before."""
    REASON_RISE = "reason_rise"
    """By how much a reason's share of refusals is higher than before."""
    FIRST_DEFAULT = "first_default"
    """First instalment unpaid for 30 days, by vintage."""
    BAD_30 = "bad_30"
    """Ever 30 or more days past due, by vintage at its latest age."""
    EXPOSURE = "exposure"
    """Lent out under a programme, of its cap."""
    OVERRIDE = "override"
    """Decisions of people against the policy, of all by people."""
    RULE_RISE = "rule_rise"
    """By how much a rule speaks more often than before, of all cases."""


class Threshold(msgspec.Struct, frozen=True):
    """From `warn_ppm` on a warning, from `act_ppm` on an alarm that calls for action, if there are enough cases."""

    measure: Measure
    warn_ppm: int
    act_ppm: int
    least_count: int
    owner: str
    """The role of staff whose alarm it is."""
    source: str = ""
    """Where the numbers come from, or that they are ours."""


DEFAULT_THRESHOLDS = (
    Threshold(Measure.PSI, 100_000, 250_000, 100, "risk", "0.10 and 0.25: Lewis 1994, Siddiqi 2006; a convention"),
    Threshold(Measure.KS, 150_000, 250_000, 100, "risk", "our own choice"),
    Threshold(Measure.APPROVAL_DROP, 50_000, 100_000, 50, "risk", "our own choice"),
    Threshold(Measure.REASON_RISE, 75_000, 150_000, 50, "risk", "our own choice"),
    Threshold(Measure.FIRST_DEFAULT, 20_000, 30_000, 50, "risk", "1 to 3 % is usual; general knowledge"),
    Threshold(Measure.BAD_30, 30_000, 50_000, 50, "risk", "2.5 to 3.5 % of due balances turn late a month; our choice"),
    Threshold(Measure.EXPOSURE, 800_000, 950_000, 1, "operator", "our own choice"),
    Threshold(Measure.OVERRIDE, 100_000, 200_000, 10, "risk", "our own choice"),
    Threshold(Measure.RULE_RISE, 75_000, 150_000, 50, "risk", "our own choice"),
)


class Reading(msgspec.Struct, frozen=True):
    """One value that was read: of what, how much, from how many cases."""

    measure: Measure
    subject: str
    value_ppm: int
    cases: int


class Finding(msgspec.Struct, frozen=True):
    """A reading at or beyond its threshold. `level`: warn | act."""

    reading: Reading
    level: str
    threshold_ppm: int
    owner: str


class AlarmState(StrEnum):
    """Where an alarm stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


_S = AlarmState
ALARM_MOVES: Mapping[AlarmState, frozenset[AlarmState]] = {
    _S.OPEN: frozenset({_S.ACKNOWLEDGED, _S.CLOSED}),
    _S.ACKNOWLEDGED: frozenset({_S.CLOSED}),
    _S.CLOSED: frozenset(),
}


class Alarm(msgspec.Struct, frozen=True):
    """An alarm as it stands, with the last reading that raised it."""

    alarm_id: UUID
    measure: Measure
    subject: str
    level: str
    value_ppm: int
    threshold_ppm: int
    cases: int
    owner: str
    state: AlarmState
    opened_at: datetime
    seen_at: datetime
    """When a reading last raised it."""
    version: int = 1


class AlarmMove(msgspec.Struct, frozen=True):
    """One step of an alarm: who, when, why."""

    alarm_id: UUID
    version: int
    to_state: AlarmState
    actor: str
    why: str
    at: datetime


def judge(readings: Iterable[Reading], thresholds: Iterable[Threshold]) -> list[Finding]:
    """The readings that are too high; those from too few cases, or without a threshold, say nothing."""
    by_measure = {each.measure: each for each in thresholds}
    found = []
    for reading in readings:
        threshold = by_measure.get(reading.measure)
        if threshold is None or reading.cases < threshold.least_count or reading.value_ppm < threshold.warn_ppm:
            continue
        is_act = reading.value_ppm >= threshold.act_ppm
        limit_ppm = threshold.act_ppm if is_act else threshold.warn_ppm
        found.append(Finding(reading, "act" if is_act else "warn", limit_ppm, threshold.owner))
    return found
