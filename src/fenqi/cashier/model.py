"""The cashier's nouns: a checkout (payment intent), a tender, a payment and a stored decision."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.kernel.reason import Reason


class Checkout(msgspec.Struct, frozen=True, gc=False):
    """What is owed for one order; the id of the cashier page and of the API's checkouts."""

    bucket: int
    consumer_id: UUID
    intent_id: UUID
    order_id: UUID


class Tender(msgspec.Struct, frozen=True, gc=False):
    """One part of the amount by one method and plan."""

    method: str
    plan: str
    amount_minor: int


class Payment(msgspec.Struct, frozen=True, gc=False):
    """One press of the button with its answer; `reasons` is empty when it succeeded."""

    bucket: int
    consumer_id: UUID
    payment_id: UUID
    intent_id: UUID
    order_id: UUID
    input_hash: bytes
    amount_minor: int
    method: str
    plan: str
    outcome: str
    """succeeded | refused; while a channel has not decided: pending | unknown; of a press that ended without an answer:
    closed (can't be paid any more) | returned (its money came too late and goes back)"""
    decision_id: UUID
    decided_ms: int
    paid_at: datetime
    tenders: tuple[Tender, ...] = ()
    loan_id: UUID | None = None
    reasons: tuple[Reason, ...] = ()
    attempt_id: UUID | None = None
    """The latest try at a channel, where one is involved."""


class StoredDecision(msgspec.Struct, frozen=True, gc=False):
    """A decision as it was taken: the facts, and the verdict on them, both as JSON text."""

    bucket: int
    consumer_id: UUID
    decision_id: UUID
    intent_id: UUID
    kind: str
    """offers | payment"""
    decided_at: datetime
    evaluator_version: int
    policy_version: str
    facts: bytes
    verdict: bytes
