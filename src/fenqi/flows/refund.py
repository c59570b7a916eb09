"""Refunding a paid order, whole or in part, whatever paid it: its purchase is read from the ledger and turned round.

The order's lock makes refunds of one order follow one another. The order stays paid; its refunds say what came back.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import msgspec

from fenqi import credit, order
from fenqi.credit import Purchase, RefundPlan, RefundRow
from fenqi.database import outbox
from fenqi.database.idempotency import Answer, Attempt, once
from fenqi.database.pool import Tx
from fenqi.flows import give_back
from fenqi.flows.context import Context
from fenqi.flows.notify_merchant import RefundNews, refund_event
from fenqi.kernel.by import By
from fenqi.kernel.refusal import Conflict, NotFound
from fenqi.ledger.walk import walk_order

_VERB = "refund"


async def refund(
    ctx: Context,
    consumer_id: UUID,
    key: UUID,
    order_id: UUID,
    amount_minor: int | None,
    by: By,
    by_merchant: Mapping[UUID, int] | None = None,
) -> RefundRow:
    """Refund this much of an order (None: all that is left). `key` is the refund's id: a repeat gets the first answer.

    What a channel has to give back is owed from now on and asked for there (`give_back`); it fails for itself.
    Limits come back first, what is not owed any more comes in money; fees of the part taken back are let off, fees
    that were paid stay paid. `by_merchant` says whose goods came back. Undoing a whole order of which nothing was
    repaid is a cancellation. Refuses ORDER_UNKNOWN, ORDER_NOT_PAID, AMOUNT_INVALID, REFUND_TOO_LARGE.
    """

    async def effect(tx: Tx) -> Answer:
        purchase = await _locked_purchase(tx, consumer_id, order_id)
        row, plan = await credit.refund(
            tx, consumer_id, key, purchase, amount_minor, by, by_merchant, ctx.reference.product
        )
        await give_back.begin_within(tx, consumer_id, order_id, key, plan.to_channels, by)
        await _tell(tx, row, plan, by)
        return Answer(200, msgspec.json.encode(row))

    parts = {str(merchant): part for merchant, part in sorted((by_merchant or {}).items())}
    body = msgspec.json.encode([order_id, amount_minor, parts])
    answer = await once(ctx.database, Attempt.of(consumer_id, str(key), _VERB, body), by.at, effect)
    return msgspec.json.decode(answer.body, type=RefundRow)


async def _tell(tx: Tx, row: RefundRow, plan: RefundPlan, by: By) -> None:
    """Tell the merchants; where no channel has a part in it the refund is done at once."""
    paid = await order.get(tx, row.consumer_id, row.order_id)
    assert paid.payment_id is not None, "only a paid order is refunded"
    shares = {share.merchant_id: share.amount_minor for share in plan.shares}
    news = RefundNews(row.refund_id, paid.payment_id, row.order_id, shares)
    topics = ("refund.created",) if plan.to_channels else ("refund.created", "refund.succeeded")
    await outbox.append(tx, [refund_event(row.consumer_id, topic, news, by.at) for topic in topics])


async def preview(ctx: Context, consumer_id: UUID, order_id: UUID, amount_minor: int | None, by: By) -> RefundPlan:
    """What the refund would do now, or the refusal that it would meet; writes nothing."""
    async with ctx.database.snapshot() as tx:
        found = await order.get(tx, consumer_id, order_id)
        purchase = await _purchase(tx, consumer_id, order_id, found.state is order.OrderState.PAID)
        return await credit.preview_refund(tx, consumer_id, purchase, amount_minor, by)


async def refunds_of(ctx: Context, consumer_id: UUID, order_id: UUID) -> list[RefundRow]:
    """The refunds of an order, oldest first."""
    async with ctx.database.snapshot() as tx:
        return await credit.refunds_of(tx, consumer_id, order_id)


async def _locked_purchase(tx: Tx, consumer_id: UUID, order_id: UUID) -> Purchase:
    locked = (await order.lock_for_payment(tx, [(consumer_id, order_id)])).get((consumer_id, order_id))
    if locked is None:
        raise NotFound("ORDER_UNKNOWN", "no such order")
    return await _purchase(tx, consumer_id, order_id, locked.state is order.OrderState.PAID)


async def _purchase(tx: Tx, consumer_id: UUID, order_id: UUID, is_paid: bool) -> Purchase:
    """The order's purchase as its journal booked it."""
    if not is_paid:
        raise Conflict("ORDER_NOT_PAID", "only a paid order can be refunded")
    for step in await walk_order(tx, consumer_id, order_id):
        if step.side == "consumer" and step.kind == "purchase" and step.entries:
            return credit.purchase_of(step.journal_id, order_id, step.entries)
    raise AssertionError(f"order {order_id} is paid, but no journal says so")
