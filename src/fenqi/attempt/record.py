"""Writing attempts and refunds down: each change through one door, with its history, under the row's lock."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from fenqi.attempt.model import ATTEMPT_MOVES, REFUND_MOVES, Attempt, AttemptState, ChannelRefund, RefundState
from fenqi.attempt.store import attempts, refunds
from fenqi.database.pool import Tx
from fenqi.kernel import state
from fenqi.kernel.by import By
from fenqi.kernel.refusal import NotFound


async def begin(tx: Tx, attempt: Attempt, by: By) -> bool:
    """Write an attempt down, before anybody outside hears of it; False when its key has one already."""
    if not await attempts.insert(tx, attempt):
        return False
    await attempts.insert_move(tx, attempt, "begin", None, {"passage": attempt.passage, "way": attempt.way}, by)
    return True


async def lock(tx: Tx, consumer_id: UUID, attempt_id: UUID) -> Attempt:
    """The attempt, locked. Refuses ATTEMPT_UNKNOWN."""
    found = await attempts.select(tx, consumer_id, attempt_id, lock=True)
    if found is None:
        raise NotFound("ATTEMPT_UNKNOWN", "no such attempt")
    return found


async def move(
    tx: Tx, before: Attempt, to_state: AttemptState, by: By, detail: dict[str, Any] | None = None, **changes: Any
) -> Attempt:
    """A locked attempt moved on. Refuses STATE_CONFLICT where the table of moves says no."""
    moved = state.move(ATTEMPT_MOVES, before.state, to_state)
    after = msgspec.structs.replace(before, state=moved, version=before.version + 1, **changes)
    await attempts.update(tx, before, after)
    await attempts.insert_move(tx, after, str(to_state), str(before.state), detail or {}, by)
    return after


async def note(tx: Tx, before: Attempt, verb: str, by: By, detail: dict[str, Any], **changes: Any) -> Attempt:
    """Keep what was said or done without a change of state (an asking, a second notice)."""
    after = msgspec.structs.replace(before, version=before.version + 1, **changes)
    await attempts.update(tx, before, after)
    await attempts.insert_move(tx, after, verb, str(before.state), detail, by)
    return after


async def ask_again_at(tx: Tx, attempt: Attempt, at: datetime | None) -> Attempt:
    """Set when the janitor asks next; not a change worth a line of history."""
    after = msgspec.structs.replace(attempt, ask_at=at, asks=attempt.asks + 1)
    await attempts.update(tx, attempt, after)
    return after


async def begin_refund(tx: Tx, refund: ChannelRefund, by: By) -> None:
    """Write a refund through a channel down, before the channel hears of it."""
    await refunds.insert(tx, refund)
    await refunds.insert_move(tx, refund, None, {"cause": refund.cause}, by)


async def lock_refund(tx: Tx, consumer_id: UUID, refund_id: UUID) -> ChannelRefund:
    """The refund, locked. Refuses REFUND_UNKNOWN."""
    found = await refunds.select(tx, consumer_id, refund_id, lock=True)
    if found is None:
        raise NotFound("REFUND_UNKNOWN", "no such refund")
    return found


async def move_refund(
    tx: Tx, before: ChannelRefund, to_state: RefundState, by: By, detail: dict[str, Any] | None = None, **changes: Any
) -> ChannelRefund:
    """A locked refund moved on. Refuses STATE_CONFLICT where the table of moves says no."""
    moved = state.move(REFUND_MOVES, before.state, to_state)
    after = msgspec.structs.replace(before, state=moved, version=before.version + 1, **changes)
    await refunds.update(tx, before, after)
    await refunds.insert_move(tx, after, str(before.state), detail or {}, by)
    return after


async def ask_refund_again_at(tx: Tx, refund: ChannelRefund, at: datetime | None) -> ChannelRefund:
    """Set when the channel is asked about (or for) the refund next."""
    after = msgspec.structs.replace(refund, ask_at=at, asks=refund.asks + 1)
    await refunds.update(tx, refund, after)
    return after
