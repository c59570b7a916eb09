"""What merchants learn of payments and refunds: each its own share, no word about the buyer.

The relay hands the events of `TOPICS` on; here they become the merchants' rows, and webhook events for those who have
webhooks. To tell of something more, add a line to `TOPICS` (and its type to the merchant room's `EventType`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

_JSON = msgspec.json.Encoder()


class PaymentNews(msgspec.Struct, frozen=True):
    """The payload of the outbox topics `payment.*`."""

    payment_id: UUID
    order_id: UUID
    code: str = ""
    """Why it was refused."""


class RefundNews(msgspec.Struct, frozen=True):
    """The payload of the outbox topics `refund.*`."""

    refund_id: UUID
    payment_id: UUID
    order_id: UUID
    shares: dict[UUID, int]
    """What each merchant gives back, in fen."""
    code: str = ""
    """Why it failed."""


class PaymentData(msgspec.Struct, frozen=True, omit_defaults=True):
    """`data` of a payment's event: the merchant's share of it."""

    payment_id: UUID
    order_id: UUID
    order_number: str
    amount_minor: int
    currency: str
    code: str = ""


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


class _Told(msgspec.Struct, frozen=True):
    """An outbox event as merchants are told of it. Without `shares`: each by its lines of the order."""

    type: EventType
    news: PaymentNews | RefundNews
    shares: Mapping[UUID, int] | None = None
    refund: RefundState | None = None


def _payment(event_type: EventType) -> Callable[[bytes], _Told]:
    return lambda payload: _Told(event_type, msgspec.json.decode(payload, type=PaymentNews))


def _refund(event_type: EventType, state: RefundState) -> Callable[[bytes], _Told]:
    def read(payload: bytes) -> _Told:
        news = msgspec.json.decode(payload, type=RefundNews)
        return _Told(event_type, news, news.shares, state)

    return read


TOPICS: Mapping[str, Callable[[bytes], _Told]] = {
    "payment.succeeded": _payment(EventType.PAYMENT_SUCCEEDED),
    "payment.refused": _payment(EventType.PAYMENT_REFUSED),
    "payment.closed": _payment(EventType.PAYMENT_CLOSED),
    "refund.created": _refund(EventType.REFUND_CREATED, RefundState.CREATED),
    "refund.succeeded": _refund(EventType.REFUND_SUCCEEDED, RefundState.SUCCEEDED),
    "refund.failed": _refund(EventType.REFUND_FAILED, RefundState.FAILED),
}
"""Outbox topic → how its payload is read."""


def refund_event(consumer_id: UUID, topic: str, news: RefundNews, at: datetime) -> Event:
    """The outbox event of a refund; append it in the transaction that makes it so."""
    assert topic in TOPICS, topic
    return Event(new_id(epoch_ms(at)), consumer_id, topic, _JSON.encode(news), at)


async def tell(tx: Tx, events: Sequence[Event]) -> None:
    """The relay's handler of `TOPICS`; handing an event on again changes nothing."""
    read = [(event, TOPICS[event.topic](event.payload)) for event in events]
    orders = await order.get_many(tx, list({(event.consumer_id, told.news.order_id) for event, told in read}))
    payments: list[PaymentShare] = []
    refunds: list[RefundShare] = []
    news: list[NewEvent] = []
    for event, told in read:
        found = orders[event.consumer_id, told.news.order_id]
        for merchant_id, amount_minor in (told.shares or _by_lines(found)).items():
            if told.type is EventType.PAYMENT_SUCCEEDED:
                payments.append(_payment_share(event, told, found, merchant_id, amount_minor))
            if told.refund is not None:
                refunds.append(_refund_share(event, told, merchant_id, amount_minor))
            news.append(_new_event(event, told, found, merchant_id, amount_minor))
    await merchant.note_payments(tx, payments)
    await merchant.note_refunds(tx, refunds)
    await merchant.tell(tx, news)


def body(event_type: str, at: datetime, data: PaymentData | RefundData | dict[str, str]) -> bytes:
    """An event's body, as it is kept and sent."""
    return _JSON.encode(Body(event_type, at, data))


def _by_lines(found: Order) -> dict[UUID, int]:
    """What the order's lines come to by merchant; nobody is told of gifts."""
    sums: dict[UUID, int] = {}
    for line in found.lines:
        sums[line.merchant_id] = sums.get(line.merchant_id, 0) + line.amount_minor
    return {merchant_id: amount for merchant_id, amount in sums.items() if amount}


def _payment_share(event: Event, told: _Told, found: Order, merchant_id: UUID, amount_minor: int) -> PaymentShare:
    return PaymentShare(
        merchant_id, told.news.payment_id, event.consumer_id, found.order_id, found.number, amount_minor,
        found.currency, event.written_at,
    )  # fmt: skip


def _refund_share(event: Event, told: _Told, merchant_id: UUID, amount_minor: int) -> RefundShare:
    assert isinstance(told.news, RefundNews) and told.refund is not None
    at = event.written_at
    return RefundShare(
        merchant_id, told.news.refund_id, told.news.payment_id, told.news.order_id, amount_minor, told.refund,
        told.news.code, at, at,
    )  # fmt: skip


def _new_event(event: Event, told: _Told, found: Order, merchant_id: UUID, amount_minor: int) -> NewEvent:
    """Its id is the same whenever the relay hands the event on, and begins with the same time."""
    news = told.news
    data: PaymentData | RefundData
    if isinstance(news, RefundNews):
        data = RefundData(
            news.refund_id, news.payment_id, news.order_id, found.number, amount_minor, found.currency, news.code
        )
    else:
        data = PaymentData(news.payment_id, news.order_id, found.number, amount_minor, found.currency, news.code)
    return NewEvent(
        merchant_id, id_for(merchant_id, told.type, str(event.event_id)), told.type, news.payment_id,
        event.written_at, body(told.type, event.written_at, data),
    )  # fmt: skip
