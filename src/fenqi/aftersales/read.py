"""Reading cases: one with everything about it, a party's own, the queue, and the counts over it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.aftersales.model import (
    Case,
    CaseDecision,
    CaseMove,
    CaseState,
    Evidence,
    Kind,
    Message,
    Subject,
    bucket_in,
    house_party,
)
from fenqi.aftersales.store import cases, thread
from fenqi.database.pool import Tx
from fenqi.kernel.refusal import NotFound

_OPEN_STATES = (CaseState.OPEN, CaseState.IN_HAND, CaseState.WAITING, CaseState.PROPOSED)


class Whole(msgspec.Struct, frozen=True):
    """A case with its history, thread, files and decisions, each oldest first."""

    case: Case
    moves: list[CaseMove]
    messages: list[Message]
    evidence: list[Evidence]
    decisions: list[CaseDecision]

    @property
    def for_buyer(self) -> list[Message]:
        """The thread as the buyer reads it."""
        return [one for one in self.messages if one.audience == "buyer"]


async def get(tx: Tx, party_id: UUID, case_id: UUID) -> Case:
    """A party's case; NotFound (CASE_UNKNOWN) for none and for somebody else's."""
    found = await cases.select_case(tx, party_id, case_id)
    if found is None:
        raise NotFound("CASE_UNKNOWN", "no such case")
    return found


async def find(tx: Tx, number: str) -> Case:
    """The case of a number as people write it; NotFound (CASE_UNKNOWN). Who asks must be checked by the caller."""
    asked = number.strip().upper()
    bucket = bucket_in(asked)
    found = [] if bucket is None else await cases.select_by_number(tx, bucket, asked)
    if len(found) != 1:
        raise NotFound("CASE_UNKNOWN", "no such case")
    return found[0]


async def find_own(tx: Tx, consumer_id: UUID, number: str) -> Case:
    """The consumer's own case of this number; NotFound (CASE_UNKNOWN) otherwise."""
    found = await find(tx, number)
    if found.party_id != consumer_id:
        raise NotFound("CASE_UNKNOWN", "no such case")
    return found


async def whole(tx: Tx, case: Case) -> Whole:
    """Everything about it."""
    key = (case.party_id, case.case_id)
    return Whole(
        case,
        await cases.select_moves(tx, *key),
        await thread.select_messages(tx, *key),
        await thread.select_evidence(tx, *key),
        await thread.select_decisions(tx, *key),
    )


async def file_of(tx: Tx, case: Case, evidence_id: UUID) -> tuple[Evidence, bytes]:
    """A file with its content; NotFound (FILE_UNKNOWN) otherwise."""
    found = await thread.select_content(tx, case.party_id, case.case_id, evidence_id)
    if found is None:
        raise NotFound("FILE_UNKNOWN", "no such file")
    return found


async def of_consumer(tx: Tx, consumer_id: UUID, limit: int = 50) -> list[Case]:
    """The consumer's cases, newest first."""
    return await cases.select_of_party(tx, consumer_id, limit)


async def of_subject(tx: Tx, consumer_id: UUID | None, kind: Kind, subject: Subject) -> list[Case]:
    """The cases of a kind about one thing, newest first."""
    return await cases.select_of_subject(tx, consumer_id or house_party(), kind, subject)


async def queue(
    tx: Tx, kinds: Sequence[Kind] = tuple(Kind), states: Sequence[CaseState] = _OPEN_STATES,
    owner_id: UUID | None = None, limit: int = 200,
) -> list[Case]:  # fmt: skip
    """Open cases of everybody, the most urgent first; `owner_id` of whoever has them in hand."""
    return await cases.select_queue(tx, kinds, states, owner_id, limit)


async def ended(tx: Tx, kinds: Sequence[Kind] = tuple(Kind), limit: int = 50) -> list[Case]:
    """Cases that have ended, the latest first."""
    return await cases.select_ended(tx, kinds, limit)


async def counts(tx: Tx, at: datetime) -> dict[Kind, tuple[int, int]]:
    """Per kind how many are open, and how many of them late."""
    return await cases.count_open(tx, at)
