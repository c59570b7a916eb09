"""Refunding a purchase, whole or in part, whatever paid it: back to limits, to the money account and through channels.

The caller holds the order's lock, so refunds of one order follow one another; then the line, its loans and the ledger's
rows are locked, as by a repayment. Fees that were paid stay paid; fees of what is taken back are let off. What goes
back through a channel is owed to the buyer from here on, until a `channel_refund` journal takes it off the channel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import msgspec

from fenqi.credit import store
from fenqi.credit.default_policy import PRODUCT, PRODUCTS
from fenqi.credit.model import RefundRow
from fenqi.credit.position import Position
from fenqi.credit.product import CreditProduct
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
from fenqi.ledger.postings.parts import Receipt, Share, total

_SHARES = msgspec.json.Decoder(dict[UUID, int])
_RECEIPTS = msgspec.json.Decoder(tuple[Receipt, ...])


async def refund(
    tx: Tx,
    consumer_id: UUID,
    refund_id: UUID,
    purchase: Purchase,
    amount_minor: int | None,
    by: By,
    by_merchant: Mapping[UUID, int] | None = None,
    product: CreditProduct = PRODUCT,
) -> tuple[RefundRow, RefundPlan]:
    """Refund `amount_minor` of a purchase (None: all that is left). `refund_id` is the caller's and the journal's.

    Which tender gets back what is ruled by the product of the purchase's loan, without a loan by `product`. The
    caller has the parts of `RefundPlan.to_channels` given back (`to_channels_of` reads them off the row again).
    Refuses what `plan_refund` refuses, REFUND_REPEATED, and MONEY_ACCOUNT_NOT_OPEN when money would have no account
    to go to.
    """
    planned, loan = await _planned(tx, consumer_id, purchase, amount_minor, by, by_merchant, product, lock=True)
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


async def preview_refund(
    tx: Tx,
    consumer_id: UUID,
    purchase: Purchase,
    amount_minor: int | None,
    by: By,
    product: CreditProduct = PRODUCT,
) -> RefundPlan:
    """What the refund would do now, or the refusal it would meet; writes nothing."""
    return (await _planned(tx, consumer_id, purchase, amount_minor, by, None, product, lock=False))[0]


async def refunds_of(tx: Tx, consumer_id: UUID, order_id: UUID) -> list[RefundRow]:
    """The refunds of an order, oldest first."""
    return await store.refund.select_refunds(tx, consumer_id, order_id)


def shares_of(row: RefundRow) -> dict[UUID, int]:
    """What each merchant gave back in a refund."""
    return _SHARES.decode(row.shares)


def to_channels_of(row: RefundRow) -> tuple[Receipt, ...]:
    """What a refund gives back through which passage."""
    return _RECEIPTS.decode(row.to_channels)


async def _planned(
    tx: Tx,
    consumer_id: UUID,
    purchase: Purchase,
    amount_minor: int | None,
    by: By,
    by_merchant: Mapping[UUID, int] | None,
    product: CreditProduct,
    *,
    lock: bool,
) -> tuple[RefundPlan, Position | None]:
    today_on = business_date(by.at)
    loans = await store.loan.select_loans_of_order(tx, consumer_id, purchase.order_id, lock=lock)
    drawn = [loan for loan in loans if loan.journal_id == purchase.journal_id]
    positions = await positions_of(tx, consumer_id, drawn, today_on)
    loan = positions[0] if positions else None
    earlier = _refunded(await store.refund.select_refunds(tx, consumer_id, purchase.order_id), purchase)
    rules = (product if loan is None else PRODUCTS[loan.loan.product_version]).refunds
    return plan_refund(purchase, earlier, loan, amount_minor, today_on, by_merchant, rules), loan


def _refunded(rows: Sequence[RefundRow], purchase: Purchase) -> Refunded:
    ours = [row for row in rows if row.purchase_id == purchase.journal_id]
    return Refunded(
        _sums((merchant_id, part) for row in ours for merchant_id, part in shares_of(row).items()),
        sum(row.on_credit_minor for row in ours),
        _sums((one.passage_id, one.amount_minor) for row in ours for one in to_channels_of(row)),
        _sums((merchant_id, part) for row in ours for merchant_id, part in _SHARES.decode(row.subsidies).items()),
    )


def _sums(parts: Iterable[tuple[UUID, int]]) -> dict[UUID, int]:
    sums: dict[UUID, int] = {}
    for key, part in parts:
        sums[key] = sums.get(key, 0) + part
    return sums


def _entries(purchase: Purchase, planned: RefundPlan) -> tuple[Entry, ...]:
    if planned.kind == cancellation.KIND:
        return cancellation.cancellation(purchase.entries)
    return recipe.refund(
        planned.shares,
        planned.to_limits,
        planned.to_money_account_minor,
        subsidies=planned.subsidies,
        channels=planned.to_channels,
    )


async def _post(tx: Tx, item: PostingItem) -> None:
    verdict = await post(tx, item)
    if verdict.repeated or verdict.outcome is Outcome.KEY_CONFLICT:
        raise Conflict("REFUND_REPEATED", "this refund has been carried out before")
    if verdict.outcome is Outcome.NO_ACCOUNT and verdict.path == MONEY_ACCOUNT:
        raise Conflict("MONEY_ACCOUNT_NOT_OPEN", "the buyer has no money account for what is not owed any more")
    assert verdict.posted, f"a refund was refused by {verdict}"


def _row(consumer_id: UUID, refund_id: UUID, purchase: Purchase, planned: RefundPlan, by: By) -> RefundRow:
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
        _by_merchant(planned.shares),
        by.actor,
        check_why(by.why),
        by.at,
        total(planned.to_channels),
        msgspec.json.encode(planned.to_channels).decode(),
        _by_merchant(planned.subsidies),
    )


def _by_merchant(shares: Sequence[Share]) -> str:
    return msgspec.json.encode({str(share.merchant_id): share.amount_minor for share in shares}).decode()
