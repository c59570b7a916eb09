"""A merchant gives money back for its own goods: as much as it likes of its share of a payment, never of another's."""

from __future__ import annotations

from uuid import UUID

from fenqi import credit, merchant
from fenqi.credit import RefundRow
from fenqi.credit.refund import shares_of
from fenqi.flows import refund
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.refusal import Conflict


async def give_back(
    ctx: Context, merchant_id: UUID, refund_id: UUID, payment_id: UUID, amount_minor: int | None, by: By
) -> RefundRow:
    """Refund this much (None: all that is left) of the merchant's share. `refund_id` is the key: a repeat is the first.

    Refuses PAYMENT_UNKNOWN, and what `refund.refund` refuses: ORDER_NOT_PAID, AMOUNT_INVALID, REFUND_TOO_LARGE.
    """
    async with ctx.database.snapshot() as tx:
        paid = await merchant.payment_of(tx, merchant_id, payment_id)
        earlier = await credit.refunds_of(tx, paid.consumer_id, paid.order_id)
    for row in earlier:
        if row.refund_id == refund_id:
            return row
    if amount_minor is None:
        amount_minor = paid.amount_minor - sum(shares_of(row).get(merchant_id, 0) for row in earlier)
        if amount_minor == 0:
            raise Conflict("REFUND_TOO_LARGE", "all of it has been refunded", left_minor=0)
    parts = {merchant_id: amount_minor}
    return await refund.refund(ctx, paid.consumer_id, refund_id, paid.order_id, amount_minor, by, parts)
