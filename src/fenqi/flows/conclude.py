"""Concluding an attempt: what a channel said becomes states and journals, in one transaction, exactly once.

Every word of a channel ends here, whoever heard it: the caller itself, a notice, the janitor. Lock order: the order,
the attempt, then the ledger.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from fenqi import attempt, cashier, credit, ledger, order
from fenqi.attempt import Attempt, AttemptState, ChannelRefund, RefundState, advance, ladder
from fenqi.attempt.advance import Standing, Step
from fenqi.cashier import Payment
from fenqi.channels import internal
from fenqi.channels.contract import Declined, Paid, Pending, Result, Unknown
from fenqi.database import outbox
from fenqi.database.outbox import Event
from fenqi.database.pool import Tx
from fenqi.database.together import together
from fenqi.flows.context import Context
from fenqi.flows.draft import PaidNews, paid_event
from fenqi.flows.notify_merchant import PaymentNews
from fenqi.flows.terms import Terms
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.reason import Reason, Scope, ScopeKind
from fenqi.ledger import Entry, PostingItem
from fenqi.ledger.postings import receipt, top_up
from fenqi.ledger.postings.parts import Receipt
from fenqi.order import LockedOrder, OrderState, PaidOrder

IN_FLIGHT = timedelta(seconds=30)
"""As long as this a request that was not answered may still arrive at the channel."""
REVIVED = timedelta(minutes=5)
_TERMS = msgspec.json.Decoder(Terms)
_JSON = msgspec.json.Encoder()
_BUYER_OPENS = frozenset({"page", "wap"})
"""Ways in which the channel learns of the trade only when the buyer comes with it."""


async def conclude(
    ctx: Context, consumer_id: UUID, attempt_id: UUID, result: Result, by: By, *, after_close: bool = False,
    has_spare: bool = False, order_id: UUID | None = None,
) -> Attempt:  # fmt: skip
    """Take over what the channel said of an attempt; a repeat, or less than is known already, changes nothing.

    `after_close`: it was told to close the trade. `has_spare`: another passage takes over when this one declines, so
    the press has no answer yet. `order_id`: the attempt's order, from who knows it: it need not be looked up.
    """
    async with ctx.database.transaction() as tx:
        found, locked = await _locked(tx, consumer_id, attempt_id, order_id)
        if isinstance(result, Paid):
            return await _on_paid(ctx, tx, found, locked, result, by)
        if isinstance(result, Pending):
            return await _on_waiting(tx, found, result, by)
        if isinstance(result, Unknown):
            return await _on_unknown(tx, found, result, by)
        return await _on_declined(tx, found, result, by, after_close=after_close, has_spare=has_spare)


async def _locked(
    tx: Tx, consumer_id: UUID, attempt_id: UUID, order_id: UUID | None
) -> tuple[Attempt, LockedOrder | None]:
    """The attempt and its order, if it pays one, locked: the order first."""
    if order_id is None:
        order_id = (await attempt.get(tx, consumer_id, attempt_id)).order_id
    if order_id is None:
        return await attempt.lock(tx, consumer_id, attempt_id), None
    key = (consumer_id, order_id)
    orders, found = await together(
        tx, order.lock_for_payment(tx, [key]), attempt.lock(tx, consumer_id, attempt_id)
    )  # fmt: skip
    return found, orders[key]


async def _revives(ctx: Context, tx: Tx, consumer_id: UUID, by: By) -> bool:
    """Whether the policy that decides for the buyer takes a lapsed order up again when its money comes late."""
    ref = await ctx.reference.current(tx, by.at)
    return ref.policy_for(consumer_id).numbers.late_success == "revive"


async def _on_paid(ctx: Context, tx: Tx, found: Attempt, locked: LockedOrder | None, paid: Paid, by: By) -> Attempt:
    terms = _TERMS.decode(found.terms) if found.purpose == "order" else Terms((), ())
    wanted = "open" if locked is None else _wanted(locked, found)
    revives = wanted == "gone" and await _revives(ctx, tx, found.consumer_id, by)
    held = found.is_held and await internal.is_held(tx, found.consumer_id, found.attempt_id)
    standing = Standing(found.state, wanted, bool(terms.draws or terms.own_minor), held, revives)
    asked, came = (found.amount_minor, found.currency), (paid.amount_minor, paid.currency)
    step, cause = advance.on_paid(standing, asked, came)
    if step is Step.NOTHING:
        return found
    if step is Step.REVIVE:
        assert found.order_id is not None, "only an order lapses"
        await order.revive(tx, found.consumer_id, found.order_id, by.at + REVIVED, by)
    applied, loan_id = step is not Step.RETURN, None
    after = await attempt.move(
        tx, found, AttemptState.SUCCEEDED, by, {"amount_minor": paid.amount_minor, "cause": cause},
        disposition="applied" if applied else "returned", channel_no=paid.channel_no, paid_minor=paid.amount_minor,
        paid_currency=paid.currency, payer_hint=paid.payer_hint, paid_at=paid.paid_at, ask_at=None,
    )  # fmt: skip
    if not applied:
        await _owe_back(tx, found, after, cause, by)
    elif found.purpose == "top_up":
        await _fill(tx, after, by)
    else:
        loan_id = await _pay(ctx, tx, after, terms, by, held=held)
    await _ended(tx, found, by)
    if applied and found.order_id is not None:
        now = by.at
        await order.mark_paid(tx, [PaidOrder(found.consumer_id, found.order_id, found.payment_id, now)])
        programmes = terms.programmes if loan_id is not None else ()
        news = PaidNews(found.payment_id, found.order_id, loan_id=loan_id, programmes=programmes)
        await outbox.append(tx, [paid_event(found.consumer_id, news, now)])
    return after


def _wanted(locked: LockedOrder, found: Attempt) -> str:
    if locked.state is OrderState.PAID:
        return "paid"
    return "open" if locked.state is OrderState.AWAITING_PAYMENT else "gone"


async def _ended(tx: Tx, before: Attempt, by: By) -> None:
    """An attempt that was open is so no more."""
    if before.is_open and before.order_id is not None:
        await order.attempt_ends(tx, before.consumer_id, before.order_id, by)


async def _pay(ctx: Context, tx: Tx, paid: Attempt, terms: Terms, by: By, *, held: bool) -> UUID | None:
    """Book the purchase: what was reserved is committed with what the channel took. The loan, if one was made."""
    assert paid.order_id is not None and paid.intent_id is not None and paid.decision_id is not None
    entries = terms.entries(paid.channel, paid.passage_id)
    item = _item(paid, "purchase", entries, by)
    verdict = await (internal.commit(tx, paid.attempt_id, item) if held else ledger.post(tx, item))
    assert verdict.posted, f"{paid.attempt_no} can't be booked: {verdict}"
    loan = terms.loan(
        paid.consumer_id, paid.order_id, paid.payment_id, item.journal_id, item.business_on, by.at,
        ctx.reference.product,
    )  # fmt: skip
    if loan is not None:
        await credit.insert_loans(tx, [loan])
    total_minor = sum(tender.amount_minor for tender in terms.tenders)
    first = terms.tenders[0]
    payment = Payment(
        item.bucket, paid.consumer_id, paid.payment_id, paid.intent_id, paid.order_id, paid.input_hash, total_minor,
        first.method, first.plan, "succeeded", paid.decision_id, terms.decided_ms, by.at, terms.tenders,
        None if loan is None else loan.loan_id,
    )  # fmt: skip
    await cashier.insert_payments(tx, [payment])
    return None if loan is None else loan.loan_id


async def _fill(tx: Tx, paid: Attempt, by: By) -> None:
    """The money account gets what the card paid."""
    entries = top_up.top_up(Receipt(paid.channel, paid.passage_id, paid.paid_minor))
    item = _item(paid, top_up.KIND, entries, by)
    item = msgspec.structs.replace(item, legs=ledger.legs_of(entries))
    verdict = await ledger.post(tx, item)
    assert verdict.posted, f"{paid.attempt_no} can't be booked: {verdict}"


async def _owe_back(tx: Tx, before: Attempt, paid: Attempt, cause: str, by: By) -> None:
    """The money came and nothing can take it: it is owed back from now on, and the channel is asked to return it."""
    if before.is_open and paid.is_held:
        await internal.release(tx, paid.consumer_id, paid.attempt_id, by.at)
    taken = Receipt(paid.channel, paid.passage_id, paid.paid_minor)
    verdict = await ledger.post(tx, _item(paid, receipt.KIND, receipt.receipt(taken), by))
    assert verdict.posted, f"{paid.attempt_no} can't be booked: {verdict}"
    back = ChannelRefund(
        paid.consumer_id, new_id(epoch_ms(by.at)), paid.attempt_id, None, cause, paid.paid_minor, RefundState.CREATED,
        f"{cause}: the order did not need this money", by.at, ask_at=by.at,
    )  # fmt: skip
    await attempt.begin_refund(tx, back, by)


def _item(paid: Attempt, kind: str, entries: tuple[Entry, ...], by: By) -> PostingItem:
    """The attempt's journal; its id is the attempt's, so that it can be booked once only."""
    return PostingItem(
        paid.attempt_id, bucket_of(paid.consumer_id), paid.consumer_id, kind, paid.input_hash, business_date(by.at),
        by.at, paid.order_id, (), entries,
    )  # fmt: skip


async def _on_waiting(tx: Tx, found: Attempt, said: Pending, by: By) -> Attempt:
    if advance.on_waiting(found.state) is Step.NOTHING:
        return found
    handover = found.handover if said.handover is None else _JSON.encode(said.handover)
    ask_at = min(ladder.next_at(ladder.PENDING_S, 0, by.at), max(found.expires_at, by.at))
    return await attempt.move(
        tx, found, AttemptState.PENDING, by, handover=handover, channel_no=said.channel_no or found.channel_no,
        ask_at=ask_at, asks=0,
    )  # fmt: skip


async def _on_unknown(tx: Tx, found: Attempt, said: Unknown, by: By) -> Attempt:
    if advance.on_unknown(found.state) is Step.NOTHING:
        return found
    ask_at = ladder.next_at(ladder.UNKNOWN_S, 0, by.at)
    return await attempt.move(
        tx, found, AttemptState.UNKNOWN, by, {"why": said.why}, message=said.why[:200], ask_at=ask_at, asks=0
    )


async def _on_declined(
    tx: Tx, found: Attempt, said: Declined, by: By, *, after_close: bool, has_spare: bool
) -> Attempt:
    step = advance.on_declined(
        found.state, said.kind, after_close=after_close, is_settled=by.at - found.made_at >= IN_FLIGHT,
        buyer_opens=found.way in _BUYER_OPENS,
    )  # fmt: skip
    if step is Step.ASK:
        return await _on_unknown(tx, found, Unknown(f"{said.code}: {said.message}"), by)
    if step is Step.NOTHING:
        return found
    to_state = AttemptState.DECLINED if step is Step.DECLINE else AttemptState.CLOSED
    reason = said.reason if said.kind == "refused" else ("CHANNEL_TIMEOUT" if step is Step.DECLINE else "")
    detail = {"code": said.code, "message": said.message, "kind": said.kind, "fault": said.fault}
    after = await attempt.move(
        tx, found, to_state, by, detail, code=said.code, reason=reason, message=said.message[:200],
        ask_at=_once_more_at(found, said, by), asks=0,
    )  # fmt: skip
    if found.is_held:
        await internal.release(tx, found.consumer_id, found.attempt_id, by.at)
    await _ended(tx, found, by)
    if to_state is AttemptState.CLOSED and found.purpose == "order":
        await _tell(tx, after, "payment.closed", by)
    elif found.purpose == "order" and not has_spare:
        await _refuse(tx, after, by)
    return after


def _once_more_at(found: Attempt, said: Declined, by: By) -> datetime | None:
    """A trade that the channel has not heard of yet may still reach it, with the buyer, until its time is over: it is
    asked for once more then."""
    return found.expires_at + IN_FLIGHT if said.kind == "absent" and by.at < found.expires_at else None


async def _refuse(tx: Tx, declined: Attempt, by: By) -> None:
    """The press is answered: refused, for what the channel said."""
    assert declined.order_id is not None and declined.intent_id is not None and declined.decision_id is not None
    bucket = bucket_of(declined.consumer_id)
    if await cashier.select_payment(tx, bucket, declined.consumer_id, declined.payment_id) is not None:
        return
    terms = _TERMS.decode(declined.terms)
    first = terms.tenders[0]
    reason = Reason(
        declined.reason, declined.method, Scope(ScopeKind.CHANNEL, (declined.passage,)),
        {"channel": declined.passage, "payable_minor": declined.amount_minor},
    )  # fmt: skip
    payment = Payment(
        bucket, declined.consumer_id, declined.payment_id, declined.intent_id, declined.order_id, declined.input_hash,
        sum(tender.amount_minor for tender in terms.tenders), first.method, first.plan, "refused",
        declined.decision_id, terms.decided_ms, by.at, terms.tenders, None, (reason,),
    )  # fmt: skip
    await cashier.insert_payments(tx, [payment])
    await _tell(tx, declined, "payment.refused", by)


async def _tell(tx: Tx, ended: Attempt, topic: str, by: By) -> None:
    """The news for the order's merchants that a press came to nothing."""
    assert ended.order_id is not None, "a press is for an order"
    news = PaymentNews(ended.payment_id, ended.order_id, ended.reason)
    event = Event(new_id(epoch_ms(by.at)), ended.consumer_id, topic, _JSON.encode(news), by.at)
    await outbox.append(tx, [event])
