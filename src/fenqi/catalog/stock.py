"""Stock of one seller: received, reserved when an order is placed, then consumed or released, each once.

A reservation belongs to an order line. It outlives the order's pay-by, so that a payment in time always finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fenqi.catalog.model import Reservation, StockChange, Wanted
from fenqi.catalog.store import pieces
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.refusal import Conflict, Refusal

_MAX_PIECES = 1_000_000


async def receive(tx: Tx, merchant_id: UUID, quantities: dict[UUID, int], by: By) -> None:
    """Add pieces to the seller's stock, by SKU; refuses quantities outside 1 … 1,000,000 (QUANTITY_INVALID)."""
    if any(not 1 <= quantity <= _MAX_PIECES for quantity in quantities.values()):
        raise Refusal("QUANTITY_INVALID", f"between 1 and {_MAX_PIECES} pieces")
    await pieces.ensure(tx, merchant_id, list(quantities))
    await pieces.lock(tx, merchant_id, list(quantities))
    changes = [StockChange(sku, "receive", quantity, 0) for sku, quantity in quantities.items()]
    await pieces.change(tx, merchant_id, changes, by)


async def reserve(tx: Tx, merchant_id: UUID, wanted: Sequence[Wanted], expires_at: datetime, by: By) -> None:
    """Hold stock for order lines of one seller, all or nothing; lines that hold theirs already are left alone.

    Refuses with OUT_OF_STOCK, naming in `short` the SKUs and the pieces there are, and QUANTITY_INVALID.
    """
    if any(w.quantity < 1 for w in wanted):
        raise Refusal("QUANTITY_INVALID", "at least one piece")
    free = await pieces.lock(tx, merchant_id, [w.sku_id for w in wanted])
    there = await pieces.reservations(tx, merchant_id, [w.line_id for w in wanted])
    new = [w for w in wanted if w.line_id not in there or there[w.line_id].state == "released"]
    needed: dict[UUID, int] = {}
    for w in new:
        needed[w.sku_id] = needed.get(w.sku_id, 0) + w.quantity
    short = {str(sku): free.get(sku, 0) for sku, count in needed.items() if count > free.get(sku, 0)}
    if short:
        raise Conflict("OUT_OF_STOCK", "not enough pieces in stock", short=short)
    if new:
        await pieces.hold(tx, merchant_id, new, expires_at)
        changes = [StockChange(w.sku_id, "reserve", 0, w.quantity, w.line_id) for w in new]
        await pieces.change(tx, merchant_id, changes, by)


async def release(tx: Tx, merchant_id: UUID, line_ids: Sequence[UUID], by: By) -> None:
    """Give held stock back; lines that hold none (released, consumed, never reserved) are left alone."""
    held = [r for r in (await _locked(tx, merchant_id, line_ids)).values() if r.state == "held"]
    if held:
        await pieces.set_reservations(tx, merchant_id, [r.line_id for r in held], "released")
        changes = [StockChange(r.sku_id, "release", 0, -r.quantity, r.line_id) for r in held]
        await pieces.change(tx, merchant_id, changes, by)


async def consume(tx: Tx, merchant_id: UUID, line_ids: Sequence[UUID], by: By) -> list[UUID]:
    """Take paid lines' pieces out of stock, once each. Returns the lines that find no pieces any more.

    A reservation that lapsed before the news of the payment came is served from what is free.
    """
    there = await _locked(tx, merchant_id, line_ids)
    free = await pieces.lock(tx, merchant_id, [r.sku_id for r in there.values()])
    short, changes = [line_id for line_id in line_ids if line_id not in there], []
    for line_id, r in there.items():
        if r.state == "held":
            changes.append(StockChange(r.sku_id, "consume", -r.quantity, -r.quantity, line_id))
        elif r.state == "released" and free[r.sku_id] >= r.quantity:
            free[r.sku_id] -= r.quantity
            changes.append(StockChange(r.sku_id, "consume", -r.quantity, 0, line_id))
        elif r.state == "released":
            short.append(line_id)
    if changes:
        done = [c.line_id for c in changes if c.line_id is not None]
        await pieces.set_reservations(tx, merchant_id, done, "consumed")
        await pieces.change(tx, merchant_id, changes, by)
    return short


async def release_expired(tx: Tx, bucket: int, by: By, limit: int = 500) -> int:
    """Release reservations of a bucket that have expired by `by.at`, at most `limit`; how many there were."""
    due = await pieces.expired(tx, bucket, by.at, limit)
    for merchant_id in sorted({merchant_id for merchant_id, _ in due}):
        await release(tx, merchant_id, [line for merchant, line in due if merchant == merchant_id], by)
    return len(due)


async def buckets_due(tx: Tx, at: datetime) -> list[int]:
    """The buckets in which `release_expired` has something to do."""
    return await pieces.buckets_due(tx, at)


async def free(tx: Tx, pairs: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], int]:
    """Pieces that could be reserved now, by (sku id, merchant id); pairs without stock are left out."""
    return await pieces.free(tx, pairs)


async def _locked(tx: Tx, merchant_id: UUID, line_ids: Sequence[UUID]) -> dict[UUID, Reservation]:
    """Reservations of the lines, read again under the lock of their stock rows."""
    there = await pieces.reservations(tx, merchant_id, line_ids)
    await pieces.lock(tx, merchant_id, [r.sku_id for r in there.values()])
    return await pieces.reservations(tx, merchant_id, list(there))
