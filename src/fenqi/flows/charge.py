"""Charging through a channel: the attempt is written down, what the house pays itself is set aside, then the channel
is called; what it answers is concluded.

A channel is never called inside a transaction. Whatever stops this process between two steps, the attempt's row says
where it stood, and the janitor goes on from there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from fenqi import attempt, cashier, credit, customer, order
from fenqi.attempt import Attempt, AttemptState
from fenqi.cashier import Facts, Payment, Tender
from fenqi.channels import internal, shelf
from fenqi.channels.contract import Charge, Declined, Passage, Result, Unknown
from fenqi.database import reference_epoch
from fenqi.database.idempotency import KeyReused
from fenqi.database.pool import Tx
from fenqi.database.together import together
from fenqi.flows import passages, risk_events
from fenqi.flows.basis import Basis
from fenqi.flows.bounds import Count
from fenqi.flows.conclude import conclude
from fenqi.flows.context import Context
from fenqi.flows.draft import Press
from fenqi.flows.request import PayRequest, Stale
from fenqi.flows.terms import INTERNAL, Terms
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.ledger import Outcome, legs_of
from fenqi.order import OrderState

WINDOW = timedelta(minutes=15)
"""How long a buyer may take at the channel."""
_JSON = msgspec.json.Encoder()
_TERMS = msgspec.json.Decoder(Terms)
_WAIT_S = 5.0


def outside_of(tenders: Collection[Tender]) -> Tender | None:
    """The tender that a channel outside executes, if there is one. Refuses TENDERS_OUTSIDE: two of them."""
    found = [tender for tender in tenders if tender.method not in INTERNAL]
    if len(found) > 1:
        raise Refusal("TENDERS_OUTSIDE", "one payment uses one channel outside the house at most")
    return found[0] if found else None


async def standing(ctx: Context, consumer_id: UUID, payment_id: UUID) -> Payment:
    """A press as it stands: with its answer, or `pending` or `unknown` while its channel has not decided, or `closed`.

    Refuses PAYMENT_UNKNOWN.
    """
    async with ctx.database.snapshot() as tx:
        found, _ = await _standing(tx, consumer_id, payment_id)
    if found is None:
        raise NotFound("PAYMENT_UNKNOWN", "no such payment")
    return found


async def _standing(tx: Tx, consumer_id: UUID, payment_id: UUID) -> tuple[Payment | None, Sequence[Attempt]]:
    """The press as it stands, and its attempts."""
    answered, tries = await together(
        tx, cashier.select_payment(tx, bucket_of(consumer_id), consumer_id, payment_id),
        attempt.of_payment(tx, consumer_id, payment_id),
    )  # fmt: skip
    return _as_it_stands(consumer_id, payment_id, answered, tries), tries


def _as_it_stands(
    consumer_id: UUID, payment_id: UUID, answered: Payment | None, tries: Sequence[Attempt]
) -> Payment | None:
    last = next((each for each in reversed(tries) if each.purpose == "order"), None)
    if answered is not None or last is None:
        return answered if last is None or answered is None else msgspec.structs.replace(
            answered, attempt_id=last.attempt_id
        )  # fmt: skip
    assert last.order_id is not None and last.intent_id is not None and last.decision_id is not None
    terms = _TERMS.decode(last.terms)
    first = terms.tenders[0]
    return Payment(
        bucket_of(consumer_id), consumer_id, payment_id, last.intent_id, last.order_id, last.input_hash,
        sum(tender.amount_minor for tender in terms.tenders), first.method, first.plan, _outcome(last),
        last.decision_id, terms.decided_ms, last.made_at, terms.tenders, attempt_id=last.attempt_id,
    )  # fmt: skip


def _outcome(last: Attempt) -> str:
    if last.state is AttemptState.SUCCEEDED:
        return "returned"
    if last.state is AttemptState.PENDING:
        return "pending"
    return "unknown" if last.is_open else "closed"


async def earlier(ctx: Context, request: PayRequest) -> Payment | None:
    """The answer that this key has, if any; one that is being worked on by another call is waited for.

    Refuses IDEMPOTENCY_KEY_REUSED, and PAYMENT_CONTENDED when the other call takes longer than five seconds.
    """
    until = time.monotonic() + _WAIT_S
    while True:
        async with ctx.database.snapshot() as tx:
            found, tries = await _standing(tx, request.consumer_id, request.payment_id)
        if found is None:
            return None
        if found.input_hash != request.input_hash:
            raise KeyReused
        last = tries[-1] if tries else None
        if last is None or not _goes_on(found, last):
            return found
        if ctx.now() - last.made_at > timedelta(seconds=30):
            return found
        if time.monotonic() > until:
            raise Conflict("PAYMENT_CONTENDED", "this payment is being carried out; ask again", retry_after_s=1)
        await asyncio.sleep(0.05)


def _goes_on(found: Payment, last: Attempt) -> bool:
    """Whether a call is at work on this press: it waits for the channel, or a spare passage is about to take over."""
    handed_on = last.state is AttemptState.DECLINED and found.outcome == "closed"
    return last.state is AttemptState.CREATED or handed_on


async def charge(ctx: Context, request: PayRequest, basis: Basis, pressed: Press, avoid: set[UUID]) -> Payment | Stale:
    """Pay at a channel: the press as it stands once the channel has answered, or `Stale` where it has to be judged
    again: facts moved on, or the passage declined for its own sake and another one should try (`avoid` names it)."""
    outside = outside_of(pressed.terms.tenders)
    assert outside is not None, "a tender outside"
    facts = pressed.facts
    merchants = {share.merchant_id for share in pressed.terms.shares}
    ways = await passages.ways(
        ctx, outside.method, facts.order.scene, outside.amount_minor, merchants, facts.client, avoid
    )
    if not ways:
        return Stale("passage")
    try:
        begun = await _begin(ctx, request, basis, pressed, outside, ways[0])
    except _Moved as moved:
        return Stale(str(moved))
    result = await call(ctx, begun, ways[0], request.return_url)
    if isinstance(result, Declined) and result.kind == "absent":  # of this very call: it has not been sent
        result = msgspec.structs.replace(result, kind="refused")
    by = ctx.by_system("charge", "the channel's answer")
    spare = isinstance(result, Declined) and result.fault == "passage" and len(ways) > 1
    await conclude(ctx, begun.consumer_id, begun.attempt_id, result, by, has_spare=spare, order_id=begun.order_id)
    if spare:
        avoid.add(begun.passage_id)
        return Stale("passage")
    return await standing(ctx, request.consumer_id, request.payment_id)


async def call(ctx: Context, begun: Attempt, passage: Passage, return_url: str = "") -> Result:
    """Open the trade at the channel; a repeat with the same attempt opens it once."""
    terms = _TERMS.decode(begun.terms) if begun.purpose == "order" else None
    channel = shelf.channel(begun.channel)
    made = Charge(
        begun.attempt_no, begun.amount_minor, begun.subject, begun.way, begun.made_at, begun.expires_at,
        passages.notify_url(ctx, passage.code), return_url or passages.return_url(ctx, begun), begun.currency,
        instalments_of(begun.plan) if terms else 1, payer=await passages.payer_of(ctx, begun),
    )  # fmt: skip
    refused = channel.precheck(made, passage)
    if refused:
        return Declined(refused[0], refused[0], "precheck", fault="passage" if refused[0] == "CHANNEL_NOT_CONTRACTED"
                        else "buyer")  # fmt: skip
    return await passages.observed(ctx, passage, channel.pay(ctx.http, passage, made))


def instalments_of(plan: str) -> int:
    """The count of instalments of a channel's own plan: `hb_6` → 6."""
    _, _, count = plan.rpartition("_")
    return int(count) if plan.startswith("hb_") and count.isdigit() else 1


