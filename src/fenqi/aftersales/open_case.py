"""Opening a case: one about the same thing that is open already is joined, never doubled."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.aftersales import norm
from fenqi.aftersales.model import About, Case, CaseMove, CaseState, Kind, Subject, Topic, house_party, number_of
from fenqi.aftersales.store import cases
from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import Conflict, Refusal


class NewCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it is asked for; `case_id` is the caller's, under which a repeat finds what is there."""

    case_id: UUID
    kind: Kind
    subject: Subject
    policy_version: str
    topic: Topic = Topic.NONE
    about: About = About()
    amount_minor: int | None = None
    due_at: datetime | None = None
    """A deadline promised elsewhere; None: the norm's."""


class Opened(msgspec.Struct, frozen=True):
    """The case, and whether this call has opened it."""

    case: Case
    is_new: bool


async def open_case(tx: Tx, consumer_id: UUID | None, new: NewCase, by: By) -> Opened:
    """Open a case about a consumer, or (None) about nobody; the open one about the same subject where there is one.

    Refuses TOPIC_INVALID: an appeal names what it is against, nothing else does.
    """
    if (new.kind is Kind.APPEAL) != (new.topic is not Topic.NONE):
        raise Refusal("TOPIC_INVALID", "an appeal names what it is against")
    party_id = house_party() if consumer_id is None else consumer_id
    case = Case(
        party_id=party_id, case_id=new.case_id, number=number_of(bucket_of(party_id), new.case_id), kind=new.kind,
        topic=new.topic, subject=new.subject, about=new.about, amount_minor=new.amount_minor,
        priority=norm.priority_of(new.kind, new.amount_minor), policy_version=new.policy_version,
        state=CaseState.OPEN, opened_by=by.actor, opened_at=by.at,
        due_at=new.due_at or norm.due_at(new.kind, by.at),
    )  # fmt: skip
    if not await cases.insert_case(tx, case):
        return Opened(await _there(tx, case), False)
    move = CaseMove(1, "open", None, CaseState.OPEN, {}, by.actor, check_why(by.why), by.at)
    await cases.insert_move(tx, party_id, case.case_id, move)
    return Opened(case, True)


async def _there(tx: Tx, case: Case) -> Case:
    """What was in the way: a repeat of this very call, or the open case about the same subject."""
    repeated = await cases.select_case(tx, case.party_id, case.case_id)
    if repeated is not None:
        return repeated
    about = await cases.select_of_subject(tx, case.party_id, case.kind, case.subject)
    there = next((one for one in about if one.is_open), None)
    if there is None:
        raise Conflict("STATE_CONFLICT", "the case about it has just ended: ask again", state="ended")
    return there
