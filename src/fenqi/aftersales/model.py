"""Cases: what people decide about somebody's order, application, limit or question, and everything kept of it.

A case lies with its party: the consumer it is about, or the house where it is about nobody. Its number, for people,
carries the bucket, so that no directory is needed to find it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from fenqi.kernel.ids import BUCKETS, short_number

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_HOUSE = UUID(int=0x00000000_0000_8000_8000_0000000A5E00)
FILES_MOST = 8
FILE_MOST_BYTES = 1024 * 1024


class Kind(StrEnum):
    """Why people look at something."""

    PAYMENT_REVIEW = "payment_review"
    """Risk wants a person to look at a payment before it is made."""
    APPLICATION_REVIEW = "application_review"
    """The opening table leaves an application to a person."""
    APPEAL = "appeal"
    """A buyer disputes a refusal, a cut or a withdrawal."""
    RAISE_LIMIT = "raise_limit"
    POLICY_MISSING = "policy_missing"
    """An alarm: no row of the policy covers what somebody wanted to buy."""
    COMPLAINT = "complaint"
    QUESTION = "question"


class Topic(StrEnum):
    """What an appeal is against; other kinds have none."""

    NONE = ""
    RISK_REFUSAL = "risk_refusal"
    CREDIT_REFUSAL = "credit_refusal"
    LIMIT_CUT = "limit_cut"
    LIMIT_FROZEN = "limit_frozen"
    LINE_FROZEN = "line_frozen"
    LINE_WITHDRAWN = "line_withdrawn"
    OBSERVATION = "observation"
    VIRTUAL_SUSPENDED = "virtual_suspended"
    OTHER = "other"


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    """In the queue; nobody has it."""
    IN_HAND = "in_hand"
    WAITING = "waiting"
    """For the buyer's answer: the clock stands still."""
    PROPOSED = "proposed"
    """One person has proposed, another one decides."""
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"
    """By who opened it."""
    LAPSED = "lapsed"
    """There is nothing left to decide: somebody else did, or no answer came."""


_S = CaseState
_ENDS = frozenset({_S.WITHDRAWN, _S.LAPSED})
MOVES: Mapping[CaseState, frozenset[CaseState]] = {
    _S.OPEN: frozenset({_S.IN_HAND}) | _ENDS,
    _S.IN_HAND: frozenset({_S.OPEN, _S.IN_HAND, _S.WAITING, _S.PROPOSED, _S.DECIDED}) | _ENDS,
    _S.WAITING: frozenset({_S.IN_HAND}) | _ENDS,
    _S.PROPOSED: frozenset({_S.IN_HAND, _S.DECIDED}) | _ENDS,
    _S.DECIDED: frozenset(),
    _S.WITHDRAWN: frozenset(),
    _S.LAPSED: frozenset(),
}
ENDED = frozenset({_S.DECIDED, _S.WITHDRAWN, _S.LAPSED})


class Subject(msgspec.Struct, frozen=True):
    """What a case is about: order | payment | application | limit | line | policy | none, and which one."""

    kind: str
    id: str


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """What led to the case, for those who decide it: the stored decision, and the codes that it gave to staff."""

    order_id: UUID | None = None
    order_number: str = ""
    intent_id: UUID | None = None
    decision_id: UUID | None = None
    method: str = ""
    plan: str = ""
    codes: tuple[str, ...] = ()
    application_id: UUID | None = None
    scene: str = ""
    category: str = ""
    question: str = ""
    """What somebody asked in words and nobody understood."""
    wanted_minor: int | None = None
    """The limit asked for."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One case as it stands."""

    party_id: UUID
    case_id: UUID
    number: str
    kind: Kind
    topic: Topic
    subject: Subject
    about: About
    amount_minor: int | None
    """What is at stake, where an amount is."""
    priority: int
    """1 is looked at first."""
    policy_version: str
    state: CaseState
    opened_by: str
    opened_at: datetime
    due_at: datetime
    """By when it is to be decided; while the buyer is waited for, by when they are to answer."""
    owner_id: UUID | None = None
    """The member of staff who has it in hand."""
    left_minutes: int | None = None
    """Of work, while the clock stands still."""
    breached_at: datetime | None = None
    """The deadline that was missed."""
    proposed_by: str | None = None
    outcome: str | None = None
    ended_at: datetime | None = None
    version: int = 1

    @property
    def consumer_id(self) -> UUID | None:
        """Whom it is about; None for a matter of the house."""
        return None if self.party_id == _HOUSE else self.party_id

    @property
    def is_open(self) -> bool:
        """Whether something is left to be done."""
        return self.state not in ENDED


class CaseMove(msgspec.Struct, frozen=True):
    """One change of a case: who, when, why; `version` is the case's after it."""

    version: int
    verb: str
    from_state: CaseState | None
    to_state: CaseState
    detail: dict[str, Any]
    actor: str
    why: str
    at: datetime


class Message(msgspec.Struct, frozen=True):
    """One message of the thread: for the buyer too, or among staff."""

    message_id: UUID
    audience: str
    """buyer | staff"""
    body: str
    actor: str
    at: datetime


class Evidence(msgspec.Struct, frozen=True):
    """A file that somebody handed in, without its content."""

    evidence_id: UUID
    audience: str
    name: str
    media_type: str
    size_bytes: int
    sha256: bytes
    actor: str
    at: datetime


class Stage(StrEnum):
    """What a decision's row is."""

    ASKED = "asked"
    """More information, from the buyer."""
    PROPOSED = "proposed"
    RETURNED = "returned"
    """The second person doesn't agree: it goes back."""
    DECIDED = "decided"


class CaseDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided, with what they saw; `digest` seals facts, inputs and outcome together."""

    n: int
    stage: Stage
    outcome: str
    reasons: tuple[str, ...]
    inputs: dict[str, Any]
    told: str
    """What the buyer reads."""
    why: str
    proposer: str | None
    """Who proposed what `actor` decided; None where one person is enough."""
    actor: str
    at: datetime
    policy_version: str
    norms: str
    facts: bytes
    digest: bytes


def number_of(bucket: int, case_id: UUID) -> str:
    """A case's number for people: C, two characters of the bucket, eight of the id."""
    assert 0 <= bucket < BUCKETS, bucket
    return f"C{_ALPHABET[bucket >> 5]}{_ALPHABET[bucket & 31]}{short_number(case_id)[-8:]}"


def bucket_in(number: str) -> int | None:
    """The bucket that a number carries; None when it is no case's number."""
    if len(number) != 11 or number[0] != "C" or any(one not in _ALPHABET for one in number[1:]):
        return None
    bucket = _ALPHABET.index(number[1]) << 5 | _ALPHABET.index(number[2])
    return bucket if bucket < BUCKETS else None


def house_party() -> UUID:
    """The party of cases that are about nobody."""
    return _HOUSE