async def _begin(
    ctx: Context, request: PayRequest, basis: Basis, pressed: Press, outside: Tender, passage: Passage
) -> Attempt:
    """One transaction: everything still as judged, what the house pays set aside, the attempt written down."""
    now = ctx.now()
    by = ctx.by_consumer(request.consumer_id, f"paid by {outside.method}")
    able = shelf.channel(passage.channel).capabilities
    card = await _instrument(ctx, request, pressed.facts, outside.amount_minor) if able.charges_bound else ""
    way = "token" if card else request.way or able.ways.get(pressed.facts.client, "page")
    begun = _attempt(request, basis, pressed, outside, passage, way, card or request.payer, now)
    await passages.name(ctx, begun)
    async with ctx.database.transaction() as tx:
        await _unmoved(ctx, tx, basis, pressed, begun)
        if begun.is_held:
            legs = pressed.terms.legs(pressed.terms.entries(passage.channel, passage.passage_id))
            verdict = await internal.reserve(
                tx, begun.attempt_id, begun.consumer_id, legs, business_date(now), now, basis.order_id
            )
            if verdict.outcome is not Outcome.HELD:
                raise _Moved("limit")
        if not basis.is_kept:
            await cashier.insert_decisions(tx, [basis.decision(pressed.facts, pressed.terms.tenders, now)])
        await order.attempt_begins(tx, begun.consumer_id, basis.order_id, by)
        if not await attempt.begin(tx, begun, by):
            raise AssertionError(f"{begun.attempt_no} is new")
    return begun


class _Moved(Exception):
    """Something is no longer as it was judged: the facts, the line, or a limit."""


