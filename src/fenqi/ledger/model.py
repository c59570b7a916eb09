"""What goes through the ledger's door and what comes back: legs, entries, items and verdicts.

A journal moves money in one consumer's accounts; legs say which limits it uses, entries say what is booked.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from fenqi.ledger.chart import Book


class Leg(msgspec.Struct, frozen=True, gc=False):
    """One limit a journal uses (amount above zero) or gives back (below zero).

    `path` names the limit account. The ceiling of the account itself lies in its row; ceilings of the day and month
    come with the leg, None for none. `version` is the one the caller has judged by, None where it doesn't matter.
    """

    path: str
    amount_minor: int
    day_ceiling_minor: int | None = None
    month_ceiling_minor: int | None = None
    version: int | None = None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line of a journal: debits are positive, credits negative. `party_id` is the merchant or channel, if any."""

    book: Book
    path: str
    amount_minor: int
    party_id: UUID | None = None


class PostingItem(msgspec.Struct, frozen=True, gc=False):
    """One journal to post. `journal_id` is its idempotency key, `input_hash` what the key stands for (up to 64 bytes).

    `kind` is the business event, `reference` the order it belongs to. Legs have distinct paths; entries sum to zero
    within each book.
    """

    journal_id: UUID
    bucket: int
    consumer_id: UUID
    kind: str
    input_hash: bytes
    business_on: date
    posted_at: datetime
    reference: UUID | None
    legs: tuple[Leg, ...]
    entries: tuple[Entry, ...]


class Outcome(StrEnum):
    """The door's verdicts, in order of precedence."""

    KEY_CONFLICT = "key_conflict"
    """The journal id is known with another input hash; nothing is written."""
    NO_ACCOUNT = "no_account"
    """A leg names a limit account that does not exist. Kept: a repeat gets the same verdict."""
    STALE_VERSION = "stale_version"
    """A limit was changed since the caller judged. Not kept: judge again and post again with the same id."""
    LIMIT = "limit"
    """A leg does not fit. Kept: a repeat gets the same verdict."""
    HELD = "held"
    """A hold has set the amounts aside."""
    POSTED = "posted"
    """Entries and limits are written."""


class Bound(StrEnum):
    """Which bound of a limit a leg broke, in the order they are tried."""

    CEILING = "ceiling"
    DAY = "day"
    MONTH = "month"


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The door's answer for one item. `repeated` says that it is the stored answer of an earlier call.

    `path` names the leg that was refused; `bound` and `room_minor` (what was left at that moment, in order of
    arrival) come with LIMIT.
    """

    outcome: Outcome
    repeated: bool = False
    path: str | None = None
    bound: Bound | None = None
    room_minor: int | None = None

    @property
    def posted(self) -> bool:
        """Whether the money is on the books, now or since an earlier call."""
        return self.outcome is Outcome.POSTED
