"""The risk database's things: subjects with what is known of each, and the sliding windows that count.

A subject is found by an id that its keyed hash gives; the card number, the address, the device's own id are nowhere.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

SubjectKind = Literal["consumer", "device", "card", "address", "merchant"]
ListName = Literal["block", "watch", "allow"]
OutcomeName = Literal["overdue", "chargeback", "fraud", "complaint_upheld", "cleared"]
ReviewState = Literal["none", "open", "cleared", "confirmed"]
SUBJECTS: tuple[SubjectKind, ...] = ("consumer", "device", "card", "address", "merchant")
LISTS: tuple[ListName, ...] = ("block", "watch", "allow")
OUTCOMES: tuple[OutcomeName, ...] = ("overdue", "chargeback", "fraud", "complaint_upheld", "cleared")
SKEW_MS = 60_000
"""By how much the clocks of two processes may differ: so much of the future counts as now."""
KEPT = 64
"""How many of the latest events a pulse holds; a window with more says this many."""


class Subject(NamedTuple):
    """Somebody or something that risk is known of."""

    kind: SubjectKind
    subject_id: UUID


def subject_id(hashed: bytes) -> UUID:
    """The id under which a keyed hash (32 bytes) is found; its last byte is the bucket."""
    return UUID(bytes=hashed[:16])


class Beat(NamedTuple):
    """An event to be counted; the same `event_id` is counted once."""

    subject_id: UUID
    kind: str
    """press | refused | wrong_password | returned | complaint | outcome's name"""
    event_id: UUID
    at_ms: int
    amount_minor: int = 0


def event_key(event_id: UUID) -> int:
    """An event's id as a pulse keeps it: 63 of its bits."""
    return (event_id.int ^ (event_id.int >> 64)) & ((1 << 63) - 1)


class Pulse(NamedTuple):
    """The latest events of one kind, oldest first (by when they were counted)."""

    keys: tuple[int, ...] = ()
    at_ms: tuple[int, ...] = ()
    amounts_minor: tuple[int, ...] = ()

    def before(self, event_id: UUID | None, from_ms: int, to_ms: int) -> int:
        """How many events lie in (from, to], give or take clocks that run ahead, and were counted before this one
        (None: all that were counted)."""
        end = len(self.keys)
        if event_id is not None and (key := event_key(event_id)) in self.keys:
            end = self.keys.index(key)
        return sum(1 for at_ms in self.at_ms[:end] if from_ms < at_ms <= to_ms + SKEW_MS)

    def sum_minor(self, from_ms: int, to_ms: int) -> int:
        """The amounts of the events in (from, to]."""
        pairs = zip(self.at_ms, self.amounts_minor, strict=True)
        return sum(amount for at_ms, amount in pairs if from_ms < at_ms <= to_ms)

    def last_ms(self, to_ms: int) -> int | None:
        """When the newest event up to then was."""
        known = sorted(self.at_ms)
        place = bisect_right(known, to_ms)
        return known[place - 1] if place else None


class Listed(msgspec.Struct, frozen=True):
    """An entry of a list."""

    subject_id: UUID
    subject_kind: SubjectKind
    list: ListName
    actor: str
    why: str
    at: datetime
    until_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it has not expired."""
        return self.until_at is None or self.until_at > at


class ListChange(Listed, frozen=True):
    """One change of a list, kept for good."""

    verb: str = "add"


class Known(msgspec.Struct, frozen=True):
    """What is kept of a subject in its own row."""

    subject_id: UUID
    kind: SubjectKind
    label: str
    first_at: datetime
    consumers_count: int
    """How many consumers it is linked with."""
    fraud_count: int
    """How many of those are confirmed frauds."""


class Link(msgspec.Struct, frozen=True):
    """That two subjects have met: a consumer used a device, a card, an address."""

    subject_id: UUID
    other_id: UUID
    subject_kind: SubjectKind
    other_kind: SubjectKind
    first_at: datetime
    last_at: datetime
    proved_at: datetime | None = None
    """When the consumer first proved themselves there; a consumer's first device needs no proof."""
    person_hash: bytes | None = None
    """Who the other end is, where it is a consumer."""
    is_fraud: bool = False
    """Whether the consumer at one end is a confirmed fraud."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of somebody or something."""

    outcome_id: UUID
    subject_id: UUID
    subject_kind: SubjectKind
    outcome: OutcomeName
    about: str
    """What it was about: an order's, loan's or case's id."""
    actor: str
    why: str
    at: datetime


class Review(msgspec.Struct, frozen=True):
    """A state of a person's look at a consumer or one of their orders."""

    review_id: UUID
    about: str
    """The order's id, or the consumer's for everything."""
    state: str
    until_at: datetime | None
    actor: str
    why: str
    at: datetime
    most_minor: int | None = None
    """What was looked at was a payment of this much: a dearer one has not been looked at (None: any)."""

    def bears_on(self, about: tuple[str, ...], payable_minor: int, now: datetime) -> bool:
        """Whether it says something of a payment now: of this order or consumer, and not beyond its amount."""
        holds = self.at <= now and (self.until_at is None or self.until_at > now)
        return holds and self.about in about and (self.most_minor is None or payable_minor <= self.most_minor)


class Profile(msgspec.Struct, frozen=True):
    """All that is known of a subject."""

    subject: Subject
    known: Known | None
    lists: tuple[Listed, ...]
    changes: tuple[ListChange, ...]
    pulses: dict[str, Pulse]
    links: tuple[Link, ...]
    outcomes: tuple[Outcome, ...]
    reviews: tuple[Review, ...]


class Web(msgspec.Struct, frozen=True):
    """Subjects around one, as far as a bounded walk went. `cut`: subjects with more links than were followed."""

    nodes: dict[UUID, tuple[SubjectKind, int]]
    """Subject → its kind, and how many hops away it lies."""
    edges: tuple[Link, ...]
    cut: tuple[UUID, ...] = ()
