"""Giving back through a channel: what is owed to a buyer is asked for there until it is done or known to be hopeless.

The debt stands in the ledger (`liability:refund_payable`) from the moment the refund is agreed, so nothing that happens
to the channel or to this process loses it. What a channel can't do any more goes to the buyer's money account.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from fenqi import attempt, credit, ledger
from fenqi.attempt import Attempt, AttemptState, ChannelRefund, RefundState, ladder
from fenqi.channels import shelf
from fenqi.channels.contract import Refunded, RefundFailed, RefundPending, RefundResult, Repayable, Unknown
from fenqi.database import outbox
from fenqi.database.pool import Tx
from fenqi.flows import passages
from fenqi.flows.context import Context
from fenqi.flows.facts import MONEY_PATH
from fenqi.flows.notify_merchant import RefundNews, refund_event
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Conflict
from fenqi.ledger import Entry, PostingItem, legs_of
from fenqi.ledger.postings import channel_refund, refund_diverted
from fenqi.ledger.postings.parts import Receipt

DIVERTED = frozenset({"REFUND_ACCOUNT_GONE", "REFUND_TOO_LATE", "REFUND_TOO_MANY"})
"""What a channel will never do later either: the buyer gets the money in the money account."""


async def begin_within(
    tx: Tx, consumer_id: UUID, order_id: UUID, order_refund_id: UUID, parts: Sequence[Receipt], by: By
) -> list[ChannelRefund]:
    """Write down what channels have to give back for an order's refund, in the transaction that books the debt."""
    paid = [x for x in await attempt.of_order(tx, consumer_id, order_id) if x.disposition == "applied"]
    earlier = await attempt.refunds_of(tx, consumer_id, [x.attempt_id for x in paid])
    begun = []
    for part in parts:
        source = next(x for x in paid if x.passage_id == part.passage_id)
        refund_id = new_id(epoch_ms(by.at))  # channels read the time of trade from it
        spacing = timedelta(seconds=shelf.channel(source.channel).capabilities.refund_spacing_s)
        last = max((x.made_at for x in earlier if x.attempt_id == source.attempt_id), default=None)
        ask_at = by.at if last is None else max(by.at, last + spacing)
        back = ChannelRefund(
            consumer_id, refund_id, source.attempt_id, order_refund_id, "refund", part.amount_minor,
            RefundState.CREATED, by.why, by.at, ask_at=ask_at,
        )  # fmt: skip
        await attempt.begin_refund(tx, back, by)
        begun.append(back)
    return begun


async def carry_out(ctx: Context, consumer_id: UUID, refund_id: UUID) -> ChannelRefund:
    """Ask the channel for a refund, or what became of it; what it says is concluded.

    Whoever comes first takes the turn: the next asking is put off before the channel is called.
    """
    by = ctx.by_system("refunds", "asked the channel")
    async with ctx.database.transaction() as tx:
        back = await attempt.lock_refund(tx, consumer_id, refund_id)
        if back.ask_at is None or back.ask_at > by.at:
            return back
        back = await attempt.ask_refund_again_at(tx, back, ladder.next_at(ladder.REFUND_S, back.asks, by.at))
        source = await attempt.get(tx, consumer_id, back.attempt_id)
    await passages.name(ctx, back.refund_id, consumer_id)
    passage = await passages.of_attempt(ctx, source)
    channel = shelf.channel(source.channel)
    asked = _asked(ctx, back, source)
    result: RefundResult | None = None
    if back.state is not RefundState.CREATED:
        result = await passages.observed_refund(ctx, passage, channel.query_refund(ctx.http, passage, asked))
    if result is None or (isinstance(result, RefundFailed) and result.absent):  # asking (again) is safe
        result = await passages.observed_refund(ctx, passage, channel.refund(ctx.http, passage, asked))
    return await conclude(ctx, consumer_id, refund_id, result, by)


def _asked(ctx: Context, back: ChannelRefund, source: Attempt) -> Repayable:
    assert source.paid_at is not None, "only what was paid is given back"
    return Repayable(
        back.refund_no, source.attempt_no, source.channel_no, back.amount_minor, source.paid_minor, source.paid_at,
        back.why, passages.notify_url(ctx, source.passage), source.paid_currency,
    )  # fmt: skip


async def conclude(ctx: Context, consumer_id: UUID, refund_id: UUID, result: RefundResult, by: By) -> ChannelRefund:
    """Take over what the channel said of a refund; a repeat, or less than is known already, changes nothing."""
    async with ctx.database.transaction() as tx:
        back = await attempt.lock_refund(tx, consumer_id, refund_id)
        if back.state in (RefundState.SUCCEEDED, RefundState.DIVERTED):
            return back
        source = await attempt.get(tx, consumer_id, back.attempt_id)
        if isinstance(result, Refunded):
            return await _done(tx, back, source, result, by)
        if isinstance(result, RefundPending):
            if back.state not in (RefundState.CREATED, RefundState.UNKNOWN):
                return back
            ask_at = ladder.next_at(ladder.REFUND_S, 1, by.at)
            return await attempt.move_refund(
                tx, back, RefundState.PENDING, by, channel_no=result.channel_no, ask_at=ask_at, asks=1
            )
        if isinstance(result, Unknown):
            if back.state is not RefundState.CREATED:
                return back
            detail = {"why": result.why}
            return await attempt.move_refund(tx, back, RefundState.UNKNOWN, by, detail, message=result.why[:200])
        return await _failed(tx, back, source, result, by)


