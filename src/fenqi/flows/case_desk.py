"""The desk: staff take cases in hand, ask, decide, and agree with what a colleague has proposed.

Every act says why and is kept in the log of actions, in the transaction of what it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import aftersales, staff
from fenqi.aftersales import Case, CaseDecision, Evidence, Kind, Stage, Verdict, Whole
from fenqi.database.pool import Tx
from fenqi.flows import case_effect, case_seen
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, Stale
from fenqi.staff import Action, Member

MAY: Mapping[Kind, Action] = {
    Kind.PAYMENT_REVIEW: Action.DECIDE_CASE,
    Kind.APPLICATION_REVIEW: Action.DECIDE_CASE,
    Kind.APPEAL: Action.DECIDE_CASE,
    Kind.RAISE_LIMIT: Action.DECIDE_CASE,
    Kind.POLICY_MISSING: Action.MAKE_POLICY,
    Kind.COMPLAINT: Action.ANSWER_CASE,
    Kind.QUESTION: Action.ANSWER_CASE,
}
"""What it takes to work on a kind of case."""


class Shown(msgspec.Struct, frozen=True):
    """A case with everything about it, what a decision on it would rest on, and the mark to be sent back with it."""

    whole: Whole
    seen: case_seen.Seen
    mark: str


async def show(ctx: Context, tx: Tx, case: Case) -> Shown:
    """One case as its screen shows it."""
    whole = await aftersales.whole(tx, case)
    seen = await case_seen.gather(ctx, tx, whole)
    return Shown(whole, seen, case_seen.mark_of(case_seen.encode(seen)))


def may_work_on(member: Member, kind: Kind) -> bool:
    """Whether one of the member's roles allows working on this kind."""
    return member.may(MAY[kind])


async def claim(ctx: Context, member: Member, number: str, why: str) -> Case:
    """Take a case in hand, or over from a colleague."""
    async with ctx.database.transaction() as tx:
        case, by = await _begin(ctx, tx, member, number, why, "claim")
        return await aftersales.claim(tx, case.party_id, case.case_id, member.staff_id, by)


async def release(ctx: Context, member: Member, number: str, why: str) -> Case:
    """Give it back to the queue."""
    async with ctx.database.transaction() as tx:
        case, by = await _begin(ctx, tx, member, number, why, "release")
        return await aftersales.release(tx, case.party_id, case.case_id, member.staff_id, by)


async def lapse(ctx: Context, member: Member, number: str, why: str) -> Case:
    """Close it without a decision: there is nothing left to decide. Not an application, which waits for one
    (STATE_CONFLICT)."""
    async with ctx.database.transaction() as tx:
        case, by = await _begin(ctx, tx, member, number, why, "lapse")
        if case.kind is Kind.APPLICATION_REVIEW:
            raise Conflict("STATE_CONFLICT", "the application waits: approve or reject it", state=str(case.state))
        return await aftersales.lapse(tx, case.party_id, case.case_id, by)


async def tell(
    ctx: Context, member: Member, number: str, text: str, internal: bool, message_id: UUID | None = None
) -> Case:
    """Write to the buyer, or (internal) a note for colleagues."""
    why = "wrote a note" if internal else "wrote to the buyer"
    async with ctx.database.transaction() as tx:
        case, by = await _begin(ctx, tx, member, number, why, "note" if internal else "tell")
        key = message_id or new_id()
        return await aftersales.tell(tx, case.party_id, case.case_id, key, text, by, internal)


async def hand_in(ctx: Context, member: Member, number: str, name: str, content: bytes, file_id: UUID) -> Evidence:
    """Keep a file for colleagues."""
    async with ctx.database.transaction() as tx:
        case, by = await _begin(ctx, tx, member, number, "added a file", "hand_in")
        return await aftersales.hand_in(tx, case.party_id, case.case_id, file_id, name, content, by, internal=True)


async def ask(ctx: Context, member: Member, number: str, question: str, why: str, mark: str | None = None) -> Case:
    """Ask the buyer for more; the clock stands still until they answer."""
    async with ctx.database.transaction() as tx:
        case, by = await _begin(ctx, tx, member, number, why, "ask")
        facts, policy = await _facts(ctx, tx, case, mark)
        return await aftersales.ask(
            tx, case.party_id, case.case_id, member.staff_id, question, facts, policy, by
        )  # fmt: skip


async def decide(
    ctx: Context, member: Member, number: str, wanted: Verdict, why: str, mark: str | None = None
) -> tuple[Case, CaseDecision]:
    """Decide a case in hand, with what follows from it; or propose what a second person then decides.

    `mark` is that of the screen: refused with CASE_CHANGED when there is something that it didn't show. Refuses what
    the room, `case_effect.check` and the effects refuse; then nothing is written.
    """
    async with ctx.database.transaction() as tx:
        case, by = await _begin(ctx, tx, member, number, why, "decide", outcome=wanted.outcome)
        case_effect.check(case, wanted)
        facts, policy = await _facts(ctx, tx, case, mark)
        after, decision, is_new = await aftersales.decide(
            tx, case.party_id, case.case_id, member.staff_id, wanted, facts, policy, by
        )
        if is_new and decision.stage is Stage.DECIDED:
            await case_effect.carry_out(ctx, tx, after, decision, by)
    return after, decision


async def agree(
    ctx: Context, member: Member, number: str, why: str, mark: str | None = None
) -> tuple[Case, CaseDecision]:  # fmt: skip
    """Decide, as the second person, what a colleague has proposed, with what follows from it."""
    async with ctx.database.transaction() as tx:
        case, by = await _begin(ctx, tx, member, number, why, "agree")
        facts, policy = await _facts(ctx, tx, case, mark)
        after, decision, is_new = await aftersales.agree(tx, case.party_id, case.case_id, facts, policy, by)
        if is_new:
            await case_effect.carry_out(ctx, tx, after, decision, by)
    return after, decision


async def give_back(ctx: Context, member: Member, number: str, why: str, mark: str | None = None) -> Case:
    """Disagree with what a colleague has proposed."""
    async with ctx.database.transaction() as tx:
        case, by = await _begin(ctx, tx, member, number, why, "give_back")
        facts, policy = await _facts(ctx, tx, case, mark)
        return await aftersales.give_back(tx, case.party_id, case.case_id, facts, policy, by)


async def _begin(
    ctx: Context, tx: Tx, member: Member, number: str, why: str, verb: str, **detail: object
) -> tuple[Case, By]:
    """The case, once the member may work on it and what they do is kept."""
    case = await aftersales.find(tx, number)
    now: datetime = ctx.now()
    by = By(member.actor, why, now)
    await staff.audit(tx, member, MAY[case.kind], f"case:{case.case_id}", why, now, {"verb": verb, **detail})
    return case, by


async def _facts(ctx: Context, tx: Tx, case: Case, mark: str | None) -> tuple[bytes, str]:
    """What there is to be seen now, and the policy in force; refuses CASE_CHANGED when the mark says otherwise."""
    facts = case_seen.encode(await case_seen.gather(ctx, tx, await aftersales.whole(tx, case)))
    if mark is not None and mark != case_seen.mark_of(facts):
        raise Stale("CASE_CHANGED", "there is something that the screen didn't show: look again")
    ref = await ctx.reference.current(tx, ctx.now())
    policy = ref.policy if case.consumer_id is None else ref.policy_for(case.consumer_id)
    return facts, policy.number
