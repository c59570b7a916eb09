"""What is counted at the cashier: looks at it, steps that buyers take there, and what was at stake in the end."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

import msgspec

Way = Literal["one_sum", "instalments"]
Arm = Literal["none", "explained", "bare"]


class Outcome(StrEnum):
    """What became of a checkout in which a method was refused."""

    OPEN = "open"
    """It can still be paid."""
    RECOVERED = "recovered"
    """Paid by this very method in the end."""
    DIVERTED = "diverted"
    """Paid by another one."""
    LEFT = "left"
    """The method had become usable again, and the buyer left all the same."""
    LOST = "lost"
    """Never paid, and the method was refused to the end."""


class Judged(msgspec.Struct, frozen=True):
    """What a decision said of a method and one way of paying by it; the plan nearest to being usable speaks for it."""

    method: str
    way: Way
    codes: tuple[str, ...] = ()
    """Empty: it was usable."""
    rules: tuple[str, ...] = ()
    """Rows of the policy that the reasons name."""
    remedies: tuple[str, ...] = ()
    """What remedies were shown, each by the kinds of its actions joined with "+"."""


class Look(msgspec.Struct, frozen=True):
    """One decision on a checkout: a view of all methods, or a press that was refused."""

    at: datetime
    judged: tuple[Judged, ...]
    is_press: bool = False


class Step(msgspec.Struct, frozen=True):
    """What a buyer did that no decision tells. `kind`: wanted | remedy_taken | remedy_done."""

    bucket: int
    consumer_id: UUID
    step_id: UUID
    intent_id: UUID
    kind: str
    method: str
    plan: str | None
    way: Way
    actions: tuple[str, ...]
    to_intent_id: UUID | None
    at: datetime


class Checkout(msgspec.Struct, frozen=True):
    """A checkout with everything that happened there, oldest first."""

    bucket: int
    consumer_id: UUID
    intent_id: UUID
    order_id: UUID
    amount_minor: int
    scene: str
    category: str
    """Of the goods that make up most of the amount, as is the merchant."""
    merchant_id: UUID
    looks: tuple[Look, ...]
    steps: tuple[Step, ...]
    paid_by: frozenset[tuple[str, Way]] = frozenset()
    """Methods and ways of the payment that succeeded, there or where a remedy led to."""
    is_over: bool = False
    """Nobody can pay it any more."""


class AtStake(msgspec.Struct, frozen=True):
    """A method that was refused in a checkout: what was at stake, why, and what became of it. One row per
    checkout, method and way."""

    bucket: int
    consumer_id: UUID
    intent_id: UUID
    method: str
    way: Way
    order_id: UUID
    day_on: date
    amount_minor: int
    scene: str
    category: str
    merchant_id: UUID
    codes: tuple[str, ...]
    rules: tuple[str, ...]
    is_wanted: bool
    """The buyer pressed it or asked for it; otherwise it only stood in the list."""
    shown: tuple[str, ...]
    taken: tuple[str, ...]
    outcome: Outcome
    arm: Arm


class Experiment(msgspec.Struct, frozen=True):
    """For a while a share of the buyers sees a bare "unavailable": what explaining is worth."""

    name: str
    bare_ppm: int
    from_at: datetime
    until_at: datetime
    made_by: str
    why: str
    made_at: datetime
