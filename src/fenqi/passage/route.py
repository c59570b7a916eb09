"""Routing, pure: which passage of a channel takes a payment, which could take over, and which were passed over and why.

A merchant's own account goes before the mall's, then the declared cost decides, then priority. A passage that is trying
whether it is back serves only where no healthy one can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from fenqi.passage import breaker
from fenqi.passage.model import Health, Passage, PassageState, Window

_SOUND = Health()


class PassedOver(NamedTuple):
    """A passage that can't serve now. `why`: banned | suspended | no_credential | maintenance | down | rate_limited |
    half_open | below_min | above_max | not_a_spare."""

    code: str
    why: str
    until_at: datetime | None
    passage: Passage


class Routed(NamedTuple):
    """Where a payment goes; `chosen` is None when no passage can take it, and `passed_over` then says why for each."""

    chosen: Passage | None
    spares: tuple[Passage, ...]
    """What could take over, in order."""
    passed_over: tuple[PassedOver, ...]
    """The better ones that can't serve now; all of them where none is chosen."""


def serves(passage: Passage, scene: str | None, merchant_id: UUID | None) -> bool:
    """Whether payments of this scene to this merchant (None: to several) may go there at all."""
    mine = passage.merchant_id is None or passage.merchant_id == merchant_id
    scenes = passage.terms.scenes
    return passage.state is not PassageState.RETIRED and mine and (scene is None or not scenes or scene in scenes)


def route(
    passages: Iterable[Passage],
    health: Mapping[UUID, Health],
    now: datetime,
    scene: str | None,
    amount_minor: int,
    merchant_id: UUID | None = None,
) -> Routed:
    """The way of a payment through one of a channel's passages. `merchant_id`: the order's only merchant."""
    ranked = sorted(
        (each for each in passages if serves(each, scene, merchant_id)),
        key=lambda each: (
            each.merchant_id is None,
            each.terms.cost_minor(amount_minor),
            each.terms.priority,
            each.code,
        ),
    )
    judged = [_judge(each, health.get(each.passage_id, _SOUND), now, amount_minor) for each in ranked]
    usable = _usable(judged)
    if not usable:
        return Routed(None, (), tuple(each if each.why else each._replace(why="not_a_spare") for each in judged))
    chosen = usable[0]
    better = judged[: judged.index(chosen)]
    over = tuple(each if each.why else each._replace(why="not_a_spare") for each in better)
    return Routed(chosen.passage, tuple(each.passage for each in usable[1:]), over)


def _rank(amount_minor: int, passage: Passage) -> tuple[bool, int, int, str]:
    terms = passage.terms
    return passage.merchant_id is None, terms.cost_minor(amount_minor), terms.priority, passage.code


def _usable(judged: list[PassedOver]) -> list[PassedOver]:
    """The passages that can serve, in order: the healthy ones, else those that are trying to come back. After the first
    that could have taken it, only such as may be spares."""
    fitting = [each for each in judged if each.why not in ("below_min", "above_max")]
    spares = [each for place, each in enumerate(fitting) if place == 0 or each.passage.terms.may_be_spare]
    return [each for each in spares if not each.why] or [each for each in spares if each.why == "half_open"]


def _judge(passage: Passage, health: Health, now: datetime, amount_minor: int) -> PassedOver:
    """What stands against the passage; an empty `why` when nothing does."""
    why, until_at = hindrance(passage, health, now)
    terms = passage.terms
    if why in ("", "half_open"):
        if amount_minor < terms.min_minor:
            why = "below_min"
        elif terms.max_minor is not None and amount_minor > terms.max_minor:
            why = "above_max"
    return PassedOver(passage.code, why, until_at, passage)


def hindrance(passage: Passage, health: Health, now: datetime) -> tuple[str, datetime | None]:
    """Why the passage can't serve any payment now, and until when; ("", None) when it can."""
    if passage.state is not PassageState.ACTIVE:
        return str(passage.state), None
    if not passage.is_keyed:
        return "no_credential", None
    rests_until_at = resting(passage.windows, now)
    if rests_until_at is not None:
        return "maintenance", rests_until_at
    state = breaker.standing(health, now)
    if state == "down":
        return state, health.until_at
    if state == "rate_limited" or breaker.is_limited(health, now):
        return "rate_limited", health.limited_until_at
    return ("half_open", None) if state == "half_open" else ("", None)


def resting(windows: Iterable[Window], now: datetime) -> datetime | None:
    """When the maintenance that is on now is over, one that follows at once included; None when none is on."""
    until_at: datetime | None = None
    for window in sorted(windows, key=lambda each: each.from_at):
        if window.from_at <= (until_at or now) and window.until_at > (until_at or now):
            until_at = window.until_at
    return until_at
