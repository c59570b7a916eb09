"""Deciding a case: asking the buyer for more, deciding alone, or proposing what another person then decides.

`facts` are the bytes of what the person saw; they are kept with the decision (`verdict`). What the decision does
elsewhere is done by the flow, in the same transaction.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fenqi.aftersales import norm, verdict
from fenqi.aftersales.change import change, locked, locked_open
from fenqi.aftersales.model import Case, CaseDecision, CaseState, Message, Stage
from fenqi.aftersales.say import check_body
from fenqi.aftersales.store import thread
from fenqi.aftersales.take import check_owner
from fenqi.aftersales.verdict import Verdict
from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, Forbidden, Refusal
from fenqi.kernel.working_hours import DAY, add_working_minutes, working_minutes_between

ANSWER_WITHIN = 5 * DAY
"""Minutes of work within which a buyer is to answer; afterwards the case lapses."""


async def ask(
    tx: Tx, party_id: UUID, case_id: UUID, staff_id: UUID, question: str, facts: bytes, policy_version: str, by: By
) -> Case:
    """Ask the buyer for more: the clock stands still until they answer. Refuses NOT_YOURS, STATE_CONFLICT,
    NOBODY_TO_TELL."""
    case = await locked_open(tx, party_id, case_id)
    check_owner(case, staff_id)
    if case.consumer_id is None:
        raise Refusal("NOBODY_TO_TELL", "the case is about nobody")
    left = working_minutes_between(by.at, case.due_at)
    body = check_body(question)
    after = await change(
        tx, case, "ask", by, CaseState.WAITING, left_minutes=left, due_at=add_working_minutes(by.at, ANSWER_WITHIN)
    )
    await thread.insert_message(tx, party_id, case_id, Message(new_id(), "buyer", body, by.actor, by.at))
    asked = Verdict(outcome=norm.MORE_INFORMATION, told=body)
    await _keep(tx, after, Stage.ASKED, asked, None, facts, policy_version, by)
    return after


async def decide(
    tx: Tx, party_id: UUID, case_id: UUID, staff_id: UUID, wanted: Verdict, facts: bytes, policy_version: str, by: By
) -> tuple[Case, CaseDecision, bool]:
    """Decide a case in hand, or propose its outcome where a second person is needed: the case, the decision, and
    whether it is new (a repeat of what the same person has just decided gives that decision again).

    Refuses NOT_YOURS, OUTCOME_UNKNOWN, REASONS_REQUIRED, TEXT_INVALID (the buyer is told something), STATE_CONFLICT.
    """
    case = await locked(tx, party_id, case_id)
    repeated = await _repeated(tx, case, wanted, by)
    if repeated is not None:
        return case, repeated, False
    if case.state is not CaseState.IN_HAND:
        raise Conflict("STATE_CONFLICT", "the case isn't in hand", state=str(case.state))
    check_owner(case, staff_id)
    norm.check_verdict(case.kind, wanted.outcome, wanted.reasons)
    if case.consumer_id is not None:
        check_body(wanted.told)
    if norm.needs_second(case.kind, wanted.outcome, case.amount_minor):
        detail = {"outcome": wanted.outcome}
        after = await change(tx, case, "propose", by, CaseState.PROPOSED, detail, proposed_by=by.actor)
        return after, await _keep(tx, after, Stage.PROPOSED, wanted, None, facts, policy_version, by), True
    return await _decided(tx, case, wanted, None, facts, policy_version, by)


async def agree(
    tx: Tx, party_id: UUID, case_id: UUID, facts: bytes, policy_version: str, by: By
) -> tuple[Case, CaseDecision, bool]:
    """The second person decides what the first has proposed; a repeat gives the decision again.

    Refuses SAME_PERSON, and STATE_CONFLICT where nothing is proposed.
    """
    case = await locked(tx, party_id, case_id)
    kept = await thread.select_decisions(tx, party_id, case_id)
    if case.state is CaseState.DECIDED and kept[-1].actor == by.actor and kept[-1].proposer is not None:
        return case, kept[-1], False
    _check_second(case, by)
    said = kept[-1]
    wanted = Verdict(outcome=said.outcome, reasons=said.reasons, inputs=said.inputs, told=said.told)
    return await _decided(tx, case, wanted, said.actor, facts, policy_version, by)


async def give_back(tx: Tx, party_id: UUID, case_id: UUID, facts: bytes, policy_version: str, by: By) -> Case:
    """The second person doesn't agree: the case goes back to who has it in hand, with why.

    Refuses SAME_PERSON, and STATE_CONFLICT where nothing is proposed.
    """
    case = await locked_open(tx, party_id, case_id)
    _check_second(case, by)
    said = (await thread.select_decisions(tx, party_id, case_id))[-1]
    after = await change(tx, case, "give_back", by, CaseState.IN_HAND)
    same = Verdict(outcome=said.outcome, reasons=said.reasons, inputs=said.inputs)
    await _keep(tx, after, Stage.RETURNED, same, said.actor, facts, policy_version, by)
    return after


def _check_second(case: Case, by: By) -> None:
    if case.state is not CaseState.PROPOSED:
        raise Conflict("STATE_CONFLICT", "nothing is proposed", state=str(case.state))
    if case.proposed_by == by.actor:
        raise Forbidden("SAME_PERSON", "whoever proposed it can't decide it, too")


async def _repeated(tx: Tx, case: Case, wanted: Verdict, by: By) -> CaseDecision | None:
    if case.state not in (CaseState.PROPOSED, CaseState.DECIDED):
        return None
    last = (await thread.select_decisions(tx, case.party_id, case.case_id))[-1]
    same = (last.actor, last.outcome, last.inputs) == (by.actor, wanted.outcome, wanted.inputs)
    return last if same and last.proposer is None else None


async def _decided(
    tx: Tx, case: Case, wanted: Verdict, proposer: str | None, facts: bytes, policy_version: str, by: By
) -> tuple[Case, CaseDecision, bool]:
    detail = {"outcome": wanted.outcome}
    after = await change(tx, case, "decide", by, CaseState.DECIDED, detail, outcome=wanted.outcome)
    if case.consumer_id is not None:
        said = Message(new_id(), "buyer", check_body(wanted.told), by.actor, by.at)
        await thread.insert_message(tx, case.party_id, case.case_id, said)
    return after, await _keep(tx, after, Stage.DECIDED, wanted, proposer, facts, policy_version, by), True


async def _keep(
    tx: Tx, case: Case, stage: Stage, said: Verdict, proposer: str | None, facts: bytes, policy_version: str, by: By
) -> CaseDecision:
    """Seal the decision and keep it."""
    at: datetime = by.at
    decision = verdict.sealed(
        case.kind,
        case.amount_minor,
        CaseDecision(
            n=len(await thread.select_decisions(tx, case.party_id, case.case_id)) + 1, stage=stage,
            outcome=said.outcome, reasons=said.reasons, inputs=said.inputs, told=said.told, why=check_why(by.why),
            proposer=proposer, actor=by.actor, at=at, policy_version=policy_version, norms=norm.VERSION, facts=facts,
            digest=b"",
        ),
    )  # fmt: skip
    await thread.insert_decision(tx, case.party_id, case.case_id, decision)
    return decision