def _attempt(
    request: PayRequest, basis: Basis, pressed: Press, outside: Tender, passage: Passage, way: str, instrument: str,
    now: datetime,
) -> Attempt:  # fmt: skip
    facts, terms = pressed.facts, pressed.terms
    pay_by = datetime.fromtimestamp(facts.order.pay_by_ms / 1000, tz=now.tzinfo)
    entries = terms.entries(passage.channel, passage.passage_id)
    return Attempt(
        request.consumer_id, new_id(epoch_ms(now)), "order", request.payment_id, basis.order_id, request.intent_id,
        basis.decision_id, request.input_hash, passage.passage_id, passage.code, passage.channel, outside.method,
        outside.plan, way, outside.amount_minor, facts.order.currency, f"fenqi {basis.order_id.hex[-10:].upper()}",
        _JSON.encode(terms), bool(terms.caps or legs_of(entries)), AttemptState.CREATED, now,
        min(pay_by, now + WINDOW), instrument, ask_at=now + timedelta(seconds=45),
    )  # fmt: skip


async def _instrument(ctx: Context, request: PayRequest, facts: Facts, amount_minor: int) -> str:
    """The bound card that pays, by its id: the one asked for, else the first good one. Refuses CARD_UNKNOWN."""
    if request.card_id is None:
        return str(await good_card(ctx, request.consumer_id, facts, amount_minor) or "")
    async with ctx.database.snapshot() as tx:
        if request.card_id not in [card.card_id for card in await customer.cards(tx, request.consumer_id)]:
            raise NotFound("CARD_UNKNOWN", "no such card is bound")
    return str(request.card_id)


async def good_card(ctx: Context, consumer_id: UUID, facts: Facts, amount_minor: int) -> UUID | None:
    """The card bound first whose bank has not just refused as much; where all have, the first. None: there is none."""
    async with ctx.database.snapshot() as tx:
        bound = [card.card_id for card in await customer.cards(tx, consumer_id)]
    refused = cashier.cards_refused(facts, amount_minor)
    return next((card_id for card_id in bound if str(card_id) not in refused), bound[0] if bound else None)


async def _unmoved(ctx: Context, tx: Tx, basis: Basis, pressed: Press, begun: Attempt) -> None:
    """Make sure that everything is as it was judged, else _Moved. Locks the order, the counter of presses, then the
    line."""
    key = (begun.consumer_id, basis.order_id)
    locked = (await order.lock_for_payment(tx, [key])).get(key)
    versions = await customer.versions(tx, [begun.consumer_id])
    facts = pressed.facts.versions
    if (
        locked is None
        or locked.state is not OrderState.AWAITING_PAYMENT
        or locked.version != facts.order
        or locked.attempts_open
        or locked.pay_by_at <= begun.made_at
        or versions.get(begun.consumer_id) != facts.consumer
        or await reference_epoch.read_epoch(tx) != facts.reference
    ):
        raise _Moved("facts")
    if not await risk_events.pressed(tx, basis, pressed, begun.payment_id, begun.made_at):
        raise _Moved("velocity")
    if pressed.bounds is None:
        return
    instalments = [begun.consumer_id] if pressed.bounds.instalment_minor else []
    lines = await credit.lock_for_payment(tx, [begun.consumer_id], instalments, begun.made_at, ctx.reference.product)
    if not Count(lines).take(begun.consumer_id, pressed.bounds):
        raise _Moved("line")


async def withdraw(ctx: Context, consumer_id: UUID, order_id: UUID, by: By) -> bool:
    """Close every attempt of an order at its channel, before something else is done with it; whether none is open.

    An attempt that turns out to be paid pays the order.
    """
    async with ctx.database.snapshot() as tx:
        tries = await attempt.of_order(tx, consumer_id, order_id)
    still_open = False
    for each in tries:
        if each.is_open:
            after = await close(ctx, each, by)
            still_open = still_open or after.is_open
    return not still_open


async def close(ctx: Context, begun: Attempt, by: By) -> Attempt:
    """Close an attempt at its channel; what the channel says is concluded."""
    passage = await passages.of_attempt(ctx, begun)
    channel = shelf.channel(begun.channel)
    result = await passages.observed(ctx, passage, channel.close(ctx.http, passage, begun.attempt_no))
    return await conclude(ctx, begun.consumer_id, begun.attempt_id, result, by, after_close=True)


async def ask(ctx: Context, begun: Attempt, by: By) -> Attempt:
    """Ask the channel what became of an attempt; past its time it is closed there. One that has ended without the
    channel having heard of it is asked for until the channel has answered that."""
    if begun.is_open and ctx.now() >= begun.expires_at:
        return await close(ctx, begun, by)
    passage = await passages.of_attempt(ctx, begun)
    channel = shelf.channel(begun.channel)
    result: Result = await passages.observed(ctx, passage, channel.query(ctx.http, passage, begun.attempt_no))
    if isinstance(result, Unknown):
        return begun
    if not begun.is_open and isinstance(result, Declined):
        async with ctx.database.transaction() as tx:
            return await attempt.ask_again_at(tx, await attempt.lock(tx, begun.consumer_id, begun.attempt_id), None)
    return await conclude(ctx, begun.consumer_id, begun.attempt_id, result, by)
