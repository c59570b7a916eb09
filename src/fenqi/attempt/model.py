"""Attempts, refunds through channels and notices: their rows, their states, and the moves that are allowed.

An attempt moves forward only: what a channel said later never undoes what it said before, except that money that
arrived is a fact whatever was believed until then. `disposition` says what became of that money.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class AttemptState(StrEnum):
    """What we know of an attempt."""

    CREATED = "created"
    """Written down; the channel may or may not have heard of it."""
    UNKNOWN = "unknown"
    """The channel was called and gave no answer: it is being asked."""
    PENDING = "pending"
    """The channel waits for the buyer or for a bank."""
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    CLOSED = "closed"
    """Can't be paid any more: closed at the channel, or lapsed there."""


_A = AttemptState
ATTEMPT_MOVES: dict[AttemptState, frozenset[AttemptState]] = {
    _A.CREATED: frozenset({_A.UNKNOWN, _A.PENDING, _A.SUCCEEDED, _A.DECLINED, _A.CLOSED}),
    _A.UNKNOWN: frozenset({_A.PENDING, _A.SUCCEEDED, _A.DECLINED, _A.CLOSED}),
    _A.PENDING: frozenset({_A.SUCCEEDED, _A.DECLINED, _A.CLOSED}),
    _A.DECLINED: frozenset({_A.SUCCEEDED}),
    _A.CLOSED: frozenset({_A.SUCCEEDED}),
    _A.SUCCEEDED: frozenset(),
}
OPEN = frozenset({_A.CREATED, _A.UNKNOWN, _A.PENDING})
"""States in which the channel may still take the money with our knowledge."""


class Attempt(msgspec.Struct, frozen=True):
    """One try at a channel. Amounts in fen."""

    consumer_id: UUID
    attempt_id: UUID
    purpose: str
    """order | top_up | withdrawal"""
    payment_id: UUID
    """The press that it belongs to; of a spare passage's attempt the same."""
    order_id: UUID | None
    intent_id: UUID | None
    decision_id: UUID | None
    input_hash: bytes
    passage_id: UUID
    passage: str
    channel: str
    method: str
    plan: str
    way: str
    amount_minor: int
    currency: str
    subject: str
    terms: bytes
    """What its success books, as JSON: the flows' own words."""
    is_held: bool
    """Whether limits or balances are reserved for it, under its own id."""
    state: AttemptState
    made_at: datetime
    expires_at: datetime
    """The channel is told not to take money after it."""
    instrument: str = ""
    """What the buyer pays with there, where we know: the id of a bound card, or their openid."""
    disposition: str | None = None
    """applied | returned: what became of the money that came."""
    handover: bytes | None = None
    channel_no: str = ""
    code: str = ""
    reason: str = ""
    message: str = ""
    paid_minor: int = 0
    paid_currency: str = ""
    payer_hint: str = ""
    paid_at: datetime | None = None
    ask_at: datetime | None = None
    """When the janitor asks the channel next; None: nothing is open."""
    asks: int = 0
    version: int = 1

    @property
    def attempt_no(self) -> str:
        """Its number at the channel."""
        return self.attempt_id.hex

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class RefundState(StrEnum):
    """What we know of a refund through a channel."""

    CREATED = "created"
    UNKNOWN = "unknown"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The channel won't; somebody has to decide where the money goes."""
    DIVERTED = "diverted"
    """Paid into the buyer's money account instead."""


_R = RefundState
REFUND_MOVES: dict[RefundState, frozenset[RefundState]] = {
    _R.CREATED: frozenset({_R.UNKNOWN, _R.PENDING, _R.SUCCEEDED, _R.FAILED, _R.DIVERTED}),
    _R.UNKNOWN: frozenset({_R.PENDING, _R.SUCCEEDED, _R.FAILED, _R.DIVERTED}),
    _R.PENDING: frozenset({_R.SUCCEEDED, _R.FAILED, _R.DIVERTED}),
    _R.FAILED: frozenset({_R.CREATED, _R.SUCCEEDED, _R.DIVERTED}),
    _R.SUCCEEDED: frozenset(),
    _R.DIVERTED: frozenset(),
}


class ChannelRefund(msgspec.Struct, frozen=True):
    """Money on its way back to the buyer through the channel that took it."""

    consumer_id: UUID
    refund_id: UUID
    attempt_id: UUID
    order_refund_id: UUID | None
    """The order's refund that it is a part of; None: the money was not ours to take."""
    cause: str
    """refund | late | double | mismatch"""
    amount_minor: int
    state: RefundState
    why: str
    made_at: datetime
    channel_no: str = ""
    code: str = ""
    reason: str = ""
    message: str = ""
    finished_at: datetime | None = None
    ask_at: datetime | None = None
    asks: int = 0
    version: int = 1

    @property
    def refund_no(self) -> str:
        """Its number at the channel."""
        return self.refund_id.hex


class Move(msgspec.Struct, frozen=True):
    """One change of an attempt or of a refund: who, when, why, and what was said."""

    version: int
    verb: str
    from_state: str | None
    to_state: str
    detail: dict[str, object]
    actor: str
    why: str
    at: datetime


class NoticeRow(msgspec.Struct, frozen=True):
    """A notice as it came, with what it was read as."""

    number: str
    """Our number that it speaks of: the attempt's; empty when it could not be read."""
    notice_id: UUID
    passage: str
    channel: str
    kind: str
    """payment | refund | refused"""
    state: str
    """received | done | parked (nothing of ours has that number) | refused (not believed)"""
    code: str
    headers: dict[str, str]
    body: bytes
    result: bytes | None
    received_at: datetime
    times: int = 1
    done_at: datetime | None = None


class Said(msgspec.Struct, frozen=True):
    """What a channel last said of a buyer's way to pay: read by the evaluator's channel layer."""

    method: str
    code: str
    amount_minor: int
    at: datetime
    order_id: UUID | None
    instrument: str = ""
