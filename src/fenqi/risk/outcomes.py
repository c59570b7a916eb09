"""Outcomes fed back: overdue, chargeback, confirmed fraud, a complaint upheld, cleared; kept for good.

A confirmed fraud reaches what the consumer used through the outbox; people's decisions raise the epoch of risk.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from fenqi.database import outbox
from fenqi.database.outbox import Event
from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.kernel.by import By, check_why
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal
from fenqi.risk.model import OUTCOMES, Beat, Outcome, OutcomeName, Review, Subject
from fenqi.risk.store import lists as store
from fenqi.risk.store import pulses

FRAUD = "risk.fraud"
"""The topic under which a confirmed fraud, or its end, travels to what the consumer used."""
_NAMES = UUID("5d0f8f5e-7f3c-4c0a-9d6c-6a1d1f7b2a10")


async def record(tx: Tx, subject: Subject, outcome: OutcomeName, by: By, about: str = "") -> bool:
    """Keep an outcome of a subject; the same outcome about the same thing is kept once (False for the repeat).

    `about`: the order, loan or case; without it each call is an outcome of its own. Refuses OUTCOME_UNKNOWN and
    WHY_REQUIRED.
    """
    if outcome not in OUTCOMES:
        raise Refusal("OUTCOME_UNKNOWN", f"one of {', '.join(OUTCOMES)}")
    check_why(by.why)
    outcome_id = uuid5(_NAMES, f"{subject.subject_id}/{outcome}/{about}") if about else new_id(epoch_ms(by.at))
    kept = Outcome(outcome_id, subject.subject_id, subject.kind, outcome, about, *by)
    if not await store.insert_outcome(tx, kept):
        return False
    await pulses.count(tx, [Beat(subject.subject_id, outcome, outcome_id, epoch_ms(by.at))])
    if outcome in ("fraud", "cleared"):
        if subject.kind == "consumer":
            await outbox.append(tx, [Event(new_id(), subject.subject_id, FRAUD, b"{}", by.at)])
        await raise_epoch(tx, "risk")
    return True


async def record_review(
    tx: Tx,
    consumer_id: UUID,
    about: UUID | str,
    outcome: str,
    until_at: datetime | None,
    by: By,
    most_minor: int | None = None,
) -> None:
    """Keep where a person's look at a consumer (`about` their id) or at one order (its id) stands: `open`, `cleared`
    (until an instant, or for good; for payments up to `most_minor`) or `confirmed`. Refuses REVIEW_STATE_UNKNOWN."""
    if outcome not in ("open", "cleared", "confirmed"):
        raise Refusal("REVIEW_STATE_UNKNOWN", "open, cleared or confirmed")
    await store.insert_review(tx, consumer_id, Review(new_id(), str(about), outcome, until_at, *by, most_minor))
    await raise_epoch(tx, "risk")
