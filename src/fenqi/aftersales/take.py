"""Taking a case in hand and giving it back to the queue."""

from __future__ import annotations

from uuid import UUID

from fenqi.aftersales.change import change, locked_open
from fenqi.aftersales.model import Case, CaseState
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.refusal import Conflict, Forbidden


async def claim(tx: Tx, party_id: UUID, case_id: UUID, staff_id: UUID, by: By) -> Case:
    """Take an open case in hand, or take it over from a colleague; whoever has it already keeps it unchanged.

    Refuses STATE_CONFLICT for a case that waits for the buyer or for a second person, or has ended.
    """
    case = await locked_open(tx, party_id, case_id)
    if case.state is CaseState.IN_HAND and case.owner_id == staff_id:
        return case
    verb = "claim" if case.state is CaseState.OPEN else "take_over"
    if case.state not in (CaseState.OPEN, CaseState.IN_HAND):
        raise Conflict("STATE_CONFLICT", "it waits for somebody else", state=str(case.state))
    return await change(tx, case, verb, by, CaseState.IN_HAND, owner_id=staff_id)


async def release(tx: Tx, party_id: UUID, case_id: UUID, staff_id: UUID, by: By) -> Case:
    """Give a case back to the queue; refuses NOT_YOURS, and STATE_CONFLICT for one that isn't in hand."""
    case = await locked_open(tx, party_id, case_id)
    check_owner(case, staff_id)
    return await change(tx, case, "release", by, CaseState.OPEN, owner_id=None)


def check_owner(case: Case, staff_id: UUID) -> None:
    """Refuse NOT_YOURS to whoever hasn't the case in hand."""
    if case.owner_id != staff_id:
        raise Forbidden("NOT_YOURS", "take the case in hand first")
