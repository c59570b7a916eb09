"""What a partner has who speaks Jeepay's protocol: apps, pay orders and refunds by its own numbers, notices to it.

Names are the protocol's: a pay order is what is to be paid under a `mchOrderNo`, its `payOrderId` is our number of it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from uuid import UUID

import msgspec

from fenqi.kernel.ids import id_for

NUMBER_MOST = 64
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NUMBER = re.compile(r"[PR][0-9A-Z]{25}")


class PayState(IntEnum):
    """The protocol's `state` of a pay order; 4 (reversed) is of bar-code payments, which are not taken here."""

    INIT = 0
    PAYING = 1
    SUCCESS = 2
    FAILED = 3
    REFUNDED = 5
    CLOSED = 6


class RefundState(IntEnum):
    """The protocol's `state` of a refund; 0 and 4 have no counterpart: a refund that is taken is being carried out."""

    REFUNDING = 1
    SUCCESS = 2
    FAILED = 3


class App(msgspec.Struct, frozen=True):
    """An app of a partner's, with its secret as it was sealed. `category` is what the partner sells through it."""

    app_id: UUID
    merchant_id: UUID
    label: str
    category: str
    sealed: bytes
    made_at: datetime
    revoked_at: datetime | None = None

    @property
    def number(self) -> str:
        """`appId`."""
        return self.app_id.hex


class PayOrder(msgspec.Struct, frozen=True):
    """What a partner wants to be paid, in fen. Empty texts were not given."""

    merchant_id: UUID
    pay_order_id: UUID
    app_id: UUID
    mch_order_no: str
    way_code: str
    amount_minor: int
    currency: str
    subject: str
    body: str
    client_ip: str
    notify_url: str
    return_url: str
    ext_param: str
    asked_hash: bytes
    """Of everything that was asked: a repeat is one only with the same."""
    order_id: UUID
    """The order that is placed for it."""
    consumer_id: UUID | None
    """Who pays it: a walk-in from the beginning, or the buyer who took it at the cashier; None: nobody yet."""
    made_at: datetime
    pay_by_at: datetime
    closed_at: datetime | None = None
    """Of one that nobody took: when its partner closed it."""

    @property
    def number(self) -> str:
        """`payOrderId`."""
        return number("P", self.pay_order_id)


class RefundOrder(msgspec.Struct, frozen=True):
    """A refund as the partner asked for it; what becomes of it the merchant's own share of it says."""

    merchant_id: UUID
    refund_id: UUID
    pay_order_id: UUID
    app_id: UUID
    mch_refund_no: str
    amount_minor: int
    notify_url: str
    ext_param: str
    asked_hash: bytes
    made_at: datetime

    @property
    def number(self) -> str:
        """`refundOrderId`."""
        return number("R", self.refund_id)


class NoticeState(StrEnum):
    """Where a notice stands."""

    PENDING = "pending"
    TAKEN = "taken"
    """The receiver said `success`."""
    GIVEN_UP = "given_up"
    """Told as often as the protocol tells."""


class NewNotice(msgspec.Struct, frozen=True):
    """Something to tell a partner. `fields` is a JSON object of what is sent beside `reqTime` and `sign`."""

    merchant_id: UUID
    notice_id: UUID
    app_id: UUID
    about: str
    """pay | refund"""
    subject_id: UUID
    url: str
    fields: bytes
    made_at: datetime


class Notice(NewNotice, frozen=True):
    """A notice as it is kept."""

    state: NoticeState
    tries: int
    next_at: datetime
    last_status: int | None
    last_said: str
    finished_at: datetime | None


class Claimed(msgspec.Struct, frozen=True):
    """A notice that this process sends now."""

    merchant_id: UUID
    notice_id: UUID
    app_id: UUID
    try_no: int
    url: str
    fields: bytes


LADDER = tuple(timedelta(seconds=seconds) for seconds in (0, 30, 60, 90, 120, 150))
"""The wait before each try: the protocol's own six, 7.5 minutes in all."""
LEASE = timedelta(seconds=60)
"""How long a claimed notice is left alone: well above the longest try."""
SAID_MOST = 200


def pay_order_id_of(merchant_id: UUID, mch_order_no: str) -> UUID:
    """The id that a partner's order number stands for."""
    return id_for(merchant_id, "jeepay order", f"/{mch_order_no}")


def refund_id_of(merchant_id: UUID, mch_refund_no: str) -> UUID:
    """The id that a partner's refund number stands for."""
    return id_for(merchant_id, "jeepay refund", f"/{mch_refund_no}")


def number(kind: str, any_id: UUID) -> str:
    """An id as a number of at most 30 characters: the kind's letter and 25 digits to the base of 36."""
    value, digits = any_id.int, []
    for _ in range(25):
        value, digit = divmod(value, 36)
        digits.append(_DIGITS[digit])
    return kind + "".join(reversed(digits))


def id_of(kind: str, text: str) -> UUID | None:
    """The id that such a number stands for; None when it is none of that kind."""
    if not _NUMBER.fullmatch(text) or text[0] != kind:
        return None
    value = int(text[1:], 36)
    return UUID(int=value) if value < 1 << 128 else None
