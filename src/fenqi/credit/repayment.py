"""Repaying from the money account: one transaction locks the loans, folds them, posts a journal each, moves them on.

Limits come back in the journal itself, so exactly once. The order of locks: the line, the loans by id, the ledger's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi.credit import line as lines
from fenqi.credit.facts import observed_if_cleared
from fenqi.credit.model import CreditLine, Loan
from fenqi.credit.position import Position
from fenqi.credit.product import CreditProduct
from fenqi.credit.record import Recorded, open_positions, record
from fenqi.credit.repayment_plan import RepaymentPart, RepaymentPlan, RepaymentRequest, charges_of, plan_repayment
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Conflict, Refusal
from fenqi.ledger import Outcome, PostingItem, Verdict, legs_of, post_batch
from fenqi.ledger.chart import MONEY_ACCOUNT
from fenqi.ledger.postings import repayment as recipe


class Receipt(msgspec.Struct, frozen=True):
    """A repayment carried out: what it did by loan, its journals in the same order, and the loans after it."""

    plan: RepaymentPlan
    journal_ids: tuple[UUID, ...]
    loans: tuple[Loan, ...]
    observed_until_on: str | None = None
    """Until when the line is under observation because a long overdue debt was cleared."""


async def preview_repayment(tx: Tx, consumer_id: UUID, request: RepaymentRequest, at: datetime) -> RepaymentPlan:
    """What the repayment would do now, or the refusal it would meet; writes nothing."""
    today_on = business_date(at)
    return plan_repayment(await open_positions(tx, consumer_id, today_on), request, today_on)


async def repay(
    tx: Tx, consumer_id: UUID, journal_id: UUID, request: RepaymentRequest, product: CreditProduct, by: By
) -> Receipt:
    """Carry a repayment out. `journal_id` is the caller's, and the id of the first journal: a repeat is refused.

    Refuses what `plan_repayment` refuses, BALANCE_INSUFFICIENT, MONEY_ACCOUNT_NOT_OPEN, and REPAYMENT_REPEATED.
    """
    today_on = business_date(by.at)
    line = await lines.lock(tx, consumer_id, by.at)
    positions = await open_positions(tx, consumer_id, today_on, lock=True)
    planned = plan_repayment(positions, request, today_on)
    by_loan = {one.loan_id: one for one in positions}
    items = _items(planned, by_loan, consumer_id, journal_id, request, by)
    _refuse(await post_batch(tx, items), planned)
    happened = [
        Recorded(by_loan[part.loan_id], part.event, part.returned, part.state, item.journal_id)
        for part, item in zip(planned.parts, items, strict=True)
    ]
    loans = await record(tx, happened, by)
    observed = await _observe(tx, line, positions, planned, product, by)
    return Receipt(planned, tuple(item.journal_id for item in items), tuple(loans), observed)


def _items(
    planned: RepaymentPlan,
    by_loan: dict[UUID, Position],
    consumer_id: UUID,
    journal_id: UUID,
    request: RepaymentRequest,
    by: By,
) -> list[PostingItem]:
    """A journal for each loan, under the order that it paid, so that the order's walk shows its repayments."""
    digest = hashlib.sha256(msgspec.json.encode(request)).digest()
    ids = [journal_id, *(new_id(epoch_ms(by.at)) for _ in planned.parts[1:])]
    return [
        _item(part, by_loan[part.loan_id].loan, consumer_id, one, digest, by)
        for part, one in zip(planned.parts, ids, strict=True)
    ]


def _item(part: RepaymentPart, loan: Loan, consumer_id: UUID, journal_id: UUID, digest: bytes, by: By) -> PostingItem:
    """Charges are earned when they are paid: no close of day has booked them as receivable before."""
    charges = charges_of([part.paid])
    entries = recipe.repayment(part.returned, charges, recognised=charges)
    return PostingItem(
        journal_id,
        bucket_of(consumer_id),
        consumer_id,
        recipe.KIND,
        digest,
        business_date(by.at),
        by.at,
        loan.order_id,
        legs_of(entries),
        entries,
    )


def _refuse(verdicts: Sequence[Verdict], planned: RepaymentPlan) -> None:
    """Refuse the whole unless every journal is posted, now and for the first time."""
    for verdict in verdicts:
        if verdict.repeated or verdict.outcome is Outcome.KEY_CONFLICT:
            raise Conflict("REPAYMENT_REPEATED", "this repayment has been carried out before")
        if verdict.outcome is Outcome.NO_ACCOUNT and verdict.path == MONEY_ACCOUNT:
            raise Refusal("MONEY_ACCOUNT_NOT_OPEN", "there is no money account to pay from")
        if verdict.outcome is Outcome.LIMIT and verdict.path == MONEY_ACCOUNT:
            raise Refusal("BALANCE_INSUFFICIENT", "the money account holds less", needed_minor=planned.total_minor)
        assert verdict.posted, f"a repayment was refused by {verdict}"


async def _observe(
    tx: Tx,
    line: CreditLine,
    positions: Sequence[Position],
    planned: RepaymentPlan,
    product: CreditProduct,
    by: By,
) -> str | None:
    """Put the line under observation when the last of a long overdue debt has just been paid."""
    overdue_days = max((one.state.days_past_due for one in positions), default=0)
    left = {one.loan_id: one.state.overdue_minor for one in positions}
    left |= {part.loan_id: part.state.overdue_minor for part in planned.parts}
    until_on = observed_if_cleared(line, overdue_days, business_date(by.at), product)
    if until_on is None or any(left.values()):
        return None
    cause = By("system:repayment", f"an overdue debt of {overdue_days} days was cleared", by.at)
    await lines.change(tx, line, cause, observed_until_on=until_on)
    return until_on.isoformat()
