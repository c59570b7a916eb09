"""Where a number leads: that of an attempt, of a refund through a channel or of a press, to the attempt and its owner.

Whoever looks at it says why, about the order that it pays or about the person whose money it moves.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from fenqi import attempt
from fenqi.attempt import Attempt
from fenqi.database import directory
from fenqi.database.pool import Tx
from fenqi.flows import passages
from fenqi.kernel.ids import parse_id
from fenqi.kernel.refusal import NotFound


class Trail(NamedTuple):
    """An attempt; `refund_id` is set where the number was that of a refund."""

    attempt: Attempt
    refund_id: UUID | None = None

    @property
    def subject(self) -> str:
        """Whom looking at it concerns, as the log of actions names it."""
        begun = self.attempt
        return f"consumer:{begun.consumer_id}" if begun.order_id is None else f"order:{begun.order_id}"

    @property
    def path(self) -> str:
        """The page of it."""
        return path_of(self.attempt)


def path_of(begun: Attempt) -> str:
    """The page of an attempt."""
    return f"/console/payments/{begun.attempt_no}"


async def follow(tx: Tx, number: str) -> Trail | None:
    """Where a number of ours leads, or None; a press's own id is looked for through all buckets."""
    own_id = parse_id(number.strip())
    if own_id is None:
        return None
    consumer_id = await directory.find(tx, passages.DIRECTORY, own_id.hex)
    if consumer_id is None:
        found = await attempt.of_press(tx, own_id)
        return None if found is None else Trail(found)
    try:
        return Trail(await attempt.get(tx, consumer_id, own_id))
    except NotFound:
        pass
    try:
        back = await attempt.get_refund(tx, consumer_id, own_id)
    except NotFound:  # its number was entered, and the process stopped before the row was written
        return None
    return Trail(await attempt.get(tx, consumer_id, back.attempt_id), own_id)
