"""Looking back at a line: finding an application or a refund by its id alone, and what people decided.

For staff who have checked that they may: the finders look through all buckets and know no owner's rights.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.credit.loan_event import LoanEvent
from fenqi.credit.store import history as store
from fenqi.database.pool import Tx
from fenqi.kernel.refusal import NotFound

_EVENT = msgspec.json.Decoder(LoanEvent)


class Review(msgspec.Struct, frozen=True):
    """What a person decided on an application that the policy left to people."""

    application_id: UUID
    outcome: str
    """approved | rejected"""
    limit_minor: int
    principal_reasons: tuple[str, ...]
    actor: str
    why: str
    at: datetime


class LoanMove(msgspec.Struct, frozen=True):
    """Something that happened to a loan after its drawdown."""

    loan_id: UUID
    kind: str
    """repayment | prepayment | refund | cancellation | waiver | penalty"""
    amount_minor: int | None
    """In fen; None: of a whole cancellation."""
    actor: str
    at: datetime


async def owner_of_application(tx: Tx, application_id: UUID) -> UUID:
    """Whose application this is. Refuses APPLICATION_UNKNOWN."""
    found = await store.owner_of_application(tx, application_id)
    if found is None:
        raise NotFound("APPLICATION_UNKNOWN", "no application of this id")
    return found


async def owner_of_refund(tx: Tx, refund_id: UUID) -> tuple[UUID, UUID]:
    """(consumer id, order id) of an order's refund. Refuses REFUND_UNKNOWN."""
    found = await store.owner_of_refund(tx, refund_id)
    if found is None:
        raise NotFound("REFUND_UNKNOWN", "no refund of this id")
    return found


async def reviews_of(tx: Tx, consumer_id: UUID) -> list[Review]:
    """What people decided on the consumer's applications, oldest first."""
    return [
        Review(application_id, outcome, limit_minor, tuple(reasons), actor, why, at)
        for application_id, outcome, limit_minor, reasons, actor, why, at in await store.reviews(tx, consumer_id)
    ]


async def loan_moves(tx: Tx, consumer_id: UUID, since_at: datetime, until_at: datetime) -> list[LoanMove]:
    """What happened to the consumer's loans between two instants, oldest first."""
    return [
        LoanMove(loan_id, kind, _EVENT.decode(event).amount_minor, actor, at)
        for loan_id, kind, event, actor, at in await store.events_between(tx, consumer_id, since_at, until_at)
    ]
