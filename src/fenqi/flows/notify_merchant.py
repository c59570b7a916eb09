"""What merchants learn of payments and refunds: each its own share, no word about the buyer.

The relay hands the events of `TOPICS` on; here they become the merchants' rows, and webhook events for those who have
webhooks. To tell of something more, add a line to `PAYMENTS` or `REFUNDS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import merchant, order
from fenqi.database.outbox import Event
from fenqi.database.pool import Tx
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import id_for, new_id
from fenqi.merchant import EventType, NewEvent, PaymentShare, RefundShare, RefundState
from fenqi.order import Order

PAYMENTS: Mapping[str, EventType] = {
    "payment.succeeded": EventType.PAYMENT_SUCCEEDED,
    "payment.refused": EventType.PAYMENT_REFUSED,
    "payment.closed": EventType.PAYMENT_CLOSED,
}
"""Outbox topic with a `PaymentNews` → what merchants are told."""

REFUNDS: Mapping[str, RefundState] = {
    "refund.created": RefundState.CREATED,
    "refund.succeeded": RefundState.SUCCEEDED,
    "refund.failed": RefundState.FAILED,
}
"""Outbox topic with a `RefundNews` → how the refund stands; what is no change to a merchant is not told again."""

TOPICS = (*PAYMENTS, *REFUNDS)

_TYPES = {
    RefundState.CREATED: EventType.REFUND_CREATED,
    RefundState.SUCCEEDED: EventType.REFUND_SUCCEEDED,
    RefundState.FAILED: EventType.REFUND_FAILED,
}
_JSON = msgspec.json.Encoder()


class PaymentNews(msgspec.Struct, frozen=True):
    """The payload of a payment's outbox events."""

    payment_id: UUID
    order_id: UUID
    code: str = ""
    """Why it was refused: the buyer's matter, so merchants are told that it was, not why."""


class RefundNews(msgspec.Struct, frozen=True):
    """The payload of a refund's outbox events."""

    refund_id: UUID
    payment_id: UUID
    order_id: UUID
    shares: dict[UUID, int]
    """What each merchant gives back, in fen."""
    code: str = ""
    """Why it failed."""


class PaymentData(msgspec.Struct, frozen=True):
    """`data` of a payment's event: the merchant's share of it."""

    payment_id: UUID
    order_id: UUID
    order_number: str
    amount_minor: int
    currency: str


class RefundData(msgspec.Struct, frozen=True, omit_defaults=True):
    """`data` of a refund's event: the merchant's part of it."""

    refund_id: UUID
    payment_id: UUID
    order_id: UUID
    order_number: str
    amount_minor: int
    currency: str
    code: str = ""


class Body(msgspec.Struct, frozen=True):
    """What is sent, as Standard Webhooks lays it out. `timestamp` is when it happened."""

    type: str
    timestamp: datetime
    data: PaymentData | RefundData | dict[str, str]


async def tell(tx: Tx, events: Sequence[Event]) -> None:
    """The relay's handler of `TOPICS`; handing an event on again changes nothing."""
    await _tell_payments(tx, [event for event in events if event.topic in PAYMENTS])
    for event in events:
        if event.topic in REFUNDS:
            await _tell_refund(tx, event)


async def _tell_payments(tx: Tx, events: Sequence[Event]) -> None:
    read = [(event, msgspec.json.decode(event.payload, type=PaymentNews)) for event in events]
    orders = await order.get_many(tx, list({(event.consumer_id, news.order_id) for event, news in read}))
    shares: list[PaymentShare] = []
    told: list[NewEvent] = []
    for event, news in read:
        found, event_type = orders[event.consumer_id, news.order_id], PAYMENTS[event.topic]
        for merchant_id, amount_minor in _by_lines(found).items():
            data = PaymentData(news.payment_id, found.order_id, found.number, amount_minor, found.currency)
            told.append(_new_event(event, event_type, merchant_id, data))
            if event_type is EventType.PAYMENT_SUCCEEDED:
                shares.append(PaymentShare(
                    merchant_id, news.payment_id, event.consumer_id, found.order_id, found.number, amount_minor,
                    found.currency, event.written_at,
                ))  # fmt: skip
    await merchant.note_payments(tx, shares)
    await merchant.tell(tx, told)


async def _tell_refund(tx: Tx, event: Event) -> None:
    """Keep where a refund stands now, and tell those for whom that is news."""
    news, state = msgspec.json.decode(event.payload, type=RefundNews), REFUNDS[event.topic]
    found = await order.get(tx, event.consumer_id, news.order_id)
    told: list[NewEvent] = []
    for merchant_id, amount_minor in news.shares.items():
        share = RefundShare(
            merchant_id, news.refund_id, news.payment_id, news.order_id, amount_minor, state, news.code,
            event.written_at, event.written_at,
        )  # fmt: skip
        if await merchant.note_refund(tx, share):
            data = RefundData(
                news.refund_id, news.payment_id, news.order_id, found.number, amount_minor, found.currency, news.code
            )
            told.append(_new_event(event, _TYPES[state], merchant_id, data))
    await merchant.tell(tx, told)


def refund_event(consumer_id: UUID, topic: str, news: RefundNews, at: datetime) -> Event:
    """The outbox event of a refund; append it in the transaction that makes it so.

    Of one millisecond it comes after a payment's, and `refund.created` before what became of it.
    """
    rank = 0xFFE if REFUNDS[topic] is RefundState.CREATED else 0xFFF
    event_id = UUID(int=new_id(epoch_ms(at)).int & ~(0xFFF << 64) | rank << 64)
    return Event(event_id, consumer_id, topic, _JSON.encode(news), at)


def body(event_type: str, at: datetime, data: PaymentData | RefundData | dict[str, str]) -> bytes:
    """An event's body, as it is kept and sent."""
    return _JSON.encode(Body(event_type, at, data))


def _by_lines(found: Order) -> dict[UUID, int]:
    """What the order's lines come to by merchant; nobody is told of gifts."""
    sums: dict[UUID, int] = {}
    for line in found.lines:
        sums[line.merchant_id] = sums.get(line.merchant_id, 0) + line.amount_minor
    return {merchant_id: amount for merchant_id, amount in sums.items() if amount}


def _new_event(event: Event, event_type: EventType, merchant_id: UUID, data: PaymentData | RefundData) -> NewEvent:
    """Its id is the same whenever the relay hands the event on, and begins with the same time."""
    event_id = id_for(merchant_id, event_type, str(event.event_id))
    raw = body(event_type, event.written_at, data)
    return NewEvent(merchant_id, event_id, event_type, data.payment_id, event.written_at, raw)
