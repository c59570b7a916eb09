"""The one door through which a case changes: the transition table, the version, the missed deadline, the history."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from fenqi.aftersales.model import ENDED, MOVES, Case, CaseMove, CaseState
from fenqi.aftersales.store import cases
from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Conflict, NotFound, Stale
from fenqi.kernel.state import move


async def locked(tx: Tx, party_id: UUID, case_id: UUID) -> Case:
    """The case, kept from others until the transaction's end; NotFound (CASE_UNKNOWN) for none and somebody else's."""
    found = await cases.select_case(tx, party_id, case_id, lock=True)
    if found is None:
        raise NotFound("CASE_UNKNOWN", "no such case")
    return found


async def locked_open(tx: Tx, party_id: UUID, case_id: UUID) -> Case:
    """The same of a case that has not ended; Conflict (STATE_CONFLICT) otherwise."""
    found = await locked(tx, party_id, case_id)
    if not found.is_open:
        raise Conflict("STATE_CONFLICT", "the case has ended", state=str(found.state))
    return found


async def change(
    tx: Tx, case: Case, verb: str, by: By, to: CaseState | None = None, detail: dict[str, Any] | None = None,
    **fields: Any,
) -> Case:  # fmt: skip
    """Move the case (None: it stays) with these fields changed, and keep who did it; the case as it is now.

    Refuses a move that the table doesn't know with Conflict (STATE_CONFLICT).
    """
    state = case.state if to is None else move(MOVES, case.state, to)
    if case.breached_at is None and case.state is not CaseState.WAITING and case.due_at < by.at:
        fields["breached_at"] = case.due_at
    if state in ENDED:
        fields["ended_at"] = by.at
    if state is not CaseState.PROPOSED:
        fields["proposed_by"] = None
    after = msgspec.structs.replace(case, state=state, version=case.version + 1, **fields)
    if not await cases.update_case(tx, after):
        raise Stale("CASE_CHANGED", "somebody else has changed the case")
    kept = CaseMove(after.version, verb, case.state, state, detail or {}, by.actor, check_why(by.why), by.at)
    await cases.insert_move(tx, case.party_id, case.case_id, kept)
    return after
