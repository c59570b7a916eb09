"""Making an approved line usable: the agreement in force is signed, the limit granted. A repeat changes nothing."""

from __future__ import annotations

from uuid import UUID

from fenqi import credit
from fenqi.credit import CreditLine, LineState
from fenqi.flows.context import Context


async def activate(ctx: Context, consumer_id: UUID) -> CreditLine:
    """Activate the approved line; an active one is given as it is. Refuses CREDIT_NOT_OPENED and STATE_CONFLICT."""
    by = ctx.by_consumer(consumer_id, "activated the credit line")
    async with ctx.database.transaction() as tx:
        line = await credit.line.lock(tx, consumer_id, by.at)
        if line.state is LineState.ACTIVE:
            return line
        return await credit.activation.activate(tx, consumer_id, ctx.reference.product, by)
