"""The channels inside the house: the credit line and the money account, by the words of the contract.

They have no gateway: what they pay is reserved, then committed with the purchase's journal or released, in the
transactions of those who call.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from fenqi.channels.contract import Capabilities
from fenqi.database.pool import Tx
from fenqi.ledger import Leg, PostingItem, Verdict, holds
from fenqi.ledger.holds import Hold

_EVERYWHERE = {client: "page" for client in ("web", "wap", "app", "wechat")}


class Internal(msgspec.Struct, frozen=True):
    """A channel that the ledger itself is."""

    name: str
    capabilities: Capabilities


CREDIT = Internal(
    "credit",
    Capabilities(
        _EVERYWHERE, refunds_most=1_000, refund_within_days=3_650, refund_days=(0, 0), instalments=(3, 6, 12, 24),
        split=True, bill=False, fee_ppm=0,
    ),
)  # fmt: skip
MONEY_ACCOUNT = Internal(
    "money_account",
    Capabilities(
        _EVERYWHERE, refunds_most=1_000, refund_within_days=3_650, refund_days=(0, 0), split=True, bill=False,
        fee_ppm=0,
    ),
)  # fmt: skip
INTERNAL = {each.name: each for each in (CREDIT, MONEY_ACCOUNT)}


async def reserve(
    tx: Tx, hold_id: UUID, consumer_id: UUID, legs: tuple[Leg, ...], today_on: date, at: datetime, reference: UUID
) -> Verdict:
    """Set the tenders' amounts aside while a channel outside is asked: HELD, or why not."""
    return await holds.reserve(tx, Hold(hold_id, consumer_id, legs, today_on, at, reference))


async def commit(tx: Tx, hold_id: UUID, item: PostingItem) -> Verdict:
    """Book the purchase that they were set aside for."""
    return await holds.commit(tx, hold_id, item)


async def release(tx: Tx, consumer_id: UUID, hold_id: UUID, at: datetime) -> None:
    """Give everything back; a repeat changes nothing."""
    await holds.release(tx, consumer_id, hold_id, at)


async def is_held(tx: Tx, consumer_id: UUID, hold_id: UUID) -> bool:
    """Whether the hold still stands."""
    return await holds.is_held(tx, consumer_id, hold_id)
