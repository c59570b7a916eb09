"""Reading attempts, refunds and notices: for the flows, the pages and the evaluator's facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fenqi.attempt.model import Attempt, ChannelRefund, Move, NoticeRow, Said
from fenqi.attempt.store import attempts, notices, refunds
from fenqi.database.pool import Tx
from fenqi.kernel.refusal import NotFound


async def get(tx: Tx, consumer_id: UUID, attempt_id: UUID) -> Attempt:
    """One attempt. Refuses ATTEMPT_UNKNOWN."""
    found = await attempts.select(tx, consumer_id, attempt_id)
    if found is None:
        raise NotFound("ATTEMPT_UNKNOWN", "no such attempt")
    return found


async def of_order(tx: Tx, consumer_id: UUID, order_id: UUID) -> list[Attempt]:
    """An order's attempts, oldest first."""
    return await attempts.of_order(tx, consumer_id, order_id)


async def of_payment(tx: Tx, consumer_id: UUID, payment_id: UUID) -> list[Attempt]:
    """The attempts of one press, oldest first: several where a spare passage took over."""
    return await attempts.of_payment(tx, consumer_id, payment_id)


async def of_consumer(tx: Tx, consumer_id: UUID, limit: int = 20) -> list[Attempt]:
    """A consumer's latest attempts, newest first."""
    return await attempts.of_consumer(tx, consumer_id, limit)


async def of_press(tx: Tx, payment_id: UUID) -> Attempt | None:
    """The last attempt of a press by its id alone, or None: for staff, because it looks through all buckets."""
    return await attempts.of_press(tx, payment_id)


async def waiting(tx: Tx, limit: int = 200) -> list[Attempt]:
    """Attempts whose channel has not decided, the oldest first."""
    return await attempts.waiting(tx, limit)


async def pressed(tx: Tx, keys: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Of these presses, (consumer id, payment id) each, those that have an attempt: their keys are taken."""
    return await attempts.pressed(tx, keys)


async def moves(tx: Tx, consumer_id: UUID, attempt_id: UUID) -> list[Move]:
    """An attempt's history, oldest first."""
    return await attempts.moves(tx, consumer_id, attempt_id)


async def to_ask(tx: Tx, at: datetime, limit: int = 200) -> list[tuple[UUID, UUID]]:
    """(consumer id, attempt id) of attempts whose time to be asked has come."""
    return await attempts.to_ask(tx, at, limit)


async def latest(tx: Tx, limit: int, before: datetime | None = None) -> list[Attempt]:
    """The latest attempts of all consumers, newest first."""
    return await attempts.latest(tx, limit, before)


async def said(tx: Tx, consumer_id: UUID, since: datetime) -> list[Said]:
    """What channels refused this consumer since then, newest first."""
    return [Said(*row) for row in await attempts.declined_of(tx, consumer_id, since)]


async def refunds_of(tx: Tx, consumer_id: UUID, attempt_ids: Sequence[UUID]) -> list[ChannelRefund]:
    """The refunds of these attempts, oldest first."""
    return await refunds.of_attempts(tx, consumer_id, attempt_ids)


async def get_refund(tx: Tx, consumer_id: UUID, refund_id: UUID) -> ChannelRefund:
    """One refund. Refuses REFUND_UNKNOWN."""
    found = await refunds.select(tx, consumer_id, refund_id)
    if found is None:
        raise NotFound("REFUND_UNKNOWN", "no such refund")
    return found


async def refunds_waiting(tx: Tx, limit: int = 200) -> list[ChannelRefund]:
    """Refunds on their way through a channel, the oldest first."""
    return await refunds.waiting(tx, limit)


async def refund_moves(tx: Tx, consumer_id: UUID, refund_id: UUID) -> list[Move]:
    """A refund's history, oldest first."""
    return await refunds.moves(tx, consumer_id, refund_id)


async def refunds_to_ask(tx: Tx, at: datetime, limit: int = 200) -> list[tuple[UUID, UUID]]:
    """(consumer id, refund id) of refunds whose time has come."""
    return await refunds.to_ask(tx, at, limit)


async def stuck_refunds(tx: Tx, limit: int = 200) -> list[ChannelRefund]:
    """Refunds that a channel won't carry out and nobody has decided on."""
    return await refunds.stuck(tx, limit)


async def notices_of(tx: Tx, numbers: Sequence[str]) -> list[NoticeRow]:
    """Every notice that speaks of these numbers of ours, oldest first."""
    return await notices.of_number(tx, numbers)


async def latest_notices(
    tx: Tx, limit: int, before: datetime | None = None, state: str | None = None
) -> list[NoticeRow]:
    """The latest notices, newest first."""
    return await notices.latest(tx, limit, before, state)


async def notice(tx: Tx, number: str, notice_id: UUID) -> NoticeRow:
    """One notice with its raw text. Refuses NOTICE_UNKNOWN."""
    found = await notices.one(tx, number, notice_id)
    if found is None:
        raise NotFound("NOTICE_UNKNOWN", "no such notice")
    return found
