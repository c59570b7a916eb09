"""Passages: accounts at channels, with terms, credentials, maintenance windows, and what is observed of their health.

A passage is the mall's own, or a merchant's; its id is its party in the ledger. Values that identify us there are kept
sealed and leave this room only through `keyring`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec


class Sealer(Protocol):
    """What seals text for an owner: the process's keys."""

    def seal(self, text: str, owner_id: UUID, /) -> bytes:
        """The text sealed for this owner."""
        ...

    def unseal(self, sealed: bytes, owner_id: UUID, /) -> str:
        """The text again."""
        ...


class PassageState(StrEnum):
    """Whether payments may go this way. A banned one was shut by the channel, a suspended one by ourselves."""

    ACTIVE = "active"
    BANNED = "banned"
    SUSPENDED = "suspended"
    RETIRED = "retired"


_P = PassageState
MOVES: dict[PassageState, frozenset[PassageState]] = {
    _P.ACTIVE: frozenset({_P.BANNED, _P.SUSPENDED, _P.RETIRED}),
    _P.BANNED: frozenset({_P.ACTIVE, _P.SUSPENDED, _P.RETIRED}),
    _P.SUSPENDED: frozenset({_P.ACTIVE, _P.BANNED, _P.RETIRED}),
    _P.RETIRED: frozenset(),
}


class CredentialState(StrEnum):
    """A version of credentials: waiting to be used, the one that signs, or one whose late notices still verify."""

    PENDING = "pending"
    CURRENT = "current"
    RETIRED = "retired"


class Terms(msgspec.Struct, frozen=True):
    """What is declared of a passage. Amounts in fen."""

    endpoint: str
    """Base URL of the channel's gateway, without a slash at the end."""
    cost_ppm: int = 0
    """What a payment costs us, in millionths of its amount."""
    fee_minor: int = 0
    """What it costs beside that, whatever its amount."""
    priority: int = 100
    """Among passages of the same cost the lowest goes first."""
    scenes: tuple[str, ...] = ()
    """Empty: every scene."""
    min_minor: int = 1
    max_minor: int | None = None
    may_be_spare: bool = True
    """Whether it takes over when a better one can't serve."""

    def cost_minor(self, amount_minor: int) -> int:
        """What a payment of this amount costs us, rounded up to a fen."""
        return self.fee_minor + -(-amount_minor * self.cost_ppm // 1_000_000)


class Window(msgspec.Struct, frozen=True):
    """A planned maintenance: the passage rests from `from_at` until just before `until_at`."""

    maintenance_id: UUID
    from_at: datetime
    until_at: datetime
    why: str


class SealedCredential(msgspec.Struct, frozen=True):
    """One version of the credentials, its values sealed."""

    version: int
    state: CredentialState
    sealed: bytes
    valid_from_at: datetime | None = None
    notices_until_at: datetime | None = None
    """Until when a retired version still verifies notices."""


class Passage(msgspec.Struct, frozen=True):
    """A passage as stored, with its windows that are not over and its credentials, the newest first."""

    passage_id: UUID
    code: str
    channel: str
    merchant_id: UUID | None
    state: PassageState
    terms: Terms
    version: int
    registered_at: datetime
    windows: tuple[Window, ...] = ()
    credentials: tuple[SealedCredential, ...] = ()

    @property
    def is_keyed(self) -> bool:
        """Whether there are credentials to sign with."""
        return any(each.state is CredentialState.CURRENT for each in self.credentials)


class Credential(NamedTuple):
    """One version of the credentials in the clear: never to be logged or kept."""

    version: int
    values: Mapping[str, str]


class Keyring(NamedTuple):
    """The version that signs, and every version whose notices still verify, the newest first."""

    current: Credential
    accepted: tuple[Credential, ...]


class OutcomeKind(StrEnum):
    """How a call through a passage ended, as far as the passage is concerned."""

    OK = "ok"
    """The channel answered; a buyer's refusal is an answer, too."""
    TIMEOUT = "timeout"
    ERROR = "error"
    """The channel said that it is broken, or what it said can't be trusted."""
    DECLINED = "declined_by_passage"
    """Refused for the passage's own sake: banned, not contracted, keys not accepted."""
    LIMITED = "rate_limited"


class Outcome(NamedTuple):
    """One observed call. `until_at` goes with a limited one, where the channel says when it will listen again."""

    passage_id: UUID
    kind: OutcomeKind
    latency_ms: int
    at: datetime
    until_at: datetime | None = None


class Health(msgspec.Struct, frozen=True):
    """The circuit breaker of a passage. Closed lets calls through; an open one does again from `until_at` on, one at
    first, and closes when that one is answered."""

    is_open: bool = False
    opened_at: datetime | None = None
    until_at: datetime | None = None
    closed_at: datetime | None = None
    """When it closed last."""
    opens: int = 0
    """How often it has opened since it was last closed."""
    failed_in_row: int = 0
    failed_at: datetime | None = None
    probe_at: datetime | None = None
    """When somebody last set out to try whether an open one is back."""
    limited_until_at: datetime | None = None


class Minute(NamedTuple):
    """What was observed of a passage within one minute."""

    minute_at: datetime
    ok_count: int
    timeout_count: int
    error_count: int
    declined_count: int
    limited_count: int
    latency_sum_ms: int
    latency_most_ms: int

    @property
    def failed_count(self) -> int:
        """Calls that speak against the passage."""
        return self.timeout_count + self.error_count + self.declined_count


class HealthChange(NamedTuple):
    """A breaker that opened or closed, or a passage that was told to slow down."""

    from_state: str
    to_state: str
    until_at: datetime | None
    why: str
    at: datetime


class HistoryRow(NamedTuple):
    """One change of what is declared: who, when, why."""

    verb: str
    from_state: str | None
    to_state: str | None
    detail: dict[str, object]
    actor: str
    why: str
    at: datetime
