"""Replaying decisions: from the stored facts alone, by the evaluator's version that they name, to the same bytes."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi import cashier
from fenqi.cashier import StoredDecision
from fenqi.credit import CreditProduct
from fenqi.flows import quote
from fenqi.flows.basis import Asked, TenderVerdict, encode_verdicts
from fenqi.flows.context import Context
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import NotFound

_TENDERS = msgspec.json.Decoder(tuple[TenderVerdict, ...])


async def decision(ctx: Context, consumer_id: UUID, decision_id: UUID) -> StoredDecision:
    """A stored decision of the consumer; NotFound (DECISION_UNKNOWN) otherwise."""
    async with ctx.database.snapshot() as tx:
        found = await cashier.select_decision(tx, bucket_of(consumer_id), consumer_id, decision_id)
    if found is None:
        raise NotFound("DECISION_UNKNOWN", "no such decision")
    return found


def is_identical(stored: StoredDecision, product: CreditProduct) -> bool:
    """Whether evaluating the stored facts again gives the stored verdict, byte for byte."""
    return again(stored, product) == stored.verdict


def again(stored: StoredDecision, product: CreditProduct) -> bytes:
    """The verdict as it comes out now."""
    facts = cashier.decode_facts(stored.facts)
    if stored.kind == "offers":
        return quote.replay_offers(facts, product)
    tenders = _TENDERS.decode(stored.verdict)
    return encode_verdicts(
        facts, [Asked(t.covered_minor, t.verdict.method, t.verdict.plan, t.covered_by) for t in tenders]
    )
