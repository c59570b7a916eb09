"""Decisions: what was judged, on which facts, and the same judged again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.flows import replay
from fenqi.web.api.resource import Call, Nothing, resource


class DecisionView(msgspec.Struct, frozen=True):
    """A decision as its buyer may see it: that, when and under which versions; facts are for staff."""

    decision_id: UUID
    checkout_id: UUID
    kind: str
    decided_at: datetime
    evaluator_version: int
    policy_version: str


class ReplayView(msgspec.Struct, frozen=True):
    """Whether the decision, evaluated again from its stored facts, gives the identical verdict."""

    decision_id: UUID
    identical: bool


@resource("GET", "/v1/decisions/{decision}", answer=DecisionView)
async def read(call: Call) -> DecisionView:
    """A decision about one of the consumer's checkouts."""
    found = await replay.decision(call.context, call.actor.consumer_id, call.id("decision"))
    return DecisionView(
        found.decision_id,
        found.intent_id,
        found.kind,
        found.decided_at,
        found.evaluator_version,
        found.policy_version,
    )


@resource("POST", "/v1/decisions/{decision}:replay", body=Nothing, answer=ReplayView)
async def again(call: Call) -> ReplayView:
    """Evaluate the decision again from what is stored."""
    found = await replay.decision(call.context, call.actor.consumer_id, call.id("decision"))
    return ReplayView(found.decision_id, replay.is_identical(found, call.context.reference.product))
