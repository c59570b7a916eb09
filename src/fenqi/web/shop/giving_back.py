"""Money on its way back through a channel, as steps that the buyer can follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from fenqi import attempt
from fenqi.attempt import Attempt, ChannelRefund, RefundState
from fenqi.channels import shelf
from fenqi.database.pool import Tx

_ORDER = ("asked", "accepted", "on_its_way", "done")
_REACHED = {
    RefundState.CREATED: 1,
    RefundState.UNKNOWN: 1,
    RefundState.PENDING: 2,
    RefundState.SUCCEEDED: 4,
}
"""How many of the steps are behind it."""


class Step(NamedTuple):
    """One step; `look` is done, now, later or bad."""

    name: str
    look: str
    at: datetime | None = None


class Progress(NamedTuple):
    """One refund through a channel. Amounts in fen."""

    refund_id: UUID
    order_refund_id: UUID | None
    amount_minor: int
    method: str
    cause: str
    """refund | late | double | mismatch"""
    state: str
    steps: tuple[Step, ...]
    days_from: int
    days_to: int
    """Working days that the channel usually takes."""

    @property
    def is_done(self) -> bool:
        """Whether the money has arrived, here or there."""
        return self.state in (RefundState.SUCCEEDED, RefundState.DIVERTED)


async def progress_of(tx: Tx, consumer_id: UUID, tried: Sequence[Attempt]) -> list[Progress]:
    """What channels give back of these tries, oldest first."""
    by_id = {one.attempt_id: one for one in tried}
    found = await attempt.refunds_of(tx, consumer_id, list(by_id)) if by_id else []
    told = []
    for back in found:
        moves = await attempt.refund_moves(tx, consumer_id, back.refund_id)
        reached = {move.to_state: move.at for move in moves}
        told.append(_progress(back, by_id[back.attempt_id], reached))
    return told


def _progress(back: ChannelRefund, source: Attempt, reached: Mapping[str, datetime]) -> Progress:
    days_from, days_to = shelf.channel(source.channel).capabilities.refund_days
    return Progress(
        back.refund_id, back.order_refund_id, back.amount_minor, source.method, back.cause, back.state,
        steps_of(back, reached), days_from, days_to,
    )  # fmt: skip


def steps_of(back: ChannelRefund, reached: Mapping[str, datetime]) -> tuple[Step, ...]:
    """Asked, accepted by the channel, on its way, done; one that failed ends there, and goes on another way."""
    asked = Step("asked", "done", back.made_at)
    if back.state is RefundState.FAILED:
        return asked, Step("failed", "bad", reached.get("failed")), Step("decided", "now")
    if back.state is RefundState.DIVERTED:
        failed = Step("failed", "bad", reached.get("failed"))
        return asked, failed, Step("diverted", "done", back.finished_at)
    behind = _REACHED[back.state]
    at = {"asked": back.made_at, "accepted": reached.get("pending", back.finished_at), "done": back.finished_at}
    looks = ["done" if place < behind else "now" if place == behind else "later" for place in range(len(_ORDER))]
    return tuple(
        Step(name, look, at.get(name) if look == "done" else None) for name, look in zip(_ORDER, looks, strict=True)
    )
