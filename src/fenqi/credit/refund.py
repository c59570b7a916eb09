"""Refunding a purchase, whole or in part, whatever paid it: limits come back first, the rest goes to the money account.

The caller holds the order's lock, so refunds of one order follow one another; then the line, its loans and the
ledger's rows are locked, as by a repayment. Fees that were paid stay paid; fees of what is taken back are let off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from fenqi.credit import store
from fenqi.credit.model import RefundRow
from fenqi.credit.position import Position
from fenqi.credit.record import Recorded, positions_of, record
from fenqi.credit.refund_plan import Purchase, Refunded, RefundPlan, plan_refund
from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import Conflict
from fenqi.ledger import Entry, Outcome, PostingItem, legs_of, post
from fenqi.ledger.chart import MONEY_ACCOUNT
from fenqi.ledger.postings import cancellation
from fenqi.ledger.postings import refund as recipe
from fenqi.ledger.postings.parts import total

_SHARES = msgspec.json.Decoder(dict[UUID, int])


async def refund(
    tx: Tx,
    consumer_id: UUID,
    refund_id: UUID,
    purchase: Purchase,
    amount_minor: int | None,
    by: By,
    by_merchant: Mapping[UUID, int] | None = None,
) -> tuple[RefundRow, RefundPlan]:
    """Refund `amount_minor` of a purchase (None: all that is left). `refund_id` is the caller's and the journal's.

    Refuses what `plan_refund` refuses, REFUND_REPEATED, and MONEY_ACCOUNT_NOT_OPEN when money would have no account
    to go to.
    """
    planned, loan = await _planned(tx, consumer_id, purchase, amount_minor, by, by_merchant, lock=True)
    digest = hashlib.sha256(f"{purchase.journal_id} {planned.amount_minor}".encode()).digest()
    entries = _entries(purchase, planned)
    item = PostingItem(
        refund_id, bucket_of(consumer_id), consumer_id, planned.kind, digest, business_date(by.at), by.at,
        purchase.order_id, legs_of(entries), entries,
    )  # fmt: skip
    await _post(tx, item)
    if loan is not None and planned.event is not None and planned.state is not None:
        await record(tx, [Recorded(loan, planned.event, planned.to_limits, planned.state, refund_id)], by)
    row = _row(consumer_id, refund_id, purchase, planned, by)
    await store.refund.insert_refund(tx, row)
    return row, planned


async def preview_refund(tx: Tx, consumer_id: UUID, purchase: Purchase, amount_minor: int | None, by: By) -> RefundPlan:
    """What the refund would do now, or the refusal it would meet; writes nothing."""
    return (await _planned(tx, consumer_id, purchase, amount_minor, by, None, lock=False))[0]


async def refunds_of(tx: Tx, consumer_id: UUID, order_id: UUID) -> list[RefundRow]:
    """The refunds of an order, oldest first."""
    return await store.refund.select_refunds(tx, consumer_id, order_id)


def shares_of(row: RefundRow) -> dict[UUID, int]:
    """What each merchant gave back in a refund."""
    return _SHARES.decode(row.shares)


async def _planned(
    tx: Tx,
    consumer_id: UUID,
    purchase: Purchase,
    amount_minor: int | None,
    by: By,
    by_merchant: Mapping[UUID, int] | None,
    *,
    lock: bool,
) -> tuple[RefundPlan, Position | None]:
    today_on = business_date(by.at)
    loans = await store.loan.select_loans_of_order(tx, consumer_id, purchase.order_id, lock=lock)
    drawn = [loan for loan in loans if loan.journal_id == purchase.journal_id]
    positions = await positions_of(tx, consumer_id, drawn, today_on)
    loan = positions[0] if positions else None
    earlier = _refunded(await store.refund.select_refunds(tx, consumer_id, purchase.order_id), purchase)
    return plan_refund(purchase, earlier, loan, amount_minor, today_on, by_merchant), loan


def _refunded(rows: Sequence[RefundRow], purchase: Purchase) -> Refunded:
    sums: dict[UUID, int] = {}
    for row in rows:
        if row.purchase_id == purchase.journal_id:
            for merchant_id, part in shares_of(row).items():
                sums[merchant_id] = sums.get(merchant_id, 0) + part
    return Refunded(sums)


def _entries(purchase: Purchase, planned: RefundPlan) -> tuple[Entry, ...]:
    if planned.kind == cancellation.KIND:
        return cancellation.cancellation(purchase.entries)
    return recipe.refund(planned.shares, planned.to_limits, planned.to_money_account_minor, subsidies=planned.subsidies)


async def _post(tx: Tx, item: PostingItem) -> None:
    verdict = await post(tx, item)
    if verdict.repeated or verdict.outcome is Outcome.KEY_CONFLICT:
        raise Conflict("REFUND_REPEATED", "this refund has been carried out before")
    if verdict.outcome is Outcome.NO_ACCOUNT and verdict.path == MONEY_ACCOUNT:
        raise Conflict("MONEY_ACCOUNT_NOT_OPEN", "the buyer has no money account for what is not owed any more")
    assert verdict.posted, f"a refund was refused by {verdict}"


def _row(consumer_id: UUID, refund_id: UUID, purchase: Purchase, planned: RefundPlan, by: By) -> RefundRow:
    shares = {str(share.merchant_id): share.amount_minor for share in planned.shares}
    return RefundRow(
        consumer_id,
        refund_id,
        purchase.order_id,
        purchase.journal_id,
        planned.kind,
        planned.amount_minor,
        planned.on_credit_minor,
        total(planned.to_limits),
        planned.to_money_account_minor,
        msgspec.json.encode(shares).decode(),
        by.actor,
        check_why(by.why),
        by.at,
    )
