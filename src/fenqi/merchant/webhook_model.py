"""Webhooks: a merchant's endpoints, the events that it is told, and what became of telling them.

An event's body is made once and kept as it is sent; a delivery is one event on its way to one endpoint.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec


class EventType(StrEnum):
    """What a merchant can be told of. `webhook.test` is only sent when it is asked for."""

    PAYMENT_SUCCEEDED = "payment.succeeded"
    PAYMENT_REFUSED = "payment.refused"
    PAYMENT_CLOSED = "payment.closed"
    REFUND_CREATED = "refund.created"
    REFUND_SUCCEEDED = "refund.succeeded"
    REFUND_FAILED = "refund.failed"
    TEST = "webhook.test"


TOPICS = tuple(one for one in EventType if one is not EventType.TEST)
"""What an endpoint can subscribe to."""


class EndpointState(StrEnum):
    """Whether events are sent there."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"


_E = EndpointState
ENDPOINT_MOVES: dict[EndpointState, frozenset[EndpointState]] = {
    _E.ACTIVE: frozenset({_E.DISABLED, _E.REMOVED}),
    _E.DISABLED: frozenset({_E.ACTIVE, _E.REMOVED}),
    _E.REMOVED: frozenset(),
}


class DeliveryState(StrEnum):
    """Where an event on its way to an endpoint stands."""

    PENDING = "pending"
    """Waits for its next try, or is being sent."""
    DELIVERED = "delivered"
    """The endpoint answered 2xx."""
    FAILED = "failed"
    """Not tried any more because the endpoint was disabled or removed."""
    GIVEN_UP = "given_up"
    """Tried as often as the ladder has rungs."""


class Endpoint(msgspec.Struct, frozen=True):
    """Where a merchant wants to be told. No topics: every one."""

    merchant_id: UUID
    endpoint_id: UUID
    url: str
    topics: tuple[str, ...]
    state: EndpointState
    failing_since_at: datetime | None
    """Since when no try has succeeded; None: the last one did."""
    version: int
    created_at: datetime

    def wants(self, event_type: str) -> bool:
        """Whether it is told of events of this type."""
        return not self.topics or event_type in self.topics


class Secret(msgspec.Struct, frozen=True):
    """One version of what an endpoint's events are signed with, sealed."""

    secret_id: UUID
    sealed: bytes
    made_at: datetime
    ends_at: datetime | None
    """Of a secret that was rotated: until when it signs beside its successor."""


class Change(msgspec.Struct, frozen=True):
    """One change of an endpoint: who, when, why."""

    verb: str
    from_state: str | None
    to_state: str | None
    detail: dict[str, Any]
    actor: str
    why: str
    at: datetime


class NewEvent(msgspec.Struct, frozen=True):
    """Something to tell a merchant. Its `event_id` is the same at each repeat, so that a repeat changes nothing."""

    merchant_id: UUID
    event_id: UUID
    type: str
    payment_id: UUID | None
    made_at: datetime
    body: bytes


class Event(msgspec.Struct, frozen=True):
    """An event as it is kept; `seq` counts those of its payment, from 1."""

    merchant_id: UUID
    event_id: UUID
    type: str
    payment_id: UUID | None
    seq: int
    made_at: datetime
    body: bytes


class Delivery(msgspec.Struct, frozen=True):
    """One event on its way to one endpoint."""

    merchant_id: UUID
    endpoint_id: UUID
    event_id: UUID
    payment_id: UUID | None
    seq: int
    state: DeliveryState
    rung: int
    """How many tries the ladder has counted since the event was first sent or replayed."""
    tries: int
    """All tries ever."""
    next_at: datetime
    leased_until_at: datetime | None
    last_status: int | None
    finished_at: datetime | None


class Claimed(msgspec.Struct, frozen=True):
    """A delivery that this process tries now: everything that sending takes, the secrets still sealed."""

    merchant_id: UUID
    endpoint_id: UUID
    event_id: UUID
    try_no: int
    rung: int
    url: str
    is_open: bool
    """Whether the endpoint still takes events."""
    body: bytes
    sealed: tuple[bytes, ...]
    """Newest first."""


class Heard(msgspec.Struct, frozen=True):
    """What a try came to; `status` is None when there was no answer."""

    status: int | None
    latency_ms: int
    answer: bytes = b""
    """At most the first 1024 bytes."""
    error: str = ""

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == 410


class Try(msgspec.Struct, frozen=True):
    """One try as it is kept; without `ended_at` it is under way, or its process was killed."""

    endpoint_id: UUID
    event_id: UUID
    try_no: int
    begun_at: datetime
    ended_at: datetime | None
    latency_ms: int | None
    status: int | None
    error: str
    answer: bytes


class Notice(msgspec.Struct, frozen=True):
    """Something that the merchant must know."""

    notice_id: UUID
    kind: str
    """webhook_disabled"""
    detail: dict[str, str]
    at: datetime


LADDER = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)  # fmt: skip
"""The wait before each try, the first at once: the schedule that Standard Webhooks suggests, 75 h 35 min 5 s in all."""

_JITTER = 0.2
"""A wait is up to this part longer, so that what failed together doesn't come again together."""

LEASE = timedelta(seconds=60)
"""How long a claimed delivery is left alone: well above the longest try."""

DISABLED_AFTER = timedelta(days=5)
"""An endpoint at which nothing succeeded for so long is disabled by its next failure."""


def next_wait(rung: int, chance: float) -> timedelta | None:
    """How long to wait after the `rung`-th try (1 is the first) failed; `chance` in [0, 1). None: give up."""
    if rung >= len(LADDER):
        return None
    return LADDER[rung] * (1 + _JITTER * chance)
