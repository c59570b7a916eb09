"""What follows an event: mirror journals for the parties, paid goods leaving the sellers' stock, news for merchants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from fenqi import catalog, order
from fenqi.database.outbox import Event, Handler
from fenqi.database.pool import Tx
from fenqi.flows import jeepay_notify, notify_merchant, risk_events
from fenqi.flows.context import Context
from fenqi.flows.draft import PAID
from fenqi.ledger import relay


class _Paid(msgspec.Struct):
    payment_id: UUID
    order_id: UUID


def handlers(ctx: Context) -> Mapping[str, Handler]:
    """The handler of each topic."""

    async def paid(tx: Tx, events: Sequence[Event]) -> None:
        await _consume_stock(ctx, tx, events)
        await notify_merchant.tell(tx, events)
        await jeepay_notify.tell_payments(tx, events)
        await risk_events.paid(ctx, tx, events)

    async def refunded(tx: Tx, events: Sequence[Event]) -> None:
        await notify_merchant.tell(tx, events)
        for event in events:
            await jeepay_notify.tell_refund(tx, event)

    async def back(tx: Tx, events: Sequence[Event]) -> None:
        await notify_merchant.tell(tx, events)
        await risk_events.returned(ctx, tx, events)

    told = dict.fromkeys(notify_merchant.TOPICS, notify_merchant.tell) | {"refund.created": back}
    ended = dict.fromkeys(jeepay_notify.REFUNDS, refunded)
    return {**told, **ended, **risk_events.handlers(ctx), relay.TOPIC: relay.mirror, PAID: paid}


async def _consume_stock(ctx: Context, tx: Tx, events: Sequence[Event]) -> None:
    """Take what was paid out of the sellers' stock; consuming a line twice changes nothing."""
    keys = [(event.consumer_id, msgspec.json.decode(event.payload, type=_Paid).order_id) for event in events]
    orders = await order.get_many(tx, keys)
    by_seller: dict[UUID, list[UUID]] = {}
    for found in orders.values():
        for line in found.lines:
            by_seller.setdefault(line.merchant_id, []).append(line.line_id)
    by = ctx.by_system("relay", "the order was paid")
    for merchant_id in sorted(by_seller):
        await catalog.consume(tx, merchant_id, by_seller[merchant_id], by)
