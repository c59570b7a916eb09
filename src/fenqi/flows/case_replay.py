"""Replaying what people decided: seals checked, norms asked again, and the machine's decision beneath replayed too."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi import aftersales, cashier
from fenqi.aftersales import Case, verdict
from fenqi.database.pool import Tx
from fenqi.flows import case_effect, case_seen, replay
from fenqi.flows.context import Context
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import Refusal


class Replayed(msgspec.Struct, frozen=True):
    """What came out: `faults` is empty when every decision stands as it was taken."""

    number: str
    decisions_count: int
    faults: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether everything is as it was."""
        return not self.faults


async def again(ctx: Context, tx: Tx, case: Case) -> Replayed:
    """Judge a case's decisions again: each seal over facts, inputs and outcome; outcome, reasons and second person by
    the norms of then; the inputs by what the outcome takes; and the cashier's decision that people looked at."""
    whole = await aftersales.whole(tx, case)
    found = verdict.faults(case, whole.decisions)
    for one in whole.decisions:
        found += [f"{one.n}: {fault}" for fault in await _seen_faults(ctx, tx, case, one.facts)]
        if one.stage is not aftersales.Stage.ASKED:
            found += _inputs(case, one)
    return Replayed(case.number, len(whole.decisions), tuple(found))


def _inputs(case: Case, one: aftersales.CaseDecision) -> list[str]:
    try:
        case_effect.check(case, aftersales.Verdict(outcome=one.outcome, reasons=one.reasons, inputs=one.inputs))
    except Refusal as no:
        return [f"{one.n}: {no.code}"]
    return []


async def _seen_faults(ctx: Context, tx: Tx, case: Case, facts: bytes) -> list[str]:
    """What is wrong with what was seen: bytes that aren't what they were, or a decision that doesn't replay."""
    seen = case_seen.decode(facts)
    if case_seen.encode(seen) != facts:
        return ["what was seen can't be read as it was written"]
    if seen.number != case.number:
        return ["another case was seen"]
    if seen.decision is None or case.consumer_id is None:
        return []
    return await _decision_faults(ctx, tx, case.consumer_id, seen.decision)


async def _decision_faults(ctx: Context, tx: Tx, consumer_id: UUID, seen: case_seen.SeenDecision) -> list[str]:
    stored = await cashier.select_decision(tx, bucket_of(consumer_id), consumer_id, seen.decision_id)
    if stored is None:
        return ["the cashier's decision is gone"]
    if case_seen.digest(stored.facts) != seen.facts_sha256 or case_seen.digest(stored.verdict) != seen.verdict_sha256:
        return ["the cashier's decision is another one now"]
    return [] if replay.is_identical(stored, ctx.reference.product) else ["the cashier's decision doesn't replay"]
