"""Ends without a decision: the buyer takes it back, there is nothing left to decide, or no answer comes; and the
deadlines that pass."""

from __future__ import annotations

from uuid import UUID

from fenqi.aftersales.change import change, locked_open
from fenqi.aftersales.model import Case, CaseState, Kind
from fenqi.aftersales.store import cases
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.refusal import Forbidden
from fenqi.kernel.working_hours import add_working_minutes


async def withdraw(tx: Tx, party_id: UUID, case_id: UUID, by: By) -> Case:
    """Whoever asked takes it back, while nobody has decided. Refuses NOT_YOURS and STATE_CONFLICT."""
    case = await locked_open(tx, party_id, case_id)
    if case.opened_by != by.actor:
        raise Forbidden("NOT_YOURS", "somebody else has opened it")
    return await change(tx, case, "withdraw", by, CaseState.WITHDRAWN, left_minutes=None)


async def lapse(tx: Tx, party_id: UUID, case_id: UUID, by: By) -> Case:
    """There is nothing left to decide."""
    case = await locked_open(tx, party_id, case_id)
    return await change(tx, case, "lapse", by, CaseState.LAPSED, left_minutes=None)


async def overdue(tx: Tx, by: By, most: int = 200) -> list[Case]:
    """Cases whose deadline has passed unnoticed, and those whose buyer hasn't answered in time; read only."""
    return await cases.select_overdue(tx, by.at, most)


async def note_overdue(tx: Tx, party_id: UUID, case_id: UUID, by: By) -> Case:
    """Mark a missed deadline and look at the case first; one whose buyer hasn't answered in time lapses, but for an
    application: that is decided on what there is."""
    case = await locked_open(tx, party_id, case_id)
    if case.due_at >= by.at:
        return case
    if case.state is CaseState.WAITING and case.kind is Kind.APPLICATION_REVIEW:
        due_at = add_working_minutes(by.at, case.left_minutes or 0)
        return await change(tx, case, "breach", by, CaseState.IN_HAND, due_at=due_at, left_minutes=None, priority=1)
    if case.state is CaseState.WAITING:
        return await change(tx, case, "lapse", by, CaseState.LAPSED, left_minutes=None)
    return case if case.breached_at is not None else await change(tx, case, "breach", by, priority=1)