async def _done(tx: Tx, back: ChannelRefund, source: Attempt, result: Refunded, by: By) -> ChannelRefund:
    if result.amount_minor != back.amount_minor:
        detail = {"amount_minor": result.amount_minor}
        return await attempt.move_refund(
            tx, back, RefundState.FAILED, by, detail, code="AMOUNT_MISMATCH", reason="REFUND_REJECTED", ask_at=None
        ) if back.state is not RefundState.FAILED else back  # fmt: skip
    given = Receipt(source.channel, source.passage_id, back.amount_minor)
    await _post(tx, back, source, channel_refund.KIND, channel_refund.channel_refund(given), by)
    after = await attempt.move_refund(
        tx, back, RefundState.SUCCEEDED, by, channel_no=result.channel_no, finished_at=result.refunded_at, ask_at=None
    )
    await _tell(tx, after, source, "refund.succeeded", by)
    return after


async def _failed(tx: Tx, back: ChannelRefund, source: Attempt, said: RefundFailed, by: By) -> ChannelRefund:
    """Ask again where that is safe and useful; else the refund has failed, and goes where it can."""
    if (
        said.again and said.reason == "REFUND_TOO_MANY" and back.state is not RefundState.FAILED
    ):  # not yet: the channel wants them further apart
        spacing = timedelta(seconds=shelf.channel(source.channel).capabilities.refund_spacing_s)
        return await attempt.ask_refund_again_at(tx, back, by.at + spacing)
    if said.absent or said.again or back.state is RefundState.FAILED:
        return back
    detail = {"code": said.code, "reason": said.reason, "message": said.message}
    words = {"code": said.code, "reason": str(said.reason), "message": said.message[:200]}
    failed = await attempt.move_refund(tx, back, RefundState.FAILED, by, detail, ask_at=None, **words)
    if said.reason in DIVERTED and MONEY_PATH in await ledger.limits.accounts_of(tx, back.consumer_id):
        return await _divert(tx, failed, source, by)
    await _tell(tx, failed, source, "refund.failed", by)
    return failed


async def divert(ctx: Context, consumer_id: UUID, refund_id: UUID, by: By) -> ChannelRefund:
    """A clerk's or the buyer's choice: a refund that failed at the channel is paid into the money account.

    Refuses REFUND_UNKNOWN, REFUND_NOT_FAILED, MONEY_ACCOUNT_NOT_OPEN.
    """
    async with ctx.database.transaction() as tx:
        back = await attempt.lock_refund(tx, consumer_id, refund_id)
        if back.state is RefundState.DIVERTED:
            return back
        if back.state is not RefundState.FAILED:
            raise Conflict("REFUND_NOT_FAILED", "the channel has not given up on it")
        if MONEY_PATH not in await ledger.limits.accounts_of(tx, consumer_id):
            raise Conflict("MONEY_ACCOUNT_NOT_OPEN", "the buyer has no money account")
        return await _divert(tx, back, await attempt.get(tx, consumer_id, back.attempt_id), by)


async def again(ctx: Context, consumer_id: UUID, refund_id: UUID, by: By) -> ChannelRefund:
    """A clerk's choice: ask the channel for a failed refund once more. Refuses REFUND_UNKNOWN, REFUND_NOT_FAILED."""
    async with ctx.database.transaction() as tx:
        back = await attempt.lock_refund(tx, consumer_id, refund_id)
        if back.state is not RefundState.FAILED:
            raise Conflict("REFUND_NOT_FAILED", "the channel has not given up on it")
        return await attempt.move_refund(tx, back, RefundState.CREATED, by, ask_at=by.at, asks=0)


async def _divert(tx: Tx, back: ChannelRefund, source: Attempt, by: By) -> ChannelRefund:
    await _post(tx, back, source, refund_diverted.KIND, refund_diverted.refund_diverted(
        Receipt(source.channel, source.passage_id, back.amount_minor)), by)  # fmt: skip
    after = await attempt.move_refund(tx, back, RefundState.DIVERTED, by, finished_at=by.at, ask_at=None)
    await _tell(tx, after, source, "refund.succeeded", by)
    return after


async def _post(tx: Tx, back: ChannelRefund, source: Attempt, kind: str, entries: tuple[Entry, ...], by: By) -> None:
    """The refund's second journal; its id is the refund's own, so that it is booked once only."""
    item = PostingItem(
        back.refund_id, bucket_of(back.consumer_id), back.consumer_id, kind, back.refund_id.bytes, business_date(by.at),
        by.at, source.order_id, legs_of(entries), entries,
    )  # fmt: skip
    verdict = await ledger.post(tx, item)
    assert verdict.posted, f"{back.refund_no} can't be booked: {verdict}"


async def _tell(tx: Tx, back: ChannelRefund, source: Attempt, topic: str, by: By) -> None:
    """Tell the merchants whose refund it was; money that was never theirs is no news to them."""
    if back.order_refund_id is None or source.order_id is None:
        return
    rows = await credit.refunds_of(tx, back.consumer_id, source.order_id)
    row = next(each for each in rows if each.refund_id == back.order_refund_id)
    news = RefundNews(row.refund_id, source.payment_id, source.order_id, credit.shares_of(row), back.reason)
    await outbox.append(tx, [refund_event(back.consumer_id, topic, news, by.at)])


def refundable(source: Attempt) -> bool:
    """Whether an attempt holds money of the buyer's that could go back."""
    return source.state is AttemptState.SUCCEEDED and source.disposition == "applied"
