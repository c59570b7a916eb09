"""A shadow: a version that is asked about real decisions without any effect, and what came of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

ChangeKind = Literal["same", "opened", "closed", "otherwise"]
"""Of a method: can be used now, can't be used any more, or differs in plans or reasons only."""


class Shadow(msgspec.Struct, frozen=True):
    """One save of a version beside the one in force, from `begun_at` until before `until_at` of the decisions."""

    shadow_id: UUID
    policy_id: UUID
    revision: int
    actor: str
    why: str
    begun_at: datetime
    until_at: datetime
    ended_at: datetime | None
    """When somebody ended it."""
    seen_at: datetime
    """Decisions up to here are counted."""
    seen_id: UUID
    decisions: int = 0
    differing: int = 0


class DayCount(msgspec.Struct, frozen=True):
    """Decisions of one day on a method in a scene, and what their orders came to."""

    day_on: date
    method: str
    scene: str
    change: str
    decisions: int
    payable_minor: int


class CodeCount(msgspec.Struct, frozen=True):
    """How many decisions on a method would have a reason that they don't have, and the other way round."""

    method: str
    code: str
    gained: int
    lost: int


class Difference(msgspec.Struct, frozen=True):
    """One method and plan of a decision: the reasons against it then, and what they would be; none: it can be used.

    `was` None: it was not there; `now` None: it would not be there.
    """

    method: str
    plan: str | None
    was: tuple[str, ...] | None
    now: tuple[str, ...] | None


class Sampled(msgspec.Struct, frozen=True):
    """One decision that differs."""

    consumer_id: UUID
    decision_id: UUID
    decided_at: datetime
    differences: tuple[Difference, ...]


class ShadowResult(msgspec.Struct, frozen=True):
    """What a shadow has counted."""

    shadow: Shadow
    days: tuple[DayCount, ...]
    codes: tuple[CodeCount, ...]
    sample: tuple[Sampled, ...]
