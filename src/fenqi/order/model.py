"""Orders: what a consumer wants to buy in one scene, at which price, until when it can be paid; and the cart before.

Prices and titles are snapshots: what was agreed stays, whatever the catalogue says later.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

SCENES = ("mall", "instalment_mall", "partner_store", "scan_to_pay")
DELIVERIES = ("express", "pick_up", "cash_on_delivery", "virtual")
LINES_MAX = 50
QUANTITY_MAX = 999


class OrderState(StrEnum):
    """Where the order stands."""

    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    CLOSED = "closed"
    EXPIRED = "expired"


_S = OrderState
MOVES: dict[OrderState, frozenset[OrderState]] = {
    _S.AWAITING_PAYMENT: frozenset({_S.PAID, _S.CLOSED, _S.EXPIRED}),
    _S.PAID: frozenset(),
    _S.CLOSED: frozenset({_S.AWAITING_PAYMENT}),
    _S.EXPIRED: frozenset({_S.AWAITING_PAYMENT}),
}


class NewLine(msgspec.Struct, frozen=True):
    """A line as the buyer asks for it, with the price and the properties that the offer has now."""

    line_id: UUID
    sku_id: UUID
    merchant_id: UUID
    category: str
    title_zh: str
    title_en: str
    quantity: int
    unit_price_minor: int
    is_gift: bool = False
    is_virtual: bool = False
    is_cross_border: bool = False
    is_subscription: bool = False
    is_trade_in_subsidised: bool = False


class Line(NewLine, frozen=True):
    """A line of a placed order: `amount_minor` = price × quantity less the line's share of discounts."""

    discount_minor: int = 0
    position: int = 0

    @property
    def amount_minor(self) -> int:
        """What the line costs the buyer."""
        return self.unit_price_minor * self.quantity - self.discount_minor


class Coupon(msgspec.Struct, frozen=True):
    """A discount of the whole order, shared among its lines, and what it can be combined with."""

    coupon_id: UUID
    amount_minor: int
    methods: tuple[str, ...] = ()
    """Payment methods that it is bound to; empty: any."""
    combines_with_credit: bool = True
    combines_with_interest_free: bool = True


class NewOrder(msgspec.Struct, frozen=True):
    """An order as it is asked for. `order_id` is the caller's, and the key under which a repeat is recognised."""

    consumer_id: UUID
    order_id: UUID
    scene: str
    lines: tuple[NewLine, ...]
    pay_by_at: datetime
    delivery: str = "express"
    currency: str = "CNY"
    buyer_kind: str = "person"
    """person | enterprise"""
    presale_stage: str | None = None
    """None | deposit | tail"""
    tail_from_at: datetime | None = None
    coupons: tuple[Coupon, ...] = ()
    made_from_order_id: UUID | None = None
    """The order that this one was split from or repeats."""
    address_id: UUID | None = None
    """The delivery address as risk knows it: a keyed hash, never the text."""


class Order(msgspec.Struct, frozen=True):
    """A placed order with its lines and discounts."""

    consumer_id: UUID
    order_id: UUID
    number: str
    scene: str
    state: OrderState
    currency: str
    payable_minor: int
    buyer_kind: str
    delivery: str
    presale_stage: str | None
    tail_from_at: datetime | None
    made_from_order_id: UUID | None
    placed_at: datetime
    pay_by_at: datetime
    paid_at: datetime | None
    payment_id: UUID | None
    version: int
    attempts_open: int = 0
    """How many attempts at channels could still be paid."""
    address_id: UUID | None = None
    """The delivery address as risk knows it: a keyed hash, never the text."""
    lines: tuple[Line, ...] = ()
    coupons: tuple[Coupon, ...] = ()


class Bought(msgspec.Struct, frozen=True):
    """What a consumer bought and paid of one seller."""

    merchant_id: UUID
    orders: int
    amount_minor: int
    recent_orders: int
    """Of those, the ones paid since a later instant."""
    recent_minor: int


class OrderMove(msgspec.Struct, frozen=True):
    """One change of an order: who, when, why."""

    version: int
    verb: str
    from_state: str | None
    to_state: str
    detail: dict[str, object]
    actor: str
    why: str
    at: datetime


class LockedOrder(msgspec.Struct, frozen=True, gc=False):
    """What a paying batch compares, read under the row's lock."""

    consumer_id: UUID
    order_id: UUID
    state: OrderState
    version: int
    payable_minor: int
    pay_by_at: datetime
    attempts_open: int = 0


class PaidOrder(msgspec.Struct, frozen=True, gc=False):
    """An order that a payment has just paid."""

    consumer_id: UUID
    order_id: UUID
    payment_id: UUID
    paid_at: datetime


class CartLine(msgspec.Struct, frozen=True):
    """Something in the cart of a scene."""

    sku_id: UUID
    merchant_id: UUID
    quantity: int
    added_at: datetime
