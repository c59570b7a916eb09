"""Freezing, capping, closing a merchant and taking it back: the one door through which its state moves."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.kernel.state import move
from fenqi.merchant import store
from fenqi.merchant.model import MOVES, MerchantState


async def change_state(
    tx: Tx, merchant_id: UUID, to_state: MerchantState, by: By, until_at: datetime | None = None
) -> None:
    """Move the merchant to `to_state`, until `until_at` where the end is known.

    Refuses an unknown merchant (MERCHANT_UNKNOWN), a step that the table rules out (STATE_CONFLICT), no reason
    (WHY_REQUIRED), an end in the past and an end of `active` or `closed` (UNTIL_INVALID).
    """
    check_why(by.why)
    if until_at is not None and (until_at <= by.at or to_state in (MerchantState.ACTIVE, MerchantState.CLOSED)):
        raise Refusal("UNTIL_INVALID", "only a passing state has an end, and it lies in the future")
    merchant = await store.shop.merchant(tx, merchant_id, lock=True)
    if merchant is None:
        raise NotFound("MERCHANT_UNKNOWN", "no such merchant")
    move(MOVES, merchant.state, to_state)
    await store.shop.set_state(tx, merchant_id, merchant.state, to_state, until_at)
    await store.shop.insert_history(
        tx,
        merchant_id,
        "change_state",
        by,
        from_state=merchant.state,
        to_state=to_state,
        detail={"until_at": until_at.isoformat()} if until_at else {},
    )
    await raise_epoch(tx, "merchant")
